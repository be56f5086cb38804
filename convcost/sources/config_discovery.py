"""The configuration file for a spec: the nearest one in its folder or above."""

import os
import stat
from pathlib import Path

from convcost.model.errors import UsageError
from convcost.sources.spec_files import CONFIG, MISSPELT_CONFIG


def find_config(folder: Path) -> Path | None:
    """The nearest configuration in a folder or above it, relative to the current folder if it is
    below that. Raises UsageError for one that has the name `MISSPELT_CONFIG`.

    The search ends at the root of the repository. Without a repository it ends at the current
    folder, or outside of that at once.
    """
    here = _current()
    parents = (folder, *folder.parents)
    root = next((parent for parent in parents if (parent / ".git").exists()), None)
    end = root or (here if here in parents else folder)
    for parent in parents[: parents.index(end) + 1]:
        for name in (CONFIG, MISSPELT_CONFIG):
            file = parent / name
            if not file.is_file() or _is_untrusted(file):
                continue
            shown = file.relative_to(here) if here and file.is_relative_to(here) else file
            if name == MISSPELT_CONFIG:
                raise UsageError(f"`{shown}` is not read; did you mean `{CONFIG}`?")
            return shown
    return None


def _is_untrusted(file: Path) -> bool:
    """Whether another user owns a file in a folder where every user can create one, like /tmp."""
    if os.name == "nt" or not file.parent.stat().st_mode & stat.S_ISVTX:
        return False
    return file.stat().st_uid not in (0, os.getuid())


def _current() -> Path | None:
    """The current folder, or None if it was deleted."""
    try:
        return Path.cwd()
    except OSError:
        return None
