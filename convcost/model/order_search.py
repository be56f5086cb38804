"""A search for the order of the segments of a part with the least peak memory.

The bytes that are alive depend only on the set of segments that have run, and they are a submodular
function of this set. So segments can run next, without loss, if no more bytes are alive after
them than before, and if no other segments with this property have a lower peak. The same holds
backwards from the end. Both lead to the set after which the fewest bytes are alive (compare Liu,
"An application of generalized tree pebbling to sparse matrix factorization", SIAM J. Algebraic
Discrete Methods 8(3), 1987).

The segments that can run next are found by a search over sets, lowest peak first. It is short
unless many groups of segments read one tensor, which only all of them together free.
"""

from collections.abc import Sequence
from heapq import heappop, heappush

from convcost.model.record import NamedTuple
from convcost.model.segments import Part, members


class SegmentOrder(NamedTuple):
    """An order of segments. If it may not be the best, no order has a peak below `at_least`."""

    order: list[int]
    at_least: int | None


class OrderSearch(NamedTuple):
    """The search for the order of a part with the least peak; tensors outside it do not matter.

    Peaks up to `bound` count as equal: the search looks for no order with a peak below it.
    """

    part: Part
    bound: int
    max_states: int

    def run(self) -> SegmentOrder:
        part = self.part
        least = part.least_state()
        first = self._walk_to_end(_Walk(part, 0, least))
        last = self._walk_to_end(_Walk(part, part.all, least, backwards=True))
        bounds = [half.at_least for half in (first, last) if half.at_least is not None]
        return SegmentOrder(first.order + last.order[::-1], max(bounds, default=None))

    def _walk_to_end(self, walk: "_Walk") -> SegmentOrder:
        """The segments from the start of a walk to its end."""
        order = list[int]()
        at_least = None
        while walk.start != walk.end:
            run = self._next_segments(walk)
            if run.at_least is not None:
                at_least = max(at_least or 0, run.at_least)
            order += run.order
            start = walk.state_after(run.order)
            walk = _Walk(walk.part, start, walk.end, backwards=walk.backwards)
        return SegmentOrder(order, at_least)

    def _next_segments(self, walk: "_Walk") -> SegmentOrder:
        """The segments that can come next, without loss; all that are left if there are too many
        states, with a lower bound of the peak of all ways to the next ones."""
        part, start = self.part, walk.start
        heap = [(self.bound, 0, start)]
        before: dict[int, tuple[int, list[int]]] = {}
        best = {start: self.bound}
        visited = set[int]()
        while heap:
            peak, steps, state = heappop(heap)
            if state in visited:
                continue
            visited.add(state)
            if state != start and part.alive(state) <= part.alive(start):
                return SegmentOrder(_path(start, state, before), None)
            if len(best) > self.max_states:
                return SegmentOrder(walk.any_order(), peak)
            for run in self._runs(walk, state, peak):
                after = walk.state_after(run, state)
                if after in visited:
                    continue
                reached = max(peak, walk.peak(run, state))
                if reached < best.get(after, reached + 1):
                    best[after], before[after] = reached, (state, run)
                    heappush(heap, (reached, steps - len(run), after))
        raise AssertionError("no segments can come next, but the end has the fewest bytes alive")

    def _runs(self, walk: "_Walk", state: int, bound: int) -> list[list[int]]:
        """The runs of segments that can come next: each segment alone, or only one chain, if no
        order is better than one that begins with it."""
        options = [n for n in walk.options(state) if not self.part.has_equal_twin(n, state)]
        alive = self.part.alive(state)
        for segment in options:
            chain: list[int] = []
            after, following = state, [segment]
            while len(following) == 1 and walk.cost(following[0], after) <= bound:
                chain += following
                after = self.part.toggle(chain[-1], after)
                if self.part.alive(after) <= alive:
                    return [chain]
                following = walk.candidates_after(chain[-1], after)
        return [[segment] for segment in options]


class _Walk:
    """The ways from one set of segments that have run, `start`, to another, `end`. Each step adds
    one segment to the set; of a walk backwards, it removes one that runs last."""

    def __init__(self, part: Part, start: int, end: int, *, backwards: bool = False) -> None:
        self.part = part
        self.start = start
        self.end = end
        self.backwards = backwards
        before_and_after = part.needs, part.feeds
        self.needs, self.feeds = before_and_after[::-1] if backwards else before_and_after

    def options(self, state: int) -> list[int]:
        """The segments that can come next."""
        return self._ready(state ^ self.end, state)

    def candidates_after(self, segment: int, state: int) -> list[int]:
        """The segments that can come next, and could not come before `segment`."""
        return self._ready((state ^ self.end) & self.feeds[segment], state)

    def _ready(self, segments: int, state: int) -> list[int]:
        waiting = state if self.backwards else ~state
        return [n for n in members(segments) if not self.needs[n] & waiting]

    def cost(self, segment: int, state: int) -> int:
        return self.part.cost(segment, min(state, self.part.toggle(segment, state)))

    def any_order(self) -> list[int]:
        return list(members(self.start ^ self.end))[:: -1 if self.backwards else 1]

    def state_after(self, run: Sequence[int], state: int | None = None) -> int:
        state = self.start if state is None else state
        for segment in run:
            state = self.part.toggle(segment, state)
        return state

    def peak(self, run: Sequence[int], state: int | None = None) -> int:
        state, peak = self.start if state is None else state, 0
        for segment in run:
            peak = max(peak, self.cost(segment, state))
            state = self.part.toggle(segment, state)
        return peak


def _path(start: int, state: int, before: dict[int, tuple[int, list[int]]]) -> list[int]:
    runs = []
    while state != start:
        state, run = before[state]
        runs.append(run)
    return [segment for run in reversed(runs) for segment in run]
