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
    measured = spec.networks.values()
    trained = [network.costs.network for network in measured if network.costs is not None]
    networks = list(map(deploy, trained))
    return {network.name: measure_network(costs(network)) for network in networks}


class _Pairs(NamedTuple):
    """A spec, what its base has of it, and the networks of the base, `old`, by the names of the
    current networks that they are compared with, otherwise by their own names.

    `old_files` has the files of those networks of the base that had another name or another file.
    """

    spec: CurrentSpec
    found: BaseNetworks
    old: dict[str, MeasuredNetwork]
    old_files: dict[str, str]

    def without_base(self, reason: str) -> "_Pairs":
        """The same spec, whose base is not available."""
        if self.found.unavailable:
            return self
        found = self.found._replace(reason=reason, unavailable=True, new=False)
        return self._replace(found=found)

    @property
    def added(self) -> list[str]:
        """The names of the networks that have no base yet."""
        return [name for name in self.spec.networks if name not in self.old]

    @property
    def removed(self) -> list[str]:
        """The names of the networks that only the base has."""
        return [name for name in self.old if name not in self.spec.networks]


def _new_networks(read: Iterable[_Pairs]) -> list[tuple[_Pairs, str]]:
    """The networks that have no base yet, although that of their spec is available."""
    return [(pairs, name) for pairs in read if not pairs.found.unavailable for name in pairs.added]


def _lost(read: Iterable[_Pairs]) -> list[tuple[_Pairs, str]]:
    """The networks of the base that their files do not have any more."""
    return [(pairs, name) for pairs in read if pairs.spec.whole for name in pairs.removed]


class _BaseNetwork(NamedTuple):
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

    def __init__(self, read: Iterable[_Pairs]) -> None:
        self.changed: list[tuple[_Pairs, str]] = []
        self.replaced: list[_BaseNetwork] = []
        self.held: list[_BaseNetwork] = []
        self.renamed: dict[str, _BaseNetwork] = {}
        self.paired: set[int] = set()
        for pairs in read:
            for name in filter(pairs.old.__contains__, pairs.spec.networks):
                self._add(pairs, name)

    def _add(self, pairs: _Pairs, name: str) -> None:
        now, old = pairs.spec.networks[name], pairs.old[name]
        self.paired.add(id(old))
        moved = name in pairs.old_files
        named = (pairs.old_files[name] if moved else pairs.spec.name, old)
        other = _BaseNetwork(named, network_label(pairs.spec.name, name), None if moved else now)
        if not same_layers(old, now):
            self.changed.append((pairs, name))
            (self.replaced if moved else self.held).append(other)
        elif old.name != name:
            self.renamed[old.name] = other


def _closer(
    asked: Sequence[tuple[_Pairs, str]],
    others: Sequence[_BaseNetwork],
    held: Sequence[_BaseNetwork],
) -> tuple[bool, list[_BaseNetwork | None]]:
    """For each network in `asked` the one of the base that it may replace, None if there is none;
    and whether there are too many to compare. `held` are those whose name another network has
    now."""
    networks = [(pairs.spec.name, pairs.spec.networks[name]) for pairs, name in asked]
    found = [*others, *held]
    if are_too_many(networks, [network.old for network in found]):
        # Most networks that have their name are like before.
        found = [*others, *(network for network in held if not network.is_like_holder)]
    old = [network.old for network in found]
    before = [pairs.old.get(name) for pairs, name in asked]
    closer = find_closer(networks, before, old, [network.holder for network in found])
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
        read = [
            _Pairs(
                spec,
                found,
                dict(found.networks),
                dict.fromkeys(found.networks, found.file) if found.file else {},
            )
            for spec, found in ((spec, base.networks_of(spec)) for spec in specs)
        ]
        paired: dict[str, list[str]] = {pairs.spec.name: [] for pairs in read}
        for name, statement in self._pair(base, read):
            paired[name].append(statement)
        if _new_networks(read) and (reason := TOO_MANY * self.too_many or base.unread_deletion()):
            read = [pairs.without_base(reason) if pairs.added else pairs for pairs in read]
        read = [
            pairs.without_base(TOO_MANY) if pairs.spec.name in self.unclear else pairs
            for pairs in read
        ]
        for pairs in read:
            if pairs.found.unavailable:
                self.unavailable.add(pairs.spec.name)
            if pairs.found.reason:
                self._without_base.setdefault(pairs.found.reason, []).append(pairs.spec.name)
            statements = (*pairs.found.statements, *paired[pairs.spec.name])
            self._statements.update(dict.fromkeys((*statements, *self._differences(base, pairs))))
        return [pairs.old for pairs in read]

    def _pair(self, base: Base, read: Sequence[_Pairs]) -> Iterator[tuple[str, str]]:
        """Pairs new networks with those of the base; yields the name of a spec, and a statement.

        First all of them, if they only moved. Else in this order: the only network of a spec, the
        similar ones of all specs, and the others of a spec in their order. Last, a new network is
        compared with a similar one that another network replaces.
        """
        if not self.for_update:
            yield from self._pair_moved(base, read, pair_equal)
        for pairs in read:
            alone = len(pairs.spec.networks) == len(pairs.old) == 1
            if alone and (pairs.spec.whole or not base.tracks_deletions):
                yield from self._pair_in_order(base, pairs)
        if not self.for_update:
            yield from self._pair_moved(base, read, pair_similar)
            for pairs in read:
                if pairs.spec.whole:
                    yield from self._pair_in_order(base, pairs)
            yield from self._compare_with_others(base, read)

    def _pair_in_order(self, base: Base, pairs: _Pairs) -> Iterator[tuple[str, str]]:
        """Pairs the networks of a spec that are left."""
        added, removed = pairs.added, pairs.removed
        for name, index in zip(added, pair_networks(added, removed), strict=True):
            if index is not None:
                pairs.old[name] = pairs.old.pop(removed[index])
                pairs.old_files[name] = pairs.found.file or pairs.spec.name
                was = f"{pairs.spec.name}: `{name}` was `{removed[index]}` in {base.name}"
                yield pairs.spec.name, was

    def _pair_moved(
        self,
        base: Base,
        read: Sequence[_Pairs],
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
        deleted = [(pairs.spec.name, pairs.old[name]) for pairs, name in lost]
        deleted += base.deleted_networks()
        networks = [(pairs.spec.name, pairs.spec.networks[name]) for pairs, name in new]
        self.too_many |= pair is pair_similar and are_too_many(networks, deleted)
        for (pairs, name), index in zip(new, pair(networks, deleted), strict=True):
            if index is not None:
                file, old = deleted[index]
                if index < len(lost):
                    del lost[index][0].old[old.name]
                pairs.old[name] = old
                pairs.old_files[name] = file
                of = "" if file == pairs.spec.name else f" of {file}"
                yield (
                    pairs.spec.name,
                    f"{pairs.spec.name}: `{name}` was `{old.name}`{of} in {base.name}",
                )

    def _compare_with_others(self, base: Base, read: Sequence[_Pairs]) -> Iterator[tuple[str, str]]:
        """Compares networks with others of the base that they may replace. Yields the name of a
        spec and a note for each.

        Otherwise a change could add a network that is more like the old one, or give the old name
        to another network, so that the one that really replaces it would count as new. If a network
        only has another name or file, nothing replaces it, except a network that has its name now.
        """
        if not base.tracks_deletions:
            return
        known = _Compared(read)
        deleted = [(pairs.spec.name, pairs.old[name]) for pairs, name in _lost(read)]
        deleted += base.deleted_networks() if known.changed else []
        left = [_BaseNetwork(named) for named in deleted if id(named[1]) not in known.paired]
        # In a family of networks, each may become more like the old version of another.
        unlike = [network for network in known.held if not network.is_like_holder]
        too_many, found = _closer(known.changed, [*known.replaced, *left, *unlike], ())
        if too_many:
            self.unclear.update(pairs.spec.name for pairs, _ in known.changed)
        for (pairs, name), other in zip(known.changed, found, strict=True):
            # If it is equal, it has not grown.
            if other is not None and not same_layers(other.old[1], pairs.spec.networks[name]):
                self.also[pairs.spec.name, name] = other.old[1]
                yield pairs.spec.name, other.note(base, pairs.spec.name, name)
        new = _new_networks(read)
        too_many, found = _closer(new, known.replaced, known.held)
        self.too_many |= too_many
        for (pairs, name), other in zip(new, found, strict=True):
            replaced = other or known.renamed.get(name)
            if replaced and are_similar(pairs.spec.networks[name], replaced.old[1]):
                pairs.old[name] = replaced.old[1]
                yield pairs.spec.name, replaced.note(base, pairs.spec.name, name)

    def _differences(self, base: Base, pairs: _Pairs) -> Iterator[str]:
        """What differs in names and inputs."""
        spec, networks, tells_new = pairs.spec, pairs.old, not self.for_update
        if pairs.found.new and not networks:
            if tells_new:
                yield f"{spec.name} is new: it is not in {base.name}, so growth is not checked"
            return
        if not networks:
            return
        for name, network in spec.networks.items():
            old = networks.get(name)
            if old is None and tells_new and not pairs.found.unavailable:
                yield f"{spec.name}: `{name}` is new, so growth is not checked"
            elif old is not None and old.inputs != network.inputs:
                yield (
                    f"{spec.name}: the input of `{name}` is {network.inputs_text}; it was "
                    f"{old.inputs_text} in {base.name}"
                )
        if base.tracks_deletions and spec.whole:
            for name in pairs.removed:
                self.deleted.append((spec.name, networks[name]))
                yield f"{spec.name}: `{name}` is deleted; it was in {base.name}"

    def all_statements(self) -> Iterator[str]:
        for reason, specs in self._without_base.items():
            more = f" and {len(specs) - 1} more" if len(specs) > 1 else ""
            yield f"{specs[0]}{more}: growth is not checked without a base: {reason}"
        yield from self._statements
        if self.base is not None:
            yield from self.base.deletion_statements()
