"""A base that is a commit: each spec as it was there, and those that are there no more."""

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from convcost.errors import Source
from convcost.files.git import Blob, Commit, NoGit
from convcost.files.sources import is_spec
from convcost.files.was import NoSpec, Now, Was, exists, of_text
from convcost.report import printable


class CommitBase:
    """`git:origin/main`, and `git:origin/main...` for where HEAD parted from it. Each repository
    that specs are in has a commit of its own."""

    keeps = True

    def __init__(self, ref: str, arguments: Iterable[str], files: Iterable[Path]) -> None:
        self.asked = f"git:{ref}"
        self.ref = ref
        self.name = _called(ref)
        self._folders = [path for path in map(Path, arguments) if path.is_dir()]
        self._specs = [path.resolve() for path in files]
        self._commits: dict[Path, Commit | NoGit] = {}
        self._blobs: dict[Path, dict[Path, Blob] | NoGit] = {}
        self._roots: dict[Path, Path] = {}

    def of(self, now: Now) -> Was:
        shown = printable(now.source.name)
        if now.path is None:
            why = f"{shown}: no file of a repository, so without a base"
            return Was(said=(why,), unmet=True)
        file = now.path.resolve()
        try:
            found = self._blob(file)
        except NoGit as reason:
            return Was(lack=str(reason), unmet=True)
        if found is None:
            return self._new(shown, file)
        said: tuple[str, ...] = ()
        if not file.as_posix().endswith(f"/{found.path}"):
            said = (f"{shown}: was {printable(found.path)} in {self.name}",)
        try:
            text = _text(found.data)
            if now.whole and text == now.source.text and Path(found.path).name == file.name:
                return Was(now.networks, said)  # what has not changed is not counted again
            return Was(of_text(Source(found.path, text)), said)
        except NoSpec as reason:
            message = (
                f"{shown}: its base is no spec ({reason}): growth is not checked; mend the base "
                "or name another"
            )
            return Was(said=(*said, message), unmet=True)

    def _new(self, shown: str, file: Path) -> Was:
        unsure = self._commit(file.parent).changes.unsure
        if unsure:
            why = f"not in {self.name} under this name, and {unsure}"
            return Was(said=(f"{shown}: {why}: growth is not checked",), unmet=True)
        return Was(said=(f"{shown}: new, not in {self.name}: growth is not checked",))

    def had(self, argument: str) -> bool:
        path = Path(argument)
        try:
            commit = self._commit(path.resolve().parent)
            inside = commit.path(path)
            return any(file == inside or file.startswith(f"{inside}/") for file in commit.files)
        except (NoGit, ValueError, OSError):
            return False

    def deleted(self) -> list[str]:
        found: dict[str, None] = {}
        for folder in self._folders:
            try:
                commit = self._commit(folder.resolve())
            except NoGit:
                continue  # said of its specs
            try:
                for file in self._gone(commit, folder.resolve()):
                    shown = printable(str(folder / file))
                    found[f"{shown}: deleted, was in {self.name}"] = None
            except NoGit as reason:
                shown = printable(str(folder))
                found[f"{shown}: what is deleted cannot be told: {reason}"] = None
        return sorted(found)

    def _gone(self, commit: Commit, folder: Path) -> Iterator[PurePosixPath]:
        """The specs of a folder that are there no more, by their paths from it. Raises NoGit."""
        if not folder.is_relative_to(commit.root):
            return
        root = folder.relative_to(commit.root).as_posix()
        for file in map(PurePosixPath, commit.files):
            if file.is_relative_to(root) and is_spec(file.relative_to(root)):
                if exists(commit.root / file):
                    continue
                if commit.changes.unsure:
                    raise NoGit(commit.changes.unsure)
                if str(file) in commit.changes.deleted:
                    yield file.relative_to(root)

    def _blob(self, file: Path) -> Blob | None:
        root = self._root(file.parent)
        if root not in self._blobs:
            beside = [spec for spec in self._specs if self._root(spec.parent) == root]
            try:
                self._blobs[root] = self._commit(file.parent).blobs(beside)
            except NoGit as reason:
                self._blobs[root] = reason
        found = self._blobs[root]
        if isinstance(found, NoGit):
            raise found
        return found.get(file)

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


def _called(ref: str) -> str:
    left, dots, right = ref.partition("...")
    if not dots or not (left or right):
        return printable(ref)
    one, other = left or "HEAD", right or "HEAD"
    if other == "HEAD":
        return printable(f"the merge base with {one}")
    return printable(f"the merge base of {one} and {other}")


def _text(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NoSpec("it is not UTF-8 text") from None
    if "\0" in text:
        raise NoSpec("it is not text: it has a zero byte")
    return text
