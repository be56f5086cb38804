"""Symbolic links that lead out of their repository.

Strangers can commit links. So in CI such a link could show the text of any file of the machine in
an error message, or write a report over it.
"""

import os
from errno import ENOENT
from itertools import chain
from pathlib import Path

from convcost.model.errors import UsageError
from convcost.model.record import NamedTuple

GIT = ".git"


class Followed(NamedTuple):
    """Where a path leads, all links resolved, and whether a link on it leaves the repository that
    contains the link, or enters its `.git`."""

    target: Path
    leaves: bool


class PathLinks:
    """Follows the links of many paths, and finds the repositories of many folders. It looks at
    each folder once."""

    def __init__(self) -> None:
        self._followed: dict[Path, Followed] = {}
        self._roots: dict[Path, Path | None] = {}

    def follow(self, path: Path) -> Followed:
        """Where a path leads. It need not exist. Raises OSError for a relative path if the current
        folder was deleted."""
        passed = []
        for ancestor in chain((path,), path.parents):
            if ancestor in self._followed:
                break
            passed.append(ancestor)
        for ancestor in reversed(passed):
            self._followed[ancestor] = self._step(ancestor)
        return self._followed[path]

    def _step(self, path: Path) -> Followed:
        """Follows the last part of a path."""
        if path.parent == path:  # the root of the file system, or the current folder
            return Followed(path.absolute(), leaves=False)
        folder, leaves = self._followed[path.parent]
        if path.name == os.pardir:
            return Followed(folder.parent, leaves)
        target = folder / path.name
        if not _is_link(target):
            return Followed(target, leaves)
        target = Path(os.path.realpath(target))
        return Followed(target, leaves or self._leaves(folder, target))

    def _leaves(self, folder: Path, target: Path) -> bool:
        root = self.root(folder)
        if root is None:
            return False
        inside = target.is_relative_to(root)
        return not inside or GIT in map(str.casefold, target.relative_to(root).parts)

    def root(self, folder: Path) -> Path | None:
        """The nearest folder with a `.git`, at or above a folder, without running git.

        A bare repository has no `.git`, so one that is committed among the specs is not found.
        """
        root, passed = None, []
        for ancestor in chain((folder,), folder.parents):
            if ancestor in self._roots:
                root = self._roots[ancestor]
                break
            passed.append(ancestor)
            if has_git(ancestor):
                root = ancestor
                break
        self._roots |= dict.fromkeys(passed, root)
        return root


def refuse_link_out(path: Path, name: str, followed: Followed | None = None) -> None:
    """Raises UsageError if a link on a path leads out of the repository that contains the link, or
    into its `.git`. Messages call the path `name`. `followed` is where the path leads, if known."""
    try:
        target, leaves = followed or PathLinks().follow(path)
    except OSError:
        return  # the current folder was deleted, so there is nothing to read
    if leaves:
        raise UsageError(
            f"`{name}` is a link out of its repository: it leads to `{target}`",
            help="name that file itself, or copy it into the repository",
        )


def file_to_write(path: Path) -> Path:
    """The file that is written for a path, all links followed.

    Raises FileNotFoundError for an existing file through a folder that does not exist, such as
    `nowhere/../net.yaml`: `realpath` finds that file, but no check of the path does.
    """
    file = Path(os.path.realpath(path))
    if file.exists() and not path.exists():
        raise FileNotFoundError(ENOENT, os.strerror(ENOENT))
    return file


def _is_link(path: Path) -> bool:
    try:
        return path.is_symlink()
    except (OSError, ValueError):
        return False  # no system accepts the name


def has_git(folder: Path) -> bool:
    """Whether a folder is the root of the work tree of a repository."""
    git = folder / GIT
    try:
        return os.path.lexists(git / "HEAD") or git.is_file()  # a link, if its branch is packed
    except (OSError, ValueError):
        return False
