"""The path that a base has for a file, which can be spelled in another way there."""

from collections.abc import Iterable
from pathlib import Path
from unicodedata import normalize


class StoredPaths:
    """The paths that a base has, to find that of a file on a system that ignores the case of names,
    or composes their accents: `models/Net.yaml` for `Models/net.yaml`."""

    def __init__(self, folder: Path, paths: Iterable[str]) -> None:
        self._folder = folder
        self._alike: dict[str, list[str]] = {}
        for path in paths:
            self._alike.setdefault(_caseless(path), []).append(path)

    def find(self, path: str) -> str:
        """The stored path of a file: an equal one, else one of the same file, else the path."""
        alike = self._alike.get(_caseless(path), [])
        if path in alike:
            return path
        same = (stored for stored in alike if _is_same(self._folder / stored, self._folder / path))
        return next(same, path)


def _caseless(path: str) -> str:
    return normalize("NFC", normalize("NFC", path).casefold())


def _is_same(first: Path, second: Path) -> bool:
    """Whether two paths, of which none is a link, are those of one file."""
    return is_same_file(first, second) and not first.is_symlink() and not second.is_symlink()


def is_same_file(first: Path, second: Path) -> bool:
    """Whether two paths lead to one file or folder; false for names that no system accepts."""
    try:
        return first.samefile(second)
    except (OSError, ValueError):
        return False
