"""A network as tasks that read and write tensors; views and stored tensors are not tasks.

A task that reads no tensor comes right before the first task that reads its output: in no order is
it better to run it earlier.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from convcost.model.dtypes import Dtypes
from convcost.model.network import Network, Step
from convcost.model.peak_memory import overwritten, tensor_dtypes, tensor_orders
from convcost.model.record import NamedTuple

INPUT = NOT_YET = -1  # in the place of the writer of a tensor


class TaskTensor(NamedTuple):
    """The bytes of a tensor, the number of the task that writes it, and of those that read it.

    The writer of an input of the network is −1. An output is alive to the end.
    """

    bytes: int
    writer: int
    readers: tuple[int, ...]
    is_output: bool


class Task(NamedTuple):
    """A step that reads and writes tensors of its own memory.

    `reads` and `writes` are indices of tensors; the output can be written over those of
    `overwrites`.
    """

    step: int
    reads: tuple[int, ...]
    writes: int
    overwrites: tuple[int, ...]


class TaskGraph(NamedTuple):
    """The tasks of a network and their tensors. No task comes before one that it depends on."""

    network: Network
    tasks: tuple[Task, ...]
    tensors: tuple[TaskTensor, ...]

    @property
    def alive_inputs(self) -> int:
        """The bytes that are alive before the first task."""
        inputs = (tensor for tensor in self.tensors if tensor.writer < 0)
        return sum(tensor.bytes for tensor in inputs if tensor.readers or tensor.is_output)

    def pieces(self, tasks: Sequence[int]) -> Iterator[Sequence[int]]:
        """Tasks in order, split after each one that every other task leads to or depends on."""
        first = 0
        for place, is_end in enumerate(self._ends(tasks)):
            if is_end:
                yield tasks[first : place + 1]
                first = place + 1

    def _ends(self, tasks: Sequence[int]) -> list[bool]:
        """For each task, whether it ends a piece: every other task leads to it or depends on it."""
        count = len(tasks)
        places = {task: place for place, task in enumerate(tasks)}
        # For each place, how many of the tasks before and at it lead to none of these, and how many
        # of the tasks at and after it depend on none of these. If both are 1, only the task at
        # this place is among them.
        leading, depending = [0] * (count + 1), [0] * (count + 1)
        for place, number in enumerate(tasks):
            task = self.tasks[number]
            readers = (places.get(reader, count) for reader in self.tensors[task.writes].readers)
            leading[place] += 1
            leading[min(readers, default=count)] -= 1
            if task.reads:
                writers = [self.tensors[tensor].writer for tensor in task.reads]
                leaders = (places.get(n, -1) for n in writers if n >= 0 and self.tasks[n].reads)
                depending[max(leaders, default=-1) + 1] += 1
                depending[place + 1] -= 1
        both = zip(accumulate(leading), accumulate(depending), strict=True)
        ends = [before == after == 1 for before, after in both][:count]
        return [*ends[:-1], True] if ends else []

    def alive_in(self, order: Iterable[int]) -> Iterator[tuple[int, int]]:
        """The bytes that are alive before each task of a whole order, and while it runs."""
        alive = self.alive_inputs
        left = [len(tensor.readers) + tensor.is_output for tensor in self.tensors]
        for number in order:
            task = self.tasks[number]
            for tensor in task.reads:
                left[tensor] -= 1
            size = self.tensors[task.writes].bytes
            yield alive, alive + (0 if any(not left[n] for n in task.overwrites) else size)
            freed = sum(self.tensors[tensor].bytes for tensor in task.reads if not left[tensor])
            alive += (size if left[task.writes] else 0) - freed

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
        indices: list[int] = []
        stack = [*inputs, *stored, *(self.tasks[task].step for task in order)][::-1]
        while stack:
            index = stack.pop()
            if index >= 0:
                indices.append(index)
            stack += reversed(views.get(index, ()))
        return tuple(indices)


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
        # By tensor: its bytes, the task that writes it, and the tasks that read it.
        self.sizes: list[int] = []
        self.writers: list[int] = []
        self.readers: list[list[int]] = []
        # By step, or -1 - k for input k: its tensor. A view has that of its input; stored, None.
        self.tensors: dict[int, int | None] = {}
        self.dtypes = tensor_dtypes(network, dtypes)
        self.orders = tensor_orders(network)
        self.read: set[int] = set()  # steps whose output another step reads
        self.sources: dict[int, Task] = {}  # tasks that read no tensor, until another reads theirs
        for k, (_, shape) in enumerate(network.inputs):
            self.tensors[-1 - k] = self._tensor(self._bytes(-1 - k, shape.elements), INPUT)

    def _bytes(self, index: int, elements: int) -> int:
        return self.dtypes[index].bytes(elements * self.batch)

    def _tensor(self, size: int, writer: int) -> int:
        self.sizes.append(size)
        self.writers.append(writer)
        self.readers.append([])
        return len(self.sizes) - 1

    def add(self, index: int, step: Step, *, in_place: bool) -> None:
        if step.layer.memory == "weights":
            self.tensors[index] = None
            return
        self.read.update(step.reads)
        if step.layer.memory == "input":
            self.tensors[index] = self.tensors[step.inputs[0]]
            return
        reads = tuple(dict.fromkeys(n for i in step.reads if (n := self.tensors[i]) is not None))
        size = self._bytes(index, step.elements)
        to_overwrite: tuple[int, ...] = ()
        if in_place:
            same = overwritten(self.network, index, self.tensors, self.dtypes, self.orders)
            to_overwrite = tuple(tensor for tensor in same if self.sizes[tensor] == size)
        self.tensors[index] = written = self._tensor(size, NOT_YET)
        task = Task(index, reads, written, to_overwrite)
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

    def build(self) -> TaskGraph:
        for source in self.sources.values():
            self._append(source)
        steps = range(len(self.network.steps))
        outputs = {self.tensors[index] for index in steps if index not in self.read}
        fields = zip(self.sizes, self.writers, self.readers, strict=True)
        tensors = (
            TaskTensor(size, writer, tuple(readers), tensor in outputs)
            for tensor, (size, writer, readers) in enumerate(fields)
        )
        return TaskGraph(self.network, tuple(self.tasks), tuple(tensors))
