"""Bar charts: of one network by layer and by block, and of several networks side by side."""

from collections import Counter
from collections.abc import Iterable, Iterator

from convcost.model.costs import Costs
from convcost.model.measures import Measure
from convcost.model.number_format import counted
from convcost.reports.chart_model import Bar, Bars
from convcost.reports.totals import network_names

MAX_BARS = 20  # the others are summed


def by_layer(costs: Costs, measure: Measure, name: str) -> Bars:
    """The layers with the largest counts, and the sum of the others."""
    counts = [(layer.path, layer.counts.count_of(measure).known) for layer in costs.layers]
    largest = sorted((item for item in counts if item[1]), key=lambda item: -item[1])
    shown = largest if len(largest) == MAX_BARS + 1 else largest[:MAX_BARS]
    others = largest[len(shown) :]
    bars = [Bar(path, (count,)) for path, count in shown]
    if others:
        bars.append(_others_bar(len(others), (sum(count for _, count in others),)))
    title = f"{costs.network.name}: {measure} by layer{missing_text((costs,), measure)}"
    return Bars(name, title, measure, (costs.network.name,), tuple(bars), parts=True)


def by_block(costs: Costs, measure: Measure, name: str) -> Iterator[Bars]:
    """The top-level blocks in their order; empty if every layer is a block of its own."""
    blocks = _blocks(costs, measure)
    if len(blocks) not in (1, len(costs.layers)):
        title = f"{costs.network.name}: {measure} by block{missing_text((costs,), measure)}"
        bars = _block_bars([blocks])
        yield Bars(name, title, measure, (costs.network.name,), bars, parts=True)


def side_by_side(networks: tuple[Costs, ...], measure: Measure) -> Bars:
    """One bar for each network."""
    bars = tuple(
        Bar(name, (costs.totals.count_of(measure).shown,))
        for name, costs in zip(network_names(networks), networks, strict=True)
    )
    title = f"{_format_names(networks)}: {measure}{missing_text(networks, measure)}"
    return Bars(measure, title, measure, ("",), bars)


def blocks_side_by_side(networks: tuple[Costs, ...], measure: Measure) -> Bars:
    """One bar for each network and block."""
    title = f"{_format_names(networks)}: {measure} by block{missing_text(networks, measure)}"
    names = tuple(network_names(networks))
    bars = _block_bars([_blocks(costs, measure) for costs in networks])
    return Bars(f"{measure}_by_block", title, measure, names, bars)


def have_common_blocks(networks: tuple[Costs, ...]) -> bool:
    """Whether any two networks share at least half of the blocks of the smaller one."""
    names = [set(_blocks(costs, Measure.PARAMS)) for costs in networks]
    return all(
        2 * len(blocks & other) >= min(len(blocks), len(other))
        for number, blocks in enumerate(names)
        for other in names[number + 1 :]
    )


def missing_text(networks: Iterable[Costs], measure: Measure) -> str:
    """How many layers are not in a chart of a measure, because their count is not known."""
    layers = sum(costs.totals.count_of(measure).uncounted for costs in networks)
    return f", without {counted(layers, 'uncounted layer')}" if layers else ""


def _format_names(networks: tuple[Costs, ...]) -> str:
    names = network_names(networks)
    return " and ".join(names) if len(names) < 3 else f"{len(names):,} networks"  # noqa: PLR2004


def _blocks(costs: Costs, measure: Measure) -> dict[str, int]:
    """The counts of the top-level blocks by name."""
    counts: Counter[str] = Counter()
    for layer in costs.layers:
        counts[layer.path.partition("/")[0]] += layer.counts.count_of(measure).known
    return counts


def _block_bars(networks: list[dict[str, int]]) -> tuple[Bar, ...]:
    """A bar for each of the largest blocks of any network, and one for the sum of the others."""
    largest: dict[str, int] = {}
    for blocks in networks:
        for block, count in blocks.items():
            largest[block] = max(largest.get(block, 0), count)
    ranked = sorted((block for block in largest if largest[block]), key=lambda b: -largest[b])
    rest = set(ranked[MAX_BARS:]) if len(ranked) > MAX_BARS + 1 else set()
    shown = (block for block in largest if largest[block] and block not in rest)
    bars = [Bar(block, tuple(blocks.get(block) for blocks in networks)) for block in shown]
    if rest:
        sums = tuple(sum(blocks.get(block, 0) for block in rest) for blocks in networks)
        bars.append(_others_bar(len(rest), sums))
    return tuple(bars)


def _others_bar(count: int, values: tuple[int, ...]) -> Bar:
    return Bar(f"{count:,} others", values, rest=True)
