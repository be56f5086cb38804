"""Charts of costs. Layers without a bar, box or tile of their own are summed in another one."""

from collections.abc import Iterator

from convcost.model.costs import Costs
from convcost.model.measures import HEADLINE, Measure
from convcost.model.peak_memory import alive_at_steps, buffers
from convcost.reports.chart_model import Chart, Curve
from convcost.reports.charts.bars import (
    blocks_side_by_side,
    by_block,
    by_layer,
    have_common_blocks,
    missing_text,
    side_by_side,
)
from convcost.reports.charts.graph import graph
from convcost.reports.charts.treemap import treemap

MAX_NETWORKS = 12  # in a chart with a bar for each network and block


def network_charts(costs: Costs) -> Iterator[Chart]:
    """All charts of one network."""
    yield by_layer(costs, Measure.MACS, "bars")
    yield by_layer(costs, Measure.PARAMS, "params")
    yield from by_block(costs, Measure.MACS, "blocks")
    yield from by_block(costs, Measure.PARAMS, "blocks_params")
    yield from treemap(costs, Measure.PARAMS, "treemap")
    yield from treemap(costs, Measure.MACS, "treemap_macs")
    yield memory(costs)
    yield graph(costs)


def memory(costs: Costs) -> Curve:
    """The tensors that are alive while each layer runs, along the depth of a network."""
    network = costs.network
    alive = alive_at_steps(network, buffers(network, costs.batch))
    return Curve(
        "memory",
        f"{network.name}: memory alive by depth",
        "elements of all tensors that are alive while the layer runs",
        tuple(layer.path for layer in costs.layers),
        tuple(at_step.elements for at_step in alive),
    )


def all_charts(networks: tuple[Costs, ...]) -> Iterator[Chart]:
    """The charts of each network; of several networks, with names like `bars#VGG-16`."""
    if len(networks) == 1:
        yield from network_charts(networks[0])
        return
    used: set[str] = set()
    for costs in networks:
        for chart in network_charts(costs):
            name = first = f"{chart.name}#{costs.network.name}"
            number = 1
            while name in used:
                number += 1
                name = f"{first}#{number}"
            used.add(name)
            yield chart._replace(name=name)


def comparison_charts(networks: tuple[Costs, ...]) -> Iterator[Chart]:
    """Charts that compare networks; also by block, if few networks have common blocks."""
    for measure in HEADLINE:
        yield side_by_side(networks, measure)
    if len(networks) <= MAX_NETWORKS and have_common_blocks(networks):
        for measure in HEADLINE:
            yield blocks_side_by_side(networks, measure)


def sweep_charts(name: str, points: tuple[Costs, ...], *, is_only_network: bool) -> Iterator[Chart]:
    """The points of a sweep side by side. The name of a chart has that of the network, unless it
    `is_only_network` of the report."""
    for measure in reversed(HEADLINE):
        chart_name = measure if is_only_network else f"{measure}#{name}"
        title = f"{name}: {measure} of {len(points):,} points{missing_text(points, measure)}"
        yield side_by_side(points, measure)._replace(name=chart_name, title=title)
