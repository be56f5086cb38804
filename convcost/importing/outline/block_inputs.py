"""Finds the inputs of a part of the tree that could be a block."""

from typing import NamedTuple

from convcost.importing.outline import tree
from convcost.importing.outline.identity_cache import cached_by_identity
from convcost.importing.outline.tree import Item, Items


class _ItemUses(NamedTuple):
    """The layers of an item, and the layers whose weights they share."""

    layers: frozenset[int]
    weights: frozenset[int]


class BlockInputs:
    """The references by name in a tree: `users` has, for each value, the layers that reference it;
    `weights` has the layers whose weights others share."""

    def __init__(self, items: Items) -> None:
        self.users: dict[int, set[int]] = {}
        self.weights = {layer.shares for layer in tree.layers(items)} - {None}
        self._item_uses = cached_by_identity(_item_uses)
        for layer in tree.layers(items):
            assert layer.number is not None
            for value in tree.named_values(layer):
                if value is not None:
                    self.users.setdefault(value, set()).add(layer.number)

    def inputs_of(self, use: Items, entering: int | None) -> tuple[int, ...] | None:
        """The values outside that a part uses: first `entering`, the output of the item before it,
        then the others in the order of the text. None if something outside references a value
        inside except its output, or if it shares weights with something outside."""
        all_uses = [self._item_uses(item) for item in use]
        inner_values = frozenset().union(*(item_uses.layers for item_uses in all_uses))
        last = tree.output(use[-1])
        for value in inner_values & self.users.keys():
            is_output = value == last and value not in self.weights
            if not is_output and not self.users[value] <= inner_values:
                return None
        if not all(item_uses.weights <= inner_values for item_uses in all_uses):
            return None
        outside = dict.fromkeys(
            value for value in tree.references(use) if value not in inner_values
        )
        if tree.takes_input(use[0]) or entering in outside:
            if entering is None:
                return None if outside else ()
            outside = {entering: None, **outside}
        return tuple(outside)


def _item_uses(item: Item) -> _ItemUses:
    inner = tuple(tree.layers((item,)))
    return _ItemUses(
        frozenset(layer.number for layer in inner if layer.number is not None),
        frozenset(layer.shares for layer in inner if layer.shares is not None),
    )
