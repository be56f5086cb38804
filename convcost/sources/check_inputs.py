"""Reads the inputs of a check: networks, their budgets, and the same networks in the base."""

from collections.abc import Iterable, Iterator
from functools import cache, partial
from pathlib import Path

from convcost.language.network_inputs import Settings
from convcost.model.costs import costs
from convcost.model.deploy import deploy
from convcost.model.errors import UsageError
from convcost.model.network import Budget, Network
from convcost.model.record import NamedTuple
from convcost.reports.check.baseline_policy import only_growth
from convcost.reports.check.evaluate import NEW_NETWORK, NO_BASE, CheckedNetwork
from convcost.reports.check.measures import MeasuredNetwork, NetworkInFile, measure_network
from convcost.sources.base import open_base
from convcost.sources.base_lookup import Base, CurrentSpec, measured_networks
from convcost.sources.base_pairing import BaseLookup
from convcost.sources.budget_config import BudgetConfigs
from convcost.sources.config_discovery import current_folder
from convcost.sources.networks import collect
from convcost.sources.spec_arguments import unique_specs
from convcost.sources.spec_files import CONFIG, SpecLocation, locate, path_exists, read_source

COMMAND_LINE = "the command line"


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
    deleted: tuple[NetworkInFile, ...]
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
    if request.base is None and any(limit.grow is not None for limit in limits):
        option, example = _growth_options(request)
        raise UsageError(
            f"{option} needs a base to measure growth against",
            help=f"add one, such as {example}; a baseline .json or a spec is a base, too",
        )
    specs = _read_specs(request)
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
    lookup = BaseLookup(base, for_update=for_update)
    networks = tuple(_checked_networks(request, specs, lookup, configs))
    base_files = [request.base] if request.base and not request.base.startswith("git:") else []
    return CheckInputs(
        files=(*(spec.name for spec in specs), *base_files, *configs.files),
        specs=tuple(specs),
        networks=networks,
        statements=(
            *lookup.all_statements(),
            *(base.config_statements(configs.files) if base else ()),
            *configs.statements(),
        ),
        base=base,
        deleted=tuple(lookup.deleted),
        unavailable=frozenset(lookup.unavailable),
    )


def _growth_options(request: CheckRequest) -> tuple[str, str]:
    """The option that limits growth, and an example of a base, as the request was written."""
    if request.limits_from == COMMAND_LINE:
        return "--max-growth", "--base git:origin/main..."
    return "max_growth", 'base="git:origin/main..."'


def _checked_networks(
    request: CheckRequest, specs: list[CurrentSpec], lookup: BaseLookup, configs: BudgetConfigs
) -> Iterator[CheckedNetwork]:
    """Each network with its budgets and its base; twice if it has a second base."""
    budgets_of = cache(configs.budgets)  # a spec that has several bases has the same names
    requested = request.device_limits
    if request.limits is not None:
        requested = ((request.limits_from, request.limits), *requested)
    no_base = NO_BASE
    if request.base is None:
        no_base += f"; add one, such as {_growth_options(request)[1]}"
    for spec, before in zip(specs, lookup.networks_of(specs), strict=True):
        # A user's file that has the name of a shipped spec is another spec.
        automatic = not spec.location.shipped and not request.deployed
        configurable = automatic or request.config is not None
        configured = budgets_of(*spec.location.names) if configurable else ()
        is_new = request.base is not None and spec.name not in lookup.unavailable
        reason = NEW_NETWORK if is_new else no_base
        for name, network in spec.networks.items():
            own_budget = ((spec.name, network.budget),) if network.budget is not None else ()
            configs.match_rules(configured, network)
            budgets = (*own_budget, *configured, *requested)
            yield CheckedNetwork(spec.name, network, budgets, before.get(name), reason)
            second = lookup.second_base.get((spec.name, name))
            if second is not None and (budgets or lookup.for_update):
                growth = tuple((location, only_growth(budget)) for location, budget in budgets)
                yield CheckedNetwork(spec.name, network, growth, second, reason)


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
        if base is not None and base.has(name):
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
    """The specs, then the loaded networks, deployed on request. Raises an ExceptionGroup of all
    SpecErrors and UsageErrors."""
    read = partial(_read_spec, request.settings)
    specs = collect(unique_specs(request.specs), read)
    for network in request.networks:
        location = SpecLocation(network.file, None, names=(network.file,))
        measured = {network.name: measure_network(costs(network))}
        specs.append(CurrentSpec(location, "", measured))
    if request.deployed:
        return [spec._replace(networks=_deployed(spec)) for spec in specs]
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
