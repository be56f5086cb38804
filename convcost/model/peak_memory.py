"""The memory that the tensors of one inference need at once, in elements and in bytes.

Layers run in the order of the spec. While a layer runs, its inputs and its output are alive, and so
is every tensor that a later layer reads. A tensor that no layer reads is an output of the network
and stays alive to the end. This is the liveness analysis of compilers; Pisarchyk and Lee,
"Efficient Memory Management for Deep Neural Net Inference", 2020, apply it to neural networks.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, islice

from convcost.model.costs import inputs_of, layer_input
from convcost.model.dtypes import Dtype, Dtypes
from convcost.model.network import Network, Step, is_view
from convcost.model.record import NamedTuple


class Buffer(NamedTuple):
    """The memory of one tensor, and of all tensors that are views of it or are written over it.

    `tensor` is the index of the step whose output is the first in the buffer; −1 − k is the k-th
    input of the network. The buffer is alive from the step `first` to the step `last`, both
    included.
    """

    tensor: int
    elements: int
    bytes: int
    first: int
    last: int


class Amount(NamedTuple):
    """Memory in elements and in bytes."""

    elements: int
    bytes: int


class PeakMemory(NamedTuple):
    """The largest sum of bytes that are alive at one step, and the first such step."""

    elements: int
    bytes: int
    step: int
    buffers: tuple[Buffer, ...]


def peak_memory(
    network: Network,
    batch: int = 1,
    *,
    in_place: bool = True,
    dtypes: Dtypes = Dtypes(),  # noqa: B008
) -> PeakMemory:
    """The peak memory over all steps, in the order of the spec.

    Raises ValueError for a network without layers.
    """
    return peak_of(network, buffers(network, batch, in_place=in_place, dtypes=dtypes))


def peak_of(network: Network, run_buffers: Sequence[Buffer]) -> PeakMemory:
    """The peak memory of a run with these buffers. Raises ValueError if there are no layers."""
    alive = alive_at_steps(network, run_buffers)
    step = max(range(len(alive)), key=lambda index: alive[index].bytes)
    return PeakMemory(
        *alive[step], step, tuple(b for b in run_buffers if b.first <= step <= b.last)
    )


def alive_at_steps(network: Network, run_buffers: Iterable[Buffer]) -> list[Amount]:
    """For each step the sums of all buffers that are alive."""
    elements, size = ([0] * (len(network.steps) + 2) for _ in Amount._fields)
    for buffer in run_buffers:
        elements[buffer.first] += buffer.elements
        elements[buffer.last + 1] -= buffer.elements
        size[buffer.first] += buffer.bytes
        size[buffer.last + 1] -= buffer.bytes
    sums = zip(accumulate(elements), accumulate(size), strict=True)
    return [Amount(*alive) for alive in islice(sums, len(network.steps))]


def buffers(
    network: Network,
    batch: int = 1,
    *,
    in_place: bool = True,
    dtypes: Dtypes = Dtypes(),  # noqa: B008
) -> list[Buffer]:
    """All buffers of a run of the network, in the order of their first steps.

    A view, such as flatten, has no buffer of its own. With `in_place`, a layer that computes each
    element from the same element of its inputs writes over an input that nothing reads later and
    that has the dtype of the output.
    """
    run = _Run(network, batch, dtypes)
    for index, step in enumerate(network.steps):
        memory = step.layer.memory
        if memory == "weights":
            run.owners[index] = None
        elif memory == "input":
            run.owners[index] = run.owners[step.inputs[0]]
        elif in_place and (owner := run.reusable(index, step)) is not None:
            run.write_over(index, owner)
        else:
            run.allocate(index, step.elements)
    return list(run.buffers.values())


def tensor_dtypes(network: Network, dtypes: Dtypes) -> dict[int, Dtype]:
    """The dtype of each tensor: the output of a step, or −1 − k for the k-th input. A view has the
    dtype of its input, and a stored tensor that of weights."""
    dtype_by_tensor: dict[int, Dtype] = {}
    for k, input_dtypes in enumerate(dtypes.for_paths(name for name, _ in network.inputs)):
        dtype_by_tensor[-1 - k] = input_dtypes.activations
    layers = dtypes.for_paths(step.path for step in network.steps)
    for index, (step, layer_dtypes) in enumerate(zip(network.steps, layers, strict=True)):
        memory = step.layer.memory
        dtype = layer_dtypes.weights if memory == "weights" else layer_dtypes.activations
        dtype_by_tensor[index] = dtype_by_tensor[step.inputs[0]] if memory == "input" else dtype
    return dtype_by_tensor


def overwritten(
    network: Network,
    index: int,
    owners: Mapping[int, int | None],
    dtypes: Mapping[int, Dtype],
    orders: Mapping[int, int],
) -> Iterator[int]:
    """The owners of the inputs that a step can write its output over, if nothing reads them later
    and they are as large: the output of the first layer of experts is larger than its input.

    A step that reads the same memory in two `orders`, such as through a transposition, cannot write
    over it.
    """
    step = network.steps[index]
    shapes = inputs_of(network, step)
    if not step.layer.overwrites(step.layer.select_inputs(shapes)):
        return
    orders_by_owner: dict[int | None, set[int]] = {}
    for tensor in step.reads:
        orders_by_owner.setdefault(owners[tensor], set()).add(orders[tensor])
    for tensor, shape in zip(step.inputs, shapes, strict=True):
        owner = owners[tensor]
        same = shape == step.shape and dtypes[tensor] == dtypes[index]
        if owner is not None and same and len(orders_by_owner.get(owner, ())) <= 1:
            yield owner


def tensor_orders(network: Network) -> dict[int, int]:
    """For each tensor the one whose elements it shows in the same order: of a view that only
    changes the shape, that of its input; of any other tensor itself."""
    return network.viewed(
        lambda step: is_view(step) and step.layer.is_positionwise(layer_input(network, step))
    )


class _Run:
    """The buffers of a run of a network, step by step."""

    def __init__(self, network: Network, batch: int, dtypes: Dtypes) -> None:
        self.network = network
        self.batch = batch
        self.last_reads = _last_reads(network)
        self.buffers: dict[int, Buffer] = {}
        # The buffer of each tensor; None: the tensor is among the weights.
        self.owners: dict[int, int | None] = {}
        self.dtypes = tensor_dtypes(network, dtypes)
        self.orders = tensor_orders(network)
        for k, (_, shape) in enumerate(network.inputs):
            tensor = self.owners[-1 - k] = -1 - k
            if tensor in self.last_reads:
                self.allocate(tensor, shape.elements)

    def allocate(self, tensor: int, elements: int) -> None:
        elements *= self.batch
        size = self.dtypes[tensor].bytes(elements)
        self.buffers[tensor] = Buffer(tensor, elements, size, max(tensor, 0), self._last(tensor))
        self.owners[tensor] = tensor

    def write_over(self, tensor: int, owner: int) -> None:
        self.owners[tensor] = owner
        self.buffers[owner] = self.buffers[owner]._replace(last=self._last(tensor))

    def reusable(self, index: int, step: Step) -> int | None:
        """The first buffer that a step can write its output over; None if there is none."""
        for owner in overwritten(self.network, index, self.owners, self.dtypes, self.orders):
            buffer = self.buffers[owner]
            if buffer.last == index and buffer.elements == step.elements * self.batch:
                return owner
        return None

    def _last(self, tensor: int) -> int:
        return self.last_reads.get(tensor, len(self.network.steps))


def _last_reads(network: Network) -> dict[int, int]:
    """The last step that reads each tensor or a view of it; an output of the network has none."""
    last_read_by_tensor: dict[int, int] = {}
    for index in reversed(range(len(network.steps))):
        step = network.steps[index]
        last = index
        if step.layer.memory == "input":
            last = last_read_by_tensor.get(index, len(network.steps))
        for tensor in step.reads:
            last_read_by_tensor[tensor] = max(last_read_by_tensor.get(tensor, 0), last)
    return last_read_by_tensor
