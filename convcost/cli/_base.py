"""What the networks of a spec were: in another commit, or in another file."""

from pathlib import Path
from typing import NamedTuple

from convcost.cli._git import NoGit, blob, resolve
from convcost.cli._sources import open_source
from convcost.costs import costs
from convcost.errors import Source, SpecError, UsageError
from convcost.questions.check.measures import Measured, measured
from convcost.report import printable
from convcost.spec.load import load


class Was(NamedTuple):
    """The networks of a base by name, and what a reader has to know of it."""

    networks: dict[str, Measured]
    statements: tuple[str, ...] = ()


class Base:
    """`git:origin/main`, or the name of a spec: where the base of each spec is looked up.

    Whatever is wrong with it is a statement and leaves a spec without a base; the limits that need
    none are checked all the same.
    """

    def __init__(self, asked: str) -> None:
        scheme, colon, ref = asked.partition(":")
        self.asked = asked
        self.ref = ref if colon and scheme == "git" else None
        self._file: Was | None = None

    def of(self, spec: str) -> Was:
        """What a spec was. Raises UsageError if the base is a file that cannot be read."""
        if self.ref is not None:
            return self._of_commit(spec, self.ref)
        if self._file is None:
            asked = open_source(self.asked)
            self._file = self._loaded(asked.source, "it")
        return self._file

    def _of_commit(self, spec: str, ref: str) -> Was:
        path = Path(spec)
        shown = printable(spec)
        if not path.is_file():
            return Was({}, (f"{shown}: no file of a repository, so without a base",))
        try:
            found = blob(path, resolve(path.resolve().parent, ref))
        except NoGit as reason:
            return Was({}, (f"{shown}: no base, growth is not checked: {reason}",))
        if found is None:
            return Was({}, (f"{shown}: new, not in {printable(ref)}: growth is not checked",))
        said: tuple[str, ...] = ()
        if Path(found.path).name != path.name or found.path not in path.resolve().as_posix():
            said = (f"{shown}: was {printable(found.path)} in {printable(ref)}",)
        try:
            text = found.text.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = "\0"
        was = self._loaded(Source(found.path, text), shown)
        return Was(was.networks, (*said, *was.statements))

    def _loaded(self, source: Source, shown: str) -> Was:
        try:
            networks = load(source)
        except SpecError as error:
            problem = error.problems[0]
            line = f", line {problem.place.line}" if problem.place else ""
            reason = printable(f"{problem.message}{line}")
            message = (
                f"{shown}: its base is no spec ({reason}): growth is not checked; mend the base "
                "or name another"
            )
            return Was({}, (message,))
        except UsageError as error:
            return Was({}, (f"{shown}: no base, growth is not checked: {error}",))
        return Was({network.name: measured(costs(network)) for network in networks})
