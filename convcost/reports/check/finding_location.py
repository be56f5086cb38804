"""The file and line of a finding, and its fingerprint: the same on every machine."""

import os.path
from collections.abc import Iterable, Iterator
from pathlib import PurePath

from convcost.model.errors import Span
from convcost.model.record import NamedTuple
from convcost.reports.check.finding import CheckResult, Finding
from convcost.reports.report import Root


class LocatedFinding(NamedTuple):
    """A finding whose files are named relative to the root, with forward slashes.

    `path` is the file to open: that of the limit, or the spec if the limit is not in a file.
    `fingerprint` is unique in a report. It stays the same if lines move, counts change, or other
    limits are exceeded.
    """

    finding: Finding
    path: str
    span: Span | None
    fingerprint: str


def locate_reported(result: CheckResult, root: Root) -> Iterator[LocatedFinding]:
    """The findings to show, errors first, with the fingerprints they have among all findings."""
    ids = map(id, result.found)
    located = dict(zip(ids, locate_findings(result.found, root), strict=True))
    return (located[id(finding)] for finding in result.reported)


def locate_findings(findings: Iterable[Finding], root: Root) -> Iterator[LocatedFinding]:
    """Each finding with its location.

    A fingerprint counts the equal findings before it, so `findings` must be all of them.
    """
    count_by_key: dict[tuple[str, ...], int] = {}
    for original in findings:
        file, spec = (relative_to_root(path, root) for path in (original.file, original.spec))
        finding = original._replace(file=file, spec=spec)
        path = finding.file if finding.span else finding.spec
        key = (
            _machine_independent(path, root),
            finding.code,
            _machine_independent(finding.spec, root),
            finding.network,
            finding.budget,
            finding.scope,
            finding.path,
            finding.measure,
        )
        count_by_key[key] = ordinal = count_by_key.get(key, 0) + 1
        yield LocatedFinding(finding, path, finding.span, _hash((*key, str(ordinal))))


def relative_to_root(file: str, root: Root) -> str:
    """A file as a path relative to the root: `models/net.yaml`.

    A file outside of the root has its absolute path. A source that is not a file, such as standard
    input or a shipped spec, keeps its name.
    """
    path = PurePath(file)
    if not root.here or not (path.is_absolute() or os.path.lexists(root.here / path)):
        return path.as_posix()
    whole = PurePath(os.path.normpath(root.here / path))
    return (whole.relative_to(root.top) if whole.is_relative_to(root.top) else whole).as_posix()


def _machine_independent(path: str, root: Root) -> str:
    """`path`, relative to the root if it is absolute, so the hash fits any checkout folder."""
    if root.here and PurePath(path).is_absolute():
        return PurePath(os.path.relpath(path, root.top)).as_posix()
    return path


def _hash(parts: tuple[str, ...]) -> str:
    from hashlib import sha256

    # The length before each part makes different lists different texts.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
