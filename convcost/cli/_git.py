"""What a file was in another commit: read with `git show`, nothing is checked out."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from convcost.report import printable

TIMEOUT = 60


class NoGit(Exception):  # noqa: N818  a plain statement for the user
    """Why there is no base, and what to do."""


class Blob(NamedTuple):
    """A file of a commit; `path` is its name there, other than now if it was renamed."""

    path: str
    text: bytes


def resolve(folder: Path, ref: str) -> str:
    """The commit a name stands for. Raises NoGit."""
    if not ref or ref.startswith("-"):
        raise NoGit(f"`{printable(ref)}` names no commit")
    inside = _git(folder, "rev-parse", "--is-inside-work-tree")
    if inside.returncode:
        raise NoGit(f"`{printable(str(folder))}` is not in a git repository")
    found = _git(
        folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"
    )
    if found.returncode == 0:
        return found.stdout.decode().strip()
    shallow = _git(folder, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
    if shallow:
        raise NoGit(
            f"`{printable(ref)}` is not in this shallow clone: fetch it first, in GitHub Actions "
            "with `fetch-depth: 0`"
        )
    raise NoGit(f"there is no commit `{printable(ref)}`: fetch it, or name another")


def blob(file: Path, commit: str) -> Blob | None:
    """A file as it was, under its old name if it was renamed since; None if it was not there."""
    folder = file.parent
    top = _git(folder, "rev-parse", "--show-toplevel").stdout.decode("utf-8", "surrogateescape")
    root = Path(top.rstrip("\n"))
    path = file.resolve().relative_to(root.resolve()).as_posix()
    shown = _git(root, "show", f"{commit}:{path}")
    if shown.returncode == 0:
        return Blob(path, shown.stdout)
    old = _renamed(root, commit, path)
    if old is None:
        return None
    return Blob(old, _git(root, "show", f"{commit}:{old}").stdout)


def _renamed(root: Path, commit: str, path: str) -> str | None:
    """What a file was called, if git takes it for the same: in the index or the work tree."""
    for where in ((), ("--cached",)):
        found = _git(
            root, "diff", *where, "-M", "-z", "--name-status", "--diff-filter=R", commit, "--"
        )
        parts = found.stdout.decode("utf-8", "surrogateescape").split("\0")
        for status, old, new in zip(parts[::3], parts[1::3], parts[2::3], strict=False):
            if status.startswith("R") and new == path:
                return old
    return None


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603  arguments are a list, and a ref cannot be an option
            ["git", "-C", str(folder), *arguments],  # noqa: S607  the user's own git
            capture_output=True,
            check=False,
            timeout=TIMEOUT,
        )
    except FileNotFoundError:
        raise NoGit("git is not installed: a base can also be a file") from None
    except subprocess.TimeoutExpired:
        raise NoGit("git does not answer") from None
