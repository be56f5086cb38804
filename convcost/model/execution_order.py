"""The order of layers with the least peak memory.

A network is split into pieces in series and groups in parallel, as far as this is possible, from
the outside to the inside (compare Kayaaslan et al., "Scheduling series-parallel task graphs to
minimize peak memory", Theoretical Computer Science 707, 2018). From the inside to the outside, the
best order of each piece is found, and the piece becomes a chain of few segments.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from convcost.model.dtypes import Dtypes
from convcost.model.network import Network
from convcost.model.order_search import OrderSearch
from convcost.model.record import NamedTuple
from convcost.model.segments import Part, Segment, ends_of_runs
from convcost.model.task_graph import TaskGraph, task_graph

MAX_SEGMENTS = 400  # in a part that is searched; the time grows with the square
MAX_WORK = 500_000  # sets that are visited, times the segments of the part
FEW_WORK = 20_000  # is enough for most networks
MAX_NESTING = 64  # levels of pieces in pieces; a spec has the same limit for layers


class ExecutionOrder(NamedTuple):
    """An order of the steps and its peak in bytes; no order has a peak below `at_least`."""

    steps: tuple[int, ...]
    peak: int
    at_least: int

    @property
    def exact(self) -> bool:
        return self.peak == self.at_least


def best_order(
    network: Network,
    batch: int = 1,
    *,
    in_place: bool = True,
    dtypes: Dtypes = Dtypes(),  # noqa: B008
    max_work: int = MAX_WORK,
) -> ExecutionOrder:
    """The order of least peak memory; if the search is too large, the best that it found.

    Only pieces of the network that decide the peak have another order than the spec.
    """
    graph = task_graph(network, batch, in_place=in_place, dtypes=dtypes)
    amounts = list(graph.alive_in(range(len(graph.tasks))))
    split = _Decomposition(graph, 0)
    pieces = [_piece(split, amounts, tasks) for tasks in graph.pieces(range(len(graph.tasks)))]
    peak = at_least = max(graph.alive_inputs, *(piece.at_least for piece in pieces), 0)
    order: list[int] = []
    for piece in pieces:
        best_piece = (
            piece if piece.peak <= at_least else _order_within(graph, piece, at_least, max_work)
        )
        order += best_piece.tasks
        peak, at_least = max(peak, best_piece.peak), max(at_least, best_piece.at_least)
    return ExecutionOrder(graph.steps(order), peak, at_least)


def reordered(network: Network, order: Sequence[int]) -> Network:
    """The network with its steps in another order. `order` are the indices of all steps."""
    new = {old: index for index, old in enumerate(order)}

    def moved(index: int) -> int:
        return new[index] if index >= 0 else index

    steps = []
    for old in order:
        step = network.steps[old]
        # A stored tensor reads nothing, so it can come first.
        inputs = (-1,) if step.layer.memory == "weights" else tuple(map(moved, step.inputs))
        shared = None if step.shared is None else moved(step.shared)
        steps.append(step._replace(inputs=inputs, shared=shared))
    groups = tuple(group._replace(output=moved(group.output)) for group in network.groups)
    return network._replace(steps=tuple(steps), groups=groups, last=moved(network.last))


class _Piece(NamedTuple):
    """Tasks in an order, its peak in bytes, and a lower bound of the peak of any other order.

    `others` are the bytes of tensors that are alive before and after, and not in `part`.
    """

    tasks: Sequence[int]
    peak: int
    at_least: int
    others: int
    part: Part


def _piece(
    decomposition: "_Decomposition", amounts: Sequence[tuple[int, int]], tasks: Sequence[int]
) -> _Piece:
    """Tasks in the order of the spec. `amounts` are the bytes alive before each task of the network
    and while it runs."""
    part = decomposition.part([decomposition.single(task) for task in tasks])
    others = amounts[tasks[0]][0] - part.alive(0)
    at_least = others + max(map(part.least_bytes, range(len(tasks))))
    return _Piece(tasks, max(amounts[task][1] for task in tasks), at_least, others, part)


def _order_within(graph: TaskGraph, piece: _Piece, bound: int, max_work: int) -> _Piece:
    """The tasks in the best order, if its peak exceeds a bound; otherwise in one within it."""
    best, at_least = piece, 0
    for work in (min(FEW_WORK, max_work), max_work):
        split = _Decomposition(graph, work)
        segments, at_least = split.best_order(piece.tasks, bound - piece.others)
        tasks = [task for segment in segments for task in segment.tasks]
        peak = piece.others + piece.part.peak(task - piece.tasks[0] for task in tasks)
        if split.exact:
            return piece._replace(tasks=tasks, peak=peak, at_least=peak)
        if peak < best.peak:
            best = best._replace(tasks=tasks, peak=peak)
        if peak <= bound:
            break
    return best._replace(at_least=max(piece.at_least, piece.others + at_least))


class _Decomposition:
    """A network split into pieces in series and groups in parallel, as far as this is possible.

    Each piece becomes a chain of segments. The peaks and the bytes after each segment fall along
    the chain, up to the segment with the fewest bytes after it; then both rise. If all searches end
    (`exact`), no other order of the piece is better, whatever runs between its segments.
    """

    def __init__(self, graph: TaskGraph, max_work: int) -> None:
        self.graph = graph
        self.max_work = max_work
        self.sizes = [tensor.bytes for tensor in graph.tensors]
        self.exact = True
        self._nesting = 0

    def best_order(self, tasks: Sequence[int], bound: int) -> tuple[list[Segment], int]:
        """The segments of a piece in their best order, and a lower bound of its peak; 0 if there is
        none."""
        segments = self.segments_of(tasks, frozenset())
        if len(segments) == 1:
            return segments, 0
        if len(segments) > MAX_SEGMENTS:
            self.exact = False
            return segments, 0
        part = self.part(segments)
        solution = OrderSearch(part, bound, self.max_work // len(segments)).run()
        at_least = 0
        if solution.at_least is not None:
            at_least = solution.at_least if self.exact else 0
            self.exact = False
        spec_order = range(len(segments))
        order = min(solution.order, spec_order, key=part.peak) if at_least else solution.order
        return [segments[number] for number in order], at_least

    def segments_of(self, tasks: Sequence[int], shared: frozenset[int]) -> list[Segment]:
        """The segments of a piece, of which those that read `shared` tensors are single tasks."""
        if len(tasks) == 1 or self._nesting > MAX_NESTING:
            return [self.single(task) for task in tasks]
        last = tasks[-1:] if self.joins(tasks) else []
        inner = tasks[: len(tasks) - len(last)]
        groups = self.groups(inner)
        if len(groups) == 1 and not last:
            return [self.single(task) for task in tasks]
        readers = Counter[int]()  # by tensor: the groups that read it
        for group in groups:
            readers.update({tensor for task in group for tensor in self.graph.tasks[task].reads})
        shared = shared.difference(*(self.graph.tasks[task].reads for task in last))
        several = (tensor for tensor, count in readers.items() if count > 1)
        shared |= {tensor for tensor in several if not self.is_kept(tensor, inner[-1])}
        self._nesting += 1
        segments = [segment for group in groups for segment in self.in_series(group, shared)]
        self._nesting -= 1
        return segments + [self.single(task) for task in last]

    def in_series(self, tasks: Sequence[int], shared: frozenset[int]) -> list[Segment]:
        """The segments of a group of tasks, which are pieces in series."""
        last_reads = {n: task for task in tasks for n in self.graph.tasks[task].reads}
        segments: list[Segment] = []
        chain: list[Segment] = []
        for piece in self.graph.pieces(tasks):
            # A shared tensor is alive until the group has read it for the last time.
            ending = frozenset(n for n in shared if last_reads.get(n) in piece)
            if ending:
                segments += [*self.merged(chain), *self.segments_of(piece, ending)]
                chain = []
            else:
                chain += self.best_order(piece, 0)[0]
        return segments + self.merged(chain)

    def merged(self, chain: list[Segment]) -> list[Segment]:
        """A chain of segments with as few segments as possible."""
        if not chain:
            return []
        part = self.part(chain)
        levels, costs = part.profile(range(len(chain)))
        inputs = tuple(n for n, tensor in part.tensors.items() if not tensor.writer)
        outputs = tuple(
            n for n, tensor in part.tensors.items() if tensor.writer and tensor.is_output
        )
        segments, reads = list[Segment](), inputs
        for first, stop in pairwise(ends_of_runs(levels, costs)):
            writes = outputs
            if stop < len(chain):
                writes = (len(self.sizes),)
                self.sizes.append(levels[stop])
            tasks = tuple(task for segment in chain[first:stop] for task in segment.tasks)
            extra_bytes = max(costs[first:stop]) - levels[first]
            segments.append(Segment(tasks, reads, writes, extra_bytes))
            reads = writes
        return segments

    def single(self, task: int) -> Segment:
        item = self.graph.tasks[task]
        return Segment(
            (task,), item.reads, (item.writes,), self.sizes[item.writes], item.overwrites
        )

    def part(self, segments: Sequence[Segment]) -> Part:
        end = max(task for segment in segments for task in segment.tasks)
        numbers = {n for segment in segments for n in (*segment.reads, *segment.writes)}
        return Part(segments, {n: (self.sizes[n], self.is_kept(n, end)) for n in numbers})

    def is_kept(self, tensor: int, end: int) -> bool:
        """Whether a tensor is alive after the task `end`."""
        if tensor >= len(self.graph.tensors):
            return False
        graph_tensor = self.graph.tensors[tensor]
        return graph_tensor.is_output or max(graph_tensor.readers, default=-1) > end

    def joins(self, tasks: Sequence[int]) -> bool:
        """Whether the last of the tasks depends on each other one."""
        inside, last = set(tasks[:-1]), tasks[-1]
        return all(
            any(reader in inside or reader == last for reader in self.readers(task))
            for task in inside
        )

    def readers(self, task: int) -> tuple[int, ...]:
        return self.graph.tensors[self.graph.tasks[task].writes].readers

    def groups(self, tasks: Sequence[int]) -> list[list[int]]:
        """Groups of tasks; no task depends on a task of another group."""
        leader = {task: task for task in tasks}

        def find(task: int) -> int:
            while leader[task] != task:
                leader[task] = task = leader[leader[task]]
            return task

        for task in tasks:
            for reader in self.readers(task):
                if reader in leader:
                    leader[find(reader)] = find(task)
        tasks_by_leader: dict[int, list[int]] = {}
        for task in tasks:
            tasks_by_leader.setdefault(find(task), []).append(task)
        return list(tasks_by_leader.values())
