"""Generalizes the uses of a block: one body for all uses, and the values of each use at each
place."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from convcost.importing.outline.tree import (
    BranchItem,
    CallItem,
    Item,
    JoinItem,
    LayerItem,
    Repeated,
    SequenceItem,
    inside,
    layers,
)
from convcost.importing.outline.valid_names import stem
from convcost.importing.outline.values import (
    OptionExpression,
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
    if isinstance(a, LayerItem):
        return _layer(a, b) if isinstance(b, LayerItem) else None
    if isinstance(a, JoinItem):
        return _join(a, b) if isinstance(b, JoinItem) else None
    if isinstance(a, CallItem):
        return a if isinstance(b, CallItem) and a.block == b.block else None
    if isinstance(a, Repeated):
        return _copies(a, b) if isinstance(b, Repeated) else None
    if isinstance(a, SequenceItem):
        return _module(a, b) if isinstance(b, SequenceItem) else None
    return None  # no block contains side outputs


def _module(a: SequenceItem, b: SequenceItem) -> SequenceItem | None:
    """A module that generalizes both modules; None if they are different modules. The names of the
    same module differ only in numbers. The name of a single layer with its norm does not matter."""
    items = anti_unify(a.items, b.items)
    if items is None or a.path[-1] == b.path[-1]:
        return None if items is None else a._replace(items=items)
    name = stem(a.path[-1])
    if name and name == stem(b.path[-1]):
        return SequenceItem((*a.path[:-1], name), items)
    held = tuple(layers(items))
    numbered = a.path[-1].isdigit() and b.path[-1].isdigit()
    alone = (
        all(isinstance(i, LayerItem | CallItem | SequenceItem) for i in items)
        and len(held) <= ONE_LAYER
    )
    return SequenceItem((*a.path[:-1], "0"), items) if numbered or alone else None


def _join(a: JoinItem, b: JoinItem) -> JoinItem | None:
    own = _layer(a.layer, b.layer)
    if own is None or len(a.branches) != len(b.branches):
        return None
    branches = []
    for left, right in zip(a.branches, b.branches, strict=True):
        if (left.ref is None) != (right.ref is None):
            return None
        both = left.items and right.items
        items = anti_unify(left.items, right.items) if both else left.items or right.items
        if items is None:
            return None
        name = "" if both and left.name != right.name else left.name or right.name
        branches.append(BranchItem(items, left.ref, name))
    return JoinItem(own, tuple(branches))


def _copies(a: Repeated, b: Repeated) -> Repeated | None:
    first = _common_item(a.copies[0], b.copies[0])
    same = len(a.copies) == len(b.copies) and first is not None
    return Repeated((first, *a.copies[1:])) if same and first is not None else None


def _layer(a: LayerItem, b: LayerItem) -> LayerItem | None:
    named = len(a.refs) == len(b.refs) and (a.shares is None) == (b.shares is None)
    if a.kind != b.kind or a.note != b.note or not named:
        return None
    if a.options != b.options:
        left, right = places_of(a.kind, a.options), places_of(b.kind, b.options)
        if left.keys() != right.keys() or any(
            constant_part(left[s]) != constant_part(right[s]) for s in left
        ):
            return None
    same = a.path[-1:] == b.path[-1:]
    return a if same else a._replace(path=())


def given_values(use: Use) -> tuple[Any, ...]:
    """The values of all options in the items of a use, in order."""
    found: list[Any] = []
    for item in use:
        layer = item.layer if isinstance(item, JoinItem) else item
        if isinstance(layer, LayerItem):
            found.append(layer.options)
        elif isinstance(layer, CallItem):
            found.append(layer.arguments)
            continue
        found += [given_values(items) for items in inside(item)]
    return tuple(found)


def input_expressions(use: Use) -> tuple[Any, ...]:
    """The values of a use's layers that are expressions over their input; "" for other values."""
    return tuple(
        value if isinstance(value, OptionExpression) and value.uses_input else ""
        for layer in _layer_values(use)
        for value in layer.values()
    )


def _layer_values(items: Use) -> Iterator[dict[Any, Any]]:
    """The values of layers and calls, in order."""
    for item in items:
        layer = item.layer if isinstance(item, JoinItem) else item
        if isinstance(layer, CallItem):
            yield _arguments(layer)
            continue
        if isinstance(layer, LayerItem):
            yield places_of(layer.kind, layer.options)
        for items_inside in inside(item):
            yield from _layer_values(items_inside)


class Overlay:
    """Walks through a body and all its uses in parallel."""

    def __init__(
        self, body: Use, uses: list[Use], incoming: Callable[[LayerItem], int | None]
    ) -> None:
        self.body = body
        self.incoming = incoming
        self.places: list[ItemSpan] = []
        self.choices: list[Choice] = []
        self._first = True
        self._list(body, list(uses))

    def _list(self, body: Use, uses: list[Use | None]) -> None:
        for n, item in enumerate(body):
            self._item(item, [None if use is None else use[n] for use in uses])

    def _item(self, item: Item, uses: list[Any]) -> None:
        if isinstance(item, LayerItem):
            self._layer(item, uses)
        elif isinstance(item, JoinItem):
            self._join(item, uses)
        elif isinstance(item, CallItem):
            self._places(item.block, _arguments(item), uses, _arguments)
        elif isinstance(item, Repeated):
            self._list((item.copies[0],), [use and (use.copies[0],) for use in uses])
        else:
            self._list(item.items, [use and use.items for use in uses])

    def _layer(self, layer: LayerItem, uses: list[Any]) -> None:
        own = places_of(layer.kind, layer.options)

        def values_of(use: LayerItem) -> dict[tuple[str, int], Any]:
            return own if use.options == layer.options else places_of(use.kind, use.options)

        self._places(layer.kind, own, uses, values_of)

    def _join(self, join: JoinItem, uses: list[Any]) -> None:
        first = self._first
        for n, branch in enumerate(join.branches):
            if not branch.items:
                continue
            inner = [None if use is None else use.branches[n].items or None for use in uses]
            gone = any(i is None and use for i, use in zip(inner, uses, strict=True))
            there = tuple(i is not None for i in inner) if gone else ()
            self.choices.append(Choice(branch.name, there))
            self._first = first
            self._list(branch.items, inner)
        self._first = False
        self._layer(join.layer, [use and use.layer for use in uses])

    def _places(
        self, kind: str, own: dict[tuple[str, int], Any], uses: list[Any], values_of: Any
    ) -> None:
        values = [None if use is None else values_of(use) for use in uses]
        entering = [None if use is None else self._input_channels(use) for use in uses]
        for option, entry in own:
            of_each = tuple(ABSENT if one is None else one[option, entry] for one in values)
            label = option_label(kind, option, entry)
            self.places.append(ItemSpan(kind, label, entry, of_each, tuple(entering), self._first))
        self._first = False

    def _input_channels(self, use: Item) -> int | None:
        return self.incoming(next(layers((use,))))


def _arguments(call: CallItem) -> dict[tuple[str, int], Any]:
    return {(name, 0): value for name, value in call.arguments}


def substitute_values(body: Use, values: Iterator[Any], flags: Iterator[str | None]) -> Use:
    """The body with a value for each place, in the order of `Overlay`."""
    return tuple(_with_values_and_flags(item, values, flags) for item in body)


def _with_values_and_flags(item: Item, values: Iterator[Any], flags: Iterator[str | None]) -> Item:
    if isinstance(item, LayerItem):
        return _with_values(item, values)
    if isinstance(item, JoinItem):
        branches = []
        for branch in item.branches:
            if branch.items:
                when = next(flags) or branch.when
                inner = substitute_values(branch.items, values, flags)
                branch = branch._replace(items=inner, when=when)  # noqa: PLW2901
            branches.append(branch)
        return JoinItem(_with_values(item.layer, values), tuple(branches))
    if isinstance(item, CallItem):
        arguments = tuple((name, next(values)) for name, _ in item.arguments)
        return item._replace(arguments=arguments)
    if isinstance(item, Repeated):
        return Repeated((_with_values_and_flags(item.copies[0], values, flags), *item.copies[1:]))
    return item._replace(items=substitute_values(item.items, values, flags))


def _with_values(layer: LayerItem, values: Iterator[Any]) -> LayerItem:
    found = {place: next(values) for place in places_of(layer.kind, layer.options)}
    return layer._replace(options=with_values(layer.kind, layer.options, found))
