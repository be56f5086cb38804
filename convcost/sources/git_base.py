"""A base that is a commit: its version of each spec, and the specs deleted since."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path, PurePosixPath

from convcost.model.errors import Source, UsageError
from convcost.reports.check.measures import MeasuredNetwork
from convcost.sources.base_lookup import BaseNetworks, BaseSpecError, CurrentSpec, base_networks
from convcost.sources.git import Blob, Commit, split_range
from convcost.sources.git_repository import GitError
from convcost.sources.links import PathLinks
from convcost.sources.spec_files import SpecLocation, is_spec


class CommitBase:
    """`git:origin/main`, or `git:origin/main...` for its merge base with HEAD. Each repository with
    specs has a commit of its own."""

    tracks_deletions = True

    def __init__(self, ref: str, arguments: Iterable[str], specs: Iterable[SpecLocation]) -> None:
        self.name = _display_name(ref)
        self._ref = ref
        self._folders = [path for path in map(Path, arguments) if path.is_dir()]
        self._specs = [spec for spec in specs if spec.user_file is not None]
        self._links = PathLinks()
        self._commits: dict[Path, Commit | GitError] = {}

    def networks_of(self, spec: CurrentSpec) -> BaseNetworks:
        if spec.location not in self._versions:
            statement = f"{spec.name} is not a file of a repository, so it has no base"
            return BaseNetworks(statements=(statement,), unavailable=True)
        found = self._versions[spec.location]
        if isinstance(found, GitError):
            return BaseNetworks(reason=str(found), unavailable=True)
        path, blob = found
        if blob is None:
            return BaseNetworks(new=True)
        moved = (f"{spec.name} was {blob.path} in {self.name}",) if blob.path != path else ()
        try:
            text = _text(blob.data)
            if spec.whole and text == spec.text and blob.path == path:
                return BaseNetworks(spec.networks)  # unchanged: not counted again
            return BaseNetworks(base_networks(Source(blob.path, text)), moved)
        except BaseSpecError as error:
            statement = (
                f"{spec.name}: its base is not a valid spec ({error}): growth is not checked; fix "
                "the base or name another"
            )
            return BaseNetworks(statements=(*moved, statement), unavailable=True)

    def deleted_networks(self) -> list[tuple[str, MeasuredNetwork]]:
        found: list[tuple[str, MeasuredNetwork]] = []
        for commit in self._commits.values():
            if isinstance(commit, Commit):
                for path, data in commit.lost_specs().items():
                    with suppress(BaseSpecError, UsageError):  # another YAML file
                        networks = base_networks(Source(path, _text(data))).values()
                        found += ((path, network) for network in networks)
        return found

    def deletion_statements(self) -> list[str]:
        found: set[str] = set()
        for folder in self._folders:
            with suppress(GitError):  # the specs of the folder report it
                files = self._deleted(folder.resolve())
                found.update(f"{folder / file} is deleted; it was in {self.name}" for file in files)
        return sorted(found)

    def _deleted(self, folder: Path) -> Iterator[PurePosixPath]:
        """The deleted specs of a folder, by their paths from it. Raises GitError."""
        commit = self._commit(folder)
        for file in commit.deleted():
            path = commit.root / file
            if path.is_relative_to(folder) and file not in commit.renamed.values():
                spec = PurePosixPath(path.relative_to(folder).as_posix())
                if is_spec(spec):
                    yield spec

    @cached_property
    def _versions(self) -> dict[SpecLocation, tuple[str, Blob | None] | GitError]:
        """For each spec: its path in the repository, and its version in the commit; or the error of
        git."""
        found: dict[SpecLocation, tuple[str, Blob | None] | GitError] = {}
        paths: dict[Commit, dict[SpecLocation, str]] = {}
        for spec in self._specs:
            try:
                commit, path = self._locate(spec)
                paths.setdefault(commit, {})[spec] = path
            except GitError as error:
                found[spec] = error
        for commit, specs in paths.items():
            try:
                blobs = commit.blobs(specs.values())
                found |= {spec: (path, blobs.get(path)) for spec, path in specs.items()}
            except GitError as error:
                found |= dict.fromkeys(specs, error)
        return found

    def _locate(self, spec: SpecLocation) -> tuple[Commit, str]:
        """The commit and path of a file: its own path if the commit has that, else that of the
        target of its links. So a file that is replaced by a link to a larger one keeps its base.

        Raises GitError.
        """
        own = Path(os.path.abspath(spec.name))  # noqa: PTH100  links stay
        target = spec.followed.target if spec.followed else own.resolve()
        root = self._links.root(own.parent)
        if root is not None and own != target:
            with suppress(GitError):
                commit, path = self._commit(root.resolve()), own.relative_to(root).as_posix()
                if path in commit.files:
                    return commit, path
        commit = self._commit(target.parent)
        return commit, target.relative_to(commit.root).as_posix()

    def _commit(self, folder: Path) -> Commit:
        """The commit in the repository of a folder. Raises GitError."""
        root = self._links.root(folder) or folder
        if root not in self._commits:
            try:
                self._commits[root] = Commit(root, self._ref)
            except GitError as error:
                self._commits[root] = error
        found = self._commits[root]
        if isinstance(found, GitError):
            raise found
        return found


def _display_name(ref: str) -> str:
    commits = split_range(ref)
    if len(commits) == 1:
        return ref
    one, other = commits
    if other == "HEAD":
        return f"the merge base with {one}"
    return f"the merge base of {one} and {other}"


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BaseSpecError("it is not UTF-8 text") from None
