"""Where a finding sends its reader, the same on every machine, and what it is known by later on."""

from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import NamedTuple

from convcost.errors import Place
from convcost.findings import Finding


class Placed(NamedTuple):
    """A finding whose files are named from the root, with forward slashes.

    `path` is the file to open: that of the limit, or the spec where the limit stands in no file.
    `fingerprint` is its own within a report, and stays when lines move or counts change.
    """

    finding: Finding
    path: str
    place: Place | None
    fingerprint: str


def placed(findings: Iterable[Finding], root: str) -> Iterator[Placed]:
    """Each finding with its place; `root` is a folder, or empty to leave names as they are."""
    known: dict[tuple[str, ...], int] = {}
    for one in findings:
        finding = one._replace(file=from_root(one.file, root), spec=from_root(one.spec, root))
        path = finding.file if finding.place else finding.spec
        key = (
            path,
            finding.code,
            finding.spec,
            finding.network,
            finding.budget,
            finding.scope,
            finding.path,
            finding.measure,
        )
        known[key] = ordinal = known.get(key, 0) + 1
        yield Placed(finding, path, finding.place, _hash((*key, str(ordinal))))


def from_root(file: str, root: str) -> str:
    """`models/net.yaml`: a file as it was named, but from the root if it is below that."""
    path = PurePath(file)
    if root and path.is_relative_to(root):
        path = path.relative_to(root)
    return path.as_posix()


def _hash(parts: tuple[str, ...]) -> str:
    from hashlib import sha256

    # Each with its length: no two lists of parts are one text.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
