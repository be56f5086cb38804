"""The networks of a spec in a base, whatever the base is."""

from collections.abc import Iterable, Mapping

from convcost.language.load import load
from convcost.model.costs import costs
from convcost.model.errors import Source, SpecError, UsageError
from convcost.model.record import NamedTuple
from convcost.reports.check.measures import MeasuredNetwork, NetworkInFile, measure_network
from convcost.sources.spec_files import SpecLocation

NO_DOCUMENT = "CC113"


class BaseSpecError(Exception):
    """Why the text of a base is not a spec, as a short phrase."""


class CurrentSpec(NamedTuple):
    """The current version of a spec, with its networks by name."""

    location: SpecLocation
    text: str
    networks: Mapping[str, MeasuredNetwork]

    @property
    def name(self) -> str:
        return self.location.name

    @property
    def has_all_networks(self) -> bool:
        """Whether these are all networks of the file."""
        return self.location.pick is None


class BaseNetworks(NamedTuple):
    """The networks of a spec in the base, by name.

    `file` is the name of its file in the base, if that is another. `statements` are notes on this
    spec alone. `reason` is the reason why there is no base; many specs can have the same one.
    `unavailable` is whether the base cannot be read, and `new` whether the base does not have the
    spec.
    """

    networks: Mapping[str, MeasuredNetwork] = {}
    statements: tuple[str, ...] = ()
    file: str = ""
    reason: str = ""
    unavailable: bool = False
    new: bool = False


class Base:
    """Where the base of each spec comes from. By default nothing was deleted.

    A spec whose base is broken has no base, and a statement says so. Limits that need no base are
    still checked.
    """

    name: str  # the name of the base in messages
    tracks_deletions = True  # whether a spec that only the base has was deleted

    def has(self, path: str) -> bool:
        """Whether the base has a file, a folder or a link of that path."""
        return False

    def by_version(self, spec: SpecLocation) -> list[SpecLocation]:
        """The specs in the base to compare a file with. A file that links lead to has several
        names. If these names were different specs in the base, it is compared with each of them.
        """
        return [spec]

    def networks_of(self, spec: CurrentSpec) -> BaseNetworks:
        """The networks of a spec in the base; its `name` decides first. Raises UsageError if a base
        file is unreadable."""
        raise NotImplementedError

    def deleted_networks(self) -> list[NetworkInFile]:
        """The networks of all files that only the base has, each with the name of the file."""
        return []

    def unread_deletion(self) -> str:
        """Why `deleted_networks` may lack networks that the base has; empty if it has all of them.
        A new network may replace one that it lacks."""
        return ""

    def deletion_statements(self) -> list[str]:
        """A statement for each spec in the checked folders that only the base has, and for each
        submodule that is not checked out."""
        return []

    def config_statements(self, files: Iterable[str]) -> list[str]:
        """A statement for each configuration that is not as in the base. `files` are those that
        were read."""
        return []


def measured_networks(source: Source, pick: str | None = None) -> dict[str, MeasuredNetwork]:
    """The networks of a text by name, or only the one named `pick`. Raises SpecError."""
    networks = load(source, pick=pick)
    return {network.name: measure_network(costs(network)) for network in networks}


def base_networks(source: Source, pick: str | None = None) -> dict[str, MeasuredNetwork]:
    """The networks of a base.

    Raises BaseSpecError with the first problem of the text, and UsageError if there is no network
    of the name.
    """
    try:
        return measured_networks(source, pick)
    except SpecError as error:
        problem = error.problems[0]
        if problem.code == NO_DOCUMENT:
            message = problem.message.replace("this file", f"`{source.name}`", 1)
            raise UsageError(message, help=problem.help) from None
        line = f", line {problem.span.line}" if problem.span else ""
        raise BaseSpecError(f"{problem.message}{line}") from None
