"""Finds the parts of lists that could be a block, and gives equal parts the same number."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from convcost.importing.outline.structural_hash import Key, StructuralHash
from convcost.importing.outline.tree import Item

LONGEST = 12  # the most items of a candidate

Keys = tuple[Key, ...]


class Candidate(NamedTuple):
    """Consecutive items of a list from `start` on. `keys` identify its items; candidates with equal
    content have the same number."""

    keys: int
    start: int
    length: int


class Candidates:
    """Searches lists. A list that does not change stays the same object, so each list is searched
    once."""

    def __init__(self, items: tuple[Item, ...]) -> None:
        self.alike = StructuralHash(items)
        self.keys: list[Keys] = []  # by number
        self._numbers: dict[Keys, int] = {}
        # By identity; keeping the lists keeps their identity valid.
        self._known: dict[tuple[int, bool], list[Candidate]] = {}
        self._pairs: dict[int, tuple[tuple[Item, ...], list[Keys]]] = {}

    def of(self, lists: list[tuple[Item, ...]], whole: list[bool]) -> Iterator[list[Candidate]]:
        """The candidates of every list; a `whole` list itself is not one, because it is the content
        of a module."""
        fresh = [items for items in lists if id(items) not in self._pairs]
        for items in fresh:
            keys = self.alike.keys(items)
            self._pairs[id(items)] = items, list(pairwise(keys))
        pairs: Counter[Keys] = Counter()
        if fresh:
            pairs.update(pair for items in lists for pair in self._pairs[id(items)][1])
        for items, is_whole in zip(lists, whole, strict=True):
            known = self._known.get((id(items), is_whole))
            if known is None:
                # A part that occurs once cannot occur twice later: blocks only remove items.
                known = self._known[id(items), is_whole] = self._candidates_in(
                    items, is_whole, pairs
                )
            yield known

    def _candidates_in(
        self, items: tuple[Item, ...], whole: bool, pairs: Counter[Keys]
    ) -> list[Candidate]:
        keys = self.alike.keys(items)
        found = []
        for start, item in enumerate(items):
            if keys[start] < 0:
                continue
            alone = whole and len(items) == 1
            if item.branches and not alone:
                found.append((self._inner_keys(item), start, 1))
            for length in range(2, min(LONGEST, len(items) - start) + 1):
                end = start + length
                if keys[end - 1] < 0 or pairs[keys[end - 2 : end]] == 1:
                    break
                splits_a_run = (start and keys[start - 1] == keys[start]) or (
                    keys[end : end + 1] == keys[end - 1 : end]
                )
                if not splits_a_run and not (whole and length == len(items)):
                    found.append((keys[start:end], start, length))
        return [
            Candidate(self._number(inner), start, length)
            for inner, start, length in found
            if inner and min(inner) >= 0 and not _is_periodic(inner)
        ]

    def _inner_keys(self, item: Item) -> Keys:
        """The item, or the items of a module as they would be without the module."""
        while item.is_sequence and len(item.items) == 1:
            item = item.items[0]
        return self.alike.keys(item.items if item.is_sequence else (item,))

    def _number(self, keys: Keys) -> int:
        number = self._numbers.setdefault(keys, len(self.keys))
        if number == len(self.keys):
            self.keys.append(keys)
        return number


def _is_periodic(keys: Keys) -> bool:
    """Whether the keys are a shorter sequence repeated several times."""
    length = len(keys)
    return keys[0] in keys[1:] and any(
        length % period == 0 and keys == keys[:period] * (length // period)
        for period in range(1, length // 2 + 1)
    )
