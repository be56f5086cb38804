"""Segments of a network, and the bytes that are alive after sets of them have run."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from convcost.model.record import NamedTuple


class Segment(NamedTuple):
    """Tasks that run one after the other, with no other task between them.

    `reads` and `writes` are numbers of tensors. While the segment runs, `extra_bytes` are alive in
    addition to those alive before; none if it can write over one of `overwrites`.
    """

    tasks: tuple[int, ...]
    reads: tuple[int, ...]
    writes: tuple[int, ...]
    extra_bytes: int
    overwrites: tuple[int, ...] = ()


class PartTensor(NamedTuple):
    """A tensor that a part reads or writes, with sets of its segments.

    `writer` is the set of the segment that writes it, empty if the tensor is alive before the part.
    `is_output` says whether it is alive after the part.
    """

    bytes: int
    writer: int
    readers: int
    is_output: bool


class _Twins(NamedTuple):
    """A group of segments that equals others. `group` is the set of its segments, counted from
    its `first` one; `others` are the first segments of the equal groups before it."""

    first: int
    group: int
    others: tuple[int, ...]


class Part:
    """Some segments of a network. Sets of them are integers: bit n is the n-th.

    Tensors that are alive both before and after the part are not counted.
    """

    def __init__(
        self, segments: Sequence[Segment], tensors: Mapping[int, tuple[int, bool]]
    ) -> None:
        """`tensors` has the bytes of each tensor, and whether it is alive after the part."""
        self.segments = segments
        self.all = (1 << len(segments)) - 1
        self.tensors = _part_tensors(segments, tensors)
        self.needs = [
            union(tensor.writer for tensor in self._get(segment.reads)) for segment in segments
        ]
        self.feeds = [
            union(tensor.readers for tensor in self._get(segment.writes)) for segment in segments
        ]
        self._twins = self._find_twins()
        before = (
            tensor for tensor in self.tensors.values() if not tensor.writer and not tensor.is_output
        )
        self._alive = {0: sum(tensor.bytes for tensor in before)}

    def _find_twins(self) -> dict[int, _Twins]:
        """The equal groups for each segment of a group that equals an earlier one."""
        last = len(self.segments) - 1
        inner = (
            self.all & ~(1 << last) if self.with_dependencies(1 << last) == self.all else self.all
        )
        firsts_by_shape: dict[object, list[int]] = {}
        twins = {}
        for group in self.groups(inner):
            first = (group & -group).bit_length() - 1
            group_shape = tuple(self._shape(segment, first, group) for segment in members(group))
            before = firsts_by_shape.setdefault(group_shape, [])
            if before:
                twin = _Twins(first, group >> first, tuple(before))
                twins.update(dict.fromkeys(members(group), twin))
            before.append(first)
        return twins

    def _shape(self, segment: int, first: int, group: int) -> tuple[object, ...]:
        """A segment, with the segments of its group counted from the first one."""
        item = self.segments[segment]
        read = [n for n in item.reads if not self.tensors[n].writer & group]
        written = [
            (
                tensor.bytes,
                tensor.is_output,
                (tensor.readers & group) >> first,
                tensor.readers & ~group,
            )
            for tensor in self._get(item.writes)
        ]
        can_overwrite = [n in item.overwrites for n in item.reads]
        needs = (self.needs[segment] & group) >> first
        return (
            segment - first,
            item.extra_bytes,
            needs,
            tuple(read),
            tuple(written),
            tuple(can_overwrite),
        )

    def has_equal_twin(self, segment: int, state: int) -> bool:
        """Whether an equal, earlier group has run the same segments."""
        twins = self._twins.get(segment)
        if twins is None:
            return False
        own_state = state >> twins.first & twins.group
        return any(state >> other & twins.group == own_state for other in twins.others)

    def alive(self, state: int) -> int:
        """The bytes that are alive after the segments of a set have run."""
        if state not in self._alive:
            self._alive[state] = sum(
                tensor.bytes
                for tensor in self.tensors.values()
                if (tensor.writer & state if tensor.writer else not tensor.is_output)
                and (tensor.is_output or tensor.readers & ~state)
            )
        return self._alive[state]

    def toggle(self, segment: int, state: int) -> int:
        """The set after one more segment has run, or before the last one has. Also stores the bytes
        that are then alive."""
        result = state ^ 1 << segment
        if result not in self._alive:
            added = self._added(segment, max(state, result))
            self._alive[result] = self.alive(state) + (added if result > state else -added)
        return result

    def _added(self, segment: int, state: int) -> int:
        """The bytes that a segment adds, less those that it frees, if it is the last of a set."""
        item, left = self.segments[segment], ~state
        added = sum(
            tensor.bytes
            for tensor in self._get(item.writes)
            if tensor.is_output or tensor.readers & left
        )
        freed = sum(
            tensor.bytes
            for tensor in self._get(item.reads)
            if not tensor.is_output and not tensor.readers & left
        )
        return added - freed

    def cost(self, segment: int, state: int) -> int:
        """The bytes that are alive while a segment runs after those of a set."""
        item, left = self.segments[segment], ~state & ~(1 << segment)
        overwrites = any(
            not tensor.is_output and not tensor.readers & left
            for tensor in self._get(item.overwrites)
        )
        return self.alive(state) + (0 if overwrites else item.extra_bytes)

    def profile(self, order: Iterable[int]) -> tuple[list[int], list[int]]:
        """The bytes alive before the first segment of an order and after each one, and the bytes
        while each one runs."""
        state, levels, costs = 0, [self.alive(0)], list[int]()
        for segment in order:
            costs.append(self.cost(segment, state))
            state = self.toggle(segment, state)
            levels.append(self.alive(state))
        return levels, costs

    def peak(self, order: Iterable[int]) -> int:
        return max(self.profile(order)[1])

    def least_bytes(self, segment: int) -> int:
        """A lower bound of the bytes that are alive while a segment runs, in any order."""
        item = self.segments[segment]
        overwrites = any(not tensor.is_output for tensor in self._get(item.overwrites))
        # As in `alive`, a tensor that is alive before and after the part is not counted.
        read = sum(
            tensor.bytes
            for tensor in self._get(item.reads)
            if tensor.writer or not tensor.is_output
        )
        return read + (0 if overwrites else item.extra_bytes)

    def least_state(self) -> int:
        """The smallest set after which the fewest bytes are alive.

        Each segment costs what it writes, and all readers of a tensor together free it.
        """
        costs = {
            place: sum(
                tensor.bytes
                for tensor in self._get(segment.writes)
                if tensor.is_output or tensor.readers
            )
            for place, segment in enumerate(self.segments)
        }
        gains = [
            (tensor.bytes, tensor.readers)
            for tensor in self.tensors.values()
            if not tensor.is_output and tensor.readers
        ]
        return maximum_closure(costs, dict(enumerate(self.needs)), gains)

    def with_dependencies(self, segments: int) -> int:
        """A set of segments and all that they depend on."""
        leaders, new = 0, segments
        while new:
            leaders |= new
            new = union(self.needs[segment] for segment in members(new)) & ~leaders
        return leaders

    def groups(self, segments: int) -> Iterator[int]:
        """A set of segments in groups, so that none depends on one of another group."""
        while segments:
            group, new = 0, segments & -segments
            while new:
                group |= new
                linked = union(self.needs[n] | self.feeds[n] for n in members(new))
                new = linked & segments & ~group
            segments &= ~group
            yield group

    def _get(self, numbers: Iterable[int]) -> list[PartTensor]:
        return [self.tensors[number] for number in numbers]


def maximum_closure(
    costs: Mapping[int, int], needs: Mapping[int, int], gains: Sequence[tuple[int, int]]
) -> int:
    """The smallest set of items whose gains exceed its costs by most.

    With an item, the set must have all items that it needs. A gain is an amount and the set of the
    items for it. This is a minimum cut (Picard, "Maximal closure of a graph and applications to
    combinatorial problems", Management Science 22(11), 1976), found by augmenting paths.
    """
    room = dict(costs)
    # The nodes of the flow: the items, and -1, -2, … for the gains.
    required = {node: list(members(items)) for node, items in needs.items()}
    required |= {-gain: list(members(items)) for gain, (_, items) in enumerate(gains, 1)}
    # The amounts of each node, by the node before it.
    flow: dict[int, dict[int, int]] = {node: {} for node in required}
    closure = 0
    for gain, (left, _) in enumerate(gains, 1):
        before, stack = {-gain: -gain}, [-gain]
        while stack and left:
            node = stack[-1]
            if not room.get(node):
                stack.pop()
                following = [item for item in required[node] if item not in before]
                following += [to for to, n in flow[node].items() if n and to not in before]
                before.update(dict.fromkeys(following, node))
                stack += following
                continue
            path = [node]
            while path[-1] != -gain:
                path.append(before[path[-1]])
            edges = list(zip(path[1:], path, strict=False))
            undone = [flow[a][b] for a, b in edges if flow[a].get(b)]
            amount = min(left, room[node], *undone)
            left -= amount  # noqa: PLW2901
            room[node] -= amount
            for a, b in edges:
                if flow[a].get(b):
                    flow[a][b] -= amount
                else:
                    flow[b][a] = flow[b].get(a, 0) + amount
            if undone:
                before, stack = {-gain: -gain}, [-gain]
        if left:
            closure |= union(1 << item for item in before if item >= 0)
    return closure


def members(items: int) -> Iterator[int]:
    """The numbers of the bits of a set."""
    while items:
        lowest = items & -items
        yield lowest.bit_length() - 1
        items ^= lowest


def union(sets: Iterable[int]) -> int:
    """The items that are in any of the sets."""
    result = 0
    for items in sets:
        result |= items
    return result


def ends_of_runs(levels: Sequence[int], costs: Sequence[int]) -> list[int]:
    """Where the runs of a chain of segments begin and end: 0, ..., the number of segments.

    `levels` are the bytes alive before the first segment and after each one, `costs` those while
    each runs. The runs are as few as possible: the peaks of the runs and the bytes after them fall,
    up to the fewest bytes; then both rise (the hills and valleys of Liu, 1987).
    """
    least = min(range(len(levels)), key=levels.__getitem__)
    first = _falling_runs(levels[: least + 1], costs[:least])
    last = _falling_runs(levels[least:][::-1], costs[least:][::-1])
    return [*first, *(len(costs) - end for end in reversed(last[:-1]))]


def _falling_runs(levels: Sequence[int], costs: Sequence[int]) -> list[int]:
    """The ends of the runs after each of which fewer bytes are alive, with rising peaks."""
    ends, peaks, peak = [0], list[int](), 0
    for place, cost in enumerate(costs, 1):
        peak = max(peak, cost)
        if levels[place] <= levels[ends[-1]]:
            while peaks and peaks[-1] >= peak:
                ends.pop()
                peak = max(peak, peaks.pop())
            ends.append(place)
            peaks.append(peak)
            peak = 0
    return ends


def _part_tensors(
    segments: Sequence[Segment], tensors: Mapping[int, tuple[int, bool]]
) -> dict[int, PartTensor]:
    writers: dict[int, int] = {}
    readers: dict[int, int] = {}
    for place, segment in enumerate(segments):
        for number in segment.writes:
            writers[number] = 1 << place
        for number in segment.reads:
            readers[number] = readers.get(number, 0) | 1 << place
    return {
        number: PartTensor(size, writers.get(number, 0), readers.get(number, 0), is_kept)
        for number in dict.fromkeys((*readers, *writers))
        for size, is_kept in (tensors[number],)
    }
