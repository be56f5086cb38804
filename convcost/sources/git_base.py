"""A base that is a commit: its version of each spec, and the specs deleted since."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path, PurePosixPath

from convcost.model.errors import Source, UsageError
from convcost.model.record import NamedTuple
from convcost.reports.check.measures import NetworkInFile
from convcost.sources.base_lookup import (
    Base,
    BaseNetworks,
    BaseSpecError,
    CurrentSpec,
    base_networks,
)
from convcost.sources.git import (
    IDENT,
    IDENT_TEXT,
    IS_LFS_POINTER,
    LFS_POINTER,
    Blob,
    Commit,
    split_range,
)
from convcost.sources.git_repository import GitError
from convcost.sources.links import PathLinks
from convcost.sources.spec_files import CONFIG, MAX_BYTES, SpecLocation, is_spec, path_exists

CONVERTED = (
    "the Git attribute `{}` changes the text of the spec on checkout, so a later base would be "
    "another network: remove the attribute, for example from `.gitattributes`"
)


class _Version(NamedTuple):
    """The path that a spec has by its name, and its version in the commit, if that has one."""

    path: str
    blob: Blob | None


class _SpecFile(NamedTuple):
    """The file of a spec in a commit. `name_path` is the path that the spec has by its name."""

    commit: Commit
    path: str
    name_path: str


class _MissingPath(NamedTuple):
    """A file or a submodule that the work tree lacks, and what happened to it."""

    path: Path
    event: str
    is_file: bool


class CommitBase(Base):
    """The base `git:origin/main`, or `git:origin/main...` for its merge base with HEAD. Each
    repository with specs has a commit of its own."""

    def __init__(self, ref: str, arguments: Iterable[str], specs: Iterable[SpecLocation]) -> None:
        self.name = _display_name(ref)
        self._ref = ref
        self._folders = [path for path in map(Path, arguments) if path.is_dir()]
        self._links = PathLinks()
        self._commits: dict[Path, Commit | GitError] = {}
        files = (spec for spec in specs if spec.user_file is not None)
        self._specs = [version for spec in files for version in self.by_version(spec)]

    def has(self, path: str) -> bool:
        try:
            commit, stored = self._commit_and_path(Path(os.path.abspath(path)))  # noqa: PTH100  keeps links
        except GitError:
            return False
        return commit.has(stored)

    def by_version(self, spec: SpecLocation) -> list[SpecLocation]:
        names: dict[object, str] = {}
        for name in spec.names if len(spec.names) > 1 else ():
            try:
                version_or_error: object = self._own_version(name)
            except GitError as error:
                version_or_error = str(error)
            if version_or_error is not None:
                names.setdefault(version_or_error, name)
        return [spec._replace(name=name) for name in names.values()] if len(names) > 1 else [spec]

    def networks_of(self, spec: CurrentSpec) -> BaseNetworks:
        version_or_error = self._conversion(spec) or self._versions.get(spec.location)
        if version_or_error is None or spec.location.is_model:
            statement = f"{spec.name} is not a file of a repository, so it has no base"
            if spec.location.is_model:
                statement = (
                    f"{spec.name} is a model, and a model has no base in Git: growth is not "
                    "checked; give a baseline .json or another model as the base"
                )
            return BaseNetworks(statements=(statement,), unavailable=True)
        if isinstance(version_or_error, GitError):
            return BaseNetworks(reason=str(version_or_error), unavailable=True)
        path, blob = version_or_error
        if blob is None:
            return BaseNetworks(new=True)
        same_path = blob.path == path
        move_statements = () if same_path else (f"{spec.name} was {blob.path} in {self.name}",)
        try:
            text = _text(blob.data)
            if spec.has_all_networks and text == spec.text and same_path:
                return BaseNetworks(spec.networks)  # unchanged: not counted again
            networks = base_networks(Source(blob.path, text))
            return BaseNetworks(networks, move_statements, "" if same_path else blob.path)
        except BaseSpecError as error:
            statement = (
                f"{spec.name}: its base is not a valid spec ({error}): growth is not checked; fix "
                "the base or name another"
            )
            return BaseNetworks(statements=(*move_statements, statement), unavailable=True)

    def deleted_networks(self) -> list[NetworkInFile]:
        return self._lost_networks

    @cached_property
    def _lost_networks(self) -> list[NetworkInFile]:
        for commit in self._found_commits():
            for path in commit.changed_submodules:
                with suppress(GitError):  # it is not checked out
                    self._commit(commit.root / path)
        lost_networks: list[NetworkInFile] = []
        for commit in self._found_commits():
            for path, data in commit.lost_specs().items():
                with suppress(BaseSpecError, UsageError):  # another YAML file
                    networks = base_networks(Source(path, _text(data))).values()
                    lost_networks += (NetworkInFile(path, network) for network in networks)
        return lost_networks

    def _found_commits(self) -> list[Commit]:
        """Each commit once; new submodules have that of the repository around them."""
        return [
            commit for commit in dict.fromkeys(self._commits.values()) if isinstance(commit, Commit)
        ]

    def unread_deletion(self) -> str:
        reasons = (commit.unread_deletion() for commit in self._found_commits())
        return next(filter(None, reasons), "")

    def deletion_statements(self) -> list[str]:
        statements = set(self._deleted_beside())
        named: dict[Commit, dict[Path, list[Path]]] = {}  # the arguments that lead to each folder
        for folder in self._folders:
            with suppress(GitError):  # the specs of the folder report it
                real = folder.resolve()
                named.setdefault(self._commit(real), {}).setdefault(real, []).append(folder)
        for commit, folders in named.items():
            with suppress(GitError):
                for missing in self._missing_paths(commit):
                    for parent in folders.keys() & {missing.path, *missing.path.parents}:
                        relative = missing.path.relative_to(parent)
                        if not missing.is_file or is_spec(relative):
                            statements.update(
                                f"{folder / relative} {missing.event}" for folder in folders[parent]
                            )
        return sorted(statements)

    def _deleted_beside(self) -> Iterator[str]:
        """A statement for each deleted spec in the folder of another one: a glob of the shell does
        not match it any more."""
        folders: dict[str, str] = {}
        for folder in dict.fromkeys(os.path.dirname(spec.name) for spec in self._specs):  # noqa: PTH120
            folders.setdefault(os.path.realpath(folder), folder)
        for commit in self._found_commits():
            neighbours = {
                path: os.path.join(folders[parent], name)  # noqa: PTH118
                for path in commit.deleted()
                for parent, name in (os.path.split(commit.root / path),)
                if parent in folders and is_spec(PurePosixPath(name))
            }
            contents = commit.lost_specs() if neighbours else {}
            for path in neighbours.keys() & contents.keys():
                with suppress(BaseSpecError, UsageError):  # another YAML file
                    base_networks(Source(path, _text(contents[path])))
                    yield f"{neighbours[path]} is deleted; it was in {self.name}"

    def config_statements(self, files: Iterable[str]) -> list[str]:
        statements = []
        for file in files:
            with suppress(GitError, OSError):  # without a base, growth is not checked
                commit, path = self._commit_and_path(Path(os.path.abspath(file)))  # noqa: PTH100  keeps links
                before = commit.content(path)
                if before is None:
                    statements.append(f"{file} is new: it is not in {self.name}")
                elif before.splitlines() != Path(file).read_bytes().splitlines():
                    statements.append(f"{file} has changed since {self.name}")
        for commit in self._found_commits():
            for path in commit.deleted():
                lost = commit.root / path
                if lost.name == CONFIG and not lost.is_file():  # a link can replace it
                    statements.append(f"{os.path.relpath(lost)} is deleted; it was in {self.name}")
        return statements

    def _missing_paths(self, commit: Commit) -> Iterator[_MissingPath]:
        """The files and submodules of a commit that the work tree lacks. Raises GitError."""
        renamed = set(commit.renamed.values())
        files = [path for path in commit.deleted() if path not in renamed]
        deleted = [
            path for path in commit.deleted_submodules() if not path_exists(commit.root / path)
        ]
        absent = commit.absent_submodules()
        for paths, event in (
            (files, f"is deleted; it was in {self.name}"),
            (deleted, f"is deleted; it was a submodule in {self.name}"),
            (absent, "is a submodule that is not checked out, so its specs are not checked"),
        ):
            for path in paths:
                yield _MissingPath(commit.root / path, event, paths is files)

    @cached_property
    def _versions(self) -> dict[SpecLocation, _Version | GitError]:
        """The version of each spec in the commit, or the error of git."""
        versions: dict[SpecLocation, _Version | GitError] = {}
        files_by_commit: dict[Commit, dict[SpecLocation, _SpecFile]] = {}
        for spec in self._specs:
            try:
                file = self._locate(spec)
                files_by_commit.setdefault(file.commit, {})[spec] = file
            except GitError as error:
                versions[spec] = error
        for commit, files in files_by_commit.items():
            try:
                blobs = commit.blobs(file.path for file in files.values())
                versions |= {
                    spec: _Version(file.name_path, blobs.get(file.path))
                    for spec, file in files.items()
                }
            except GitError as error:
                versions |= dict.fromkeys(files, error)
        return versions

    def _conversion(self, spec: CurrentSpec) -> GitError | None:
        """The error of a spec whose text is not what git has. In the next change, what git has is
        the base, and that can be a larger network."""
        conversion = self._conversions.get(spec.location)
        if conversion == IDENT and IDENT_TEXT not in spec.text:
            return None
        return GitError(CONVERTED.format(conversion)) if isinstance(conversion, str) else conversion

    @cached_property
    def _conversions(self) -> dict[SpecLocation, str | GitError]:
        """The attribute by which git changes the text of a spec on checkout, for each spec that has
        one, or the error of git."""
        paths_by_commit: dict[Commit, dict[SpecLocation, str]] = {}
        for spec in self._specs:
            with suppress(GitError):  # a target without a repository has no attributes
                commit, path = self._commit_and_path(_target(spec))
                paths_by_commit.setdefault(commit, {})[spec] = path
        outcomes: dict[SpecLocation, str | GitError] = {}
        for commit, paths in paths_by_commit.items():
            try:
                attributes = commit.conversions(set(paths.values()))
                outcomes |= {
                    spec: attributes[path] for spec, path in paths.items() if path in attributes
                }
            except GitError as error:
                outcomes |= dict.fromkeys(paths, error)
        return outcomes

    def _locate(self, spec: SpecLocation) -> _SpecFile:
        """The file of a spec in its commit.

        If the commit has a name of the spec that is now a link, that is its path: a file that is
        replaced by a link to a larger one keeps its base. So does a link that is replaced by a
        file, or by a link to another one. Raises GitError.
        """
        commit, path = self._commit_and_path(_target(spec))
        for name in (spec.name, *spec.names):
            if (version := self._own_version(name)) is not None:
                own_commit, own_path = version
                name_path = own_path if name == spec.name else path
                return _SpecFile(own_commit, own_path, name_path)
        if path not in commit.files and (real := commit.real_path(path)) in commit.files:
            path = real
        return _SpecFile(commit, path, path)

    def _own_version(self, name: str) -> tuple[Commit, str] | None:
        """The commit and the path there of the file that has this name in the base, if one has: by
        links of the commit, not by those of the work tree. Raises GitError if the name was in a
        submodule."""
        try:
            commit, path = self._commit_and_path(Path(os.path.abspath(name)))  # noqa: PTH100  keeps links
        except GitError:
            return None  # the repository of the target may have a base
        path = path if path in commit.files else commit.real_path(path)
        return (commit, path) if path in commit.files else None

    def _commit_and_path(self, file: Path) -> tuple[Commit, str]:
        """The commit for a file, and its path there, without following a link. Raises GitError."""
        root = self._links.root(file.parent) or file.parent
        commit = self._commit(root.resolve())
        path = (root.resolve() / file.relative_to(root)).relative_to(commit.root).as_posix()
        return commit, commit.stored_path(path)

    def _commit(self, folder: Path) -> Commit:
        """The commit in the repository of a folder. Raises GitError."""
        root = self._links.root(folder) or folder
        if root not in self._commits:
            try:
                self._commits[root] = self._find_commit(root)
            except GitError as error:
                self._commits[root] = error
        commit_or_error = self._commits[root]
        if isinstance(commit_or_error, GitError):
            raise commit_or_error
        return commit_or_error

    def _find_commit(self, root: Path) -> Commit:
        """The commit of the base in a repository. For a submodule it is the one that the base of
        the outer repository names, and in a new submodule all files are new. Raises GitError."""
        outer = self._links.root(root.parent)
        if outer is None or outer == root:
            return Commit(root, self._ref)
        try:
            commit = self._commit(outer)
        except GitError:  # the outer repository has no such base
            return Commit(root, self._ref)
        path = root.relative_to(commit.root).as_posix()
        path = commit.moved_submodules.get(path, path)
        if path in commit.new_submodules:
            return commit
        recorded = commit.submodules.get(path)
        return Commit(root, recorded or self._ref)


def _target(spec: SpecLocation) -> Path:
    """Where the links of a spec lead."""
    return spec.followed.target if spec.followed else Path(os.path.realpath(spec.name))


def _display_name(ref: str) -> str:
    commits = split_range(ref)
    if len(commits) == 1:
        return ref
    first, second = commits
    if second == "HEAD":
        return f"the merge base with {first}"
    return f"the merge base of {first} and {second}"


def _text(data: bytes | None) -> str:
    if data is None:
        raise BaseSpecError(f"it is larger than the limit of {MAX_BYTES // 2**20} MiB")
    if data.startswith(LFS_POINTER):
        raise BaseSpecError(IS_LFS_POINTER)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BaseSpecError("it is not UTF-8 text") from None
