"""Estimates the length of the text of items, to decide whether a block shortens the text."""

from collections.abc import Iterable

from convcost.importing.outline.tree import Item
from convcost.importing.outline.values import written_options
from convcost.model.kind import KINDS

# lengths, in characters
BRACES = 4  # `{`, `}`, `, `
NAME = 10  # assumed, of a layer in `from`
BLOCK_NAME = 8  # assumed, so that a long name does not prevent a block


def text_length(items: Iterable[Item]) -> int:
    return sum(map(item_length, items))


def item_length(item: Item) -> int:
    """The estimated characters of an item, with the comma after it."""
    if item.is_call:
        own_length = sum(len(str(value)) + 2 for _, value in item.required_arguments)
        further = sum(
            len(str(value)) + len(name) + 4 for (name, _), value in item.changed_arguments
        )
        return BLOCK_NAME + BRACES + own_length + further + sum(NAME for _ in item.refs)
    if item.number is None:
        own_length = 0 if item.is_sequence and item.path[-1].isdigit() else 24
        return own_length + text_length(item.items)
    principal = KINDS[item.kind].principal
    value_by_option = written_options(item.kind, item.options)
    options = sum(
        len(str(value)) + 2 + (0 if name == principal else len(name) + 2)
        for name, value in value_by_option.items()
    )
    inner = sum(10 + text_length(branch.items) for branch in item.branches)
    around = BRACES * (bool(value_by_option) + item.is_join) + 2 * item.is_layer
    return len(item.kind) + options + inner + around
