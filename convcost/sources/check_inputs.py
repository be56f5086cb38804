"""Reads the inputs of a check: networks, their budgets, and the same networks in the base."""

from collections.abc import Iterator, Mapping, Sequence

from convcost.model.costs import costs
from convcost.model.errors import UsageError
from convcost.model.network import Budget, Network
from convcost.model.record import NamedTuple
from convcost.reports.check.baseline_policy import pair_networks
from convcost.reports.check.evaluate import NO_BASE, CheckedNetwork
from convcost.reports.check.measures import MeasuredNetwork, measure_network
from convcost.sources.base import open_base
from convcost.sources.base_lookup import Base, CurrentSpec, measured_networks
from convcost.sources.budget_config import BudgetConfigs
from convcost.sources.networks import collect
from convcost.sources.spec_arguments import unique_specs
from convcost.sources.spec_files import CONFIG, SpecLocation, read_source

COMMAND_LINE = "the command line"
SHOWN_NAMES = 3


class CheckRequest(NamedTuple):
    """What to check: specs and folders by name, the base, and further limits.

    `limits_from` says where these limits are given. `networks` are already loaded; only a spec can
    be their base. `device_limits` are those of a device, with its name. `allow_missing_base`:
    growth is not checked if the base is not available.
    """

    specs: tuple[str, ...]
    base: str | None = None
    config: str | None = None
    limits: Budget | None = None
    limits_from: str = COMMAND_LINE
    networks: tuple[Network, ...] = ()
    allow_missing_base: bool = False
    device_limits: tuple[tuple[str, Budget], ...] = ()


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
    limits = request.limits.total if request.limits is not None else ()
    called = request.limits_from != COMMAND_LINE
    if request.base is None and any(limit.grow is not None for limit in limits):
        option = "max_growth" if called else "--max-growth"
        raise UsageError(
            f"{option} needs a base to measure growth against",
            help="a base is git:REF, like git:origin/main, a baseline .json, or a spec",
        )
    specs = _read_specs(request)
    base = None
    if request.base is not None:
        files = [file for spec in specs if (file := spec.location.user_file)]
        may_be_missing = for_update or request.allow_missing_base
        base = open_base(
            request.base, request.specs, files, for_update=for_update, may_be_missing=may_be_missing
        )
    lookup = _BaseLookup(base, for_update=for_update)
    configs = BudgetConfigs(request.config)
    given = request.device_limits
    if request.limits is not None:
        given = ((request.limits_from, request.limits), *given)
    no_base = NO_BASE
    if request.base is None:
        example = 'base="git:origin/main..."' if called else "--base git:origin/main..."
        no_base = f"{NO_BASE}; add one, such as {example}"
    networks = []
    for spec in specs:
        # A user's file that has the name of a shipped spec is another spec.
        configurable = not spec.location.shipped or request.config is not None
        configured = configs.budgets(*spec.location.names) if configurable else ()
        before = lookup.networks_of(spec)
        for name, network in spec.networks.items():
            own = ((spec.name, network.budget),) if network.budget is not None else ()
            budgets = (*own, *configs.of_network(configured, network), *given)
            networks.append(CheckedNetwork(spec.name, network, budgets, before.get(name), no_base))
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


def _read_specs(request: CheckRequest) -> list[CurrentSpec]:
    """The specs, then the loaded networks. Raises an ExceptionGroup of all SpecErrors and
    UsageErrors."""
    specs = collect(unique_specs(request.specs), _read_spec)
    for network in request.networks:
        location = SpecLocation(network.file, None, names=(network.file,))
        measured = {network.name: measure_network(costs(network))}
        specs.append(CurrentSpec(location, "", measured))
    return specs


def _read_spec(location: SpecLocation | UsageError) -> Iterator[CurrentSpec]:
    if isinstance(location, UsageError):
        raise location
    source = read_source(location)
    yield CurrentSpec(location, source.text, measured_networks(source, location.pick))


class _BaseLookup:
    """The base of each spec, and statements on what differs. `unavailable` are the names of the
    specs whose base is not available."""

    def __init__(self, base: Base | None, *, for_update: bool) -> None:
        self.base = base
        self.for_update = for_update
        self.deleted: list[tuple[str, MeasuredNetwork]] = []
        self.unavailable: set[str] = set()
        self._statements: dict[str, None] = {}
        self._without_base: dict[str, list[str]] = {}

    def networks_of(self, spec: CurrentSpec) -> Mapping[str, MeasuredNetwork]:
        """The networks of a spec in the base, under their current names."""
        if self.base is None:
            return {}
        found = self.base.networks_of(spec)
        if found.unavailable:
            self.unavailable.add(spec.name)
        if found.reason:
            self._without_base.setdefault(found.reason, []).append(spec.name)
        self._statements.update(dict.fromkeys(found.statements))
        networks = dict(found.networks)
        if networks:
            self._statements.update(dict.fromkeys(self._differences(self.base, spec, networks)))
        return networks

    def _differences(
        self, base: Base, spec: CurrentSpec, networks: dict[str, MeasuredNetwork]
    ) -> Iterator[str]:
        """What differs in names and inputs. A network that replaces one of another name is compared
        with that one, so that a new name hides no growth. An update of a baseline pairs the
        networks of all files itself."""
        alone = len(spec.networks) == len(networks) == 1
        comparable = spec.whole or (alone and not base.tracks_deletions)
        if comparable and (alone or not self.for_update):
            added = [name for name in spec.networks if name not in networks]
            removed = [name for name in networks if name not in spec.networks]
            for name, index in zip(added, pair_networks(added, removed), strict=True):
                if index is not None:
                    networks[name] = networks.pop(removed[index])
                    yield f"{spec.name}: `{name}` was `{removed[index]}` in {base.name}"
        for name, network in spec.networks.items():
            old = networks.get(name)
            if old is None and not self.for_update:
                yield f"{spec.name}: `{name}` is new, so growth is not checked"
            elif old is not None and old.inputs != network.inputs:
                yield (
                    f"{spec.name}: the input of `{name}` is {network.inputs_text}; it was "
                    f"{old.inputs_text} in {base.name}"
                )
        if base.tracks_deletions and spec.whole:
            for name, network in networks.items():
                if name not in spec.networks:
                    self.deleted.append((spec.name, network))
                    yield f"{spec.name}: `{name}` is deleted; it was in {base.name}"

    def all_statements(self) -> Iterator[str]:
        for reason, specs in self._without_base.items():
            more = f" and {len(specs) - 1} more" if len(specs) > 1 else ""
            yield f"{specs[0]}{more}: growth is not checked without a base: {reason}"
        yield from self._statements
        if self.base is not None:
            yield from self.base.deletion_statements()
