"""A commit of a repository, read from the objects of git without a checkout."""

import os
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from io import BytesIO
from itertools import chain
from pathlib import Path, PurePosixPath

from convcost.model.record import NamedTuple
from convcost.sources.git_repository import GitError, Repository
from convcost.sources.links import PathLinks, has_git
from convcost.sources.rename_detection import detect_renames
from convcost.sources.spec_files import MAX_BYTES, SUFFIXES
from convcost.sources.stored_paths import StoredPaths, is_same_file

FETCH_HINT = "fetch it first, in GitHub Actions with `fetch-depth: 0`"
MISSING_OBJECT = (
    "an object of the commit is missing, and convcost fetches nothing: fetch the commit with its "
    "files, without `--filter`"
)
WAS_SUBMODULE = "`{}` was a submodule, whose files the commit does not have"
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
IS_LFS_POINTER = "the commit has a pointer of Git LFS in its place"
FILE_MODES = ("100644", "100755")
LINK_MODE, SUBMODULE_MODE = "120000", "160000"
MAX_LINKS = 40  # in a chain
MAX_PATH = 4096  # no system follows a link to a longer one
# With these attributes, the text of a file in the work tree is not that of the commit. `ident` only
# changes what follows `$Id:`.
IDENT, ENCODING = "ident", "working-tree-encoding"
IDENT_TEXT = "$Id:"
NO_CONVERSION = ("unspecified", "unset", "", "utf-8", "utf8")  # a spec is UTF-8
OBJECT_NAME = re.compile(r"[0-9a-f]{40,64}")
AMBIGUOUS = b"is ambiguous."  # a warning of git
ANCESTOR = re.compile(r"[~^]|@\{")  # begins the rest of `HEAD~1` and `main@{1}`


class Blob(NamedTuple):
    """A file of a commit; `path` is its path there, an older one if it was renamed. `data` is None
    for a file larger than the limit of a spec."""

    path: str
    data: bytes | None


class Commit:
    """One commit of one repository. git runs a few times in all, not once for each file.

    `files` are the names of the objects of all files by their paths, `submodules` the commits of
    all submodules, `new_submodules` the paths of those that only the index has, and
    `changed_submodules` of those with another commit there. `renamed` has the old paths of the
    files that `blobs` found as renamed, by new paths.
    """

    def __init__(self, root: Path, ref: str) -> None:
        """The commit of `ref`, or the merge base of `a...b`, in the repository with this root.

        Raises GitError.
        """
        self.root = root
        self.renamed: dict[str, str] = {}
        self._deleted: dict[str, bytes | None] = {}  # the contents that were read
        self._compared: set[str] = set()  # the paths of the specs that `blobs` looked for
        self._work_tree = PathLinks()
        self._repository = Repository(root)
        commits = [_resolve(self._repository, commit) for commit in split_range(ref)]
        self.id = _merge_base(self._repository, ref, commits) if len(commits) > 1 else commits[0]
        action = "list the files of the commit"
        listed = self._repository.read(action, "ls-tree", "-r", "-z", "--full-tree", self.id)
        modes: dict[str, dict[str, str]] = {}
        for (mode, _, name), path in _entries(listed):
            modes.setdefault(mode, {})[path] = name
        self.files = {path: n for mode in FILE_MODES for path, n in modes.get(mode, {}).items()}
        self.submodules = modes.get(SUBMODULE_MODE, {})
        self._links = modes.get(LINK_MODE, {})
        index = list(_entries(self._repository.read("read its index", "ls-files", "-stz")))
        self._left_out = {path for (tag, *_), path in index if tag == "S"}
        submodules = {path: name for (_, mode, name, _), path in index if mode == SUBMODULE_MODE}
        self._current_submodules = submodules.keys()
        self.new_submodules = submodules.keys() - self.submodules.keys()
        self._missing_submodules = sorted(self.submodules.keys() - submodules.keys())
        self.changed_submodules = [
            path for path, name in self.submodules.items() if submodules.get(path, name) != name
        ]

    def has(self, path: str) -> bool:
        """Whether there is a file, a folder, a link or a submodule of that path."""
        paths = chain(self.files, self._links, self.submodules)
        return any(other == path or other.startswith(f"{path}/") for other in paths)

    def deleted(self, suffixes: Iterable[str] = SUFFIXES) -> list[str]:
        """The files with a suffix that the work tree does not have, except those that a sparse
        checkout leaves out. What a link leads to is another file: it has that name only if it is
        compared with this one."""
        file_suffixes = tuple(suffixes)
        return [
            path
            for path in self.files
            if PurePosixPath(path).suffix in file_suffixes
            and path not in self._left_out
            and path not in self._compared
            and not self._in_work_tree(self.root / path)
        ]

    def _in_work_tree(self, file: Path) -> bool:
        """Whether there is a file, and no link on its path."""
        is_file = os.path.isfile(file)  # noqa: PTH113  no error for any name
        return is_file and self._work_tree.follow(file).target == file

    def real_path(self, path: str) -> str:
        """A path with the links of the commit followed; the path itself if they lead nowhere. A
        `..` is the folder above the target of a link, as for the system. Raises GitError for a path
        in a submodule, whose files the commit does not have."""
        if not (self._links or self.submodules):
            return path
        left, parts, followed = path.split("/")[::-1], list[str](), 0
        while left:
            part = left.pop()
            if part in ("", "."):
                continue
            linked = "/".join((*parts, part))
            if part == "..":
                if not parts:
                    return path  # out of the repository
                parts.pop()
            elif linked in self.submodules:
                raise GitError(WAS_SUBMODULE.format(linked))
            elif linked in self._links:
                followed += 1
                target = os.fsdecode(self._targets[linked] or b"")
                if followed > MAX_LINKS or len(target) > MAX_PATH:
                    return path
                if target.startswith("/"):
                    parts = []
                    target = self._relative_to_root(target)
                left += target.split("/")[::-1]
            else:
                parts.append(part)
        return "/".join(parts)

    def _relative_to_root(self, target: str) -> str:
        """The absolute target of a link, from the root; `..` if it is out of the repository."""
        file = PurePosixPath(target)
        roots = (above for above in (file, *file.parents) if is_same_file(self.root, Path(above)))
        root = next(roots, None)
        return os.pardir if root is None else file.relative_to(root).as_posix()

    @cached_property
    def _stored(self) -> StoredPaths:
        return StoredPaths(self.root, self.files)

    def stored_path(self, path: str) -> str:
        """The path that the commit has for a file, on a system that ignores the case of names."""
        return path if path in self.files else self._stored.find(path)

    @cached_property
    def _targets(self) -> dict[str, bytes | None]:
        """The targets of all links. Raises GitError."""
        return dict(zip(self._links, self._contents(self._links.values()), strict=True))

    def content(self, path: str) -> bytes | None:
        """The contents of the file of a path, with links followed; None if there is none, or if it
        is larger than the limit of a spec. Raises GitError."""
        name = self.files.get(path) or self.files.get(self.real_path(path))
        return self._contents([name])[0] if name else None

    def blobs(self, paths: Iterable[str]) -> dict[str, Blob]:
        """Files of the commit by their current paths, if it has them. Raises GitError."""
        names = {path: path for path in paths}
        self._compared = set(names)
        self.renamed = self._renames([path for path in names if path not in self.files])
        names = {path: old for path, old in (names | self.renamed).items() if old in self.files}
        blobs = map(Blob, names.values(), self._contents(self.files[old] for old in names.values()))
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
        contents = self._contents(self.files[path] for path in missing)
        self._deleted |= zip(missing, contents, strict=True)
        return {path: data for path in files if (data := self._deleted[path]) is not None}

    @cached_property
    def moved_submodules(self) -> dict[str, str]:
        """The paths in the commit of submodules that have another path now, by that path: the
        repository there has the commit that the submodule had. Raises GitError."""
        deleted = {path: self.submodules[path] for path in self._missing_submodules}
        moved: dict[str, str] = {}
        for path in sorted(self.new_submodules) if deleted else ():
            if has_git(self.root / path):
                hashes = Repository(self.root / path).known_commits(deleted.values())
                old = next((before for before, commit in deleted.items() if commit in hashes), None)
                if old is not None:
                    moved[path] = old
                    del deleted[old]
        return moved

    def deleted_submodules(self) -> list[str]:
        """The paths of the submodules that the index does not have any more. Raises GitError."""
        moved = self.moved_submodules.values()
        return [path for path in self._missing_submodules if path not in moved]

    def absent_submodules(self) -> list[str]:
        """The paths of the submodules of the index that are not checked out."""
        return [path for path in self._current_submodules if _has_no_files(self.root / path)]

    def conversions(self, paths: Iterable[str]) -> dict[str, str]:
        """The attribute by which git changes the text of a file on checkout, by the path of the
        file, for those that have one. Raises GitError."""
        input_bytes = os.fsencode("".join(f"{path}\0" for path in paths))
        action, command = "read the attributes of the specs", ("check-attr", "-z", "--stdin")
        listed = self._repository.read(action, *command, IDENT, ENCODING, input_bytes=input_bytes)
        fields = iter(listed.split("\0")[:-1])
        return {
            path: name
            for path, name, value in zip(fields, fields, fields, strict=True)
            if value.casefold() not in NO_CONVERSION
        }

    def unread_deletion(self) -> str:
        """Why what the work tree does not have any more cannot be compared with new networks: the
        first reason, or an empty text."""
        try:
            if deleted := self.deleted_submodules():
                return WAS_SUBMODULE.format(deleted[0])
            self.deleted_contents()
        except GitError as error:
            return str(error)
        renamed = set(self.renamed.values())
        for path in self.deleted():
            data = self._deleted[path]
            if path not in renamed:
                if data is None:
                    return f"`{path}` was deleted, and is larger than the limit of a spec"
                if data.startswith(LFS_POINTER):
                    return f"`{path}` was deleted, and {IS_LFS_POINTER}"
        return ""

    def lost_specs(self) -> dict[str, bytes]:
        """The contents of the deleted specs that are not renamed; nothing if they are not there.

        Those in hidden folders, too: a check can name such a folder."""
        try:
            contents = self.deleted_contents()
        except GitError:  # a partial clone may lack it
            return {}
        renamed = set(self.renamed.values())
        return {path: data for path, data in contents.items() if path not in renamed}

    def _contents(self, names: Iterable[str]) -> list[bytes | None]:
        """The contents of objects, in two calls of git; None for one that is too large. Raises
        GitError if one is missing."""
        names = list(names)
        sizes = dict.fromkeys(names, 0)
        for line in self._cat_file("--batch-check", sizes).splitlines():
            name, *about = line.decode().split()
            if len(about) != 2:  # noqa: PLR2004  type and size, or `missing`
                raise GitError(MISSING_OBJECT)
            sizes[name] = int(about[1])
        small = [name for name, size in sizes.items() if size <= MAX_BYTES]
        out = BytesIO(self._cat_file("--batch", small))
        contents: dict[str, bytes] = {}
        for name in small:
            if not out.readline().startswith(name.encode()):
                raise GitError(MISSING_OBJECT)
            contents[name] = out.read(sizes[name])
            out.read(1)  # the line break after the contents
        return [contents.get(name) for name in names]

    def _cat_file(self, form: str, names: Iterable[str]) -> bytes:
        stdin = "".join(f"{name}\n" for name in names).encode()
        return self._repository.git("cat-file", form, input_bytes=stdin).stdout if stdin else b""


def _entries(listed: str) -> Iterator[tuple[list[str], str]]:
    """The entries of a list of git: the fields before the path, and the path."""
    for entry in listed.split("\0")[:-1]:
        about, _, path = entry.partition("\t")
        yield about.split(" "), path


def _has_no_files(folder: Path) -> bool:
    try:
        return not folder.is_dir() or next(folder.iterdir(), None) is None
    except (OSError, ValueError):  # no system accepts the name
        return True


def split_range(ref: str) -> list[str]:
    """The two commits of `a...b`, each by default HEAD; of another ref, the ref."""
    left, dots, right = ref.partition("...")
    return [left or "HEAD", right or "HEAD"] if dots and (left or right) else [ref]


def _merge_base(repository: Repository, ref: str, commits: list[str]) -> str:
    """The only merge base. Of several, a change could have an older version with a larger network
    as its base, by merging the parents of a merge. Raises GitError."""
    bases = repository.git("merge-base", "--all", *commits).stdout.decode().split()
    both = " and ".join(f"`{commit}`" for commit in split_range(ref))
    if _is_shallow(repository) and (not bases or _hides_parents(repository, commits, bases)):
        raise GitError(f"the merge base of {both} is not in this shallow clone: {FETCH_HINT}")
    if not bases:
        raise GitError(f"{both} have no merge base: name another commit")
    if len(bases) > 1:
        raise GitError(f"{both} have {len(bases)} merge bases: merge one into the other")
    return bases[0]


def _hides_parents(repository: Repository, commits: list[str], bases: list[str]) -> bool:
    """Whether a shallow clone lacks parents of the commits since all merge bases. Then these may
    have a later one, which a change can hide by merging an older commit. Raises GitError."""
    revs = ("--max-parents=0", *commits, "--not", *bases)
    first = repository.read("list the commits since the merge base", "rev-list", *revs).encode()
    objects = repository.git("cat-file", "--batch", input_bytes=first).stdout
    return b"\nparent " in objects


def _resolve(repository: Repository, ref: str) -> str:
    if not ref or ref.startswith("-") or "\0" in ref:
        raise GitError(f"`{ref}` is not the name of a commit")
    name = f"{ref}^{{commit}}"
    completed_process = repository.git("rev-parse", "--verify", "--end-of-options", name)
    commit = os.fsdecode(completed_process.stdout).strip()
    start = ANCESTOR.split(ref)[0]
    # Git takes a tag before a branch, so a tag `origin/main` would replace the base. It takes HEAD,
    # a whole name, and the full hash of a commit before all others. But if there is no ref of a
    # whole name, it takes a tag `refs/remotes/origin/main`.
    is_whole = start == "HEAD" or start.startswith("refs/")
    exists = not is_whole or not repository.git("show-ref", "--verify", "-q", start).returncode
    if completed_process.returncode == 0 and OBJECT_NAME.fullmatch(commit) and exists:
        is_hash = len(start) == len(commit) and OBJECT_NAME.fullmatch(start)
        if AMBIGUOUS in completed_process.stderr and not (is_whole or is_hash):
            raise GitError(
                f"`{ref}` is ambiguous: give the whole name of the branch or the tag, such as "
                "`refs/remotes/origin/main`"
            )
        return commit
    if _is_shallow(repository):
        raise GitError(f"`{ref}` is not in this shallow clone: {FETCH_HINT}")
    raise GitError(f"there is no commit `{ref}`: fetch it, or name another")


def _is_shallow(repository: Repository) -> bool:
    return repository.git("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
