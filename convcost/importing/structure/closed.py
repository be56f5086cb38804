"""What a stretch of layers takes by name, and what of it others do: whether a block can hold it."""

from collections.abc import Iterator
from typing import NamedTuple

from convcost.importing.structure.tree import (
    Call,
    Item,
    Join,
    Layer,
    inside,
    layers,
    output,
)

Use = tuple[Item, ...]


class _Held(NamedTuple):
    """The layers of an item, and what those take by name, from wherever; `weights`, whose weights
    they share."""

    own: frozenset[int]
    asked: frozenset[int]
    weights: frozenset[int]


class Names:
    """Who takes what by name in a tree: `takers` are, by value, the layers that do; `weights`, the
    layers whose weights others share."""

    def __init__(self, items: Use) -> None:
        self.takers: dict[int, set[int]] = {}
        self.weights: set[int] = set()
        self._known: dict[int, tuple[_Held, Item]] = {}  # by identity; kept, so that stays
        for layer, values in _asked(items):
            for value in values:
                self.takers.setdefault(value, set()).add(layer.number)
            if layer.shares is not None:
                self.weights.add(layer.shares)

    def closed(self, use: Use, entering: int | None) -> bool:
        """Whether nothing in a stretch is taken by name from elsewhere, but what it hands on, and
        it takes nothing by name from elsewhere, but what comes in."""
        if not self.takers:
            return True
        held = [self._held(item) for item in use]
        own = frozenset().union(*(one.own for one in held))
        given = output(use[-1])
        for number in own & self.takers.keys():
            handed_on = number == given and number not in self.weights
            if not handed_on and not self.takers[number] <= own:
                return False
        asked = frozenset().union(*(one.asked for one in held)) - own
        return asked <= {entering} and all(one.weights <= own for one in held)

    def _held(self, item: Item) -> _Held:
        known = self._known.get(id(item))
        if known is None:
            told = list(_asked((item,)))
            known = self._known[id(item)] = (
                _Held(
                    frozenset(layer.number for layer in layers((item,))),
                    frozenset(value for _, values in told for value in values),
                    frozenset(layer.shares for layer, _ in told if layer.shares is not None),
                ),
                item,
            )
        return known[0]

    def corresponding(self, one: Use, come: int | None, other: Use, came: int | None) -> bool:
        """Whether two stretches of one form take the same by name, of themselves or of what comes
        in."""
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


def _pairs(one: Use, other: Use) -> Iterator[tuple[Item | None, Item | None]]:
    """Items that stand at the same place, None for one that takes names where nothing stands."""
    for a, b in zip(one, other, strict=True):
        if isinstance(a, Join) and isinstance(b, Join):
            for left, right in zip(a.branches, b.branches, strict=True):
                if left.items and right.items:
                    yield from _pairs(left.items, right.items)
                elif any(values for _, values in _asked(left.items or right.items)):
                    yield None, None
        elif not isinstance(a, Layer | Call):
            yield from _pairs(inside(a)[0], inside(b)[0])
            continue
        yield a, b


def _values(item: Item) -> tuple[int | None, ...]:
    """What an item takes by name, and whose weights."""
    if isinstance(item, Join):
        return (*item.layer.refs, *(branch.ref for branch in item.branches))
    return (*item.refs, item.shares) if isinstance(item, Layer) else ()


def _asked(items: Use) -> Iterator[tuple[Layer, tuple[int, ...]]]:
    """Every layer, calls' own too, with what it takes by name or shares the weights of."""
    for item in items:
        if isinstance(item, Join):
            yield item.layer, tuple(value for value in _values(item) if value is not None)
        elif isinstance(item, Layer):
            yield item, item.refs if item.shares is None else (*item.refs, item.shares)
        if not isinstance(item, Layer):
            for items_inside in inside(item):
                yield from _asked(items_inside)
