"""Stretches of layers that stand in a tree more than once become blocks, as long as that makes the
text shorter: the largest first, then what is left in the bodies and around them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from convcost.importing.drawing import Drawing
from convcost.importing.structure.closed import Names
from convcost.importing.structure.options import REQUIRED, Options, options
from convcost.importing.structure.replace import Calls, replaced
from convcost.importing.structure.sharing import owned
from convcost.importing.structure.sizes import size
from convcost.importing.structure.stretches import Stretches
from convcost.importing.structure.template import Overlay, Use, asked, merged, refilled, told
from convcost.importing.structure.titles import Titles
from convcost.importing.structure.tree import (
    Block,
    Call,
    Item,
    Join,
    Layer,
    Repeated,
    Sequence,
    Tree,
    inside,
    layers,
    output,
    taken,
)
from convcost.importing.structure.wiring import Inputs

ROUNDS = 24
LOOKS = 200_000  # items looked at in all rounds but the first few
FEWEST = 4  # rounds
FAMILIES = 8  # forms of a stretch that are told apart
FEWEST_PARTED = 4  # layers of a block that only some of those can be that look like it
HEAD = 40  # characters that a block takes besides its layers
SAVED = (9, 10)  # of the text before, at most, what is left
BEGUN = (10, 9)
MODULE = (5, 4)  # how much more a module weighs than a stretch that only looks alike


class _Found(NamedTuple):
    """A stretch: where it begins in which list."""

    list: int
    start: int
    length: int


def blocked(drawing: Drawing, inputs: Inputs, items: tuple[Item, ...]) -> Tree:
    """The tree with blocks."""
    return _Search(drawing, inputs, items).all()


class _Search:
    def __init__(self, drawing: Drawing, inputs: Inputs, items: tuple[Item, ...]) -> None:
        self.drawing = drawing
        self.inputs = inputs
        self.items = owned(drawing.layers, items)
        self.flow = -1 if len(drawing.inputs) == 1 else None
        self.blocks: list[Block] = []
        self.entered: list[int | None] = []  # by block, what comes into it in its first use
        self.stretches = Stretches(self.items)
        self.titles = Titles(dict(drawing.classes))
        self.sizes: dict[int, tuple[int, Item]] = {}  # by identity; the item is kept, so that stays
        self.refused: set[int] = set()
        self.parting = False
        self.names = Names(self.items)
        self.lists: list[tuple[Item, ...]] = []
        self.entering: list[int | None] = []  # by list, what comes in
        self.whole: list[bool] = []

    def all(self) -> Tree:
        looked = 0
        for number in range(ROUNDS):
            if looked > LOOKS and number >= FEWEST:
                break
            if not self._round():
                if self.parting:
                    break
                self.parting = True  # what no block holds as a whole, some may hold a part of
                self.refused = set()
            looked += sum(map(len, self.lists))
        return Tree(self.items, _ordered(self.items, self.blocks))

    # A round: the stretch that saves most

    def _round(self) -> bool:
        self.lists, self.entering, self.whole = [], [], []
        self._collect(self.items, self.flow, False)
        for block, entering in zip(self.blocks, self.entered, strict=True):
            self._collect(block.items, entering, True)
        found = self._stretches()
        weighed = (
            (self._weight(places), self.stretches.keys[number], number)
            for number, places in found.items()
        )
        for weight, _, keys in sorted(weighed, key=lambda one: (-one[0], -len(one[1]), one[1])):
            if weight <= HEAD:
                break
            for places in self._families(found[keys]):
                if any(map(self._made, self._parted(places) if self.parting else (places,))):
                    return True
            self.refused.add(keys)
        return False

    def _collect(self, items: tuple[Item, ...], flow: int | None, whole: bool) -> None:
        """Every list; `whole` ones are what a module or block holds, no stretch by themselves."""
        self.lists.append(items)
        self.entering.append(flow)
        self.whole.append(whole)
        for item in items:
            if isinstance(item, Join):
                come = item.layer.refs[0] if item.layer.refs else flow
                for branch in item.branches:
                    if branch.items:
                        self._collect(branch.items, come, False)
            elif isinstance(item, Sequence):
                self._collect(item.items, flow, True)
            elif not isinstance(item, Layer | Call | Repeated):
                self._collect(item.items, flow, False)
            given = output(item)
            flow = flow if given is None else given

    def _stretches(self) -> dict[int, list[_Found]]:
        """The places of every stretch that stands somewhere twice or more."""
        found: dict[int, list[_Found]] = {}
        for number, stretches in enumerate(self.stretches.of(self.lists, self.whole)):
            for keys, start, length in stretches:
                if keys in self.refused:
                    continue
                places = found.setdefault(keys, [])
                last = places[-1] if places else None
                if last is None or last.list != number or last.start + last.length <= start:
                    places.append(_Found(number, start, length))
        return {keys: places for keys, places in found.items() if len(places) > 1}

    def _use(self, place: _Found) -> Use:
        items = self.lists[place.list][place.start : place.start + place.length]
        while len(items) == 1 and isinstance(items[0], Sequence):
            items = items[0].items
        return items

    def _weight(self, places: list[_Found]) -> int:
        weight = sum(map(self._size, self._use(places[0]))) * (len(places) - 1)
        if self._is_module(places[0]):
            return weight * MODULE[0] // MODULE[1]
        return weight * BEGUN[0] // BEGUN[1] if self._begins(places[0]) else weight

    def _size(self, item: Item) -> int:
        known = self.sizes.get(id(item))
        if known is None:
            known = self.sizes[id(item)] = size((item,)), item
        return known[0]

    def _begins(self, place: _Found) -> bool:
        """Whether it begins with what learns, or branches: what is free rather ends a stretch."""
        item = self.lists[place.list][place.start]
        return not isinstance(item, Layer) or self.drawing.layers[item.number].params > 0

    def _is_module(self, place: _Found) -> bool:
        return place.length == 1 and isinstance(self.lists[place.list][place.start], Sequence)

    # One block

    def _families(self, places: list[_Found]) -> Iterator[list[_Found]]:
        """Uses that fit one body, most first."""
        families: list[tuple[Use, list[_Found]]] = []
        for place in places:
            use, come = self._use(place), self._entering(place)
            if not self.names.closed(use, come):
                continue
            for number, (body, members) in enumerate(families):
                both = merged(body, use)
                came = self._entering(members[0])
                if both is not None and self.names.corresponding(body, came, use, come):
                    families[number] = both, [*members, place]
                    break
            else:
                if len(families) < FAMILIES:
                    families.append((use, [place]))
        families.sort(key=lambda family: -len(family[1]))
        return (members for _, members in families if len(members) > 1)

    def _parted(self, places: list[_Found]) -> Iterator[list[_Found]]:
        """Uses that no options can tell apart, by what they ask of what comes in; then those that
        are equal."""
        for part in (asked, told):
            parts: dict[Any, list[_Found]] = {}
            for place in places:
                parts.setdefault(part(self._use(place)), []).append(place)
            if len(parts) > 1:
                yield from (
                    some for some in parts.values() if len(some) > 1 and not self._row(some)
                )

    def _row(self, places: list[_Found]) -> bool:
        """Whether they are one join, again and again: `repeat` says that without a block."""
        first = places[0]
        following = [(first.list, first.start + n) for n in range(len(places))]
        use = self._use(first)
        alone = len(use) == 1 and isinstance(use[0], Join) and not any(taken(use))
        return alone and [(place.list, place.start) for place in places] == following

    def _entering(self, place: _Found) -> int | None:
        """What comes into a stretch from the item before it."""
        for item in reversed(self.lists[place.list][: place.start]):
            given = output(item)
            if given is not None:
                return given
        return self.entering[place.list]

    def _made(self, places: list[_Found]) -> bool:
        """Makes a block of some uses, if that saves text."""
        uses = [self._use(place) for place in places]
        body = uses[0]
        for use in uses[1:]:
            both = merged(body, use)
            assert both is not None
            body = both
        overlay = Overlay(body, uses, self._incoming)
        said = options(overlay, [self._channels(self._entering(place)) for place in places])
        if said is None:
            return False
        body = refilled(body, iter(said.values), iter(said.flags))
        originals = [self.lists[p.list][p.start : p.start + p.length] for p in places]
        name = self.titles.proposed(body, originals)
        told = tuple(default for _, default in said.options if default is not REQUIRED)
        calls = [
            Call(name, arguments, use, told, _path(original))
            for arguments, use, original in zip(said.arguments, uses, originals, strict=True)
        ]
        before = sum(map(size, originals))
        after = size(calls)
        after += _definition(body, said)
        held = sum(1 for _ in layers(body))
        least = FEWEST_PARTED if self.parting else 2
        if held < least or len(said.options) > held + 1:
            return False
        if after * SAVED[1] > before * SAVED[0]:
            return False
        self.titles.take(name)
        self._put(places, calls)
        defaults = tuple((n, None if d is REQUIRED else d) for n, d in said.options)
        self.blocks.append(Block(name, defaults, body))
        self.entered.append(self._entering(places[0]))
        return True

    def _incoming(self, layer: Layer) -> int | None:
        return self._channels(self.inputs[layer.number][0])

    def _channels(self, value: int | None) -> int | None:
        if value is None:
            return None
        if value >= 0:
            return self.drawing.layers[value].output.channels
        return self.drawing.inputs[-1 - value][1].channels

    def _put(self, places: list[_Found], calls: list[Call]) -> None:
        """Rebuilds the lists with calls in the place of stretches."""
        by_list: Calls = {}
        for place, call in zip(places, calls, strict=True):
            by_list.setdefault(place.list, {})[place.start] = place.length, call
        numbers = iter(range(len(self.lists)))
        self.items = replaced(self.items, numbers, by_list)
        self.blocks = [
            block._replace(items=replaced(block.items, numbers, by_list)) for block in self.blocks
        ]


def _ordered(items: Use, blocks: list[Block]) -> tuple[Block, ...]:
    """Blocks as a reader meets them, each behind those that it calls."""
    by_name = {block.name: block for block in blocks}
    found: dict[str, Block] = {}

    def visit(items: Use) -> None:
        for item in items:
            if isinstance(item, Call):
                if item.block not in found:
                    visit(by_name[item.block].items)
                    found[item.block] = by_name[item.block]
            elif not isinstance(item, Layer):
                for items_inside in inside(item):
                    visit(items_inside)

    visit(items)
    return tuple(found.values())


def _definition(body: Use, said: Options) -> int:
    return HEAD + size(body) + sum(len(option) + 6 for option, _ in said.options)


def _path(original: Use) -> tuple[str, ...]:
    item = original[0]
    return item.path if len(original) == 1 and isinstance(item, Sequence) else ()
