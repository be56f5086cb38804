"""Weights with several users belong to the layer that comes first in the text."""

from collections.abc import Iterable, Sequence

from convcost.importing.ir.layer_graph import GraphLayer, weights_owner
from convcost.importing.outline.tree import Item, Items, layer_numbers, rebuild


def weight_owners(graph: Sequence[GraphLayer], order: Iterable[int]) -> dict[int, int]:
    """Maps each layer of the graph that has weights of its own to the first layer in `order` that
    uses these weights."""
    user_by_owner: dict[int, int] = {}
    for index in order:
        user_by_owner.setdefault(weights_owner(graph, index), index)
    return user_by_owner


def with_owners(graph: Sequence[GraphLayer], items: Items) -> Items:
    """The tree in which each layer with shared weights refers to the first layer with these
    weights. It has no calls yet."""
    first = weight_owners(graph, layer_numbers(items))

    def with_owner(item: Item) -> Item:
        item = rebuild(item, lambda inner: tuple(map(with_owner, inner)))
        if item.number is None:
            return item
        owner = first[weights_owner(graph, item.number)]
        return item._replace(shares=None if owner == item.number else owner)

    return tuple(map(with_owner, items))
