"""Symbolic links that lead out of their repository.

Strangers can commit links. So in CI such a link could show the text of any file of the machine in
an error message, or write a report over it.
"""

import os
from pathlib import Path

from convcost.model.errors import UsageError

GIT = ".git"


def refuse_link_out(path: Path, name: str) -> None:
    """Raises UsageError if a link on a path leads out of the repository that contains the link, or
    into its `.git`. Messages call the path `name`."""
    if target := link_out(path):
        raise UsageError(
            f"`{name}` is a link out of its repository: it leads to `{target}`",
            help="name that file itself, or copy it into the repository",
        )


def link_out(path: Path) -> Path | None:
    """Where a path leads if a link on it leaves the repository that contains the link, or enters
    its `.git`; None for another path, and outside of all repositories."""
    try:
        left, at = False, Path(path.anchor) if path.is_absolute() else Path.cwd()
        for part in path.parts[bool(path.anchor) :]:
            folder, at = at, at / part
            if part == os.pardir:
                at = folder.parent
            elif at.is_symlink():
                at = Path(os.path.realpath(at))
                left = left or _leaves(folder, at)
    except (OSError, ValueError):
        return None  # no system accepts the name, so there is nothing to read
    return at if left else None


def _leaves(folder: Path, target: Path) -> bool:
    root = find_root(folder)
    if root is None:
        return False
    inside = target.is_relative_to(root)
    return not inside or GIT in map(str.casefold, target.relative_to(root).parts)


def find_root(folder: Path) -> Path | None:
    """The nearest folder with a `.git`, at or above a folder, without running git.

    A bare repository has no `.git`, so one that is committed among the specs is not found.
    """
    return next(filter(has_git, (folder, *folder.parents)), None)


def has_git(folder: Path) -> bool:
    """Whether a folder is the root of the work tree of a repository."""
    git = folder / GIT
    try:
        return (git / "HEAD").exists() or git.is_file()
    except (OSError, ValueError):
        return False
