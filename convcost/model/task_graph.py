"""A network as tasks that read and write tensors; views and stored tensors are no tasks.

A task that reads no tensor comes right before the first task that reads its output: in no order is
it better to run it earlier.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from convcost.model.costs import inputs_of
from convcost.model.dtypes import Dtype, Dtypes
from convcost.model.network import Network, Step
from convcost.model.record import NamedTuple

INPUT = NOT_YET = -1  # in the place of the writer of a tensor


class TaskTensor(NamedTuple):
    """The bytes of a tensor, the number of the task that writes it, and of those that read it.

    The writer of an input of the network is −1. A `kept` tensor is alive to the end.
    """

    bytes: int
    writer: int
    readers: tuple[int, ...]
    kept: bool


class Task(NamedTuple):
    """A step that reads and writes tensors of its own memory.

    `reads` and `writes` are indices of tensors; the output can be written over those of
    `overwrites`.
    """

    step: int
    reads: tuple[int, ...]
    writes: int
    overwrites: tuple[int, ...]


class LocalTensor(NamedTuple):
    """A tensor that a part of a network reads or writes, with sets of tasks of this part.

    `writer` is empty if the tensor is alive before the part, `kept` is whether it is alive after.
    """

    bytes: int
    writer: int
    readers: int
    kept: bool


class Part:
    """Some tasks that run after all of the ones before, and before all of the ones after.

    Sets of these tasks are integers: bit n is the n-th. `others` are the bytes of all tensors that
    are alive meanwhile and that no task of the part reads or writes.
    """

    def __init__(
        self, tasks: Sequence[Task], first: int, tensors: Sequence[TaskTensor], before: int
    ) -> None:
        self.tasks = tasks
        numbers = dict.fromkeys(n for task in tasks for n in (*task.reads, task.writes))
        self.tensors = {number: _local(tensors[number], first, len(tasks)) for number in numbers}
        self._kept = {n for n, tensor in self.tensors.items() if not tensor.writer and tensor.kept}
        self._kept_bytes = sum(self.tensors[number].bytes for number in self._kept)
        self._alive: dict[int, int] = {}
        self.others = 0
        self.others = before - self.alive(0)
        self._alive.clear()
        self.all = (1 << len(tasks)) - 1
        self._needs = [
            sum({self.tensors[number].writer for number in task.reads}) for task in tasks
        ]
        self.leaders = [list(members(needed)) for needed in self._needs]
        self.followers: list[list[int]] = [[] for _ in tasks]
        for task, leaders in enumerate(self.leaders):
            for leader in leaders:
                self.followers[leader].append(task)
        self._sources = sum(1 << n for n, task in enumerate(tasks) if not task.reads)
        self._feeds = [sum(1 << task for task in followers) for followers in self.followers]

    def alive(self, state: int) -> int:
        """The bytes that are alive after the tasks of a set have run."""
        if state not in self._alive:
            self._alive[state] = self.others + sum(
                tensor.bytes
                for tensor in self.tensors.values()
                if (not tensor.writer or tensor.writer & state)
                and (tensor.kept or tensor.readers & ~state)
            )
        return self._alive[state]

    def after(self, task: int, state: int) -> int:
        """The set of tasks after another one has run. What is alive follows from what was."""
        result = state | 1 << task
        if result not in self._alive:
            own, left = self.tasks[task], ~result
            written = self.tensors[own.writes]
            freed = sum(
                tensor.bytes
                for tensor in map(self.tensors.__getitem__, own.reads)
                if not tensor.kept and not tensor.readers & left
            )
            added = written.bytes if written.kept or written.readers & left else 0
            self._alive[result] = self.alive(state) + added - freed
        return result

    def cost(self, task: int, state: int) -> int:
        """The bytes that are alive while a task runs after those of a set."""
        own = self.tasks[task]
        left = ~state & ~(1 << task)
        over = any(
            not self.tensors[number].kept and not self.tensors[number].readers & left
            for number in own.overwrites
        )
        return self.alive(state) + (0 if over else self.tensors[own.writes].bytes)

    def peak(self, order: Iterable[int]) -> int:
        state, peak = 0, 0
        for task in order:
            peak = max(peak, self.cost(task, state))
            state = self.after(task, state)
        return peak

    def least(self, task: int) -> int:
        """A lower bound of the bytes that are alive while a task runs, in any order."""
        own = self.tasks[task]
        over = any(not self.tensors[number].kept for number in own.overwrites)
        written = 0 if over else self.tensors[own.writes].bytes
        read = sum(self.tensors[number].bytes for number in own.reads if number not in self._kept)
        return self.others + written + self._kept_bytes + read

    def is_ready(self, task: int, state: int) -> bool:
        if state >> task & 1 or self._needs[task] & ~state:
            return False
        if self.tasks[task].reads or not self.followers[task]:
            return True
        left = ~state & ~self._sources
        return any(not self._needs[one] & left for one in self.followers[task])

    def is_last(self, task: int, state: int) -> bool:
        """Whether a task is in a set, and no other task of it depends on this one."""
        return bool(state >> task & 1) and not self._feeds[task] & state

    def is_written_over_by_others(self, task: int) -> bool:
        """Whether another task, if it runs after this one, can write over an input of this one."""
        return any(
            number in self.tasks[other].overwrites
            for number in self.tasks[task].reads
            for other in members(self.tensors[number].readers & ~(1 << task))
        )

    def pending_readers(self, state: int, ready: Sequence[int]) -> Iterator[tuple[int, ...]]:
        """For each tensor that is alive, and whose remaining readers can all run now: the readers.
        One that can write over it is the last."""
        able = sum(1 << task for task in ready)
        for number in dict.fromkeys(n for task in ready for n in self.tasks[task].reads):
            tensor = self.tensors[number]
            left = tensor.readers & ~state
            several = left & (left - 1)
            if several and not tensor.kept and not left & ~able and self._are_apart(left, number):
                yield tuple(sorted(members(left), key=lambda one: self._over(one, number)))

    def _are_apart(self, tasks: int, shared: int) -> bool:
        """Whether tasks read no tensor together but one."""
        return all(
            not self.tensors[number].readers & tasks & ~(1 << task)
            for task in members(tasks)
            for number in self.tasks[task].reads
            if number != shared
        )

    def _over(self, task: int, number: int) -> bool:
        return number in self.tasks[task].overwrites


def _local(tensor: TaskTensor, first: int, count: int) -> LocalTensor:
    inside = range(first, first + count)
    writer = 1 << tensor.writer - first if tensor.writer in inside else 0
    readers = sum(1 << reader - first for reader in tensor.readers if reader in inside)
    later = any(reader >= inside.stop for reader in tensor.readers)
    return LocalTensor(tensor.bytes, writer, readers, tensor.kept or later)


class TaskGraph:
    """The tasks of a network and their tensors. No task comes before one that it depends on."""

    def __init__(
        self, network: Network, tasks: tuple[Task, ...], tensors: tuple[TaskTensor, ...]
    ) -> None:
        self.network = network
        self.tasks = tasks
        self.tensors = tensors

    @property
    def alive_inputs(self) -> int:
        """The bytes that are alive before the first task."""
        inputs = (one for one in self.tensors if one.writer < 0)
        return sum(one.bytes for one in inputs if one.readers or one.kept)

    def parts(self) -> Iterator[Part]:
        """The parts of the network, each up to a task that all others lead to or depend on."""
        alive = sum(
            one.bytes for one in self.tensors if one.writer < 0 and (one.readers or one.kept)
        )
        first = 0
        for task in (task for task, is_end in enumerate(self._ends()) if is_end):
            tasks = self.tasks[first : task + 1]
            yield Part(tasks, first, self.tensors, alive)
            alive += self._change(tasks, task)
            first = task + 1

    def _change(self, tasks: Sequence[Task], last: int) -> int:
        """The bytes that are alive after a part, up to the task `last`, beyond those before it."""
        change = 0
        for task in tasks:
            written = self.tensors[task.writes]
            if written.kept or any(reader > last for reader in written.readers):
                change += written.bytes
        written_here = {task.writes for task in tasks}
        for number in {n for task in tasks for n in task.reads} - written_here:
            read = self.tensors[number]
            if not read.kept and max(read.readers) <= last:
                change -= read.bytes
        return change

    def _ends(self) -> list[bool]:
        """Whether each task ends a part: each other task leads to it, or depends on it."""
        count = len(self.tasks)
        writers = ([self.tensors[n].writer for n in task.reads] for task in self.tasks)
        leaders = [[n for n in own if n >= 0 and self.tasks[n].reads] for own in writers]
        followers = [self.tensors[task.writes].readers for task in self.tasks]
        # The number of tasks up to each one that lead to none of them, and of tasks from each one
        # that depend on none of them. Both are 1 if it is the task itself.
        leading, depending = [0] * (count + 1), [0] * (count + 1)
        for task in range(count):
            leading[task] += 1
            leading[min(followers[task], default=count)] -= 1
            if self.tasks[task].reads:
                depending[max(leaders[task], default=-1) + 1] += 1
                depending[task + 1] -= 1
        both = zip(accumulate(leading), accumulate(depending), strict=True)
        found = [one == other == 1 for one, other in both][:count]
        return [*found[:-1], True] if found else []

    def steps(self, order: Sequence[int]) -> tuple[int, ...]:
        """The indices of the network's steps if its tasks run in `order`. Each view comes right
        after its tensor."""
        views: dict[int, list[int]] = {}
        stored = []
        for index, step in enumerate(self.network.steps):
            if step.layer.memory == "weights":
                stored.append(index)
            elif step.layer.memory == "input":
                views.setdefault(step.inputs[0], []).append(index)
        inputs = [-1 - k for k in range(len(self.network.inputs))]
        found: list[int] = []
        stack = [*inputs, *stored, *(self.tasks[task].step for task in order)][::-1]
        while stack:
            index = stack.pop()
            if index >= 0:
                found.append(index)
            stack += reversed(views.get(index, ()))
        return tuple(found)


def task_graph(network: Network, batch: int, *, in_place: bool, dtypes: Dtypes) -> TaskGraph:
    """The tasks of a network in the order of its steps, with the bytes of a batch."""
    graph = _TaskGraphBuilder(network, batch, dtypes)
    for index, step in enumerate(network.steps):
        graph.add(index, step, in_place=in_place)
    return graph.build()


class _TaskGraphBuilder:
    """Collects the tasks and tensors of a network, step by step."""

    def __init__(self, network: Network, batch: int, dtypes: Dtypes) -> None:
        self.network = network
        self.batch = batch
        self.tasks: list[Task] = []
        self.sizes: list[int] = []
        self.writers: list[int] = []
        self.readers: list[list[int]] = []
        self.tensors: dict[int, int | None] = {}  # of each output; None: it is stored
        self.dtypes: dict[int, Dtype] = {}
        self.read: set[int] = set()
        self.sources: dict[int, Task] = {}  # tasks that read no tensor, until another reads theirs
        self.own = dtypes.of(step.path for step in network.steps)
        inputs = dtypes.of(name for name, _ in network.inputs)
        for k, own in enumerate(inputs):
            elements = network.inputs[k][1].elements
            self.tensors[-1 - k] = self._tensor(-1 - k, elements, own.activations, INPUT)

    def _tensor(self, index: int, elements: int, dtype: Dtype, writer: int) -> int:
        self.dtypes[index] = dtype
        self.sizes.append(dtype.bytes(elements * self.batch))
        self.writers.append(writer)
        self.readers.append([])
        return len(self.sizes) - 1

    def add(self, index: int, step: Step, *, in_place: bool) -> None:
        memory, dtype = step.layer.memory, next(self.own).activations
        if memory == "weights":
            self.tensors[index] = None
            return
        inputs = step.inputs[: step.layer.data_inputs]
        self.read.update(inputs)
        if memory == "input":
            self.tensors[index] = self.tensors[step.inputs[0]]
            self.dtypes[index] = self.dtypes.get(step.inputs[0], dtype)
            return
        reads = tuple(dict.fromkeys(n for one in inputs if (n := self.tensors[one]) is not None))
        over = self._overwritten(step, dtype) if in_place else ()
        self.tensors[index] = written = self._tensor(index, step.elements, dtype, NOT_YET)
        task = Task(index, reads, written, over)
        if reads:
            for source in [self.sources.pop(n) for n in reads if n in self.sources]:
                self._append(source)
            self._append(task)
        else:
            self.sources[written] = task

    def _append(self, task: Task) -> None:
        number = len(self.tasks)
        self.writers[task.writes] = number
        for tensor in task.reads:
            self.readers[tensor].append(number)
        self.tasks.append(task)

    def _overwritten(self, step: Step, dtype: Dtype) -> tuple[int, ...]:
        """The tensors that a step can write its output over, if nothing else reads them later."""
        shapes = inputs_of(self.network, step)
        if not step.layer.overwrites(step.layer.select_inputs(shapes)):
            return ()
        same = (
            self.tensors[one]
            for one, shape in zip(step.inputs, shapes, strict=True)
            if shape == step.shape and self.dtypes.get(one) == dtype
        )
        size = dtype.bytes(step.elements * self.batch)
        # The first layer of an expert has more elements than its input.
        return tuple(one for one in same if one is not None and self.sizes[one] == size)

    def build(self) -> TaskGraph:
        for source in self.sources.values():
            self._append(source)
        steps = range(len(self.network.steps))
        outputs = {self.tensors[index] for index in steps if index not in self.read}
        lists = zip(self.sizes, self.writers, self.readers, strict=True)
        tensors = (
            TaskTensor(size, writer, tuple(readers), number in outputs)
            for number, (size, writer, readers) in enumerate(lists)
        )
        return TaskGraph(self.network, tuple(self.tasks), tuple(tensors))


def members(tasks: int) -> Iterator[int]:
    """The numbers of the bits of a set."""
    while tasks:
        lowest = tasks & -tasks
        yield lowest.bit_length() - 1
        tasks ^= lowest
