"""`explain`: how each number of one layer or group is computed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from convcost.language.network_inputs import Settings
from convcost.model.costs import CountingConvention, costs
from convcost.reports.explain import Explanation, paths, unknown_path
from convcost.sources.networks import SpecOrNetwork, read_networks

if TYPE_CHECKING:
    from convcost.reports.explain.counts import CountExplanation


def explain(
    spec: SpecOrNetwork, path: str, settings: Settings, batch: int = 1, *, deployed: bool = False
) -> Explanation:
    """The layer or group at `path`, in each network of the spec that has it; with `deployed`, in
    the networks as inference runs them.

    Raises UsageError if no network has the path, and an ExceptionGroup of all errors of the spec.
    """
    networks = read_networks([spec], settings, deployed=deployed)
    having = [network for network in networks if path in paths(network)]
    if not having:
        name = spec if isinstance(spec, str) else spec.name
        raise unknown_path(path, name, networks, deployed=deployed)
    return Explanation(tuple(costs(network, batch) for network in having), path)


def explain_counts(
    spec: SpecOrNetwork,
    settings: Settings,
    conventions: Sequence[CountingConvention],
    batch: int = 1,
    *,
    deployed: bool = False,
) -> "CountExplanation":
    """Where the counts of conventions differ, for each network of the spec; with `deployed`, as
    inference runs it.

    Raises an ExceptionGroup of all errors of the spec.
    """
    from convcost.reports.explain.counts import CountExplanation

    networks = read_networks([spec], settings, deployed=deployed)
    return CountExplanation(tuple(costs(network, batch, conventions) for network in networks))
