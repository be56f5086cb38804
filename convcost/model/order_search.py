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

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from itertools import pairwise
from typing import Self

from convcost.model.record import NamedTuple
from convcost.model.segments import Part, PartTensor, ends_of_runs, members, union

FEW_STATES = 300  # states before a search computes lower bounds, which are slow


class FoundOrder(NamedTuple):
    """An order of segments. If it may not be the best, no order has a peak below `at_least`."""

    order: list[int]
    at_least: int | None


class OrderSearch:
    """The search for the order of a part with the least peak; tensors outside it do not matter.

    Peaks up to `bound` count as equal: the search looks for no order with a peak below it.
    """

    def __init__(self, part: Part, bound: int, max_states: int) -> None:
        self.part = part
        self.bound = bound
        self.max_states = max_states

    def run(self) -> FoundOrder:
        part = self.part
        least = part.least_state()
        first = self._walk_to_end(_ForwardWalk(part, 0, least))
        last = self._walk_to_end(_BackwardWalk(part, part.all, least))
        bounds = [found.at_least for found in (first, last) if found.at_least is not None]
        return FoundOrder(first.order + last.order[::-1], max(bounds, default=None))

    def _walk_to_end(self, walk: "_Walk") -> FoundOrder:
        """The segments from the start of a walk to its end."""
        order = list[int]()
        at_least = None
        while walk.start != walk.end:
            run = self._next(walk)
            if run.at_least is not None:
                at_least = max(at_least or 0, run.at_least)
            order += run.order
            walk = walk.starting_at(walk.after_all(run.order))
        return FoundOrder(order, at_least)

    def _next(self, walk: "_Walk") -> FoundOrder:
        """The segments that can come next, without loss."""
        found = self._next_segments(walk, min(FEW_STATES, self.max_states))
        if isinstance(found, list):
            return FoundOrder(found, None)
        any_order, at_least = walk.any_order(), found
        bound = _peak_bound(walk) if isinstance(walk, _ForwardWalk) else None
        if bound is not None and self.max_states > FEW_STATES:
            at_least = max(found, bound(walk.start))
            ordered = self._merged(walk, bound)
            if walk.peak(ordered) <= at_least:
                return FoundOrder(ordered, None)
            any_order = ordered
        found = self._next_segments(walk, self.max_states, bound)
        if isinstance(found, list):
            return FoundOrder(found, None)
        return FoundOrder(any_order, max(found, at_least))

    def _merged(self, walk: "_Walk", bound: "_PeakBound") -> list[int]:
        """The best order if one group is the last that reads the tensor, and each other one runs
        until it adds the fewest bytes."""
        chains = [self._chain(walk.start, walk.start | group) for group in bound.groups]
        orders = []
        for number, chain in enumerate(chains):
            order = [segment for _, run in chain for segment in run]
            last = max(n for n, segment in enumerate(order) if bound.tensor.readers >> segment & 1)
            before = walk.start | union(1 << segment for segment in order[:last])
            others = [*chains[:number], self._chain(walk.start, before), *chains[number + 1 :]]
            steps = sorted((step for other in others for step in other), key=lambda step: -step[0])
            orders.append([segment for _, run in steps for segment in run] + order[last:])
        return min(orders, key=walk.peak)

    def _chain(self, start: int, end: int) -> list[tuple[int, list[int]]]:
        """The best order from one set to another, as runs of segments, each with its peak beyond
        the bytes after it. Chains are merged by it, the highest first."""
        walk = _BackwardWalk(self.part, end, start)
        alone = self.part.least_state(start, end) == start
        few = OrderSearch(self.part, 0, FEW_STATES)
        order = (few._walk_to_end(walk).order if alone else walk.any_order())[::-1]
        levels, costs = self.part.profile(order, start)
        return [
            (max(costs[first:stop]) - levels[stop], order[first:stop])
            for first, stop in pairwise(ends_of_runs(levels, costs))
        ]

    def _next_segments(
        self, walk: "_Walk", max_states: int, bound: Callable[[int], int] | None = None
    ) -> list[int] | int:
        """The segments that can come next; if there are too many states, a lower bound of
        the peak of all ways to such segments."""
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
                return _path(start, state, before)
            if len(best) > max_states:
                return peak
            for run in self._runs(walk, state, peak):
                after = walk.after_all(run, state)
                if after in visited:
                    continue
                reached = max(peak, walk.peak(run, state), bound(after) if bound else 0)
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
                after = walk.after(chain[-1], after)
                if self.part.alive(after) <= alive:
                    return [chain]
                following = walk.following(chain[-1], after)
        return [[segment] for segment in options]


class _Walk:
    """The ways from one set of segments that have run, `start`, to another, `end`."""

    def __init__(self, part: Part, start: int, end: int) -> None:
        self.part = part
        self.start = start
        self.end = end

    def starting_at(self, start: int) -> Self:
        return type(self)(self.part, start, self.end)

    def options(self, state: int) -> list[int]:
        """The segments that can come next."""
        raise NotImplementedError

    def following(self, segment: int, state: int) -> list[int]:
        """The segments that can come next, and could not come before `segment`."""
        raise NotImplementedError

    def cost(self, segment: int, state: int) -> int:
        raise NotImplementedError

    def after(self, segment: int, state: int) -> int:
        raise NotImplementedError

    def any_order(self) -> list[int]:
        raise NotImplementedError

    def after_all(self, run: Sequence[int], state: int | None = None) -> int:
        state = self.start if state is None else state
        for segment in run:
            state = self.after(segment, state)
        return state

    def peak(self, run: Sequence[int], state: int | None = None) -> int:
        state, peak = self.start if state is None else state, 0
        for segment in run:
            peak = max(peak, self.cost(segment, state))
            state = self.after(segment, state)
        return peak


class _ForwardWalk(_Walk):
    """Runs segments: each step adds one to the set."""

    def options(self, state: int) -> list[int]:
        return self._ready(self.end, state)

    def following(self, segment: int, state: int) -> list[int]:
        return self._ready(self.part.feeds[segment] & self.end, state)

    def _ready(self, segments: int, state: int) -> list[int]:
        return [n for n in members(segments & ~state) if not self.part.needs[n] & ~state]

    def cost(self, segment: int, state: int) -> int:
        return self.part.cost(segment, state)

    def after(self, segment: int, state: int) -> int:
        return self.part.after(segment, state)

    def any_order(self) -> list[int]:
        return list(members(self.end & ~self.start))


class _BackwardWalk(_Walk):
    """Undoes segments: each step removes one that runs last."""

    def options(self, state: int) -> list[int]:
        return self._last(state & ~self.end, state)

    def following(self, segment: int, state: int) -> list[int]:
        return self._last(self.part.needs[segment] & state & ~self.end, state)

    def _last(self, segments: int, state: int) -> list[int]:
        return [n for n in members(segments) if not self.part.feeds[n] & state]

    def cost(self, segment: int, state: int) -> int:
        return self.part.cost(segment, self.part.before(segment, state))

    def after(self, segment: int, state: int) -> int:
        return self.part.before(segment, state)

    def any_order(self) -> list[int]:
        return list(members(self.start & ~self.end))[::-1]


def _peak_bound(walk: _ForwardWalk) -> "_PeakBound | None":
    """The bound for a walk if several groups of its segments read exactly one tensor, else None."""
    groups = list(walk.part.groups(walk.end & ~walk.start))
    shared = [
        tensor
        for tensor in walk.part.tensors.values()
        if not tensor.kept
        and not tensor.readers & ~walk.end
        and sum(1 for group in groups if tensor.readers & group) > 1
    ]
    return _PeakBound(walk, groups, shared[0]) if len(shared) == 1 else None


class _GroupBytes(NamedTuple):
    """The bytes that are alive at least because of a group, beyond those at the start of the walk.

    `least` are those in any state, `read` those after the group has read the shared tensor.
    `while_running` and `while_running_read` are the same while the largest segment of the group
    runs.
    """

    least: int
    read: int
    while_running: int | None
    while_running_read: int | None


class _PeakBound:
    """A lower bound of the peak from a set until no more bytes are alive than at the start of a
    walk, if groups of segments read one tensor.

    Each group has a segment that must run until then. It runs either before the last group has read
    the tensor or after, and each other group adds the fewest bytes that it can.
    """

    def __init__(self, walk: _ForwardWalk, groups: list[int], tensor: PartTensor) -> None:
        self.groups = groups
        self.tensor = tensor
        self._part = walk.part
        self._start = walk.start
        self._alive = walk.part.alive(walk.start)
        self._found: dict[tuple[int, int], _GroupBytes] = {}
        self._largest_segment = {
            group: self._largest_segment_of(group, walk.end) for group in groups
        }

    def _largest_segment_of(self, group: int, end: int) -> int | None:
        """The segment of a group that has the most bytes alive while it runs, among the segments
        that must run until no more bytes are alive than at the start. None if there is none."""
        part = self._part

        def must_run(segment: int) -> bool:
            without = end & ~part.depending(1 << segment)
            return part.least_state(self._start, without) == self._start

        must = filter(must_run, members(group))
        return max(must, key=lambda n: self._bytes_while(n, group, self._start), default=None)

    def __call__(self, state: int) -> int:
        """The lower bound in bytes after the segments of a set have run."""
        found = [self._bytes_of(group, state & group) for group in self.groups]
        before = self._alive + sum(group.least for group in found)
        after = self._alive + sum(group.read for group in found) - self.tensor.bytes
        bound = 0
        for group in found:
            if group.while_running is not None:
                least = before - group.least + group.while_running
                if group.while_running_read is not None:
                    least = min(least, after - group.read + group.while_running_read)
                bound = max(bound, least)
        return bound

    def _bytes_of(self, group: int, inside: int) -> _GroupBytes:
        """The bytes of a group of which the segments `inside` have run."""
        key = (group, inside)
        if key not in self._found:
            part, state = self._part, self._start | inside
            read = state | part.leading(self.tensor.readers & group)
            segment = self._largest_segment[group]
            now = then = None
            if segment is not None and not state >> segment & 1:
                now = self._bytes_while(segment, group, state)
                if not read & part.depending(1 << segment):
                    then = self._bytes_while(segment, group, read)
            largest = self._start | group
            least, least_read = self._least(state, largest), self._least(read, largest)
            self._found[key] = _GroupBytes(least, least_read, now, then)
        return self._found[key]

    def _bytes_while(self, segment: int, group: int, state: int) -> int:
        """The bytes while a segment of a group runs, after all of a set have run."""
        part = self._part
        own = part.segments[segment]
        needed = part.leading(part.needs[segment])
        largest = (self._start | group) & ~part.depending(1 << segment)
        return self._least(state | needed, largest) + (0 if own.overwrites else own.extra_bytes)

    def _least(self, smallest: int, largest: int) -> int:
        """The fewest bytes that are alive after any set between two sets, beyond those at the start
        of the walk."""
        return self._part.alive(self._part.least_state(smallest, largest)) - self._alive


def _path(start: int, state: int, before: dict[int, tuple[int, list[int]]]) -> list[int]:
    runs = []
    while state != start:
        state, run = before[state]
        runs.append(run)
    return [segment for run in reversed(runs) for segment in run]
