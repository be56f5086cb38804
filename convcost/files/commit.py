"""A base that is a commit: each spec as it was there, and those that are there no more."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from convcost.errors import Source
from convcost.files.git import Blob, Commit, NoGit
from convcost.files.sources import is_spec
from convcost.files.was import NoSpec, Now, Was, exists, of_text
from convcost.report import printable


class CommitBase:
    """`git:origin/main`. Each repository that specs are in has a commit of its own."""

    keeps = True

    def __init__(self, ref: str, arguments: Iterable[str], specs: Iterable[str]) -> None:
        self.asked = f"git:{ref}"
        self.ref = ref
        self.name = printable(ref)
        self._folders = [path for path in map(Path, arguments) if path.is_dir()]
        self._specs = [path.resolve() for path in map(Path, specs) if _is_file(path)]
        self._commits: dict[Path, Commit | NoGit] = {}
        self._blobs: dict[Path, dict[Path, Blob]] = {}
        self._roots: dict[Path, Path] = {}

    def of(self, now: Now) -> Was:
        path = Path(now.source.name)
        shown = printable(now.source.name)
        if not _is_file(path):
            return Was(said=(f"{shown}: no file of a repository, so without a base",))
        try:
            found = self._blob(path.resolve())
        except NoGit as reason:
            return Was(lack=str(reason))
        if found is None:
            return Was(said=(f"{shown}: new, not in {self.name}: growth is not checked",))
        said: tuple[str, ...] = ()
        if not path.resolve().as_posix().endswith(f"/{found.path}"):
            said = (f"{shown}: was {printable(found.path)} in {self.name}",)
        try:
            text = found.data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = "\0"
        if now.whole and text == now.source.text and Path(found.path).name == path.name:
            return Was(now.networks, said)  # what has not changed is not counted again
        try:
            return Was(of_text(Source(found.path, text)), said)
        except NoSpec as reason:
            message = (
                f"{shown}: its base is no spec ({reason}): growth is not checked; mend the base "
                "or name another"
            )
            return Was(said=(*said, message))

    def had(self, argument: str) -> bool:
        path = Path(argument)
        try:
            commit = self._commit(path.resolve().parent)
            inside = commit.path(path)
        except (NoGit, ValueError):
            return False
        return any(file == inside or file.startswith(f"{inside}/") for file in commit.files)

    def deleted(self) -> list[str]:
        found: dict[str, None] = {}
        for folder in self._folders:
            try:
                commit = self._commit(folder.resolve())
                root = folder.resolve().relative_to(commit.root)
            except (NoGit, ValueError):
                continue  # said of its specs
            for file in map(PurePosixPath, commit.files):
                if file.is_relative_to(root.as_posix()) and not exists(commit.root / file):
                    inside = file.relative_to(root.as_posix())
                    if is_spec(inside) and str(file) not in commit.renamed.values():
                        found[str(folder / inside)] = None
        return sorted(found)

    def _blob(self, file: Path) -> Blob | None:
        root = self._root(file.parent)
        if root not in self._blobs:
            beside = [spec for spec in self._specs if self._root(spec.parent) == root]
            self._blobs[root] = self._commit(file.parent).blobs(beside)
        return self._blobs[root].get(file)

    def _commit(self, folder: Path) -> Commit:
        root = self._root(folder)
        if root not in self._commits:
            try:
                self._commits[root] = Commit(root, self.ref)
            except NoGit as reason:
                self._commits[root] = reason
        commit = self._commits[root]
        if isinstance(commit, NoGit):
            raise commit
        return commit

    def _root(self, folder: Path) -> Path:
        """What stands for the repository of a folder, without asking git for each."""
        if folder not in self._roots:
            above = (one for one in (folder, *folder.parents) if (one / ".git").exists())
            self._roots[folder] = next(above, folder)
        return self._roots[folder]


def _is_file(path: Path) -> bool:
    return exists(path) and path.is_file()
