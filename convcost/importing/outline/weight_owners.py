"""Weights with several users belong to the layer that comes first in the text."""

from collections.abc import Sequence

from convcost.importing.ir.layer_graph import GraphLayer
from convcost.importing.outline.tree import Item, layer_numbers, map_items


def weight_owners(graph: Sequence[GraphLayer], order: Sequence[int]) -> dict[int, int]:
    """Maps each layer of the graph whose weights are shared to the first layer in `order` that uses
    these weights."""
    found: dict[int, int] = {}
    roots = {layer.shares for layer in graph if layer.shares is not None}
    for index in order:
        shares = graph[index].shares
        root = index if shares is None else shares
        if root in roots:
            found.setdefault(root, index)
    return found


def sharing_layers(graph: Sequence[GraphLayer]) -> frozenset[int]:
    """The layers that share weights with others. Those others refer to them by name."""
    sharing = {n for n, layer in enumerate(graph) if layer.shares is not None}
    roots = {layer.shares for layer in graph if layer.shares is not None}
    return frozenset(sharing | roots)


def with_owners(graph: Sequence[GraphLayer], items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The tree in which each layer with shared weights refers to the first layer with these
    weights."""
    if all(layer.shares is None for layer in graph):
        return items
    first = weight_owners(graph, list(layer_numbers(items)))

    def with_owner(layer: Item) -> Item:
        if layer.number is None:
            return layer
        shares = graph[layer.number].shares
        owner = first.get(layer.number if shares is None else shares, layer.number)
        return layer._replace(shares=None if owner == layer.number else owner)

    return map_items(items, with_owner)
