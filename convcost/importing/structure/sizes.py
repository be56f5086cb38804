"""How long the text of items is, about: what a block has to save."""

from collections.abc import Iterable

from convcost.importing.structure.tree import Call, Item, Join, Layer, Repeated, Sequence
from convcost.kind import KINDS

BRACES = 4
NAME = 8  # of a block: a long one is no reason to have none


def size(items: Iterable[Item]) -> int:
    return sum(map(one, items))


def one(item: Item) -> int:
    """Characters of an item, with the comma behind it."""
    if isinstance(item, Layer):
        return _layer(item) + 2
    if isinstance(item, Join):
        return (
            _layer(item.layer) + BRACES + sum(10 + size(branch.items) for branch in item.branches)
        )
    if isinstance(item, Call):
        own = sum(len(str(value)) + 2 for _, value in item.required)
        further = sum(len(str(value)) + len(name) + 4 for name, value in item.further)
        return NAME + BRACES + own + further
    if isinstance(item, Repeated):
        return one(item.copies[0]) + len("repeat: 2")
    own = 0 if isinstance(item, Sequence) and item.path[-1].isdigit() else 24
    return own + size(item.items)


def _layer(layer: Layer) -> int:
    kind = KINDS.get(layer.kind)
    principal = kind.principal if kind is not None else None
    return (
        len(layer.kind)
        + (BRACES if layer.options else 0)
        + sum(
            len(str(value)) + 2 + (0 if name == principal else len(name) + 2)
            for name, value in layer.options
        )
    )
