"""Estimates the length of the text of items, to decide whether a block shortens the text."""

from collections.abc import Iterable

from convcost.importing.outline.tree import (
    CallItem,
    Item,
    JoinItem,
    LayerItem,
    Repeated,
    SequenceItem,
)
from convcost.model.kind import KINDS

BRACES = 4
NAME = 8  # the assumed length of a block's name, so that a long name does not prevent a block


def text_length(items: Iterable[Item]) -> int:
    return sum(map(item_length, items))


def item_length(item: Item) -> int:
    """The estimated characters of an item, with the comma after it."""
    if isinstance(item, LayerItem):
        return _layer(item) + 2
    if isinstance(item, JoinItem):
        return (
            _layer(item.layer)
            + BRACES
            + sum(10 + text_length(branch.items) for branch in item.branches)
        )
    if isinstance(item, CallItem):
        own = sum(len(str(value)) + 2 for _, value in item.required_arguments)
        further = sum(len(str(value)) + len(name) + 4 for name, value in item.changed_arguments)
        return NAME + BRACES + own + further
    if isinstance(item, Repeated):
        return item_length(item.copies[0]) + len("repeat: 2")
    own = 0 if isinstance(item, SequenceItem) and item.path[-1].isdigit() else 24
    return own + text_length(item.items)


def _layer(layer: LayerItem) -> int:
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
