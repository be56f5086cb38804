"""The configuration file for a spec: the nearest one in its folder or above."""

import os
import stat
from itertools import chain
from pathlib import Path

from convcost.model.errors import UsageError
from convcost.sources.links import PathLinks
from convcost.sources.spec_files import CONFIG, MISSPELT_CONFIG


class ConfigFinder:
    """Finds the configuration for the specs of many folders. It searches each folder once."""

    def __init__(self, links: PathLinks) -> None:
        self._links = links
        self._found: dict[Path, Path | None] = {}

    def find(self, folder: Path) -> Path | None:
        """The nearest configuration in a folder or above it; None if there is none. Its path is
        relative if it is in the current folder. Raises UsageError for a misspelt name.

        The search ends at the root of the repository: for a folder in the current folder, at that
        of the current folder, so that a folder that becomes a submodule keeps its budgets. Without
        a repository it ends at the current folder, or, for a folder outside of that, in the folder
        itself.
        """
        current = current_folder()
        start = current if current and folder.is_relative_to(current) else folder
        end = self._links.root(start) or self._links.root(folder) or start
        config_path, passed = None, []
        for ancestor in chain((folder,), folder.parents):
            if ancestor in self._found:
                config_path = self._found[ancestor]
                break
            passed.append(ancestor)
            config_path = _config_in(ancestor, current)
            if config_path or ancestor == end:
                break
        self._found |= dict.fromkeys(passed, config_path)
        return config_path


def _config_in(folder: Path, current: Path | None) -> Path | None:
    """The configuration in a folder. Raises UsageError for one with a misspelt name, and for a link
    to no file or a folder with its name, because the budgets would be lost."""
    for name in (CONFIG, MISSPELT_CONFIG):
        file = folder / name
        if not os.path.lexists(file) or _is_untrusted(file):
            continue
        shown = file.relative_to(current) if current and file.is_relative_to(current) else file
        if name == MISSPELT_CONFIG:
            raise UsageError(f"`{shown}` is not read; did you mean `{CONFIG}`?")
        if not file.is_file():
            problem = "not a file" if file.exists() else "a link that leads to no file"
            raise UsageError(
                f"`{shown}` is {problem}, so its budgets cannot be read",
                help="write the budgets into a file of that name, or remove it",
            )
        return shown
    return None


def _is_untrusted(file: Path) -> bool:
    """Whether another user owns a file in a folder where every user can create one, like /tmp."""
    if os.name == "nt" or not file.parent.stat().st_mode & stat.S_ISVTX:
        return False
    return file.lstat().st_uid not in (0, os.getuid())  # of a link itself


def current_folder() -> Path | None:
    """The current folder, or None if it was deleted."""
    try:
        return Path.cwd()
    except OSError:
        return None
