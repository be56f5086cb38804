"""Finds the parts of lists that could be a block."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from convcost.importing.outline.structural_hash import Key, StructuralHash
from convcost.importing.outline.tree import Items, output

MAX_ITEMS = 12  # items of a candidate

Keys = tuple[Key, ...]  # of the items of a candidate; equal if their content is equal


class ListOfItems(NamedTuple):
    """A list of the tree, with the value that is its input. A list that `is_content` has all items
    of a module or block, which together cannot be a candidate."""

    items: Items
    entering: int | None
    is_content: bool


class ItemRange(NamedTuple):
    """The items of a list from `start` to `end`. `inputs` are the values outside that they use."""

    list: ListOfItems
    start: int
    end: int
    inputs: tuple[int, ...] = ()

    @property
    def items(self) -> Items:
        return self.list.items[self.start : self.end]

    @property
    def use(self) -> Items:
        """The items, or those of the module that they are."""
        return without_modules(self.items)

    @property
    def entering(self) -> int | None:
        """The value that is the input, from the item before it."""
        values = (output(item) for item in reversed(self.list.items[: self.start]))
        return next((value for value in values if value is not None), self.list.entering)


def without_modules(items: Items) -> Items:
    """The items, or those of the module that they are."""
    while len(items) == 1 and items[0].is_sequence:
        items = items[0].items
    return items


def nested_lists(items: Items, flow: int | None, *, is_content: bool) -> Iterator[ListOfItems]:
    """A list and all lists inside it. `flow` is the value that is its input."""
    yield ListOfItems(items, flow, is_content)
    for item in items:
        for branch in item.branches:
            if branch.items:
                entering = item.refs[0] if item.refs else flow
                yield from nested_lists(branch.items, entering, is_content=item.is_sequence)
        value = output(item)
        flow = flow if value is None else value


class Candidates:
    """Finds equal parts of lists by the hashes of their items, which are kept for the next
    round."""

    def __init__(self) -> None:
        self.hash = StructuralHash()

    def find_repeated(self, lists: Sequence[ListOfItems]) -> dict[Keys, list[ItemRange]]:
        """The positions of every candidate that occurs at least twice, without overlaps."""
        keys = [self.hash.keys(item_list.items) for item_list in lists]
        pairs = Counter(pair for of_list in keys for pair in pairwise(of_list))
        parts_by_keys: dict[Keys, list[ItemRange]] = {}
        for item_list, of_list in zip(lists, keys, strict=True):
            for inner, part in self._candidates(item_list, of_list, pairs):
                if not inner or min(inner) < 0 or _is_periodic(inner):
                    continue
                parts = parts_by_keys.setdefault(inner, [])
                overlaps = parts and parts[-1].list is item_list and parts[-1].end > part.start
                if not overlaps:
                    parts.append(part)
        return {inner: parts for inner, parts in parts_by_keys.items() if len(parts) > 1}

    def _candidates(
        self, item_list: ListOfItems, keys: Keys, pairs: Counter[tuple[Key, Key]]
    ) -> Iterator[tuple[Keys, ItemRange]]:
        """The ranges of a list that may be blocks, each with its keys: joins, and ranges whose
        pairs of neighbours occur elsewhere too."""
        for start, item in enumerate(item_list.items):
            if keys[start] < 0:
                continue
            is_whole_list = item_list.is_content and len(keys) == 1
            if item.branches and not is_whole_list:
                yield (
                    self.hash.keys(without_modules((item,))),
                    ItemRange(item_list, start, start + 1),
                )
            for end in range(start + 2, min(start + MAX_ITEMS, len(keys)) + 1):
                if keys[end - 1] < 0 or pairs[keys[end - 2], keys[end - 1]] == 1:
                    break
                splits_a_run = (start and keys[start - 1] == keys[start]) or (
                    keys[end : end + 1] == keys[end - 1 : end]
                )
                if not splits_a_run and not (item_list.is_content and end - start == len(keys)):
                    yield keys[start:end], ItemRange(item_list, start, end)


def _is_periodic(keys: Keys) -> bool:
    """Whether the keys are a shorter sequence repeated several times."""
    length = len(keys)
    return keys[0] in keys[1:] and any(
        length % period == 0 and keys == keys[:period] * (length // period)
        for period in range(1, length // 2 + 1)
    )
