"""A baseline written anew, which refuses to let anything grow without leave."""

from typing import NamedTuple

from convcost.errors import UsageError
from convcost.files.baseline import BaselineBase
from convcost.files.gather import Asked, Gathered, gather
from convcost.files.sources import STDIN
from convcost.findings import Finding
from convcost.questions.check.evaluate import findings
from convcost.questions.check.measures import Measured
from convcost.questions.check.ratchet import ratcheted
from convcost.questions.check.report import Check


class Update(NamedTuple):
    """What grew, and the text of the baseline; none is to be written if anything did."""

    check: Check
    files: tuple[str, ...]
    text: str | None


def updated(asked: Asked, *, allow_growth: bool) -> Update:
    """Raises UsageError if the base is no baseline file, and a group of all that is wrong with
    specs and request."""
    if asked.base is None or asked.base.startswith("git:") or not asked.base.endswith(".json"):
        raise UsageError(
            "--update-baseline writes the file that --base names: --base baseline.json"
        )
    all_ = gather(asked)
    base = all_.base
    assert isinstance(base, BaselineBase)
    base.refuse()
    found = tuple(
        _allowed(finding) if allow_growth else finding
        for one in all_.held
        if one.base is not None
        for finding in findings(ratcheted(one, asked.base))
        if finding.level != "skipped"
    )
    grew = sum(finding.level == "error" for finding in found)
    statements = (*_told(all_), _verdict(base, grew))
    check = Check(found, statements, asked.base, held=all_.held)
    return Update(check, all_.files, None if grew else base.updated(_now(all_, base)))


def _allowed(finding: Finding) -> Finding:
    return finding._replace(level="warning") if finding.level == "error" else finding


def _verdict(base: BaselineBase, grew: int) -> str:
    if grew:
        counts = "1 count grew" if grew == 1 else f"{grew} counts grew"
        return f"{base.name} is not written: {counts}; --allow-growth accepts that"
    return f"{base.name} is written"


def _told(all_: Gathered) -> tuple[str, ...]:
    """Without what is about to be mended: that there is no baseline yet, or a spec is not in it."""
    return tuple(one for one in all_.statements if "growth is not checked" not in one)


def _now(all_: Gathered, base: BaselineBase) -> dict[str, dict[str, Measured]]:
    """The networks of the specs that were read; of a spec of which one was asked for, the others
    stay as they are."""
    found: dict[str, dict[str, Measured]] = {}
    for now in all_.nows:
        if now.source.name == STDIN:
            raise UsageError("a spec from standard input has no name to stand under in a baseline")
        key = base.key(now.source.name)
        kept = {} if now.whole else base.networks.get(key, {})
        found[key] = {**kept, **found.get(key, {}), **now.networks}
    return found
