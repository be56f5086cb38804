"""Finds the references by name into and out of a part of the tree, and decides whether the part can
be a block."""

from collections.abc import Iterator
from typing import NamedTuple

from convcost.importing.outline.identity_cache import cached_by_identity
from convcost.importing.outline.tree import Item, layers, output

Use = tuple[Item, ...]


class _ItemUses(NamedTuple):
    """The layers of an item, the values that they reference by name, and the layers whose weights
    they share (`weights`)."""

    own: frozenset[int]
    asked: frozenset[int]
    weights: frozenset[int]


class BoundNames:
    """The references by name in a tree: `takers` has, for each value, the layers that reference it;
    `weights` has the layers whose weights others share."""

    def __init__(self, items: Use) -> None:
        self.takers: dict[int, set[int]] = {}
        self.weights: set[int] = set()
        self._item_uses = cached_by_identity(_item_uses)
        for number, shares, values in _uses(items):
            for value in values:
                self.takers.setdefault(value, set()).add(number)
            if shares is not None:
                self.weights.add(shares)

    def is_closed(self, use: Use, entering: int | None) -> bool:
        """Whether a part references no value outside except its input, and nothing outside
        references a value inside except its output."""
        if not self.takers:
            return True
        held = [self._item_uses(item) for item in use]
        own = frozenset().union(*(one.own for one in held))
        given = output(use[-1])
        for number in own & self.takers.keys():
            handed_on = number == given and number not in self.weights
            if not handed_on and not self.takers[number] <= own:
                return False
        asked = frozenset().union(*(one.asked for one in held)) - own
        return asked <= {entering} and all(one.weights <= own for one in held)

    def have_same_references(
        self, one: Use, come: int | None, other: Use, came: int | None
    ) -> bool:
        """Whether two parts of the same form reference the same values by name, inside or as their
        input."""
        if not self.takers:
            return True
        pairs = list(_pairs(one, other))
        same: dict[int | None, int | None] = {None: None, came: come}
        same |= {output(b): output(a) for a, b in pairs if a is not None and b is not None}
        return all(
            a is not None
            and b is not None
            and _values(a) == tuple(same.get(v, v) for v in _values(b))
            for a, b in pairs
        )


def _item_uses(item: Item) -> _ItemUses:
    uses = list(_uses((item,)))
    return _ItemUses(
        frozenset(number for number, _, _ in uses),
        frozenset(value for *_, values in uses for value in values),
        frozenset(shares for _, shares, _ in uses if shares is not None),
    )


def _pairs(one: Use, other: Use) -> Iterator[tuple[Item | None, Item | None]]:
    """The items at the same position; None where one part has no item."""
    for a, b in zip(one, other, strict=True):
        for left, right in zip(a.branches, b.branches, strict=True):
            if left.items and right.items:
                yield from _pairs(left.items, right.items)
            elif any(values for *_, values in _uses(left.items or right.items)):
                yield None, None
        yield a, b


def _values(item: Item) -> tuple[int | None, ...]:
    """The values that an item references by name, and the layer whose weights it shares."""
    return (*item.refs, *(branch.ref for branch in item.branches), item.shares)


def _uses(items: Use) -> Iterator[tuple[int, int | None, tuple[int, ...]]]:
    """Every layer, also inside calls: its number, the layer whose weights it shares, and both this
    layer and the values that it references by name."""
    for layer in layers(items):
        assert layer.number is not None
        named = tuple(value for value in _values(layer) if value is not None)
        yield layer.number, layer.shares, named
