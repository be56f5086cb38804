"""Makes blocks of repeated parts of a tree if that shortens the text: the largest first, then the
parts that remain in the bodies and around them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from convcost.importing.ir.layer_graph import LayerGraph
from convcost.importing.outline.anti_unify import (
    Overlay,
    Use,
    anti_unify,
    substitute_values,
)
from convcost.importing.outline.block_names import BlockNames, module_path
from convcost.importing.outline.candidates import Candidates
from convcost.importing.outline.escape_check import BoundNames
from convcost.importing.outline.identity_cache import cached_by_identity
from convcost.importing.outline.options import REQUIRED, Options, options
from convcost.importing.outline.substitute import Calls, substitute_calls
from convcost.importing.outline.text_length import item_length, text_length
from convcost.importing.outline.tree import (
    Item,
    OutlineBlock,
    Tree,
    layers,
    output,
    references,
    walk,
)
from convcost.importing.outline.weight_owners import with_owners
from convcost.importing.outline.wiring import Inputs

ROUNDS = 24
LOOKS = 200_000  # the most items to inspect in all later rounds
FEWEST = 4  # rounds before LOOKS limits the search
FAMILIES = 8  # the most different bodies of one candidate
FEWEST_PARTED = 4  # the fewest layers of uses that of a block for some of the uses of a part
HEAD = 40  # characters of a block in addition to its layers
SAVED = (9, 10)  # the largest fraction of the text that may remain
BEGUN = (10, 9)
MODULE = (5, 4)  # the weight of a module compared with a part that is only similar


class _Found(NamedTuple):
    """A candidate: a list, and its position in that list."""

    list: int
    start: int
    length: int


def find_blocks(graph: LayerGraph, inputs: Inputs, items: tuple[Item, ...]) -> Tree:
    """The tree with blocks."""
    return _BlockSearch(graph, inputs, items).all()


class _BlockSearch:
    def __init__(self, graph: LayerGraph, inputs: Inputs, items: tuple[Item, ...]) -> None:
        self.graph = graph
        self.inputs = inputs
        self.items = with_owners(graph.layers, items)
        self.flow = -1 if len(graph.inputs) == 1 else None
        self.blocks: list[OutlineBlock] = []
        self.entered: list[int | None] = []  # by block, the input of its first use
        self.candidates = Candidates(self.items)
        self.titles = BlockNames(dict(graph.classes))
        self.length = cached_by_identity(item_length)
        self.refused: set[int] = set()
        self.parting = False
        self.names = BoundNames(self.items)
        self.lists: list[tuple[Item, ...]] = []
        self.entering: list[int | None] = []  # by list, its input
        self.whole: list[bool] = []

    def all(self) -> Tree:
        looked = 0
        for number in range(ROUNDS):
            if looked > LOOKS and number >= FEWEST:
                break
            if not self._round():
                if self.parting:
                    break
                self.parting = True  # parts of what no block contains as a whole may become blocks
                self.refused = set()
            looked += sum(map(len, self.lists))
        return Tree(self.items, _in_reading_order(self.items, self.blocks))

    # One round: the candidate that saves most

    def _round(self) -> bool:
        self.lists, self.entering, self.whole = [], [], []
        self._collect(self.items, self.flow, False)
        for block, entering in zip(self.blocks, self.entered, strict=True):
            self._collect(block.items, entering, True)
        found = self._candidates()
        weighed = (
            (self._weight(places), self.candidates.keys[number], number)
            for number, places in found.items()
        )
        for weight, _, keys in sorted(weighed, key=lambda one: (-one[0], -len(one[1]), one[1])):
            if weight <= HEAD:
                break
            for places in self._families(found[keys]):
                groups = self._equal_uses(places) if self.parting else [places]
                if any(map(self._make_block, groups)):
                    return True
            self.refused.add(keys)
        return False

    def _collect(self, items: tuple[Item, ...], flow: int | None, whole: bool) -> None:
        """Collects every list. A `whole` list is the content of a module or block, and cannot be a
        candidate as a whole."""
        self.lists.append(items)
        self.entering.append(flow)
        self.whole.append(whole)
        for item in items:
            for branch in item.branches:
                if branch.items:
                    come = item.refs[0] if item.refs else flow
                    self._collect(branch.items, come, item.is_sequence)
            given = output(item)
            flow = flow if given is None else given

    def _candidates(self) -> dict[int, list[_Found]]:
        """The positions of every candidate that occurs at least twice."""
        found: dict[int, list[_Found]] = {}
        for number, stretches in enumerate(self.candidates.of(self.lists, self.whole)):
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
        while len(items) == 1 and items[0].is_sequence:
            items = items[0].items
        return items

    def _weight(self, places: list[_Found]) -> int:
        weight = sum(map(self.length, self._use(places[0]))) * (len(places) - 1)
        if self._is_module(places[0]):
            return weight * MODULE[0] // MODULE[1]
        return weight * BEGUN[0] // BEGUN[1] if self._begins(places[0]) else weight

    def _begins(self, place: _Found) -> bool:
        """Whether a candidate begins with a layer with weights, or with branches. A free layer
        belongs to the end of the block before."""
        item = self.lists[place.list][place.start]
        free = item.number is not None and self.graph.layers[item.number].params == 0
        return bool(item.branches) or not free

    def _is_module(self, place: _Found) -> bool:
        return place.length == 1 and self.lists[place.list][place.start].is_sequence

    # Making one block

    def _families(self, places: list[_Found]) -> Iterator[list[_Found]]:
        """Groups of uses that fit one body, the largest first."""
        families: list[tuple[Use, list[_Found]]] = []
        for place in places:
            use, come = self._use(place), self._entering(place)
            if not self.names.is_closed(use, come):
                continue
            for number, (body, members) in enumerate(families):
                both = anti_unify(body, use)
                came = self._entering(members[0])
                if both is not None and self.names.have_same_references(body, came, use, come):
                    families[number] = both, [*members, place]
                    break
            else:
                if len(families) < FAMILIES:
                    families.append((use, [place]))
        families.sort(key=lambda family: -len(family[1]))
        return (members for _, members in families if len(members) > 1)

    def _equal_uses(self, places: list[_Found]) -> list[list[_Found]]:
        """Groups of equal uses, for uses whose differences options cannot express."""
        groups: dict[Any, list[_Found]] = {}
        for place in places:
            values = tuple(item.options for item in walk(self._use(place)))
            groups.setdefault(values, []).append(place)
        several = [some for some in groups.values() if 1 < len(some) < len(places)]
        return [some for some in several if not self._row(some)]

    def _row(self, places: list[_Found]) -> bool:
        """Whether the uses are one join several times in a row, which `repeat` expresses without a
        block."""
        first = places[0]
        following = [(first.list, first.start + n) for n in range(len(places))]
        use = self._use(first)
        alone = len(use) == 1 and use[0].is_join and not any(references(use))
        return alone and [(place.list, place.start) for place in places] == following

    def _entering(self, place: _Found) -> int | None:
        """The input of a candidate, from the item before it."""
        for item in reversed(self.lists[place.list][: place.start]):
            given = output(item)
            if given is not None:
                return given
        return self.entering[place.list]

    def _make_block(self, places: list[_Found]) -> bool:
        """Makes a block of some uses if that shortens the text. Returns whether it did."""
        uses = [self._use(place) for place in places]
        body = uses[0]
        for use in uses[1:]:
            both = anti_unify(body, use)
            assert both is not None
            body = both
        overlay = Overlay(body, uses, self._input_channels)
        found = options(overlay, [self._channels(self._entering(place)) for place in places])
        if found is None:
            return False
        body = substitute_values(body, iter(found.values), iter(found.flags))
        originals = [self.lists[p.list][p.start : p.start + p.length] for p in places]
        name = self.titles.block_name(body, originals)
        defaults = tuple(default for _, default in found.options if default is not REQUIRED)
        calls = [
            Item(name, arguments, module_path(original), defaults=defaults, unwritten=use)
            for arguments, use, original in zip(found.arguments, uses, originals, strict=True)
        ]
        before = sum(map(text_length, originals))
        after = text_length(calls)
        after += _definition(body, found)
        held = sum(1 for _ in layers(body))
        least = FEWEST_PARTED if self.parting else 2
        if held < least or len(found.options) > held + 1:
            return False
        if after * SAVED[1] > before * SAVED[0]:
            return False
        self.titles.take(name)
        self._insert_calls(places, calls)
        defaults = tuple((n, None if d is REQUIRED else d) for n, d in found.options)
        self.blocks.append(OutlineBlock(name, defaults, body))
        self.entered.append(self._entering(places[0]))
        return True

    def _input_channels(self, layer: int) -> int | None:
        return self._channels(self.inputs[layer][0])

    def _channels(self, value: int | None) -> int | None:
        return None if value is None else self.graph.shape(value).channels

    def _insert_calls(self, places: list[_Found], calls: list[Item]) -> None:
        """Rebuilds the lists with calls in place of the uses."""
        by_list: Calls = {}
        for place, call in zip(places, calls, strict=True):
            by_list.setdefault(place.list, {})[place.start] = place.length, call
        numbers = iter(range(len(self.lists)))
        self.items = substitute_calls(self.items, numbers, by_list)
        self.blocks = [
            block._replace(items=substitute_calls(block.items, numbers, by_list))
            for block in self.blocks
        ]


def _in_reading_order(items: Use, blocks: list[OutlineBlock]) -> tuple[OutlineBlock, ...]:
    """The blocks in the order a reader sees them, each after the blocks that it calls."""
    by_name = {block.name: block for block in blocks}
    found: dict[str, OutlineBlock] = {}

    def visit(items: Use) -> None:
        for item in walk(items):
            if item.is_call and item.kind not in found:
                visit(by_name[item.kind].items)
                found[item.kind] = by_name[item.kind]

    visit(items)
    return tuple(found.values())


def _definition(body: Use, found: Options) -> int:
    return HEAD + text_length(body) + sum(len(option) + 6 for option, _ in found.options)
