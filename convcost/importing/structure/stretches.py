"""Stretches of a list that could be a block's, with a number for what they have in common."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from convcost.importing.structure.alike import Alike, Key
from convcost.importing.structure.tree import Item, Join, Sequence

LONGEST = 12  # items of a stretch

Keys = tuple[Key, ...]


class Stretch(NamedTuple):
    """Items of a list from `start` on; `keys` are those of what it holds, one number for all."""

    keys: int
    start: int
    length: int


class Stretches:
    """Looks through lists, each once: what does not change stays the same object."""

    def __init__(self, items: tuple[Item, ...]) -> None:
        self.alike = Alike(items)
        self.keys: list[Keys] = []  # by number
        self._numbers: dict[Keys, int] = {}
        # By identity; lists are kept, so that those stay.
        self._known: dict[tuple[int, bool], list[Stretch]] = {}
        self._pairs: dict[int, tuple[tuple[Item, ...], list[Keys]]] = {}

    def of(self, lists: list[tuple[Item, ...]], whole: list[bool]) -> Iterator[list[Stretch]]:
        """The stretches of every list, but for all of it where it is the `whole` of a module."""
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
                # What stands here only never stands elsewhere later: blocks only take away.
                known = self._known[id(items), is_whole] = self._found(items, is_whole, pairs)
            yield known

    def _found(self, items: tuple[Item, ...], whole: bool, pairs: Counter[Keys]) -> list[Stretch]:
        keys = self.alike.keys(items)
        found = []
        for start, item in enumerate(items):
            if keys[start] < 0:
                continue
            alone = whole and len(items) == 1
            if isinstance(item, Sequence | Join) and not alone:
                inner = self._inner(item) if isinstance(item, Sequence) else keys[start : start + 1]
                found.append((inner, start, 1))
            for length in range(2, min(LONGEST, len(items) - start) + 1):
                end = start + length
                if keys[end - 1] < 0 or pairs[keys[end - 2 : end]] == 1:
                    break
                torn = (start and keys[start - 1] == keys[start]) or (
                    keys[end : end + 1] == keys[end - 1 : end]
                )
                if not torn and not (whole and length == len(items)):
                    found.append((keys[start:end], start, length))
        return [
            Stretch(self._number(held), start, length)
            for held, start, length in found
            if held and min(held) >= 0 and not _periodic(held)
        ]

    def _inner(self, item: Item) -> Keys:
        """The layers of a module, as they would be without it."""
        while isinstance(item, Sequence) and len(item.items) == 1:
            item = item.items[0]
        return self.alike.keys(item.items if isinstance(item, Sequence) else (item,))

    def _number(self, keys: Keys) -> int:
        number = self._numbers.setdefault(keys, len(self.keys))
        if number == len(self.keys):
            self.keys.append(keys)
        return number


def _periodic(keys: Keys) -> bool:
    """Whether it is a shorter stretch several times over."""
    length = len(keys)
    return keys[0] in keys[1:] and any(
        length % period == 0 and keys == keys[:period] * (length // period)
        for period in range(1, length // 2 + 1)
    )
