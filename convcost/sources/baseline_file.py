"""A base that is a baseline file: reading, looking up, and the text of an updated one."""

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from convcost.model.errors import UsageError
from convcost.reports.check.baseline import BaselineError, format_baseline, parse_baseline
from convcost.reports.check.measures import MeasuredNetwork, NetworkInFile
from convcost.sources.base_lookup import Base, BaseNetworks, CurrentSpec
from convcost.sources.links import PathLinks, refuse_link_out
from convcost.sources.spec_files import SpecLocation, path_exists, read_text, shipped_specs
from convcost.sources.stored_paths import StoredPaths

SHIPPED = "shipped:"  # a path that begins with this has `./` before it


class BaselineFile(Base):
    """The base `baseline.json`. It names specs by their paths from its own folder. A spec that a
    link leads to has an entry for each of its names, and one for its path with links resolved."""

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
        key = next((key for key in self.keys(spec.location) if key in self.networks), None)
        if key is None:
            return BaseNetworks(new=True)
        self._compared.add(key)
        return BaseNetworks(self.networks[key])

    @cached_property
    def _stored(self) -> StoredPaths:
        return StoredPaths(self.path.parent, self.networks)

    def has(self, path: str) -> bool:
        own_key = self._own_key(path)
        return any(spec == own_key or spec.startswith(f"{own_key}/") for spec in self.networks)

    def by_version(self, spec: SpecLocation) -> list[SpecLocation]:
        names: dict[str, str] = {}  # entries that differ, with a name of the spec
        for name, key in self._names(spec).items():
            before = self.networks.get(key)
            if before is not None and all(self.networks[key] != before for key in names):
                names[key] = name
        return [spec._replace(name=name) for name in names.values()] if len(names) > 1 else [spec]

    def deleted_networks(self) -> list[NetworkInFile]:
        return [
            NetworkInFile(self.display_path(spec), network)
            for spec in self.deleted_specs
            for network in self.networks[spec].values()
        ]

    def deletion_statements(self) -> list[str]:
        return [
            f"{self.display_path(spec)} is deleted; it was in {self.name}"
            for spec in self.deleted_specs
            if not self._exists(spec)
        ]

    @cached_property
    def deleted_specs(self) -> tuple[str, ...]:
        """The specs of the baseline that do not exist any more, or that a link replaces, and that
        are the base of no spec."""
        left = self.networks.keys() - self._compared
        return tuple(
            sorted(spec for spec in left if not self._exists(spec) or self._is_replaced(spec))
        )

    def _exists(self, spec: str) -> bool:
        if spec.startswith(SHIPPED):
            return spec.removeprefix(SHIPPED) in shipped_specs()
        return self._path(spec).is_file()

    def _is_replaced(self, spec: str) -> bool:
        """Whether a link leads from a spec to a file that has other costs in the baseline, or none.
        A spec that was a link has the costs of its file."""
        if spec.startswith(SHIPPED):
            return False
        key = self._relative(self._links.follow(self._path(spec)).target)
        return self.networks.get(key) != self.networks[spec]

    def _path(self, spec: str) -> Path:
        return Path(os.path.normpath(self.path.parent / spec))

    def keys(self, spec: SpecLocation) -> Iterable[str]:
        """The names of a spec in the file: its paths from there, or `shipped:` and its name.

        The paths with links not resolved are first: a file that is replaced by a link keeps its
        base, and so does a link that leads to another file.
        """
        if spec.shipped:
            return (f"{SHIPPED}{spec.name}",)
        return dict.fromkeys(self._names(spec).values())

    def _names(self, spec: SpecLocation) -> dict[str, str]:
        """The key of each name of a spec, and of its path with links resolved."""
        if spec.shipped:
            return {}
        keys = {name: self._stored.find(self._own_key(name)) for name in (spec.name, *spec.names)}
        real = self._stored.find(self._relative(Path(os.path.realpath(spec.name))))
        return keys if real in keys.values() else {**keys, self.display_path(real): real}

    def _own_key(self, name: str) -> str:
        """The key of a path, without following the links in the folder that has both the path and
        the baseline."""
        path = Path(os.path.abspath(name))  # noqa: PTH100  pathlib follows links
        for folder in path.parents:
            real = self._links.follow(folder).target
            if self.path.is_relative_to(real):
                return self._relative(real / path.relative_to(folder))
        return self._relative(path)

    def _relative(self, spec: Path) -> str:
        path = os.path.relpath(spec, self.path.parent).replace(os.sep, "/")
        return f"./{path}" if path.startswith(SHIPPED) else path

    def display_path(self, spec: str) -> str:
        """The path of a spec in the baseline, relative to the current folder."""
        if spec.startswith(SHIPPED):
            return spec.removeprefix(SHIPPED)
        return os.path.relpath(self.path.parent / spec)

    def updated_text(self, current: Mapping[str, Mapping[str, MeasuredNetwork]]) -> str:
        """The text of the file with the current costs of some specs, by the key of the spec in the
        file and the name of the network. They replace those that were compared; deleted specs are
        removed and all others stay."""
        networks_by_spec = {
            spec: networks
            for spec, networks in self.networks.items()
            if spec not in self._compared and self._exists(spec)
        }
        return format_baseline({**networks_by_spec, **current})
