"""Where a finding sends its reader, the same on every machine, and what it is known by later on."""

import os.path
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import NamedTuple

from convcost.errors import Place
from convcost.findings import Finding, Findings


class Placed(NamedTuple):
    """A finding whose files are named from the root, with forward slashes.

    `path` is the file to open: that of the limit, or the spec where the limit stands in no file.
    `fingerprint` is its own within a report, and stays when lines move, counts change, or another
    limit is kept or exceeded.
    """

    finding: Finding
    path: str
    place: Place | None
    fingerprint: str


class Root(NamedTuple):
    """`top` is the folder that files are named from, `here` the one that their names count from;
    both are absolute, or empty to leave names as they are."""

    top: str = ""
    here: str = ""


def told(report: Findings, root: Root) -> Iterator[Placed]:
    """The findings to be told, errors first; each has the fingerprint it has among all."""
    order = {id(finding): number for number, finding in enumerate(report.findings())}
    all_ = zip(report.found, placed(report.found, root), strict=True)
    chosen = [(order[id(own)], one) for own, one in all_ if id(own) in order]
    yield from (one for _, one in sorted(chosen, key=lambda item: item[0]))


def placed(findings: Iterable[Finding], root: Root) -> Iterator[Placed]:
    """Each finding with its place. A fingerprint counts those before it that are like it, so that
    it is the same only if these are all findings, told or not."""
    known: dict[tuple[str, ...], int] = {}
    for one in findings:
        finding = one._replace(file=from_root(one.file, root), spec=from_root(one.spec, root))
        path = finding.file if finding.place else finding.spec
        key = (
            _same_everywhere(path, root),
            finding.code,
            _same_everywhere(finding.spec, root),
            finding.network,
            finding.budget,
            finding.scope,
            finding.path,
            finding.measure,
        )
        known[key] = ordinal = known.get(key, 0) + 1
        yield Placed(finding, path, finding.place, _hash((*key, str(ordinal))))


def from_root(file: str, root: Root) -> str:
    """`models/net.yaml`: a file from the root, however it was named; what is none, as standard
    input or a spec that travels with the program, is called as it was. Of a file outside of the
    root the whole path is told."""
    path = PurePath(file)
    if not root.here or not (path.is_absolute() or os.path.lexists(root.here / path)):
        return path.as_posix()
    whole = PurePath(os.path.normpath(root.here / path))
    return (whole.relative_to(root.top) if whole.is_relative_to(root.top) else whole).as_posix()


def _same_everywhere(path: str, root: Root) -> str:
    """A file outside of the root by its way from there: what lies beside it may lie anywhere."""
    if root.here and PurePath(path).is_absolute():
        return PurePath(os.path.relpath(path, root.top)).as_posix()
    return path


def _hash(parts: tuple[str, ...]) -> str:
    from hashlib import sha256

    # Each with its length: no two lists of parts are one text.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
