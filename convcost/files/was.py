"""What the networks of a spec were, wherever that is looked up."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from convcost.costs import costs
from convcost.errors import Problem, Source, SpecError, UsageError
from convcost.questions.check.measures import Measured, measured
from convcost.report import printable
from convcost.spec.load import load

NO_DOCUMENT = "CC113"


class NoSpec(Exception):  # noqa: N818  a plain statement for the user
    """Why a base is no spec."""


class Was(NamedTuple):
    """The networks of a base by name, and what a reader has to know of it.

    `said` is of this spec alone; `lack` is why there is no base, where it may be that of many.
    `unmet` is whether a base cannot be had, other than that of what is new.
    """

    networks: Mapping[str, Measured] = {}
    said: tuple[str, ...] = ()
    lack: str = ""
    unmet: bool = False


class Now(NamedTuple):
    """A spec as it is, with those of its networks that are asked for, by name; `whole` if that is
    all of them. `path` is its file, None for standard input and for a spec that is `shipped`."""

    source: Source
    networks: Mapping[str, Measured]
    whole: bool
    path: Path | None = None
    shipped: bool = False

    def names(self) -> Collection[str]:
        """Those of all networks of the file; none if not all of it can be read."""
        if self.whole:
            return self.networks
        try:
            return [network.name for network in load(self.source)]
        except SpecError:
            return ()


class Base(Protocol):
    """Where the base of each spec is looked up. Whatever is wrong with it is said and leaves a spec
    without one; the limits that need none are checked all the same."""

    name: str  # as messages call it
    asked: str
    keeps: bool  # whether a spec or network that it has, and the change has not, is deleted

    def of(self, now: Now) -> Was:
        """What a spec was. Raises UsageError if the base is a file that cannot be read."""
        ...

    def had(self, argument: str) -> bool:
        """Whether it has a spec, or a folder of specs, of that name."""
        ...

    def deleted(self) -> list[str]:
        """Statements of the specs that it has and the change has not, as far as they were asked
        for."""
        ...


def of_text(source: Source, pick: str | None = None) -> dict[str, Measured]:
    """The networks of a text by name, or the one that is picked.

    Raises NoSpec with what is wrong first, UsageError if there is none of the name picked."""
    try:
        networks = load(source, pick=pick)
    except SpecError as error:
        problem = error.problems[0]
        if problem.code == NO_DOCUMENT:
            raise UsageError(_with_help(problem, source.name)) from None
        line = f", line {problem.place.line}" if problem.place else ""
        raise NoSpec(printable(f"{problem.message}{line}")) from None
    return {network.name: measured(costs(network)) for network in networks}


def _with_help(problem: Problem, file: str) -> str:
    message = problem.message.replace("this file", f"`{file}`", 1)
    return "\nhelp: ".join(printable(text) for text in (message, problem.help) if text)


def exists(path: Path) -> bool:
    """Whether there is anything of that name; no name is too strange to ask."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
