"""Weights used more than once belong to the layer that the text names first."""

from collections.abc import Sequence

from convcost.importing.drawing import Drawn
from convcost.importing.structure.tree import Item, Layer, layers, mapped


def owners(drawn: Sequence[Drawn], order: Sequence[int]) -> dict[int, int]:
    """For a layer of the drawing whose weights are shared, the first in order that has them."""
    found: dict[int, int] = {}
    roots = {layer.shares for layer in drawn if layer.shares is not None}
    for index in order:
        shares = drawn[index].shares
        root = index if shares is None else shares
        if root in roots:
            found.setdefault(root, index)
    return found


def bound(drawn: Sequence[Drawn]) -> frozenset[int]:
    """Layers that share weights with others: those have to find them by name."""
    sharing = {n for n, layer in enumerate(drawn) if layer.shares is not None}
    roots = {layer.shares for layer in drawn if layer.shares is not None}
    return frozenset(sharing | roots)


def owned(drawn: Sequence[Drawn], items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The tree, each layer with shared weights leaning on the first that has them."""
    if all(layer.shares is None for layer in drawn):
        return items
    first = owners(drawn, [layer.number for layer in layers(items)])

    def lean(layer: Layer) -> Layer:
        shares = drawn[layer.number].shares
        owner = first.get(layer.number if shares is None else shares, layer.number)
        return layer._replace(shares=None if owner == layer.number else owner)

    return mapped(items, lean)
