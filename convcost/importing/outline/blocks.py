"""Makes blocks of repeated parts of a tree if that shortens the text: the largest first, then the
parts that remain in the bodies and around them."""

from collections.abc import Iterator, Sequence
from typing import Any

from convcost.importing.ir.layer_graph import LayerGraph
from convcost.importing.outline.anti_unify import anti_unify, substitute_values
from convcost.importing.outline.block_names import BlockNames, module_path
from convcost.importing.outline.candidates import Candidates, Keys, ListOfItems, Place, lists_in
from convcost.importing.outline.escape_check import BoundNames
from convcost.importing.outline.identity_cache import cached_by_identity
from convcost.importing.outline.options import REQUIRED, Options, options
from convcost.importing.outline.substitute import Calls, substitute_calls
from convcost.importing.outline.text_length import item_length, text_length
from convcost.importing.outline.tree import (
    Item,
    Items,
    OutlineBlock,
    Tree,
    layers,
    references,
    walk,
)
from convcost.importing.outline.wiring import Inputs

ROUNDS = 24
LOOKS = 200_000  # the most items to inspect in all later rounds
FEWEST = 4  # rounds before LOOKS limits the search
FAMILIES = 8  # the most different bodies of one candidate
FEWEST_PARTED = 4  # the fewest layers of uses that that of a block for some of the uses of a part
HEAD = 40  # characters of a block in addition to its layers
SAVED = (9, 10)  # the largest fraction of the text that may remain
BEGUN = (10, 9)
MODULE = (5, 4)  # the weight of a module compared with a part that is only similar


def find_blocks(graph: LayerGraph, inputs: Inputs, items: Items) -> Tree:
    """The tree with blocks."""
    return _BlockSearch(graph, inputs, items).all()


class _BlockSearch:
    def __init__(self, graph: LayerGraph, inputs: Inputs, items: Items) -> None:
        self.graph = graph
        self.inputs = inputs
        self.items = items
        self.flow = -1 if len(graph.inputs) == 1 else None
        self.blocks: list[OutlineBlock] = []
        self.entered: list[int | None] = []  # by block, the input of its first use
        self.candidates = Candidates(items)
        self.titles = BlockNames(dict(graph.classes))
        self.length = cached_by_identity(item_length)
        self.refused: set[Keys] = set()
        self.parting = False
        self.names = BoundNames(items)

    def all(self) -> Tree:
        looked = 0
        for number in range(ROUNDS):
            if looked > LOOKS and number >= FEWEST:
                break
            lists = self._lists()
            looked += sum(len(one.items) for one in lists)
            if not self._round(lists):
                if self.parting:
                    break
                self.parting = True  # parts of what no block contains as a whole may become blocks
                self.refused = set()
        return Tree(self.items, _in_reading_order(self.items, self.blocks))

    # One round: the candidate that saves most

    def _round(self, lists: Sequence[ListOfItems]) -> bool:
        found = self.candidates.in_lists(lists)
        weight_of = {keys: self._weight(places) for keys, places in found.items()}
        for keys in sorted(found, key=lambda keys: (-weight_of[keys], -len(keys))):
            if keys in self.refused:
                continue
            if weight_of[keys] <= HEAD:
                break
            for places in self._families(found[keys]):
                groups = self._equal_uses(places) if self.parting else [places]
                if any(map(self._make_block, groups)):
                    return True
            self.refused.add(keys)
        return False

    def _lists(self) -> list[ListOfItems]:
        found = list(lists_in(self.items, self.flow, whole=False))
        for block, entering in zip(self.blocks, self.entered, strict=True):
            found += lists_in(block.items, entering, whole=True)
        return found

    def _weight(self, places: list[Place]) -> int:
        weight = sum(map(self.length, places[0].use)) * (len(places) - 1)
        first = places[0].items[0]
        if len(places[0].items) == 1 and first.is_sequence:
            return weight * MODULE[0] // MODULE[1]
        # A free layer belongs to the end of the block before.
        is_free = first.number is not None and self.graph.layers[first.number].params == 0
        begins = bool(first.branches) or not is_free
        return weight * BEGUN[0] // BEGUN[1] if begins else weight

    # Making one block

    def _families(self, places: list[Place]) -> Iterator[list[Place]]:
        """Groups of uses that fit one body, the largest first."""
        families: list[tuple[Items, list[Place]]] = []
        for place in places:
            if not self.names.is_closed(place.use, place.entering):
                continue
            for number, (body, members) in enumerate(families):
                both = anti_unify([body, place.use], [members[0].entering, place.entering])
                if both is not None:
                    families[number] = both.body, [*members, place]
                    break
            else:
                if len(families) < FAMILIES:
                    families.append((place.use, [place]))
        families.sort(key=lambda family: -len(family[1]))
        return (members for _, members in families if len(members) > 1)

    def _equal_uses(self, places: list[Place]) -> list[list[Place]]:
        """Groups of equal uses, for uses whose differences options cannot express."""
        groups: dict[Any, list[Place]] = {}
        for place in places:
            values = tuple(item.options for item in walk(place.use))
            groups.setdefault(values, []).append(place)
        several = [some for some in groups.values() if 1 < len(some) < len(places)]
        return [some for some in several if not _is_row(some)]

    def _make_block(self, places: list[Place]) -> bool:
        """Makes a block of some uses if that shortens the text. Returns whether it did."""
        uses = [place.use for place in places]
        common = anti_unify(uses, [place.entering for place in places])
        assert common is not None
        found = options(
            common, [self._channels(place.entering) for place in places], self._input_channels
        )
        if found is None:
            return False
        body = substitute_values(common.body, iter(found.values), iter(found.flags))
        originals = [place.items for place in places]
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
        self.entered.append(places[0].entering)
        return True

    def _input_channels(self, layer: int) -> int | None:
        return self._channels(self.inputs[layer][0])

    def _channels(self, value: int | None) -> int | None:
        return None if value is None else self.graph.shape(value).channels

    def _insert_calls(self, places: list[Place], calls: list[Item]) -> None:
        """Rebuilds the lists with calls in place of the uses."""
        by_list: Calls = {}
        for place, call in zip(places, calls, strict=True):
            by_list.setdefault(id(place.list.items), {})[place.start] = place.end, call
        self.items = substitute_calls(self.items, by_list)
        self.blocks = [
            block._replace(items=substitute_calls(block.items, by_list)) for block in self.blocks
        ]


def _is_row(places: list[Place]) -> bool:
    """Whether the uses are one join several times in a row, which `repeat` expresses without a
    block."""
    first = places[0]
    following = [(first.list, first.start + n) for n in range(len(places))]
    alone = len(first.use) == 1 and first.use[0].is_join and not any(references(first.use))
    return alone and [(place.list, place.start) for place in places] == following


def _in_reading_order(items: Items, blocks: list[OutlineBlock]) -> tuple[OutlineBlock, ...]:
    """The blocks in the order a reader sees them, each after the blocks that it calls."""
    by_name = {block.name: block for block in blocks}
    found: dict[str, OutlineBlock] = {}

    def visit(items: Items) -> None:
        for item in walk(items):
            if item.is_call and item.kind not in found:
                visit(by_name[item.kind].items)
                found[item.kind] = by_name[item.kind]

    visit(items)
    return tuple(found.values())


def _definition(body: Items, found: Options) -> int:
    return HEAD + text_length(body) + sum(len(option) + 6 for option, _ in found.options)
