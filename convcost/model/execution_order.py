"""The order of layers with the least peak memory.

The bytes that are alive depend only on the set of layers that have run, and they are a submodular
function of this set. So a chain of layers can run at once, without loss, if it ends with no more
bytes alive than before and does not exceed the bound on the way. The same holds backwards from the
end. What is left is a search over sets, lowest peak first. On series-parallel networks little is
left (compare Liu, "An application of generalized tree pebbling to sparse matrix factorization",
SIAM J. Algebraic Discrete Methods 8(3), 1987, and Kayaaslan et al., "Scheduling series-parallel
task graphs to minimize peak memory", Theoretical Computer Science 707, 2018).
"""

from collections.abc import Sequence
from heapq import heappop, heappush

from convcost.model.dtypes import Dtypes
from convcost.model.network import Network
from convcost.model.record import NamedTuple
from convcost.model.task_graph import Part, members, task_graph

MAX_TASKS = 300  # of a part; the steps before the search of sets grow with the cube of the tasks
MAX_WORK = 500_000  # sets that are visited, times the tasks of the part


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
    """The order of least peak memory; if the search is too large, the best that it found."""
    graph = task_graph(network, batch, in_place=in_place, dtypes=dtypes)
    order: list[int] = []
    peak = at_least = graph.alive_inputs
    for part in graph.parts():
        found, bound = _OrderSearch(part, max_work // len(part.tasks)).run()
        first = len(order)
        order += [first + task for task in found]
        peak, at_least = max(peak, part.peak(found)), max(at_least, bound)
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


class _OrderSearch:
    """The search for the best order of the tasks of one part."""

    def __init__(self, part: Part, max_states: int) -> None:
        self.part = part
        self.max_states = max_states

    def run(self) -> tuple[list[int], int]:
        """The order, and a lower bound of the peak of any order."""
        part = self.part
        own = list(range(len(part.tasks)))
        bound = max(map(part.least, own))
        if part.peak(own) == bound or len(own) > MAX_TASKS:
            return own, bound
        target, last = self._backwards(bound)
        known = min(own, self._greedy(target) + last, key=part.peak)
        found, bound = self._search(bound, target, part.peak(known))
        return (known if found is None else found + last), bound

    def _search(self, bound: int, target: int, known: int) -> tuple[list[int] | None, int]:
        """The best order of the tasks of a set, and a lower bound of the peak of any order.

        The order is None if the peak `known` is the best, or if there are too many states.
        """
        heap = [(bound, 0, 0)]
        before: dict[int, tuple[int, tuple[int, ...]]] = {}
        best = {0: bound}
        while heap:
            peak, _, state = heappop(heap)
            if best[state] < peak:
                continue
            if state == target:
                return _path(state, before), peak
            if len(best) > self.max_states:
                return None, peak
            for tasks in self._runs(state, target, peak):
                reached, after = peak, state
                for task in tasks:
                    reached = max(reached, self.part.cost(task, after))
                    after = self.part.after(task, after)
                if reached < min(known, best.get(after, known)):
                    best[after], before[after] = reached, (state, tasks)
                    heappush(heap, (reached, -after.bit_count(), after))
        return None, known

    def _runs(self, state: int, target: int, bound: int) -> list[tuple[int, ...]]:
        """What can run next: each task, or only a run of tasks that loses nothing."""
        ready = self._ready(state, target)
        run = self._free_chain(state, target, bound, ready) or self._free_readers(
            state, bound, ready
        )
        return [run] if run else [(task,) for task in ready]

    def _ready(self, state: int, target: int) -> list[int]:
        return [task for task in members(target & ~state) if self.part.is_ready(task, state)]

    def _free_chain(self, state: int, target: int, bound: int, ready: list[int]) -> tuple[int, ...]:
        """A chain of tasks that stays within the bound, with no more bytes alive after than before;
        empty if there is none."""
        part, alive = self.part, self.part.alive(state)
        for task in ready:
            chain: list[int] = []
            after, following = state, [task]
            while len(following) == 1 and part.cost(following[0], after) <= bound:
                chain += following
                after |= 1 << chain[-1]
                if part.alive(after) <= alive:
                    return tuple(chain)
                following = [
                    one
                    for one in part.followers[chain[-1]]
                    if target >> one & 1 and part.is_ready(one, after)
                ]
        return ()

    def _free_readers(self, state: int, bound: int, ready: list[int]) -> tuple[int, ...]:
        """All readers of a tensor that stay within the bound, with no more bytes alive after than
        before; empty if there are none.

        Only all of them together free the tensor: any other set of them adds to what is alive.
        """
        part, alive = self.part, self.part.alive(state)
        for readers in part.pending_readers(state, ready):
            if any(part.alive(state | 1 << task) < alive for task in readers):
                continue
            after, peak = state, 0
            for task in readers:
                peak = max(peak, part.cost(task, after))
                after |= 1 << task
            if peak <= bound and part.alive(after) <= alive:
                return readers
        return ()

    def _backwards(self, bound: int) -> tuple[int, list[int]]:
        """The set of tasks after which the rest has a best order, and the rest in this order."""
        state, last = self.part.all, list[int]()
        while chain := self._last_chain(state, bound):
            for task in chain:
                state &= ~(1 << task)
            last += chain
        return state, last[::-1]

    def _last_chain(self, state: int, bound: int) -> list[int]:
        """A chain of tasks, the last first, that stays within the bound, with no more bytes alive
        before than after; empty if there is none."""
        part, alive = self.part, self.part.alive(state)
        for task in members(state):
            chain: list[int] = []
            before, following = state, [task] if part.is_last(task, state) else []
            while len(following) == 1 and not part.is_written_over_by_others(following[0]):
                before &= ~(1 << following[0])
                if part.cost(following[0], before) > bound:
                    break
                chain += following
                if part.alive(before) <= alive:
                    return chain
                following = [one for one in part.leaders[chain[-1]] if part.is_last(one, before)]
        return []

    def _greedy(self, target: int) -> list[int]:
        """An order that always runs the task after which the least bytes are alive."""
        state, order = 0, list[int]()
        while state != target:
            options = ((self.part.alive(state | 1 << n), n) for n in self._ready(state, target))
            order.append(min(options)[1])
            state |= 1 << order[-1]
        return order


def _path(state: int, before: dict[int, tuple[int, tuple[int, ...]]]) -> list[int]:
    runs = []
    while state:
        state, tasks = before[state]
        runs.append(tasks)
    return [task for tasks in reversed(runs) for task in tasks]
