"""Generalizes the uses of a block: one body for all uses, and the values of each use at each
place."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from convcost.importing.outline.tree import Item, ItemBranch, layer_numbers, layers, sequence
from convcost.importing.outline.valid_names import stem
from convcost.importing.outline.values import (
    constant_part,
    option_label,
    places_of,
    with_values,
)

Use = tuple[Item, ...]
ABSENT: Any = object()
ONE_LAYER = 3  # a convolution, its norm and a scale


class ItemSpan(NamedTuple):
    """An option at a place of a body: the layer, the name of the option and the entry. `values` has
    its value in each use, ABSENT if the use does not have the layer; `incoming` has the channels of
    the layer's input in each use."""

    kind: str
    option: str
    entry: int
    values: tuple[Any, ...]
    incoming: tuple[int | None, ...]
    first: bool


class Choice(NamedTuple):
    """A branch. `there` says for each use whether it has the branch; it is empty if all have it."""

    name: str
    there: tuple[bool, ...]


def anti_unify(one: Use, other: Use) -> Use | None:
    """A body that generalizes both uses; None if there is none."""
    if len(one) != len(other):
        return None
    found = [_common_item(a, b) for a, b in zip(one, other, strict=True)]
    return None if any(item is None for item in found) else tuple(i for i in found if i is not None)


def _common_item(a: Item, b: Item) -> Item | None:
    if a.kind != b.kind or a.is_side:
        return None
    if a.is_call:
        return a
    return _module(a, b) if a.is_sequence else _layer(a, b)


def _module(a: Item, b: Item) -> Item | None:
    """A module that generalizes both modules; None if they are different modules. The names of the
    same module differ only in numbers. The name of a single layer with its norm does not matter."""
    items = anti_unify(a.items, b.items)
    if items is None or a.path[-1] == b.path[-1]:
        return None if items is None else sequence(a.path, items)
    name = stem(a.path[-1])
    if name and name == stem(b.path[-1]):
        return sequence((*a.path[:-1], name), items)
    held = tuple(layers(items))
    numbered = a.path[-1].isdigit() and b.path[-1].isdigit()
    alone = len(held) <= ONE_LAYER and not any(item.is_join for item in items)
    return sequence((*a.path[:-1], "0"), items) if numbered or alone else None


def _layer(a: Item, b: Item) -> Item | None:
    """A layer that generalizes two layers of a kind; None if there is none."""
    named = len(a.refs) == len(b.refs) and (a.shares is None) == (b.shares is None)
    if a.note != b.note or not named or len(a.branches) != len(b.branches):
        return None
    if a.options != b.options:
        left, right = places_of(a.kind, a.options), places_of(b.kind, b.options)
        if left.keys() != right.keys() or any(
            constant_part(left[s]) != constant_part(right[s]) for s in left
        ):
            return None
    branches = []
    for one, other in zip(a.branches, b.branches, strict=True):
        branch = _branch(one, other)
        if branch is None:
            return None
        branches.append(branch)
    same = a.path[-1:] == b.path[-1:]
    return a._replace(path=a.path if same else (), branches=tuple(branches))


def _branch(a: ItemBranch, b: ItemBranch) -> ItemBranch | None:
    """A branch that generalizes both branches. Only one of them may have layers."""
    both = a.items and b.items
    items = anti_unify(a.items, b.items) if both else a.items or b.items
    if items is None or (a.ref is None) != (b.ref is None):
        return None
    return ItemBranch(items, a.ref, "" if both and a.name != b.name else a.name or b.name)


class Overlay:
    """Walks through a body and all its uses in parallel."""

    def __init__(self, body: Use, uses: list[Use], incoming: Callable[[int], int | None]) -> None:
        self.body = body
        self.incoming = incoming
        self.places: list[ItemSpan] = []
        self.choices: list[Choice] = []
        self._first = True
        self._list(body, list(uses))

    def _list(self, body: Use, uses: list[Use | None]) -> None:
        for n, item in enumerate(body):
            self._item(item, [None if use is None else use[n] for use in uses])

    def _item(self, item: Item, uses: list[Item | None]) -> None:
        first = self._first
        for n, branch in enumerate(item.branches):
            if not branch.items:
                continue
            inner = [None if use is None else use.branches[n].items or None for use in uses]
            gone = any(i is None and use for i, use in zip(inner, uses, strict=True))
            there = tuple(i is not None for i in inner) if gone else ()
            self.choices.append(Choice(branch.name, there))
            self._first = first
            self._list(branch.items, inner)
        self._first = self._first and not item.is_join
        self._places(item, uses)

    def _places(self, item: Item, uses: list[Item | None]) -> None:
        own = places_of(item.kind, item.options)
        values = [
            None
            if use is None
            else own
            if use.options == item.options
            else places_of(use.kind, use.options)
            for use in uses
        ]
        entering = tuple(None if use is None else self._input_channels(use) for use in uses)
        for option, entry in own:
            of_each = tuple(ABSENT if one is None else one[option, entry] for one in values)
            label = option_label(item.kind, option, entry)
            self.places.append(ItemSpan(item.kind, label, entry, of_each, entering, self._first))
        self._first = False

    def _input_channels(self, item: Item) -> int | None:
        first = next(layer_numbers((item,))) if item.number is None else item.number
        return self.incoming(first)


def substitute_values(body: Use, values: Iterator[Any], flags: Iterator[str | None]) -> Use:
    """The body with a value for each place and a condition for each branch, in the order of
    `Overlay`."""
    return tuple(_with_values(item, values, flags) for item in body)


def _with_values(item: Item, values: Iterator[Any], flags: Iterator[str | None]) -> Item:
    branches = []
    for branch in item.branches:
        if branch.items:
            when = next(flags) or branch.when
            inner = substitute_values(branch.items, values, flags)
            branch = branch._replace(items=inner, when=when)  # noqa: PLW2901
        branches.append(branch)
    found = {place: next(values) for place in places_of(item.kind, item.options)}
    options = with_values(item.kind, item.options, found)
    return item._replace(options=options, branches=tuple(branches))
