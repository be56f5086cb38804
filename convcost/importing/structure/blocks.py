"""Stretches of layers that stand in a tree more than once become blocks, as long as that makes the
text shorter: the largest first, then what is left in the bodies and around them."""

from collections.abc import Iterator
from typing import NamedTuple

from convcost.importing.drawing import Drawing
from convcost.importing.structure.alike import Alike, Key
from convcost.importing.structure.options import REQUIRED, Options, options
from convcost.importing.structure.replace import Calls, replaced
from convcost.importing.structure.sharing import bound
from convcost.importing.structure.sizes import size
from convcost.importing.structure.template import Overlay, Use, merged, refilled
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
    layers,
    output,
    taken,
)
from convcost.importing.structure.wiring import Inputs

LONGEST = 12  # items of a stretch
ROUNDS = 24
LOOKS = 200_000  # items looked at in all rounds but the first few
FEWEST = 4  # rounds
FAMILIES = 8  # forms of a stretch that are told apart
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
        self.items = items
        self.blocks: list[Block] = []
        self.alike = Alike()
        self.titles = Titles(dict(drawing.classes))
        self.refused: set[tuple[Key, ...]] = set()
        self.bound = bound(drawing.layers)
        self.known = self.bound.union(taken(items))
        self.lists: list[tuple[Item, ...]] = []
        self.whole: list[bool] = []

    def all(self) -> Tree:
        looked = 0
        for number in range(ROUNDS):
            if (looked > LOOKS and number >= FEWEST) or not self._round():
                break
            looked += sum(map(len, self.lists))
        return Tree(self.items, tuple(reversed(self.blocks)))

    # A round: the stretch that saves most

    def _round(self) -> bool:
        self.lists, self.whole = [], []
        self._collect(self.items, False)
        for block in self.blocks:
            self._collect(block.items, True)
        found = self._stretches()
        weighed = sorted(
            ((self._weight(places), keys) for keys, places in found.items()),
            key=lambda pair: (-pair[0], -len(pair[1]), pair[1]),
        )
        for weight, keys in weighed:
            if weight <= HEAD:
                break
            for places in self._families(found[keys]):
                if self._made(places):
                    return True
            self.refused.add(keys)
        return False

    def _collect(self, items: tuple[Item, ...], whole: bool) -> None:
        """Every list; `whole` ones are what a module or block holds, no stretch by themselves."""
        self.lists.append(items)
        self.whole.append(whole)
        for item in items:
            if isinstance(item, Join):
                for branch in item.branches:
                    if branch.items:
                        self._collect(branch.items, False)
            elif isinstance(item, Sequence):
                self._collect(item.items, True)
            elif not isinstance(item, Layer | Call | Repeated):
                self._collect(item.items, False)

    def _stretches(self) -> dict[tuple[Key, ...], list[_Found]]:
        found: dict[tuple[Key, ...], list[_Found]] = {}
        for number, items in enumerate(self.lists):
            keys = self.alike.keys(items)
            for start, item in enumerate(items):
                if keys[start] < 0:
                    continue
                if isinstance(item, Sequence) and not (self.whole[number] and len(items) == 1):
                    inner = self._inner(item)
                    self._note(found, inner, _Found(number, start, 1))
                elif isinstance(item, Join) and not (self.whole[number] and len(items) == 1):
                    self._note(found, keys[start : start + 1], _Found(number, start, 1))
                for length in range(2, LONGEST + 1):
                    stretch = keys[start : start + length]
                    if len(stretch) < length or stretch[-1] < 0:
                        break
                    end = start + length
                    torn = keys[start - 1 : start] == keys[start : start + 1] or (
                        keys[end : end + 1] == keys[end - 1 : end]
                    )
                    if not torn and not (self.whole[number] and length == len(items)):
                        self._note(found, stretch, _Found(number, start, length))
        return {keys: places for keys, places in found.items() if len(places) > 1}

    def _note(
        self, found: dict[tuple[Key, ...], list[_Found]], keys: tuple[Key, ...], place: _Found
    ) -> None:
        if not keys or min(keys) < 0 or keys in self.refused or _periodic(keys):
            return
        places = found.setdefault(keys, [])
        last = places[-1] if places else None
        if last is None or last.list != place.list or last.start + last.length <= place.start:
            places.append(place)

    def _inner(self, item: Item) -> tuple[Key, ...]:
        """The layers of a module, as they would be without it."""
        while isinstance(item, Sequence) and len(item.items) == 1:
            item = item.items[0]
        return self.alike.keys(item.items if isinstance(item, Sequence) else (item,))

    def _use(self, place: _Found) -> Use:
        items = self.lists[place.list][place.start : place.start + place.length]
        while len(items) == 1 and isinstance(items[0], Sequence):
            items = items[0].items
        return items

    def _weight(self, places: list[_Found]) -> int:
        weight = size(self._use(places[0])) * (len(places) - 1)
        if self._is_module(places[0]):
            return weight * MODULE[0] // MODULE[1]
        return weight * BEGUN[0] // BEGUN[1] if self._begins(places[0]) else weight

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
            use = self._use(place)
            if not self._closed(use):
                continue
            for number, (body, members) in enumerate(families):
                both = merged(body, use)
                if both is not None:
                    families[number] = both, [*members, place]
                    break
            else:
                if len(families) < FAMILIES:
                    families.append((use, [place]))
        families.sort(key=lambda family: -len(family[1]))
        return (members for _, members in families if len(members) > 1)

    def _closed(self, use: Use) -> bool:
        """Whether nothing in it is taken by name from elsewhere, but what it hands on."""
        if not self.known:
            return True
        given = output(use[-1])
        return all(
            layer.number not in self.known or (layer.number == given and given not in self.bound)
            for layer in layers(use)
        )

    def _made(self, places: list[_Found]) -> bool:
        """Makes a block of some uses, if that saves text."""
        uses = [self._use(place) for place in places]
        body = uses[0]
        for use in uses[1:]:
            both = merged(body, use)
            assert both is not None
            body = both
        overlay = Overlay(body, uses, self._incoming)
        said = options(overlay, len(uses))
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
        if held == 1 or len(said.options) > held + 1:
            return False
        if after * SAVED[1] > before * SAVED[0]:
            return False
        self.titles.take(name)
        self._put(places, calls)
        defaults = tuple((n, None if d is REQUIRED else d) for n, d in said.options)
        self.blocks.append(Block(name, defaults, body))
        return True

    def _incoming(self, layer: Layer) -> int | None:
        source = self.inputs[layer.number][0]
        shape = (
            self.drawing.layers[source].output
            if source >= 0
            else self.drawing.inputs[-1 - source][1]
        )
        return shape.channels

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


def _definition(body: Use, said: Options) -> int:
    return HEAD + size(body) + sum(len(option) + 6 for option, _ in said.options)


def _path(original: Use) -> tuple[str, ...]:
    item = original[0]
    return item.path if len(original) == 1 and isinstance(item, Sequence) else ()


def _periodic(keys: tuple[Key, ...]) -> bool:
    """Whether it is a shorter stretch several times over."""
    length = len(keys)
    return any(
        length % period == 0 and keys == keys[:period] * (length // period)
        for period in range(1, length // 2 + 1)
    )
