"""Uses of a block laid over each other: one body for all, and at each place the values of each."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from convcost.importing.structure.names import stem
from convcost.importing.structure.tree import (
    Branch,
    Call,
    Item,
    Join,
    Layer,
    Repeated,
    Sequence,
    inside,
    layers,
)
from convcost.importing.structure.values import Expression, filled, fixed, labelled, slots

Use = tuple[Item, ...]
ABSENT: Any = object()
ONE_LAYER = 3  # a convolution, its norm, a scale


class Place(NamedTuple):
    """An option somewhere in a body: the layer there, the option, its entry. `values` are those of
    every use, ABSENT where the layer is not there; `incoming` the channels that enter it."""

    kind: str
    option: str
    entry: int
    values: tuple[Any, ...]
    incoming: tuple[int | None, ...]
    first: bool


class Choice(NamedTuple):
    """A branch; `there` says for each use whether it has it, and is empty if all do."""

    name: str
    there: tuple[bool, ...]


def merged(one: Use, other: Use) -> Use | None:
    """A body that holds both; None if there is none."""
    if len(one) != len(other):
        return None
    found = [_merged(a, b) for a, b in zip(one, other, strict=True)]
    return None if any(item is None for item in found) else tuple(i for i in found if i is not None)


def _merged(a: Item, b: Item) -> Item | None:
    if isinstance(a, Layer):
        return _layer(a, b) if isinstance(b, Layer) else None
    if isinstance(a, Join):
        return _join(a, b) if isinstance(b, Join) else None
    if isinstance(a, Call):
        return a if isinstance(b, Call) and a.block == b.block else None
    if isinstance(a, Repeated):
        return _copies(a, b) if isinstance(b, Repeated) else None
    if isinstance(a, Sequence):
        return _module(a, b) if isinstance(b, Sequence) else None
    return None  # what stands aside is in no block


def _module(a: Sequence, b: Sequence) -> Sequence | None:
    """Modules of other names are other modules, unless these only count; but of a single layer,
    with its norm, that is no matter."""
    items = merged(a.items, b.items)
    if items is None or a.path[-1] == b.path[-1]:
        return None if items is None else a._replace(items=items)
    name = stem(a.path[-1])
    if name and name == stem(b.path[-1]):
        return Sequence((*a.path[:-1], name), items)
    held = tuple(layers(items))
    numbered = a.path[-1].isdigit() and b.path[-1].isdigit()
    alone = all(isinstance(i, Layer | Call | Sequence) for i in items) and len(held) <= ONE_LAYER
    return Sequence((*a.path[:-1], "0"), items) if numbered or alone else None


def _join(a: Join, b: Join) -> Join | None:
    own = _layer(a.layer, b.layer)
    if own is None or len(a.branches) != len(b.branches):
        return None
    branches = []
    for left, right in zip(a.branches, b.branches, strict=True):
        if (left.ref is None) != (right.ref is None):
            return None
        both = left.items and right.items
        items = merged(left.items, right.items) if both else left.items or right.items
        if items is None:
            return None
        name = "" if both and left.name != right.name else left.name or right.name
        branches.append(Branch(items, left.ref, name))
    return Join(own, tuple(branches))


def _copies(a: Repeated, b: Repeated) -> Repeated | None:
    first = _merged(a.copies[0], b.copies[0])
    same = len(a.copies) == len(b.copies) and first is not None
    return Repeated((first, *a.copies[1:])) if same and first is not None else None


def _layer(a: Layer, b: Layer) -> Layer | None:
    named = len(a.refs) == len(b.refs) and (a.shares is None) == (b.shares is None)
    if a.kind != b.kind or a.note != b.note or not named:
        return None
    if a.options != b.options:
        left, right = slots(a.kind, a.options), slots(b.kind, b.options)
        if left.keys() != right.keys() or any(fixed(left[s]) != fixed(right[s]) for s in left):
            return None
    same = a.path[-1:] == b.path[-1:]
    return a if same else a._replace(path=())


def told(use: Use) -> tuple[Any, ...]:
    """All that the items of a use say, in order."""
    found: list[Any] = []
    for item in use:
        layer = item.layer if isinstance(item, Join) else item
        if isinstance(layer, Layer):
            found.append(layer.options)
        elif isinstance(layer, Call):
            found.append(layer.arguments)
            continue
        found += [told(items) for items in inside(item)]
    return tuple(found)


def asked(use: Use) -> tuple[Any, ...]:
    """What the layers of a use ask of what enters them."""
    return tuple(
        value if isinstance(value, Expression) and value.inward else ""
        for layer in _bare(use)
        for value in layer.values()
    )


def _bare(items: Use) -> Iterator[dict[Any, Any]]:
    """The values of layers and calls, in order."""
    for item in items:
        layer = item.layer if isinstance(item, Join) else item
        if isinstance(layer, Call):
            yield _arguments(layer)
            continue
        if isinstance(layer, Layer):
            yield slots(layer.kind, layer.options)
        for items_inside in inside(item):
            yield from _bare(items_inside)


class Overlay:
    """Walks a body and its uses side by side."""

    def __init__(self, body: Use, uses: list[Use], incoming: Callable[[Layer], int | None]) -> None:
        self.body = body
        self.incoming = incoming
        self.places: list[Place] = []
        self.choices: list[Choice] = []
        self._first = True
        self._list(body, list(uses))

    def _list(self, body: Use, uses: list[Use | None]) -> None:
        for n, item in enumerate(body):
            self._item(item, [None if use is None else use[n] for use in uses])

    def _item(self, item: Item, uses: list[Any]) -> None:
        if isinstance(item, Layer):
            self._layer(item, uses)
        elif isinstance(item, Join):
            self._join(item, uses)
        elif isinstance(item, Call):
            self._places(item.block, _arguments(item), uses, _arguments)
        elif isinstance(item, Repeated):
            self._list((item.copies[0],), [use and (use.copies[0],) for use in uses])
        else:
            self._list(item.items, [use and use.items for use in uses])

    def _layer(self, layer: Layer, uses: list[Any]) -> None:
        own = slots(layer.kind, layer.options)

        def told(use: Layer) -> dict[tuple[str, int], Any]:
            return own if use.options == layer.options else slots(use.kind, use.options)

        self._places(layer.kind, own, uses, told)

    def _join(self, join: Join, uses: list[Any]) -> None:
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
        self, kind: str, own: dict[tuple[str, int], Any], uses: list[Any], told: Any
    ) -> None:
        values = [None if use is None else told(use) for use in uses]
        entering = [None if use is None else self._entering(use) for use in uses]
        for option, entry in own:
            of_each = tuple(ABSENT if one is None else one[option, entry] for one in values)
            label = labelled(kind, option, entry)
            self.places.append(Place(kind, label, entry, of_each, tuple(entering), self._first))
        self._first = False

    def _entering(self, use: Item) -> int | None:
        return self.incoming(next(layers((use,))))


def _arguments(call: Call) -> dict[tuple[str, int], Any]:
    return {(name, 0): value for name, value in call.arguments}


def refilled(body: Use, values: Iterator[Any], flags: Iterator[str | None]) -> Use:
    """The body with a value for every place, in the order of `Overlay`."""
    return tuple(_refilled(item, values, flags) for item in body)


def _refilled(item: Item, values: Iterator[Any], flags: Iterator[str | None]) -> Item:
    if isinstance(item, Layer):
        return _valued(item, values)
    if isinstance(item, Join):
        branches = []
        for branch in item.branches:
            if branch.items:
                when = next(flags) or branch.when
                branch = branch._replace(items=refilled(branch.items, values, flags), when=when)  # noqa: PLW2901
            branches.append(branch)
        return Join(_valued(item.layer, values), tuple(branches))
    if isinstance(item, Call):
        arguments = tuple((name, next(values)) for name, _ in item.arguments)
        return item._replace(arguments=arguments)
    if isinstance(item, Repeated):
        return Repeated((_refilled(item.copies[0], values, flags), *item.copies[1:]))
    return item._replace(items=refilled(item.items, values, flags))


def _valued(layer: Layer, values: Iterator[Any]) -> Layer:
    found = {slot: next(values) for slot in slots(layer.kind, layer.options)}
    return layer._replace(options=filled(layer.kind, layer.options, found))
