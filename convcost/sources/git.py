"""A commit of a repository, read from the objects of git without a checkout."""

import os
import re
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path, PurePosixPath

from convcost.model.record import NamedTuple
from convcost.sources.git_repository import GitError, Repository
from convcost.sources.rename_detection import detect_renames
from convcost.sources.spec_files import SUFFIXES, is_spec

FETCH_HINT = "fetch it first, in GitHub Actions with `fetch-depth: 0`"
MISSING_OBJECT = (
    "an object of the commit is missing, and convcost fetches nothing: fetch the commit with its "
    "files, without `--filter`"
)
FILE_MODES = ("100644", "100755")
OBJECT_NAME = re.compile(r"[0-9a-f]{40,64}")


class Blob(NamedTuple):
    """A file of a commit; `path` is its path there, an older one if it was renamed."""

    path: str
    data: bytes


class Commit:
    """One commit of one repository. git runs a few times in all, not once for each file.

    `files` are the names of the objects of all files by their paths. `renamed` has the old paths of
    the files that `blobs` found as renamed, by new paths.
    """

    def __init__(self, root: Path, ref: str) -> None:
        """The commit of `ref`, or the merge base of `a...b`, in the repository with this root.

        Raises GitError.
        """
        self.root = root
        self.renamed: dict[str, str] = {}
        self._deleted: dict[str, bytes] = {}  # the contents that are read already
        self._repository = Repository(root)
        commits = [_resolve(self._repository, commit) for commit in split_range(ref)]
        self.id = _merge_base(self._repository, ref, commits) if len(commits) > 1 else commits[0]
        what = "list the files of the commit"
        listed = self._repository.read(what, "ls-tree", "-r", "-z", "--full-tree", self.id)
        entries = (entry.partition("\t") for entry in listed.split("\0")[:-1])
        self.files = {
            path: about.rsplit(" ", 1)[1]
            for about, _, path in entries
            if about.partition(" ")[0] in FILE_MODES
        }
        index = self._repository.read("read its index", "ls-files", "-t", "-z").split("\0")
        self._left_out = {entry[2:] for entry in index if entry.startswith("S ")}

    def deleted(self, suffixes: Iterable[str] = SUFFIXES) -> list[str]:
        """The files with a suffix that the work tree does not have, except those that a sparse
        checkout leaves out."""
        wanted = tuple(suffixes)
        return [
            path
            for path in self.files
            if PurePosixPath(path).suffix in wanted
            and path not in self._left_out
            and not os.path.lexists(self.root / path)
        ]

    def blobs(self, paths: Iterable[str]) -> dict[str, Blob]:
        """Files of the commit by their current paths, if it has them. Raises GitError."""
        names = {path: path for path in paths}
        self.renamed = self._renames([path for path in names if path not in self.files])
        names = {path: old for path, old in (names | self.renamed).items() if old in self.files}
        blobs = map(Blob, names.values(), self._contents(list(names.values())))
        return dict(zip(names, blobs, strict=True))

    def _renames(self, new: list[str]) -> dict[str, str]:
        """Old paths by new paths, of files that the commit does not have. Raises GitError."""
        if not new:
            return {}
        deleted = self.deleted_contents(PurePosixPath(path).suffix for path in new)
        contents = {path: (self.root / path).read_bytes() for path in new}
        return detect_renames(contents, deleted)

    def deleted_contents(self, suffixes: Iterable[str] = ()) -> dict[str, bytes]:
        """The contents of the deleted specs, and of the deleted files with other suffixes. Raises
        GitError."""
        files = self.deleted({*SUFFIXES, *suffixes})
        missing = [path for path in files if path not in self._deleted]
        self._deleted |= zip(missing, self._contents(missing), strict=True)
        return {path: self._deleted[path] for path in files}

    def lost_specs(self) -> dict[str, bytes]:
        """The contents of the deleted specs that are not renamed; nothing if they are not there."""
        try:
            contents = self.deleted_contents()
        except GitError:  # of a partial clone
            return {}
        renamed = set(self.renamed.values())
        return {
            path: data
            for path, data in contents.items()
            if path not in renamed and is_spec(PurePosixPath(path))
        }

    def _contents(self, paths: list[str]) -> list[bytes]:
        """The contents of files, in one call. Raises GitError if one is missing."""
        if not paths:
            return []
        names = "".join(f"{self.files[path]}\n" for path in paths).encode()
        out = BytesIO(self._repository.git("cat-file", "--batch", given=names).stdout)
        contents = []
        for _ in paths:
            head = out.readline().split()
            if len(head) != 3:  # noqa: PLR2004  name, type, size; or name, `missing`
                raise GitError(MISSING_OBJECT)
            contents.append(out.read(int(head[2])))
            out.read(1)  # the line break after the contents
        return contents


def split_range(ref: str) -> list[str]:
    """The two commits of `a...b`, each by default HEAD; of another ref, the ref."""
    left, dots, right = ref.partition("...")
    return [left or "HEAD", right or "HEAD"] if dots and (left or right) else [ref]


def _merge_base(repository: Repository, ref: str, commits: list[str]) -> str:
    found = repository.git("merge-base", *commits)
    if found.returncode == 0:
        return found.stdout.decode().split("\n", 1)[0]
    both = " and ".join(f"`{commit}`" for commit in split_range(ref))
    if _shallow(repository):
        raise GitError(f"the merge base of {both} is not in this shallow clone: {FETCH_HINT}")
    raise GitError(f"{both} have no merge base: name another commit")


def _resolve(repository: Repository, ref: str) -> str:
    if not ref or ref.startswith("-") or "\0" in ref:
        raise GitError(f"`{ref}` is not the name of a commit")
    name = f"{ref}^{{commit}}"
    found = repository.git("rev-parse", "--verify", "--quiet", "--end-of-options", name)
    commit = os.fsdecode(found.stdout).strip()
    if found.returncode == 0 and OBJECT_NAME.fullmatch(commit):
        return commit
    if _shallow(repository):
        raise GitError(f"`{ref}` is not in this shallow clone: {FETCH_HINT}")
    raise GitError(f"there is no commit `{ref}`: fetch it, or name another")


def _shallow(repository: Repository) -> bool:
    return repository.git("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
