"""What the networks of a spec were, wherever that is looked up."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from convcost.costs import costs
from convcost.errors import Source, SpecError
from convcost.questions.check.measures import Measured, measured
from convcost.report import printable
from convcost.spec.load import load


class NoSpec(Exception):  # noqa: N818  a plain statement for the user
    """Why a base is no spec."""


class Was(NamedTuple):
    """The networks of a base by name, and what a reader has to know of it.

    `said` is of this spec alone; `lack` is why there is no base, where it may be that of many.
    """

    networks: Mapping[str, Measured] = {}
    said: tuple[str, ...] = ()
    lack: str = ""


class Now(NamedTuple):
    """A spec as it is, with its networks by name; `whole` if all documents of it are asked for."""

    source: Source
    networks: Mapping[str, Measured]
    whole: bool


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
        """The specs that it has and the change has not, as far as they were asked for."""
        ...


def of_text(source: Source) -> dict[str, Measured]:
    """The networks of a text by name. Raises NoSpec with what is wrong first."""
    try:
        networks = load(source)
    except SpecError as error:
        problem = error.problems[0]
        line = f", line {problem.place.line}" if problem.place else ""
        raise NoSpec(printable(f"{problem.message}{line}")) from None
    return {network.name: measured(costs(network)) for network in networks}


def exists(path: Path) -> bool:
    """Whether there is anything of that name; no name is too strange to ask."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
