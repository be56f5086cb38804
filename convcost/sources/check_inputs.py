"""Reads the inputs of a check: networks, their budgets, and the same networks in the base."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path

from convcost.language.network_inputs import Settings
from convcost.model.costs import costs
from convcost.model.deploy import deploy
from convcost.model.errors import UsageError
from convcost.model.network import Budget, Network
from convcost.model.record import NamedTuple
from convcost.reports.check.baseline_policy import only_growth, pair_networks
from convcost.reports.check.evaluate import NEW_NETWORK, NO_BASE, CheckedNetwork
from convcost.reports.check.finding_text import network_label
from convcost.reports.check.measures import MeasuredNetwork, measure_network
from convcost.reports.check.moved_networks import (
    Named,
    are_similar,
    are_too_many,
    find_closer,
    pair_equal,
    pair_similar,
    same_layers,
)
from convcost.sources.base import open_base
from convcost.sources.base_lookup import Base, BaseNetworks, CurrentSpec, measured_networks
from convcost.sources.budget_config import BudgetConfigs
from convcost.sources.config_discovery import current_folder
from convcost.sources.networks import collect
from convcost.sources.spec_arguments import unique_specs
from convcost.sources.spec_files import CONFIG, SpecLocation, locate, path_exists, read_source

COMMAND_LINE = "the command line"
SHOWN_NAMES = 3
TOO_MANY = (
    "too many networks are new or changed, and too many are deleted or replaced, to find out which "
    "of them are the same: rename networks in a change of their own"
)


class CheckRequest(NamedTuple):
    """What to check: specs and folders by name, the base, and further limits.

    `limits_from` says where these limits are given. `networks` are already loaded; only a spec can
    be their base. `device_limits` are those of a device, with its name. `allow_missing_base`:
    growth is not checked if the base is not available. `settings` are the inputs and dimensions of
    models. `deployed`: the networks are as inference runs them, and only the limits of the request
    and of `config` are about them.
    """

    specs: tuple[str, ...]
    base: str | None = None
    config: str | None = None
    limits: Budget | None = None
    limits_from: str = COMMAND_LINE
    networks: tuple[Network, ...] = ()
    allow_missing_base: bool = False
    device_limits: tuple[tuple[str, Budget], ...] = ()
    settings: Settings = Settings()
    deployed: bool = False


class CheckInputs(NamedTuple):
    """What a check reads.

    `files` are the names of all files: specs, base and configurations. `deleted` are the networks
    that are in the base but no longer in their file, each with the name of the file. `unavailable`
    are the names of the specs whose base is not available; a new spec is not among them.
    """

    files: tuple[str, ...]
    specs: tuple[CurrentSpec, ...]
    networks: tuple[CheckedNetwork, ...]
    statements: tuple[str, ...]
    base: Base | None
    deleted: tuple[tuple[str, MeasuredNetwork], ...]
    unavailable: frozenset[str]

    def refuse_no_spec(self) -> None:
        """Raises UsageError if all arguments are configurations."""
        if not self.specs:
            raise UsageError(
                f"`{CONFIG}` is a configuration, not a spec", help="name specs, or their folder"
            )


def check_inputs(request: CheckRequest, *, for_update: bool = False) -> CheckInputs:
    """Reads everything once.

    With `for_update` the base is a baseline file to be written, which may lack specs, or may not
    exist yet. Raises UsageError for a growth limit without a base, an invalid base or
    configuration, and an ExceptionGroup of all SpecErrors and UsageErrors of the specs.
    """
    if request.deployed and (request.base is not None or for_update):
        raise UsageError("a check with `deploy` accepts no base; check the growth without `deploy`")
    limits = request.limits.total if request.limits is not None else ()
    called = request.limits_from != COMMAND_LINE
    example = 'base="git:origin/main..."' if called else "--base git:origin/main..."
    if request.base is None and any(limit.grow is not None for limit in limits):
        option = "max_growth" if called else "--max-growth"
        raise UsageError(
            f"{option} needs a base to measure growth against",
            help=f"add one, such as {example}; a baseline .json or a spec is a base, too",
        )
    specs = _read_specs(request)
    if request.deployed:
        specs = [spec._replace(networks=_deployed(spec)) for spec in specs]
    base = None
    if request.base is not None:
        base = open_base(
            request.base,
            request.specs,
            [spec.location for spec in specs],
            for_update=for_update,
            may_be_missing=for_update or request.allow_missing_base,
        )
        specs = [
            spec._replace(location=version)
            for spec in specs
            for version in base.by_version(spec.location)
        ]
    configs = BudgetConfigs(request.config)
    _refuse_shipped_for_deleted(request.specs, base, configs)
    lookup = _BaseLookup(base, for_update=for_update)
    budgets_of = cache(configs.budgets)  # a spec that has several bases has the same names
    given = request.device_limits
    if request.limits is not None:
        given = ((request.limits_from, request.limits), *given)
    no_base = NO_BASE if request.base is not None else f"{NO_BASE}; add one, such as {example}"
    networks = []
    for spec, before in zip(specs, lookup.networks_of(specs), strict=True):
        # A user's file that has the name of a shipped spec is another spec.
        automatic = not spec.location.shipped and not request.deployed
        configurable = automatic or request.config is not None
        configured = budgets_of(*spec.location.names) if configurable else ()
        is_new = base is not None and spec.name not in lookup.unavailable
        for name, network in spec.networks.items():
            own = ((spec.name, network.budget),) if network.budget is not None else ()
            budgets = (*own, *configs.of_network(configured, network), *given)
            reason = NEW_NETWORK if is_new else no_base
            networks.append(CheckedNetwork(spec.name, network, budgets, before.get(name), reason))
            other = lookup.also.get((spec.name, name))
            if other is not None and budgets:
                growth = tuple((where, only_growth(budget)) for where, budget in budgets)
                networks.append(CheckedNetwork(spec.name, network, growth, other, reason))
    base_files = [request.base] if request.base and not request.base.startswith("git:") else []
    return CheckInputs(
        (*(spec.name for spec in specs), *base_files, *configs.files),
        tuple(specs),
        tuple(networks),
        (*lookup.all_statements(), *configs.statements()),
        base,
        tuple(lookup.deleted),
        frozenset(lookup.unavailable),
    )


def first_names(names: Sequence[str]) -> str:
    """The first names, with an ellipsis if there are more."""
    return ", ".join(names[:SHOWN_NAMES]) + "…" * (len(names) > SHOWN_NAMES)


def _refuse_shipped_for_deleted(
    arguments: Iterable[str], base: Base | None, configs: BudgetConfigs
) -> None:
    """Raises UsageError for the name of a shipped spec that was a file or a folder of the user.

    Otherwise the shipped spec would be checked in the place of what was deleted.
    """
    if current_folder() is None:
        return
    for argument in arguments:
        if path_exists(Path(argument)) or not locate(argument).shipped:
            continue
        name = argument.partition("#")[0]
        if base is not None and base.had(name):
            where = f"`{base.name}` has one"
        elif config := configs.names_path(name):
            where = f"`{config}` has a budget for it"
        else:
            continue
        raise UsageError(
            f"there is no file or folder `{name}`, but {where}",
            help="restore it, or remove the argument; "
            f"the shipped spec `{name}` is a different network",
        )


def _read_specs(request: CheckRequest) -> list[CurrentSpec]:
    """The specs, then the loaded networks. Raises an ExceptionGroup of all SpecErrors and
    UsageErrors."""
    read = partial(_read_spec, request.settings)
    specs = collect(unique_specs(request.specs), read)
    for network in request.networks:
        location = SpecLocation(network.file, None, names=(network.file,))
        measured = {network.name: measure_network(costs(network))}
        specs.append(CurrentSpec(location, "", measured))
    return specs


def _read_spec(settings: Settings, location: SpecLocation | UsageError) -> Iterator[CurrentSpec]:
    if isinstance(location, UsageError):
        raise location
    source = read_source(location, settings)
    yield CurrentSpec(location, source.text, measured_networks(source, location.pick))


def _deployed(spec: CurrentSpec) -> dict[str, MeasuredNetwork]:
    """The networks of a spec as inference runs them. Their budgets are of the trained networks."""
    trained = [one.costs.network for one in spec.networks.values() if one.costs is not None]
    networks = list(map(deploy, trained))
    return {network.name: measure_network(costs(network)) for network in networks}


class _Spec(NamedTuple):
    """A spec, what its base has of it, and the networks of the base, under their current names.

    `files` are the files in the base of the networks that had another name or another file.
    """

    spec: CurrentSpec
    found: BaseNetworks
    networks: dict[str, MeasuredNetwork]
    files: dict[str, str]

    def without_base(self, reason: str) -> "_Spec":
        """The same spec, whose base is not available."""
        if self.found.unavailable:
            return self
        found = self.found._replace(reason=reason, unavailable=True, new=False)
        return self._replace(found=found)

    @property
    def added(self) -> list[str]:
        """The names of the networks that have no base yet."""
        return [name for name in self.spec.networks if name not in self.networks]

    @property
    def removed(self) -> list[str]:
        """The names of the networks that only the base has."""
        return [name for name in self.networks if name not in self.spec.networks]


def _new_networks(read: Iterable[_Spec]) -> list[tuple[_Spec, str]]:
    """The networks that have no base yet, although that of their spec is available."""
    return [(one, name) for one in read if not one.found.unavailable for name in one.added]


def _lost(read: Iterable[_Spec]) -> list[tuple[_Spec, str]]:
    """The networks of the base that their files do not have any more."""
    return [(one, name) for one in read if one.spec.whole for name in one.removed]


class _Other(NamedTuple):
    """A network of the base, and the network that replaces it; empty if it was deleted. `holder` is
    the network that has its name and file now."""

    old: Named
    replaced_by: str = ""
    holder: MeasuredNetwork | None = None

    @property
    def is_like_holder(self) -> bool:
        return self.holder is not None and are_similar(self.holder, self.old[1])

    def note(self, base: Base, spec: str, name: str) -> str:
        file, old = self.old
        why = f"which {self.replaced_by} replaces" if self.replaced_by else "which is deleted"
        return (
            f"{spec}: `{name}` is also compared with `{old.name}` of {file} in {base.name}, {why}"
        )


class _Compared:
    """The networks that are compared with one of the base, as `changed`, and those of the base:
    `replaced` by one of another name or file, `held` by a changed one of the same name and file,
    or `renamed` only, by the name that they had. `paired` are the ids of all of them."""

    def __init__(self, read: Iterable[_Spec]) -> None:
        self.changed: list[tuple[_Spec, str]] = []
        self.replaced: list[_Other] = []
        self.held: list[_Other] = []
        self.renamed: dict[str, _Other] = {}
        self.paired: set[int] = set()
        for one in read:
            for name in filter(one.networks.__contains__, one.spec.networks):
                self._add(one, name)

    def _add(self, one: _Spec, name: str) -> None:
        now, old = one.spec.networks[name], one.networks[name]
        self.paired.add(id(old))
        moved = name in one.files
        named = (one.files[name] if moved else one.spec.name, old)
        other = _Other(named, network_label(one.spec.name, name), None if moved else now)
        if not same_layers(old, now):
            self.changed.append((one, name))
            (self.replaced if moved else self.held).append(other)
        elif old.name != name:
            self.renamed[old.name] = other


def _closer(
    asked: Sequence[tuple[_Spec, str]], others: Sequence[_Other], held: Sequence[_Other]
) -> tuple[bool, list[_Other | None]]:
    """For each network the one of the base that it may replace, and whether there are too many."""
    networks = [(one.spec.name, one.spec.networks[name]) for one, name in asked]
    found = [*others, *held]
    if are_too_many(networks, [one.old for one in found]):
        # Most networks that have their name are like before.
        found = [*others, *(one for one in held if not one.is_like_holder)]
    old = [one.old for one in found]
    before = [one.networks.get(name) for one, name in asked]
    closer = find_closer(networks, before, old, [one.holder for one in found])
    too_many = are_too_many(networks, old)
    return too_many, [None if index is None else found[index] for index in closer]


class _BaseLookup:
    """The base of each spec, and statements on what differs. `unavailable` are the names of the
    specs whose base is not available."""

    def __init__(self, base: Base | None, *, for_update: bool) -> None:
        self.base = base
        self.for_update = for_update
        self.deleted: list[tuple[str, MeasuredNetwork]] = []
        self.unavailable: set[str] = set()
        self.too_many = False  # networks, to compare each new one with each deleted one
        # The second base of a network, by the names of its spec and of itself.
        self.also: dict[tuple[str, str], MeasuredNetwork] = {}
        self.unclear: set[str] = set()  # specs with networks that too many others may have been
        self._statements: dict[str, None] = {}
        self._without_base: dict[str, list[str]] = {}

    def networks_of(self, specs: Sequence[CurrentSpec]) -> list[Mapping[str, MeasuredNetwork]]:
        """For each spec its networks in the base, under their current names.

        A network that replaces one of another name, or of another file, is compared with that one,
        so that a new name hides no growth. An update of a baseline pairs the networks of all files
        itself.
        """
        base = self.base
        if base is None:
            return [{} for _ in specs]
        found = [(spec, base.networks_of(spec)) for spec in specs]
        read = [
            _Spec(spec, one, dict(one.networks), dict.fromkeys(one.networks, one.file))
            if one.file
            else _Spec(spec, one, dict(one.networks), {})
            for spec, one in found
        ]
        paired: dict[str, list[str]] = {one.spec.name: [] for one in read}
        for name, statement in self._pair(base, read):
            paired[name].append(statement)
        if _new_networks(read) and (reason := TOO_MANY * self.too_many or base.unread_deletion()):
            read = [one.without_base(reason) if one.added else one for one in read]
        read = [
            one.without_base(TOO_MANY) if one.spec.name in self.unclear else one for one in read
        ]
        for one in read:
            if one.found.unavailable:
                self.unavailable.add(one.spec.name)
            if one.found.reason:
                self._without_base.setdefault(one.found.reason, []).append(one.spec.name)
            statements = (*one.found.statements, *paired[one.spec.name])
            self._statements.update(dict.fromkeys((*statements, *self._differences(base, one))))
        return [one.networks for one in read]

    def _pair(self, base: Base, read: Sequence[_Spec]) -> Iterator[tuple[str, str]]:
        """Pairs new networks with those of the base; yields the name of a spec, and a statement.

        First all of them, if they only moved. Else in this order: the only network of a spec, the
        similar ones of all specs, and the others of a spec in their order. Last, a new network is
        compared with a similar one that another network replaces.
        """
        if not self.for_update:
            yield from self._pair_moved(base, read, pair_equal)
        for one in read:
            alone = len(one.spec.networks) == len(one.networks) == 1
            if alone and (one.spec.whole or not base.tracks_deletions):
                yield from self._pair_in_order(base, one)
        if not self.for_update:
            yield from self._pair_moved(base, read, pair_similar)
            for one in read:
                if one.spec.whole:
                    yield from self._pair_in_order(base, one)
            yield from self._compare_with_others(base, read)

    def _pair_in_order(self, base: Base, one: _Spec) -> Iterator[tuple[str, str]]:
        """Pairs the networks of a spec that are left."""
        added, removed = one.added, one.removed
        for name, index in zip(added, pair_networks(added, removed), strict=True):
            if index is not None:
                one.networks[name] = one.networks.pop(removed[index])
                one.files[name] = one.found.file or one.spec.name
                was = f"{one.spec.name}: `{name}` was `{removed[index]}` in {base.name}"
                yield one.spec.name, was

    def _pair_moved(
        self,
        base: Base,
        read: Sequence[_Spec],
        pair: Callable[[Sequence[Named], Sequence[Named]], list[int | None]],
    ) -> Iterator[tuple[str, str]]:
        """Pairs new networks with the most similar of those that any file lost since the base.
        Yields the name of a spec and a note for each pair."""
        if not base.tracks_deletions:
            return
        new = _new_networks(read)
        if not new:
            return
        lost = _lost(read)
        deleted = [(one.spec.name, one.networks[name]) for one, name in lost]
        deleted += base.deleted_networks()
        networks = [(one.spec.name, one.spec.networks[name]) for one, name in new]
        self.too_many |= pair is pair_similar and are_too_many(networks, deleted)
        for (one, name), index in zip(new, pair(networks, deleted), strict=True):
            if index is not None:
                file, old = deleted[index]
                if index < len(lost):
                    del lost[index][0].networks[old.name]
                one.networks[name] = old
                one.files[name] = file
                of = "" if file == one.spec.name else f" of {file}"
                yield (
                    one.spec.name,
                    f"{one.spec.name}: `{name}` was `{old.name}`{of} in {base.name}",
                )

    def _compare_with_others(self, base: Base, read: Sequence[_Spec]) -> Iterator[tuple[str, str]]:
        """Compares networks with others of the base that they may replace. Yields the name of a
        spec and a note for each.

        Otherwise a change could add a network that is more like the old one, or give the old name
        to another network, so that the one that really replaces it would count as new. If a network
        only has another name or file, nothing replaces it, except a network that has its name now.
        """
        if not base.tracks_deletions:
            return
        known = _Compared(read)
        deleted = [(one.spec.name, one.networks[name]) for one, name in _lost(read)]
        deleted += base.deleted_networks() if known.changed else []
        left = [_Other(one) for one in deleted if id(one[1]) not in known.paired]
        # In a family of networks, each may become more like the old version of another.
        unlike = [one for one in known.held if not one.is_like_holder]
        too_many, found = _closer(known.changed, [*known.replaced, *left, *unlike], ())
        if too_many:
            self.unclear.update(one.spec.name for one, _ in known.changed)
        for (one, name), other in zip(known.changed, found, strict=True):
            # If it is equal, it has not grown.
            if other is not None and not same_layers(other.old[1], one.spec.networks[name]):
                self.also[one.spec.name, name] = other.old[1]
                yield one.spec.name, other.note(base, one.spec.name, name)
        new = _new_networks(read)
        too_many, found = _closer(new, known.replaced, known.held)
        self.too_many |= too_many
        for (one, name), other in zip(new, found, strict=True):
            entry = known.renamed.get(name) if other is None else other
            if entry is not None and are_similar(one.spec.networks[name], entry.old[1]):
                one.networks[name] = entry.old[1]
                yield one.spec.name, entry.note(base, one.spec.name, name)

    def _differences(self, base: Base, one: _Spec) -> Iterator[str]:
        """What differs in names and inputs."""
        spec, networks, tells_new = one.spec, one.networks, not self.for_update
        if one.found.new and not networks:
            if tells_new:
                yield f"{spec.name} is new: it is not in {base.name}, so growth is not checked"
            return
        if not networks:
            return
        for name, network in spec.networks.items():
            old = networks.get(name)
            if old is None and tells_new and not one.found.unavailable:
                yield f"{spec.name}: `{name}` is new, so growth is not checked"
            elif old is not None and old.inputs != network.inputs:
                yield (
                    f"{spec.name}: the input of `{name}` is {network.inputs_text}; it was "
                    f"{old.inputs_text} in {base.name}"
                )
        if base.tracks_deletions and spec.whole:
            for name in one.removed:
                self.deleted.append((spec.name, networks[name]))
                yield f"{spec.name}: `{name}` is deleted; it was in {base.name}"

    def all_statements(self) -> Iterator[str]:
        for reason, specs in self._without_base.items():
            more = f" and {len(specs) - 1} more" if len(specs) > 1 else ""
            yield f"{specs[0]}{more}: growth is not checked without a base: {reason}"
        yield from self._statements
        if self.base is not None:
            yield from self.base.deletion_statements()
