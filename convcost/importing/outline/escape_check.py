"""Decides whether a part of the tree can be a block: whether its references by name stay inside."""

from typing import NamedTuple

from convcost.importing.outline.identity_cache import cached_by_identity
from convcost.importing.outline.tree import Item, Items, layers, named_values, output


class _ItemUses(NamedTuple):
    """The layers of an item, the values that they reference by name, and the layers whose weights
    they share."""

    layers: frozenset[int]
    values: frozenset[int]
    weights: frozenset[int]


class BoundNames:
    """The references by name in a tree: `users` has, for each value, the layers that reference it;
    `weights` has the layers whose weights others share."""

    def __init__(self, items: Items) -> None:
        self.users: dict[int, set[int]] = {}
        self.weights = {layer.shares for layer in layers(items)} - {None}
        self._item_uses = cached_by_identity(_item_uses)
        for layer in layers(items):
            assert layer.number is not None
            for value in _values(layer):
                self.users.setdefault(value, set()).add(layer.number)

    def is_closed(self, use: Items, entering: int | None) -> bool:
        """Whether a part references no value outside except its input, and nothing outside
        references a value inside except its output."""
        if not self.users:
            return True
        found = [self._item_uses(item) for item in use]
        own = frozenset().union(*(one.layers for one in found))
        last = output(use[-1])
        for value in own & self.users.keys():
            is_output = value == last and value not in self.weights
            if not is_output and not self.users[value] <= own:
                return False
        outside = frozenset().union(*(one.values for one in found)) - own
        return outside <= {entering} and all(one.weights <= own for one in found)


def _item_uses(item: Item) -> _ItemUses:
    inner = tuple(layers((item,)))
    return _ItemUses(
        frozenset(layer.number for layer in inner if layer.number is not None),
        frozenset(value for layer in inner for value in _values(layer)),
        frozenset(layer.shares for layer in inner if layer.shares is not None),
    )


def _values(layer: Item) -> tuple[int, ...]:
    return tuple(value for value in named_values(layer) if value is not None)
