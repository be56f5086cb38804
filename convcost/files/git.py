"""A commit of a repository: read from git's objects in a few calls, nothing is checked out."""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from convcost.report import printable

TIMEOUT = 60
FILES = ("100644", "100755")


class NoGit(Exception):  # noqa: N818  a plain statement for the user
    """Why there is no base, and what to do."""


class Blob(NamedTuple):
    """A file of a commit; `path` is its name there, other than now if it was renamed."""

    path: str
    data: bytes


class Commit:
    """One commit of one repository. git is called once for each thing that is to be known, not
    once for each file."""

    def __init__(self, folder: Path, ref: str) -> None:
        """The commit that `ref` names in the repository of a folder. Raises NoGit."""
        top = _git(folder, "rev-parse", "--show-toplevel")
        if top.returncode:
            raise NoGit(_no_repository(folder, top.stderr))
        self.root = Path(os.fsdecode(top.stdout.removesuffix(b"\n"))).resolve()
        self.id = _resolve(self.root, ref)
        self._files: dict[str, str] | None = None
        self._renamed: dict[str, str] | None = None

    def path(self, file: Path) -> str:
        """A file's path in the repository, which need not be there any more."""
        return (file.parent.resolve() / file.name).relative_to(self.root).as_posix()

    @property
    def files(self) -> dict[str, str]:
        """All files of the commit, each with the name of its object."""
        if self._files is None:
            listed = _git(self.root, "ls-tree", "-r", "-z", "--full-tree", self.id)
            if listed.returncode:
                raise NoGit(f"git cannot list the files of the commit: {_said(listed.stderr)}")
            self._files = {}
            for entry in os.fsdecode(listed.stdout).split("\0")[:-1]:
                about, _, path = entry.partition("\t")
                mode, *_, name = about.split(" ")
                if mode in FILES:
                    self._files[path] = name
        return self._files

    @property
    def renamed(self) -> dict[str, str]:
        """What files were called, if git takes them for the same: in the work tree or the index."""
        if self._renamed is None:
            self._renamed = {}
            for where in ((), ("--cached",)):
                self._renamed = {**_renames(self.root, self.id, where), **self._renamed}
        return self._renamed

    def blobs(self, files: Iterable[Path]) -> dict[Path, Blob]:
        """Files as they were, under their old names if they were renamed; those that were not
        there are left out."""
        wanted: dict[Path, str] = {}
        for file in files:
            path = self.path(file.resolve())
            old = path if path in self.files else self.renamed.get(path)
            if old in self.files:
                wanted[file] = old
        names = [self.files[path] for path in wanted.values()]
        data = _contents(self.root, names)
        return {
            file: Blob(path, content)
            for (file, path), content in zip(wanted.items(), data, strict=True)
        }


def _resolve(root: Path, ref: str) -> str:
    if not ref or ref.startswith("-"):
        raise NoGit(f"`{printable(ref)}` names no commit")
    name = f"{ref}^{{commit}}"
    found = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", name)
    if found.returncode == 0:
        return found.stdout.decode().strip()
    shallow = _git(root, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
    if shallow:
        raise NoGit(
            f"`{printable(ref)}` is not in this shallow clone: fetch it first, in GitHub Actions "
            "with `fetch-depth: 0`"
        )
    raise NoGit(f"there is no commit `{printable(ref)}`: fetch it, or name another")


def _said(stderr: bytes) -> str:
    return printable(next(iter(os.fsdecode(stderr).splitlines()), "it does not say why"))


def _no_repository(folder: Path, said: bytes) -> str:
    shown = printable(str(folder))
    if b"dubious ownership" in said:
        return (
            f"git does not trust the owner of `{shown}`: allow it with "
            "`git config --global --add safe.directory` and the folder of the repository"
        )
    return f"`{shown}` is not in a git repository"


def _renames(root: Path, commit: str, where: tuple[str, ...]) -> dict[str, str]:
    found = _git(
        root, "diff", *where, "--no-ext-diff", "--no-textconv", "--no-relative", "-M", "-z",
        "--name-status", "--diff-filter=R", commit, "--",
    )  # fmt: skip
    parts = os.fsdecode(found.stdout).split("\0")
    return dict(zip(parts[2::3], parts[1::3], strict=False))


def _contents(root: Path, names: list[str]) -> list[bytes]:
    """The contents of objects, in one call. Raises NoGit if one cannot be had."""
    if not names:
        return []
    asked = "".join(f"{name}\n" for name in names).encode()
    out = _git(root, "cat-file", "--batch", given=asked).stdout
    contents = []
    position = 0
    for _ in names:
        end = out.find(b"\n", position)
        head = out[position:end].split(b" ")
        if len(head) != 3:  # noqa: PLR2004  name, type, size; else the word that it is missing
            raise NoGit("an object of the commit is not here: fetch it with its files")
        size = int(head[2])
        contents.append(out[end + 1 : end + 1 + size])
        position = end + 1 + size + 1
    return contents


def _git(folder: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603  arguments are a list, and a ref cannot be an option
            ["git", "-C", str(folder), *arguments],  # noqa: S607  the user's own git
            capture_output=True,
            check=False,
            input=given,
            timeout=TIMEOUT,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"},
        )
    except FileNotFoundError:
        raise NoGit("git is not installed: a base can also be a file") from None
    except subprocess.TimeoutExpired:
        raise NoGit("git does not answer") from None
