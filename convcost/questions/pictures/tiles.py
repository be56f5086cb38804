"""A network's whole count cut by the names in its paths."""

from collections.abc import Iterator

from convcost.costs import Costs
from convcost.pictures import Tile, Treemap

MOST = 60  # tiles side by side; what is beyond is summed
DEEPEST = 4


class _Part:
    __slots__ = ("parts", "value")

    def __init__(self) -> None:
        self.value = 0
        self.parts: dict[str, _Part] = {}


def treemap(costs: Costs, measure: str, name: str) -> Iterator[Treemap]:
    """Nothing where there is nothing to cut."""
    root = _Part()
    for layer in costs.layers:
        count = getattr(layer, measure)
        if count:
            part = root
            part.value += count
            for word in layer.path.split("/")[:DEEPEST]:
                part = part.parts.setdefault(word, _Part())
                part.value += count
    if root.value:
        title = f"{costs.network.name}: {measure} by block"
        yield Treemap(name, title, measure, _tile(costs.network.name, root))


def _tile(label: str, part: _Part) -> Tile:
    """A name that holds but one other says no more than both in one."""
    while len(part.parts) == 1:
        ((word, part),) = part.parts.items()
        label = f"{label}/{word}"
    parts = sorted(part.parts.items(), key=lambda item: -item[1].value)
    shown, others = parts[:MOST], parts[MOST:]
    tiles = [_tile(word, one) for word, one in shown]
    if others:
        total = sum(one.value for _, one in others)
        tiles.append(Tile(f"{len(others):,} others", total))
    return Tile(label, part.value, tuple(tiles))
