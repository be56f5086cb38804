"""The configuration that a spec finds above itself, and how far it looks."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from convcost.files.sources import CONFIG, MISSPELT


def above(folder: Path) -> Path | None:
    """The nearest above a folder, by a short name if it has one; it may be called `MISSPELT`.

    It is looked for up to the root of the repository. Where there is none: up to the home folder
    or, outside of that, up to the current one.
    """
    for one in _folders(folder):
        for name in (CONFIG, MISSPELT):
            found = one / name
            if found.is_file() and not _of_a_stranger(found):
                return _short(found)
    return None


def _folders(folder: Path) -> Iterator[Path]:
    all_ = (folder, *folder.parents)
    bounds = [one for one in all_ if (one / ".git").exists()][:1]
    bounds = bounds or [one for one in (_home(), _here()) if one in all_][:1] or [folder]
    for one in all_:
        yield one
        if one == bounds[0]:
            return


def _of_a_stranger(found: Path) -> bool:
    """In a folder like /tmp anybody can lay a file for all others: only one's own is meant."""
    if os.name == "nt" or not found.parent.stat().st_mode & stat.S_ISVTX:
        return False
    return found.stat().st_uid not in (0, os.getuid())


def _short(found: Path) -> Path:
    here = _here()
    return found.relative_to(here) if here is not None and found.is_relative_to(here) else found


def _here() -> Path | None:
    """The current folder, if it is still there."""
    try:
        return Path.cwd()
    except OSError:
        return None


def _home() -> Path | None:
    try:
        return Path.home().resolve()
    except (RuntimeError, OSError):
        return None
