"""Orders chains as one list: each item comes after all values that it references. The next item
takes the output of the one before it where possible."""

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush

from convcost.importing.outline.chain import Chain
from convcost.importing.outline.tree import Item, JoinItem, LayerItem, fed, layers, output, taken
from convcost.model.errors import ConstraintError

FREE_STANDING = ("learned",)  # kinds without an input


class _Cursor:
    """The position in a chain, up to which its items are in the list."""

    def __init__(self, number: int, run: Chain) -> None:
        self.number = number
        self.source = run.start
        self.items = run.flat()
        self.at = 0
        self.first = next(layers(tuple(self.items))).number

    @property
    def done(self) -> bool:
        return self.at == len(self.items)


def linearize(runs: Sequence[Chain], main: int, flow: int | None) -> list[Item]:
    """All items of the chains in order, with the item that gives `main` as late as possible."""
    return _Linearizer([_Cursor(number, run) for number, run in enumerate(runs)], main, flow).all()


class _Linearizer:
    def __init__(self, tracks: list[_Cursor], main: int, flow: int | None) -> None:
        self.main = main
        self.flow = flow
        self.entering = flow
        self.left = sum(len(track.items) for track in tracks)
        self.out: list[Item] = []
        self.own = {index for track in tracks for item in track.items for index in _given(item)}
        self.placed: set[int] = set()
        self.waiting: dict[int, list[_Cursor]] = {}
        self.ready: list[tuple[bool, int, int]] = []
        self.by_source: dict[int | None, list[int]] = {}
        self.tracks = tracks
        self.queued: dict[int, bool] = {}
        for number in range(len(tracks)):
            self._queue(number)

    def all(self) -> list[Item]:
        while self.left:
            number = self._next()
            if number is None:
                raise ConstraintError("CC401", "the layers of the model have a cycle")
            self._lay(number)
        return self.out

    def _queue(self, number: int) -> None:
        """Marks a chain as ready, or lets it wait for the first value that is missing."""
        track = self.tracks[number]
        if track.done:
            return
        missing = self._missing(track)
        if missing is not None:
            self.waiting.setdefault(missing, []).append(track)
            return
        self.queued[number] = True
        last = self._holds_main(track)
        heappush(self.ready, (last, track.first, number))
        if not last:
            heappush(self.by_source.setdefault(track.source, []), number)

    def _holds_main(self, track: _Cursor) -> bool:
        return track.at == len(track.items) - 1 and output(track.items[-1]) == self.main

    def _missing(self, track: _Cursor) -> int | None:
        wanted = [track.source, *_wanted(track.items[track.at])]
        for source in wanted:
            if source is not None and source in self.own and source not in self.placed:
                return source
        return None

    def _next(self) -> int | None:
        following = self.by_source.get(self.flow, [])
        while following:
            number = heappop(following)
            if self.queued.get(number) and self.tracks[number].source == self.flow:
                return number
        while self.ready:
            _, _, number = heappop(self.ready)
            if self.queued.get(number):
                return number
        return None

    def _lay(self, number: int) -> None:
        """Appends the items of a chain, up to an item that has to wait."""
        track = self.tracks[number]
        self.queued[number] = False
        begun = True
        while not track.done:
            if not begun and (self._missing(track) is not None or self._early(track)):
                self._queue(number)
                return
            begun = False
            item = track.items[track.at]
            if track.source != self.flow and _flows(item) and track.source is not None:
                item = fed(item, track.source)
            self.out.append(item)
            self.left -= 1
            track.at += 1
            given = output(item)
            if given is not None:
                self.flow = track.source = given
            for index in _given(item):
                self.placed.add(index)
                for other in self.waiting.pop(index, []):
                    if other is not track:
                        self._queue(other.number)

    def _early(self, track: _Cursor) -> bool:
        return self._holds_main(track) and self.left > 1


def _given(item: Item) -> Iterator[int]:
    return (layer.number for layer in layers((item,)))


def _wanted(item: Item) -> Iterator[int]:
    """The values that an item references by name."""
    names = tuple(taken((item,)))
    own = set(_given(item)) if names else set()
    return (value for value in names if value not in own)


def _flows(item: Item) -> bool:
    """Whether an item takes the output of the item before it."""
    if isinstance(item, LayerItem):
        return not item.refs and item.kind not in FREE_STANDING
    if isinstance(item, JoinItem):
        return not item.layer.refs and any(
            branch.ref is None and (not branch.items or _flows(branch.items[0]))
            for branch in item.branches
        )
    return True
