"""Orders chains as one list: each item comes after all values that it references. The next item
takes the output of the one before it where possible."""

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush

from convcost.importing.ir.layer_graph import INPUT_FREE
from convcost.importing.outline.chain import Chain
from convcost.importing.outline.tree import (
    Item,
    layer_numbers,
    output,
    references,
    with_reference,
)
from convcost.model.errors import ConstraintError


class _Cursor:
    """The position in a chain: the items before `at` are already in the list."""

    def __init__(self, number: int, chain: Chain) -> None:
        self.number = number
        self.source = chain.start
        self.items = chain.items
        self.at = 0
        self.first = next(layer_numbers(tuple(self.items[:1])))

    @property
    def done(self) -> bool:
        return self.at == len(self.items)


def linearize(chains: Sequence[Chain], main: int, flow: int | None) -> list[Item]:
    """All items of the chains in order, and the item that outputs `main` as late as possible."""
    return _Linearizer(
        [_Cursor(number, chain) for number, chain in enumerate(chains)], main, flow
    ).all()


class _Linearizer:
    def __init__(self, cursors: list[_Cursor], main: int, flow: int | None) -> None:
        self.main = main
        self.flow = flow
        self.left = sum(len(cursor.items) for cursor in cursors)
        self.out: list[Item] = []
        self.own = {
            index for cursor in cursors for item in cursor.items for index in layer_numbers((item,))
        }
        self.placed: set[int] = set()
        self.waiting: dict[int, list[_Cursor]] = {}
        self.ready: list[tuple[bool, int, int]] = []
        self.by_source: dict[int | None, list[int]] = {}
        self.cursors = cursors
        self.queued: dict[int, bool] = {}
        for number in range(len(cursors)):
            self._queue(number)

    def all(self) -> list[Item]:
        while self.left:
            number = self._next()
            if number is None:
                raise ConstraintError("CC401", "the layers of the model have a cycle")
            self._append_items(number)
        return self.out

    def _queue(self, number: int) -> None:
        """Marks a chain as ready, or lets it wait for the first value that is missing."""
        cursor = self.cursors[number]
        if cursor.done:
            return
        missing = self._missing_value(cursor)
        if missing is not None:
            self.waiting.setdefault(missing, []).append(cursor)
            return
        self.queued[number] = True
        last = self._holds_main(cursor)
        heappush(self.ready, (last, cursor.first, number))
        if not last:
            heappush(self.by_source.setdefault(cursor.source, []), number)

    def _holds_main(self, cursor: _Cursor) -> bool:
        return cursor.at == len(cursor.items) - 1 and output(cursor.items[-1]) == self.main

    def _missing_value(self, cursor: _Cursor) -> int | None:
        needed = [cursor.source, *_references(cursor.items[cursor.at])]
        for source in needed:
            if source is not None and source in self.own and source not in self.placed:
                return source
        return None

    def _next(self) -> int | None:
        following = self.by_source.get(self.flow, [])
        while following:
            number = heappop(following)
            if self.queued.get(number) and self.cursors[number].source == self.flow:
                return number
        while self.ready:
            _, _, number = heappop(self.ready)
            if self.queued.get(number):
                return number
        return None

    def _append_items(self, number: int) -> None:
        """Appends the items of a chain, up to an item that has to wait."""
        cursor = self.cursors[number]
        self.queued[number] = False
        begun = True
        while not cursor.done:
            if not begun and (
                self._missing_value(cursor) is not None or self._must_wait_for_others(cursor)
            ):
                self._queue(number)
                return
            begun = False
            item = cursor.items[cursor.at]
            if cursor.source != self.flow and _continues(item) and cursor.source is not None:
                item = with_reference(item, cursor.source)
            self.out.append(item)
            self.left -= 1
            cursor.at += 1
            given = output(item)
            if given is not None:
                self.flow = cursor.source = given
            for index in layer_numbers((item,)):
                self.placed.add(index)
                for other in self.waiting.pop(index, []):
                    if other is not cursor:
                        self._queue(other.number)

    def _must_wait_for_others(self, cursor: _Cursor) -> bool:
        return self._holds_main(cursor) and self.left > 1


def _references(item: Item) -> Iterator[int]:
    """The values that an item references by name."""
    names = tuple(references((item,)))
    own = set(layer_numbers((item,))) if names else set()
    return (value for value in names if value not in own)


def _continues(item: Item) -> bool:
    """Whether an item takes the output of the item before it."""
    if item.number is None:
        return True
    if item.is_layer:
        return not item.refs and item.kind not in INPUT_FREE
    return not item.refs and any(
        branch.ref is None and (not branch.items or _continues(branch.items[0]))
        for branch in item.branches
    )
