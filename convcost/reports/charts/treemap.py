"""The total of a network in tiles, one for each group and layer."""

from collections.abc import Iterator

from convcost.model.costs import Costs
from convcost.model.measures import Measure
from convcost.reports.chart_model import Tile, Treemap
from convcost.reports.charts.bars import missing_text

MAX_TILES = 60  # tiles side by side; the others are summed
MAX_DEPTH = 4  # levels of groups


def treemap(costs: Costs, measure: Measure, name: str) -> Iterator[Treemap]:
    """The treemap of a measure; nothing if the total is 0."""
    counts = [
        (layer.path.split("/")[:MAX_DEPTH], count)
        for layer in costs.layers
        if (count := layer.counts.count_of(measure).known)
    ]
    if counts:
        title = f"{costs.network.name}: {measure} by block{missing_text((costs,), measure)}"
        yield Treemap(name, title, measure, _tile(costs.network.name, counts))


def _tile(label: str, counts: list[tuple[list[str], int]]) -> Tile:
    """The tile of layers, with inner tiles by the names in their paths. A single inner tile
    replaces the tile around it."""
    parts: dict[str, list[tuple[list[str], int]]] = {}
    for words, count in counts:
        if words:
            parts.setdefault(words[0], []).append((words[1:], count))
    if len(parts) == 1:
        ((name, part),) = parts.items()
        return _tile(f"{label}/{name}", part)
    tiles = sorted((_tile(name, part) for name, part in parts.items()), key=lambda t: -t.value)
    others = tiles[MAX_TILES:]
    if others:
        rest = Tile(f"{len(others):,} others", sum(tile.value for tile in others))
        tiles = [*tiles[:MAX_TILES], rest]
    return Tile(label, sum(count for _, count in counts), tuple(tiles))
