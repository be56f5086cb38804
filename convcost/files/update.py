"""A baseline written anew, which refuses to let anything grow without leave."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from convcost.errors import UsageError
from convcost.files.baseline import BaselineBase
from convcost.files.check import some
from convcost.files.gather import Asked, Gathered, gather, refuse_nothing
from convcost.files.sources import STDIN
from convcost.finding_text import change, named, spec_named
from convcost.findings import Finding
from convcost.questions.check.evaluate import Held, findings
from convcost.questions.check.measures import Measured
from convcost.questions.check.ratchet import NOTHING, paired, ratcheted, renamed_layers
from convcost.questions.check.report import Check
from convcost.report import printable


class Update(NamedTuple):
    """What grew or is over a limit, and the text of the baseline; none is to be written then."""

    check: Check
    files: tuple[str, ...]
    text: str | None


def updated(asked: Asked, *, allow_growth: bool) -> Update:
    """Growth is held against the baseline itself, whatever a budget lets grow; all other limits
    are held as ever.

    Raises UsageError if the base is no baseline file that can be written, and a group of all that
    is wrong with specs and request."""
    if asked.base is None or asked.base.startswith("git:") or not asked.base.endswith(".json"):
        raise UsageError(
            "--update-baseline writes the file that --base names: --base baseline.json"
        )
    all_ = gather(asked, begun=True)
    refuse_nothing(all_)
    base = all_.base
    assert isinstance(base, BaselineBase)
    base.refuse()
    text = base.updated(_now(all_, base))
    limits = [one for held in all_.held for one in findings(held) if one.test != "grow"]
    held, said = _held(all_, base)
    growth = [finding for one in held for finding in _growth(one, asked.base)]
    grew = [finding for finding in growth if finding.level == "error"]
    if allow_growth:
        growth = [finding for finding in growth if finding.level != "error"]
        said += tuple(_accepted(grew))
    over = sum(finding.level == "error" for finding in limits)
    written = not over and (allow_growth or not grew)
    verdict = _verdict(base.name, over, len(grew), allow_growth=allow_growth)
    check = Check(
        (*limits, *growth),
        (*all_.statements, *said, verdict),
        asked.base,
        held=tuple(one._replace(base=None) if one.base is NOTHING else one for one in held),
        headline=f"The baseline is {'' if written else 'not '}written",
    )
    return Update(check, all_.files, text if written else None)


def _held(all_: Gathered, base: BaselineBase) -> tuple[list[Held], tuple[str, ...]]:
    """Networks with what each is held against, and what is to be said of those that are new."""
    deleted = [*all_.deleted]
    for spec in base.gone:
        deleted += ((base.shown(spec), network) for network in base.networks[spec].values())
    new = [one for one in all_.held if one.base is None]
    pairs = paired([one.network for one in new], [network for _, network in deleted])
    files = {id(network): file for file, network in deleted}
    bases = {id(one): pair for one, pair in zip(new, pairs, strict=True)}
    said = []
    free = []
    for one, pair in zip(new, pairs, strict=True):
        name = printable(spec_named(one.spec, one.network.name))
        if pair is None:
            free.append(name)
        elif pair is NOTHING:
            said.append(f"{name}: new beside what is deleted, so all of it is growth")
        else:
            old = printable(spec_named(files[id(pair)], pair.name))
            said.append(f"{name}: new, held against {old}, which is deleted")
    if free:
        are = "1 network is" if len(free) == 1 else f"{len(free)} networks are"
        said.append(f"{are} new in {base.name}, held against nothing: {some(tuple(free))}")
    held = [one._replace(base=bases[id(one)]) if id(one) in bases else one for one in all_.held]
    return held, tuple(said)


def _growth(one: Held, file: str) -> Iterator[Finding]:
    if one.base is not None:
        for held in (ratcheted(one, file), *renamed_layers(one)):
            yield from (finding for finding in findings(held) if finding.level != "skipped")


def _accepted(grew: Iterable[Finding]) -> Iterator[str]:
    """A statement for each network."""
    of: dict[str, list[str]] = {}
    for finding in grew:
        told = f"{finding.what} {change(finding.base or 0, finding.found)}"
        of.setdefault(named(finding), []).append(told)
    for name, counts in of.items():
        yield printable(f"{name}: grew, accepted: {', '.join(counts)}")


def _verdict(name: str, over: int, grew: int, *, allow_growth: bool) -> str:
    exceeded = "1 limit is exceeded" if over == 1 else f"{over} limits are exceeded"
    counts = "1 count grew" if grew == 1 else f"{grew} counts grew"
    if not over and (allow_growth or not grew):
        return f"{name} is written" + (f": {counts}, accepted" if grew else "")
    if allow_growth or not grew:
        return f"{name} is not written: {exceeded}"
    also = f"{exceeded}, and " if over else ""
    return f"{name} is not written: {also}{counts}; --allow-growth accepts that"


def _now(all_: Gathered, base: BaselineBase) -> dict[str, dict[str, Measured]]:
    """The networks of the specs that were read; of a spec of which one was asked for, the others
    stay as they are, unless they are there no more."""
    deleted = {(file, network.name) for file, network in all_.deleted}
    found: dict[str, dict[str, Measured]] = {}
    for now in all_.nows:
        if now.source.name == STDIN:
            raise UsageError("a spec from standard input has no name to stand under in a baseline")
        key = base.key(now)
        before = {} if now.whole else base.networks.get(key, {})
        kept = {
            name: of for name, of in before.items() if (now.source.name, of.name) not in deleted
        }
        found[key] = {**kept, **found.get(key, {}), **now.networks}
    return found
