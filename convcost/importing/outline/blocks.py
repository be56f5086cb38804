"""Makes blocks of repeated parts of a tree if that shortens the text: the largest first, then the
parts that remain in the bodies and around them."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

from convcost.importing.ir.layer_graph import LayerGraph
from convcost.importing.outline import tree
from convcost.importing.outline.anti_unify import anti_unify, substitute_values
from convcost.importing.outline.block_inputs import BlockInputs
from convcost.importing.outline.block_names import BlockNames, module_path
from convcost.importing.outline.candidates import (
    Candidates,
    ItemRange,
    Keys,
    ListOfItems,
    nested_lists,
)
from convcost.importing.outline.identity_cache import cached_by_identity
from convcost.importing.outline.options import options
from convcost.importing.outline.text_length import NAME, item_length, text_length
from convcost.importing.outline.tree import Item, Items, OutlineBlock, Tree
from convcost.importing.outline.wiring import Inputs, shared_tables

MAX_ROUNDS = 24  # each makes one block
MAX_ITEMS = 200_000  # items to inspect in all rounds after FIRST_ROUNDS
FIRST_ROUNDS = 4
MAX_FAMILIES = 8  # different bodies of one candidate
MIN_LAYERS = 2  # of a block
MIN_LAYERS_FOR_SOME_USES = 4  # of a block that only some of the uses call
MAX_INPUTS = 6  # of a block
HEADER = 40  # characters of a block in addition to its layers
MAX_REMAINING = Fraction(9, 10)  # of the text of the uses
MODULE_FACTOR = Fraction(5, 4)  # prefers a module to a part that is only similar
GOOD_BEGIN_FACTOR = Fraction(10, 9)  # prefers a part that does not begin with a free layer

# Calls by the identity of a list and their position, each with the end of the items that it
# replaces.
Calls: TypeAlias = dict[int, dict[int, tuple[int, Item]]]


def find_blocks(graph: LayerGraph, inputs: Inputs, items: Items) -> Tree:
    """The tree with blocks."""
    return _BlockSearch(graph, inputs, items).find_all_blocks()


class _BlockSearch:
    """The search for blocks. `items` is the tree with calls of the `blocks` made so far. `tables`
    are tensors that all uses of a block may share. `refused` are the candidates that did not become
    a block."""

    def __init__(self, graph: LayerGraph, inputs: Inputs, items: Items) -> None:
        self.graph = graph
        self.inputs = inputs
        self.tables = shared_tables(graph.layers, inputs)
        self.items = items
        self.blocks: list[OutlineBlock] = []
        self.candidates = Candidates()
        self.block_names = BlockNames(dict(graph.classes))
        self.length = cached_by_identity(item_length)
        self.refused: set[Keys] = set()
        self.for_some_uses = False  # whether a block may replace only some of the equal parts
        self.block_inputs = BlockInputs(items)

    def find_all_blocks(self) -> Tree:
        """Makes a block in each round. A round inspects the tree and the bodies of the blocks made
        before, and replaces all uses of the best candidate. If no candidate is left, the following
        rounds may replace only some of the uses."""
        inspected = 0
        for number in range(MAX_ROUNDS):
            if inspected > MAX_ITEMS and number >= FIRST_ROUNDS:
                break
            lists = self._lists()
            inspected += sum(len(items.items) for items in lists)
            if not self._round(lists):
                if self.for_some_uses:
                    break
                self.for_some_uses = True
                self.refused = set()
        return Tree(self.items, _in_reading_order(self.items, self.blocks))

    def _round(self, lists: Sequence[ListOfItems]) -> bool:
        """Makes a block of the candidate that saves most. Returns whether there is one."""
        parts_by_keys = self.candidates.find_repeated(lists)
        saving_of = {keys: self._saving(parts) for keys, parts in parts_by_keys.items()}
        for keys in sorted(parts_by_keys, key=lambda keys: (-saving_of[keys], -len(keys))):
            if keys in self.refused:
                continue
            if saving_of[keys] <= HEADER:
                break
            for parts in self._families(parts_by_keys[keys]):
                groups = _equal_uses(parts) if self.for_some_uses else [parts]
                if any(map(self._make_block, groups)):
                    return True
            self.refused.add(keys)
        return False

    def _lists(self) -> list[ListOfItems]:
        flow = -1 if len(self.graph.inputs) == 1 else None
        lists = list(nested_lists(self.items, flow, is_content=False))
        for block in self.blocks:
            lists += nested_lists(
                block.items, block.inputs[0] if block.inputs else None, is_content=True
            )
        return lists

    def _saving(self, parts: list[ItemRange]) -> int:
        """About the number of characters that a block saves; more for a part that is better to
        read as a block."""
        saving = sum(map(self.length, parts[0].use)) * (len(parts) - 1)
        first, *others = parts[0].items
        if first.is_sequence and not others:
            return int(saving * MODULE_FACTOR)
        # A free layer belongs to the end of the block before.
        is_free = first.number is not None and self.graph.layers[first.number].params == 0
        return saving if is_free and not first.branches else int(saving * GOOD_BEGIN_FACTOR)

    # Making one block

    def _families(self, parts: list[ItemRange]) -> Iterator[list[ItemRange]]:
        """Groups of uses that fit one body, the largest first."""
        families: list[tuple[Items, list[ItemRange]]] = []
        for candidate in parts:
            inputs = self.block_inputs.inputs_of(candidate.use, candidate.entering)
            if inputs is None or not self._may_have_inputs(candidate, inputs):
                continue
            part = candidate._replace(inputs=inputs)
            for number, (body, members) in enumerate(families):
                both = anti_unify([body, part.use], [members[0].inputs, part.inputs])
                if both is not None:
                    families[number] = both.body, [*members, part]
                    break
            else:
                if len(families) < MAX_FAMILIES:
                    families.append((part.use, [part]))
        families.sort(key=lambda family: -len(family[1]))
        return (members for _, members in families if len(members) > 1)

    def _may_have_inputs(self, part: ItemRange, inputs: tuple[int, ...]) -> bool:
        """Whether a block may have these inputs: several only if it is a module or if all but the
        first are tables."""
        is_module = bool(module_path(part.items))
        return len(inputs) <= MAX_INPUTS and (is_module or self.tables.issuperset(inputs[1:]))

    def _make_block(self, parts: list[ItemRange]) -> bool:
        """Makes a block of some uses if that shortens the text. Returns whether it did."""
        block_and_calls = self._block_and_calls(parts)
        if block_and_calls is None:
            return False
        block, calls = block_and_calls
        size = sum(1 for _ in tree.layers(block.items))
        fewest = MIN_LAYERS_FOR_SOME_USES if self.for_some_uses else MIN_LAYERS
        if size < fewest or len(block.options) > size + 1:
            return False
        before = sum(text_length(part.items) for part in parts)
        if _block_length(block) + text_length(calls) > before * MAX_REMAINING:
            return False
        self.block_names.take(block.name)
        self._insert_calls(parts, calls)
        self.blocks.append(block)
        return True

    def _block_and_calls(self, parts: list[ItemRange]) -> tuple[OutlineBlock, list[Item]] | None:
        uses = [part.use for part in parts]
        common = anti_unify(uses, [part.inputs for part in parts])
        assert common is not None
        entering = [self._channels(next(iter(part.inputs), None)) for part in parts]
        block_options = options(common, entering, self._channels)
        if block_options is None:
            return None
        body = substitute_values(common.body, iter(block_options.values), iter(block_options.flags))
        inputs = parts[0].inputs
        name = self.block_names.block_name(body, [part.items for part in parts], inputs)
        defaults = tuple(default for _, default in block_options.options if default is not None)
        # A body that begins with a learned tensor may use the width of its input.
        by_name = len(inputs) > 1 or not all(tree.takes_input(use[0]) for use in uses)
        if by_name:
            body = (_with_named_input(body[0], inputs), *body[1:])
        calls = [
            Item(
                name,
                arguments,
                module_path(part.items),
                refs=part.inputs if by_name else (),
                defaults=defaults,
                unwritten=use,
            )
            for arguments, use, part in zip(block_options.arguments, uses, parts, strict=True)
        ]
        return OutlineBlock(name, block_options.options, body, inputs), calls

    def _channels(self, value: int | None) -> int | None:
        return None if value is None else self.graph.shape(value).channels

    def _insert_calls(self, parts: list[ItemRange], calls: list[Item]) -> None:
        """Rebuilds the lists with calls in place of the uses."""
        by_list: Calls = {}
        for part, call in zip(parts, calls, strict=True):
            by_list.setdefault(id(part.list.items), {})[part.start] = (part.end, call)
        self.items = _substitute_calls(self.items, by_list)
        self.blocks = [
            block._replace(items=_substitute_calls(block.items, by_list)) for block in self.blocks
        ]


def _equal_uses(parts: list[ItemRange]) -> list[list[ItemRange]]:
    """Groups of equal uses, for uses whose differences options cannot express."""
    groups: dict[Any, list[ItemRange]] = {}
    for part in parts:
        values = tuple(item.options for item in tree.walk(part.use))
        groups.setdefault(values, []).append(part)
    several = [group for group in groups.values() if 1 < len(group) < len(parts)]
    return [group for group in several if not _is_row(group)]


def _is_row(parts: list[ItemRange]) -> bool:
    """Whether the uses are one join several times in a row, which `repeat` expresses without a
    block."""
    first = parts[0]
    in_a_row = [(first.list, first.start + n) for n in range(len(parts))]
    is_one_join = (
        len(first.use) == 1 and first.use[0].is_join and not any(tree.references(first.use))
    )
    return is_one_join and [(part.list, part.start) for part in parts] == in_a_row


def _in_reading_order(items: Items, blocks: list[OutlineBlock]) -> tuple[OutlineBlock, ...]:
    """The blocks in the order a reader sees them, each after the blocks that it calls."""
    by_name = {block.name: block for block in blocks}
    block_by_kind: dict[str, OutlineBlock] = {}

    def visit(items: Items) -> None:
        for item in tree.walk(items):
            if item.is_call and item.kind not in block_by_kind:
                visit(by_name[item.kind].items)
                block_by_kind[item.kind] = by_name[item.kind]

    visit(items)
    return tuple(block_by_kind.values())


def _with_named_input(first: Item, inputs: tuple[int, ...]) -> Item:
    """The first item of a block. If the block has several inputs, it states the one that it takes;
    a single input needs no name."""
    if len(inputs) > 1:
        return tree.with_reference(first, inputs[0]) if tree.takes_input(first) else first
    return first._replace(refs=()) if first.refs == inputs else first


def _block_length(block: OutlineBlock) -> int:
    options = sum(len(option) + 6 for option, _ in block.options)
    inputs = NAME * len(block.inputs) if len(block.inputs) > 1 else 0
    return HEADER + options + inputs + text_length(block.items)


def _substitute_calls(items: Items, calls: Calls) -> Items:
    """A list with its calls. A list that does not change stays the same object."""
    call_by_start = calls.get(id(items), {})
    inner = [tree.rebuild(item, lambda inside: _substitute_calls(inside, calls)) for item in items]
    if not call_by_start and all(a is b for a, b in zip(items, inner, strict=True)):
        return items
    new_items: list[Item] = []
    at = 0
    while at < len(items):
        at, item = call_by_start.get(at, (at + 1, inner[at]))
        new_items.append(item)
    return tuple(new_items)
