"""Bars: of one network by layer and by block, of several side by side."""

from collections.abc import Iterator

from convcost.costs import Costs, LayerCost
from convcost.pictures import Bar, Bars

MOST = 20
Counts = dict[str, int]


def by_layer(costs: Costs, measure: str, name: str) -> Bars:
    """The layers that cost, the largest first; what is beyond the first ones is summed."""
    counts = [(layer.path, _of(layer, measure)) for layer in costs.layers]
    largest = sorted((item for item in counts if item[1]), key=lambda item: -item[1])
    shown, others = largest[:MOST], largest[MOST:]
    if len(others) == 1:
        shown, others = largest, []
    bars = [Bar(path, (count,)) for path, count in shown]
    if others:
        total = sum(count for _, count in others)
        bars.append(Bar(f"{len(others):,} others", (total,), rest=True))
    title = f"{costs.network.name}: {measure} by layer"
    return Bars(name, title, measure, (costs.network.name,), tuple(bars), parts=True)


def by_block(costs: Costs, measure: str, name: str) -> Iterator[Bars]:
    """The first names of all paths, in their order; nothing where each is a layer of its own."""
    counts = _blocks(costs, measure)
    if len(counts) == len(costs.layers) or len(counts) == 1:
        return
    (rest,) = _rests([counts])
    bars = [Bar(path, (count,)) for path, count in counts.items() if count and path not in rest]
    if rest:
        total = sum(counts[path] for path in rest)
        bars.append(Bar(f"{len(rest):,} others", (total,), rest=True))
    title = f"{costs.network.name}: {measure} by block"
    yield Bars(name, title, measure, (costs.network.name,), tuple(bars), parts=True)


def beside(networks: tuple[Costs, ...], measure: str, *, blocks: bool) -> Bars:
    """One bar for each network; in all, or for each block that any of them has."""
    names = [costs.network.name for costs in networks]
    listed = " and ".join(names) if len(names) < 3 else f"{len(names):,} networks"  # noqa: PLR2004
    if not blocks:
        bars = tuple(
            Bar(costs.network.name, (getattr(costs.totals, measure),)) for costs in networks
        )
        return Bars(measure, f"{listed}: {measure}", measure, ("",), bars)
    counts = [_blocks(costs, measure) for costs in networks]
    rests = _rests(counts)
    rest = rests[0].union(*rests[1:])
    paths = [path for path in dict.fromkeys(p for some in counts for p in some) if path not in rest]
    rows = [Bar(p, tuple(some.get(p) for some in counts)) for p in paths]
    rows = [bar for bar in rows if any(bar.values)]
    if rest:
        totals = tuple(sum(some.get(path, 0) for path in rest) for some in counts)
        rows.append(Bar(f"{len(rest):,} others", totals, rest=True))
    title = f"{listed}: {measure} by block"
    return Bars(f"{measure}_by_block", title, measure, tuple(names), tuple(rows))


def alike(networks: tuple[Costs, ...]) -> bool:
    """Whether of any two networks at least half of the blocks of the smaller are in the other."""
    names = [set(_blocks(costs, "params")) for costs in networks]
    return all(
        2 * len(one & other) >= min(len(one), len(other))
        for number, one in enumerate(names)
        for other in names[number + 1 :]
    )


def _blocks(costs: Costs, measure: str) -> Counts:
    counts: Counts = {}
    for layer in costs.layers:
        block = layer.path.partition("/")[0]
        counts[block] = counts.get(block, 0) + _of(layer, measure)
    return counts


def _rests(counts: list[Counts]) -> list[set[str]]:
    """The paths that get no bar of their own: of all, those that have the least."""
    largest: Counts = {}
    for some in counts:
        for path, count in some.items():
            largest[path] = max(largest.get(path, 0), count)
    ranked = sorted((path for path in largest if largest[path]), key=lambda p: -largest[p])
    left = set(ranked[MOST:]) if len(ranked) > MOST + 1 else set()
    return [left & set(some) for some in counts]


def _of(layer: LayerCost, measure: str) -> int:
    return int(getattr(layer, measure))
