"""A base that is a baseline file: reading, looking up, and the text of an updated one."""

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from convcost.model.errors import UsageError
from convcost.reports.check.baseline import BaselineError, format_baseline, parse_baseline
from convcost.reports.check.measures import MeasuredNetwork
from convcost.sources.base_lookup import BaseNetworks, CurrentSpec
from convcost.sources.links import PathLinks, refuse_link_out
from convcost.sources.spec_files import SpecLocation, path_exists, read_text, shipped_specs

SHIPPED = "shipped:"  # no relative path begins with this


class BaselineFile:
    """`baseline.json`. It names specs by their paths from its own folder, links resolved."""

    tracks_deletions = True

    def __init__(
        self, file: str, *, for_update: bool = False, may_be_missing: bool = False
    ) -> None:
        """Raises UsageError for a missing file, unless it `may_be_missing`, and for an invalid one
        that is to be updated."""
        self.name = file
        self.for_update = for_update
        self.reason = ""  # why there is no base
        self.networks: dict[str, dict[str, MeasuredNetwork]] = {}
        self._links = PathLinks()
        self._compared: set[str] = set()  # the specs of the file that are the base of a spec
        refuse_link_out(Path(file), file)
        self.path = Path(os.path.realpath(file))
        if not path_exists(self.path):
            missing, hint = f"there is no baseline `{file}`", "write it with --update-baseline"
            if not may_be_missing:
                raise UsageError(missing, help=hint)
            self.reason = "" if for_update else f"{missing}: {hint}"
            return
        try:
            self.networks = parse_baseline(read_text(self.path, file))
        except BaselineError as error:
            invalid = f"`{file}` is not a valid baseline: {error}"
            if for_update:
                hint = "fix it, or delete it to start a new one"
                raise UsageError(invalid, help=hint) from None
            self.reason = f"{invalid}; fix it, or delete it and write it with --update-baseline"

    def networks_of(self, spec: CurrentSpec) -> BaseNetworks:
        if self.reason:
            return BaseNetworks(reason=self.reason, unavailable=True)
        # With links not resolved first: a file that is replaced by a link keeps its base.
        own = () if spec.location.shipped else map(self._own_key, (spec.name, *spec.location.names))
        key = next((key for key in (*own, self.key(spec)) if key in self.networks), None)
        if key is None:
            return BaseNetworks(new=True)
        self._compared.add(key)
        return BaseNetworks(self.networks[key])

    def had(self, path: str) -> bool:
        own = self._own_key(path)
        return any(spec == own or spec.startswith(f"{own}/") for spec in self.networks)

    def by_version(self, spec: SpecLocation) -> list[SpecLocation]:
        own = {} if spec.shipped else {self._own_key(name): name for name in spec.names}
        names = [name for key, name in own.items() if key in self.networks]
        return [spec._replace(name=name) for name in names] if len(names) > 1 else [spec]

    def deleted_networks(self) -> list[tuple[str, MeasuredNetwork]]:
        return [
            (self.display_path(spec), network)
            for spec in self.deleted_specs
            for network in self.networks[spec].values()
        ]

    def deletion_statements(self) -> list[str]:
        return [
            f"{self.display_path(spec)} is deleted; it was in {self.name}"
            for spec in self.deleted_specs
        ]

    @cached_property
    def deleted_specs(self) -> tuple[str, ...]:
        """The specs of the baseline that do not exist any more, and are the base of no spec."""
        left = self.networks.keys() - self._compared
        return tuple(sorted(spec for spec in left if not self._exists(spec)))

    def _exists(self, spec: str) -> bool:
        if spec.startswith(SHIPPED):
            return spec.removeprefix(SHIPPED) in shipped_specs()
        path = Path(os.path.normpath(self.path.parent / spec))
        return path.is_file() and self._links.follow(path).target == path

    def key(self, spec: CurrentSpec) -> str:
        """The name of a spec in the file: its path from there, or `shipped:` and its name."""
        if spec.location.shipped:
            return f"{SHIPPED}{spec.name.removesuffix('.yaml')}"
        return self._from_here(os.path.realpath(spec.name))

    def _own_key(self, name: str) -> str:
        """The key of the spec that had this name before a link replaced it."""
        return self._from_here(os.path.abspath(name))  # noqa: PTH100  pathlib follows links

    def _from_here(self, spec: str) -> str:
        return os.path.relpath(spec, self.path.parent).replace(os.sep, "/")

    def display_path(self, spec: str) -> str:
        """The path of a spec in the baseline, relative to the current folder."""
        if spec.startswith(SHIPPED):
            return f"{spec.removeprefix(SHIPPED)}.yaml"
        return os.path.relpath(self.path.parent / spec)

    def updated_text(self, current: Mapping[str, Mapping[str, MeasuredNetwork]]) -> str:
        """The text of the file with the current costs of some specs, which replace those that were
        compared; deleted specs are removed and all others stay."""
        kept = {
            spec: networks
            for spec, networks in self.networks.items()
            if spec not in self._compared and self._exists(spec)
        }
        return format_baseline({**kept, **current})
