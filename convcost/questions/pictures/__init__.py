"""Costs to pictures: what a report shows beside its tables. Every count is in some bar or box."""

from collections.abc import Iterator

from convcost.costs import Costs
from convcost.pictures import Picture
from convcost.questions.pictures.bars import alike, beside, by_block, by_layer
from convcost.questions.pictures.boxes import graph
from convcost.questions.pictures.memory import memory
from convcost.questions.pictures.tiles import treemap

__all__ = [
    "by_block",
    "by_layer",
    "graph",
    "memory",
    "of_comparison",
    "of_network",
    "of_networks",
    "of_points",
    "treemap",
]

MOST_BESIDE = 12


def of_network(costs: Costs) -> Iterator[Picture]:
    """What one network costs, and where."""
    yield by_layer(costs, "macs", "bars")
    yield by_layer(costs, "params", "params")
    yield from by_block(costs, "macs", "blocks")
    yield from by_block(costs, "params", "blocks_params")
    yield from treemap(costs, "params", "treemap")
    yield from treemap(costs, "macs", "treemap_macs")
    yield memory(costs)
    yield graph(costs)


def of_networks(networks: tuple[Costs, ...]) -> Iterator[Picture]:
    """Each network's pictures; of several, a name says whose: `bars#VGG-16`."""
    taken: set[str] = set()
    for costs in networks:
        for picture in of_network(costs):
            if len(networks) == 1:
                yield picture
                continue
            name = first = f"{picture.name}#{costs.network.name}"
            number = 1
            while name in taken:
                number += 1
                name = f"{first}#{number}"
            taken.add(name)
            yield picture._replace(name=name)


def of_comparison(networks: tuple[Costs, ...]) -> Iterator[Picture]:
    """Networks side by side: in all, and, if few and of like names, by their blocks."""
    for measure in ("params", "macs"):
        yield beside(networks, measure, blocks=False)
    if len(networks) <= MOST_BESIDE and alike(networks):
        for measure in ("params", "macs"):
            yield beside(networks, measure, blocks=True)


def of_points(name: str, points: tuple[Costs, ...], *, alone: bool) -> Iterator[Picture]:
    """The points of a sweep side by side; `alone` if no other network has pictures beside them."""
    for measure in ("macs", "params"):
        bars = beside(points, measure, blocks=False)
        own = measure if alone else f"{measure}#{name}"
        yield bars._replace(name=own, title=f"{name}: {measure} of {len(points):,} points")
