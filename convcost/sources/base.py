"""The argument of `--base`: a commit, a baseline file, or a spec."""

from collections.abc import Iterable
from pathlib import Path

from convcost.model.errors import UsageError
from convcost.sources.base_lookup import (
    Base,
    BaseNetworks,
    BaseSpecError,
    CurrentSpec,
    base_networks,
)
from convcost.sources.baseline_file import BaselineFile
from convcost.sources.git_base import CommitBase
from convcost.sources.spec_files import SpecLocation, locate, names_file, path_exists, read_source


def open_base(
    argument: str,
    arguments: Iterable[str],
    specs: Iterable[SpecLocation],
    *,
    for_update: bool = False,
    may_be_missing: bool = False,
) -> Base:
    """The base that an argument names; `arguments` are what to check, `specs` the specs of these.

    With `may_be_missing`, a baseline file or a spec may not exist yet. Raises UsageError for an
    unreadable file.
    """
    if argument.startswith("git:"):
        return CommitBase(argument.removeprefix("git:"), arguments, specs)
    if argument.endswith(".json"):
        return BaselineFile(argument, for_update=for_update, may_be_missing=may_be_missing)
    return SpecBase(argument, may_be_missing=may_be_missing)


class SpecBase(Base):
    """A spec. Its networks are the base of those with the same names; if both have a single
    network, the names do not matter."""

    tracks_deletions = False

    def __init__(self, argument: str, *, may_be_missing: bool) -> None:
        """Raises UsageError for a spec that cannot be read, or is missing unless it
        `may_be_missing`."""
        self.name = argument
        name = argument.partition("#")[0]
        if may_be_missing and names_file(name) and not path_exists(Path(name)):
            reason = f"there is no file `{name}`"
            self._found = BaseNetworks(reason=reason, unavailable=True)
            return
        try:
            location = locate(argument)
        except UsageError as error:
            kinds = f"a base is a commit, like git:{argument}, a baseline .json, or a spec"
            raise UsageError(error.args[0], help=kinds) from None
        source = read_source(location)
        try:
            self._found = BaseNetworks(base_networks(source, location.pick))
        except BaseSpecError as error:
            reason = f"`{self.name}` is not a valid spec ({error}): fix it or name another"
            self._found = BaseNetworks(reason=reason, unavailable=True)

    def networks_of(self, spec: CurrentSpec) -> BaseNetworks:
        return self._found
