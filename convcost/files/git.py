"""A commit of a repository: read from git's objects in a few calls, nothing is checked out."""

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import NamedTuple

from convcost.files.moved import moved
from convcost.files.sources import is_spec
from convcost.report import printable

TIMEOUT = 60
DEEPEN = "fetch it first, in GitHub Actions with `fetch-depth: 0`"
NOTHING: Mapping[str, str] = MappingProxyType({})
FILES = ("100644", "100755")
# What git tells a hook of the repository that it runs for; a folder asked for may be in another.
OF_REPOSITORY = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_PREFIX",
    "GIT_NAMESPACE", "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE",
)  # fmt: skip
# What a commit in progress is in, and a push that is not taken yet: in that repository they hold.
IN_PROGRESS = ("GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")


class NoGit(Exception):  # noqa: N818  a plain statement for the user
    """Why there is no base, and what to do."""


class Blob(NamedTuple):
    """A file of a commit; `path` is its name there, other than now if it was renamed."""

    path: str
    data: bytes


class Changes(NamedTuple):
    """What git takes to be renamed since a commit, old names by new ones, and to be deleted;
    `unsure` is why it cannot tell all."""

    renamed: dict[str, str]
    deleted: tuple[str, ...] = ()
    unsure: str = ""


class Commit:
    """One commit of one repository. git is called once for each thing that is to be known, not
    once for each file."""

    def __init__(self, folder: Path, ref: str) -> None:
        """The commit that `ref` names in the repository of a folder. Raises NoGit."""
        top = _git(folder, "rev-parse", "--show-toplevel")
        if top.returncode:
            raise NoGit(_no_repository(folder, top.stderr))
        self.root = Path(os.fsdecode(top.stdout.removesuffix(b"\n"))).resolve()
        self.kept = _in_progress(self.root)
        left, dots, right = ref.partition("...")
        if dots and (left or right):
            self.id = _merge_base(self.root, left or "HEAD", right or "HEAD")
        else:
            self.id = _resolve(self.root, ref)
        self._files: dict[str, str] | None = None
        self._changes: Changes | None = None

    def path(self, file: Path) -> str:
        """A file's path in the repository, which need not be there any more. Raises NoGit."""
        where = file.parent.resolve() / file.name
        if not where.is_relative_to(self.root):
            raise NoGit(f"`{printable(str(file))}` is not in the work tree of its repository")
        return where.relative_to(self.root).as_posix()

    @property
    def files(self) -> dict[str, str]:
        """All files of the commit, each with the name of its object. Raises NoGit."""
        if self._files is None:
            listed = _git(self.root, "ls-tree", "-r", "-z", "--full-tree", self.id, kept=self.kept)
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
    def changes(self) -> Changes:
        """What became of files, in the work tree and in the index."""
        if self._changes is None:
            try:
                staged, _ = _changed(self, "--cached")
                renamed, deleted = _changed(self)
                renamed = {**staged, **renamed}
                left = tuple(path for path in deleted if path not in renamed.values())
                self._changes = Changes(renamed, left)
            except NoGit as reason:
                self._changes = Changes({}, unsure=str(reason))
        return self._changes

    def blobs(self, files: Iterable[Path]) -> dict[Path, Blob]:
        """Files as they were, under their old names if they were renamed; those that were not
        there are left out. Raises NoGit."""
        wanted: dict[Path, str] = {}
        missing: dict[str, Path] = {}
        for file in files:
            path = self.path(file.resolve())
            old = path if path in self.files else self.changes.renamed.get(path)
            if old in self.files:
                wanted[file] = old
            else:
                missing[path] = file
        for path, old in self._moved(missing).items():
            wanted[missing[path]] = old
        data = self._contents(list(wanted.values()))
        return {
            file: Blob(path, content)
            for (file, path), content in zip(wanted.items(), data, strict=True)
        }

    def _moved(self, missing: Mapping[str, Path]) -> dict[str, str]:
        """What git does not see, as nobody has told it of the new file yet."""
        deleted = [path for path in self.changes.deleted if missing and path in self.files]
        gone = [path for path in deleted if is_spec(PurePosixPath(path))]
        if not gone:
            return {}
        new = {path: file.read_bytes() for path, file in missing.items() if _readable(file)}
        found = moved(new, dict(zip(gone, self._contents(gone), strict=True)))
        renamed, unsure = {**self.changes.renamed, **found}, self.changes.unsure
        left = tuple(path for path in self.changes.deleted if path not in found.values())
        self._changes = Changes(renamed, left, unsure)
        return found

    def _contents(self, paths: list[str]) -> list[bytes]:
        """The contents of files, in one call. Raises NoGit if one cannot be had."""
        if not paths:
            return []
        asked = "".join(f"{self.files[path]}\n" for path in paths).encode()
        out = _git(self.root, "cat-file", "--batch", given=asked, kept=self.kept).stdout
        contents = []
        position = 0
        for _ in paths:
            end = out.find(b"\n", position)
            head = out[position:end].split(b" ")
            if len(head) != 3:  # noqa: PLR2004  name, type, size; else the word that it is missing
                raise NoGit("an object of the commit is not here: fetch it with its files")
            size = int(head[2])
            contents.append(out[end + 1 : end + 1 + size])
            position = end + 1 + size + 1
        return contents


def _readable(file: Path) -> bool:
    return file.is_file() and os.access(file, os.R_OK)


def _merge_base(root: Path, one: str, other: str) -> str:
    """Where two commits parted. Raises NoGit."""
    found = _git(root, "merge-base", _resolve(root, one), _resolve(root, other))
    if found.returncode == 0:
        return found.stdout.decode().split("\n", 1)[0]
    both = f"`{printable(one)}` and `{printable(other)}`"
    if _shallow(root):
        raise NoGit(f"where {both} parted is not in this shallow clone: {DEEPEN}")
    raise NoGit(f"{both} have no commit in common: name another")


def _resolve(root: Path, ref: str) -> str:
    if not ref or ref.startswith("-") or "\0" in ref:
        raise NoGit(f"`{printable(ref)}` names no commit")
    name = f"{ref}^{{commit}}"
    found = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", name)
    if found.returncode == 0:
        return found.stdout.decode().strip()
    if _shallow(root):
        raise NoGit(f"`{printable(ref)}` is not in this shallow clone: {DEEPEN}")
    raise NoGit(f"there is no commit `{printable(ref)}`: fetch it, or name another")


def _shallow(root: Path) -> bool:
    return _git(root, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"


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


def _changed(commit: Commit, *where: str) -> tuple[dict[str, str], list[str]]:
    """What was renamed, and what was deleted. Raises NoGit."""
    found = _git(
        commit.root, "diff", *where, "--no-ext-diff", "--no-textconv", "--no-relative", "-M", "-z",
        "--name-status", "--diff-filter=RD", commit.id, "--", kept=commit.kept,
    )  # fmt: skip
    if found.returncode:
        raise NoGit(f"git cannot tell what was renamed: {_said(found.stderr)}")
    parts = iter(os.fsdecode(found.stdout).split("\0")[:-1])
    renamed: dict[str, str] = {}
    deleted = []
    for state in parts:
        old = next(parts)
        if state.startswith("R"):
            renamed[next(parts)] = old
        else:
            deleted.append(old)
    return renamed, deleted


def _in_progress(root: Path) -> dict[str, str]:
    """What the environment tells of a commit or push in progress, if it is one of this repository:
    a hook may be asked for specs of another, as of a submodule. Raises NoGit."""
    told = {name: value for name in IN_PROGRESS if (value := os.environ.get(name))}
    if not told:
        return {}
    asked = ("rev-parse", "--absolute-git-dir")
    around = _run(["git", *asked], dict(os.environ)).stdout
    return told if around and around == _git(root, *asked).stdout else {}


def _git(
    folder: Path, *arguments: str, given: bytes = b"", kept: Mapping[str, str] = NOTHING
) -> subprocess.CompletedProcess[bytes]:
    dropped = (*OF_REPOSITORY, *IN_PROGRESS)
    around = {name: value for name, value in os.environ.items() if name not in dropped}
    return _run(["git", "-C", str(folder), *arguments], {**around, **kept}, given)


def _run(
    command: list[str], environment: Mapping[str, str], given: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603  arguments are a list, and a ref cannot be an option
            command,
            capture_output=True,
            check=False,
            input=given,
            timeout=TIMEOUT,
            env={**environment, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"},
        )
    except FileNotFoundError:
        raise NoGit("git is not installed: a base can also be a file") from None
    except OSError as error:
        raise NoGit(f"git cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise NoGit("git does not answer") from None
