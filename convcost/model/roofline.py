"""The roofline of a device: what limits each layer, and a lower bound of its time.

A layer reads its inputs and weights once and writes its output once. Its time is at least that of
its multiply-adds at the peak rate of the device, and at least that of its bytes at the peak
bandwidth (Williams, Waterman and Patterson, "Roofline", Communications of the ACM, 2009).
"""

from math import prod
from typing import Any, Literal, TypeAlias

from convcost.model.costs import Costs, inputs_of
from convcost.model.dtypes import Dtypes
from convcost.model.errors import ConstraintError
from convcost.model.kind import Kind
from convcost.model.network import Step
from convcost.model.peak_memory import tensor_dtypes
from convcost.model.record import NamedTuple
from convcost.model.shape import Shape
from convcost.model.stored_bytes import StoredBytes, stored_bytes
from convcost.model.window import count_covered

Limit: TypeAlias = Literal["compute", "memory", ""]  # "" of a layer that moves no bytes
PICOSECONDS = 10**12


class Device(NamedTuple):
    """A device; `ram` and `flash` are bytes, `bandwidth` is bytes a second.

    `macs` are multiply-adds a second by dtype. Without `flash`, weights are in RAM.
    """

    name: str
    source: str
    ram: int
    flash: int | None = None
    bandwidth: int | None = None
    macs: tuple[tuple[str, int], ...] = ()
    note: str = ""

    def rate(self, dtype: str) -> int:
        """Multiply-adds a second. Raises ConstraintError if the device has no figure."""
        rate_by_dtype = dict(self.macs)
        if dtype not in rate_by_dtype:
            names = ", ".join(rate_by_dtype) or "no other dtype"
            message = f"the device {self.name} has no peak rate for {dtype}"
            raise ConstraintError("CC112", message, f"it has rates for {names}")
        return rate_by_dtype[dtype]


class Traffic(NamedTuple):
    """The bytes that a layer reads and writes, for the whole batch."""

    read: int
    written: int

    @property
    def bytes(self) -> int:
        return self.read + self.written


class LayerBound(NamedTuple):
    """What limits a layer on a device, and the least time that it takes, rounded down.

    `limit` is None if its macs are not known, and the known ones take no longer than its bytes.
    """

    limit: Limit | None
    picoseconds: int


def traffic(costs: Costs, dtypes: Dtypes) -> list[Traffic]:
    """The bytes that each layer reads and writes.

    Each input and each weight counts once, and a view counts nothing. A convolution does not read
    the positions that none of its windows covers, and a transposed one those whose outputs are all
    removed; `Kind.most_read` says what others do not read.
    """
    network = costs.network
    stored = list(stored_bytes(costs.layers, dtypes))
    types = tensor_dtypes(network, dtypes)
    viewed = network.viewed()
    layer_traffic = []
    for index, step in enumerate(network.steps):
        if step.layer.memory != "own":
            layer_traffic.append(Traffic(0, 0))
            continue
        read_elements = _read_elements(step.layer, inputs_of(network, step), step.shape)
        read = _stored_read(costs, step, index, stored)
        most: dict[int, int] = {}  # one tensor can be read twice, also through a view
        for view, elements in zip(step.inputs, read_elements, strict=True):
            tensor = viewed[view]
            most[tensor] = max(most.get(tensor, 0), elements)
        for tensor, elements in most.items():
            is_stored = tensor >= 0 and network.steps[tensor].layer.memory == "weights"
            times = 1 if is_stored else costs.batch
            times *= network.steps[tensor].copies.used if tensor >= 0 else 1
            read += types[tensor].bytes(elements * times)
        written = types[index].bytes(step.elements * costs.batch)
        layer_traffic.append(Traffic(read, written))
    return layer_traffic


def bounds(costs: Costs, dtypes: Dtypes, device: Device) -> list[LayerBound]:
    """The bound of each layer on a device. The device must have a bandwidth.

    Raises ConstraintError if it has no rate for the dtype of a layer with multiply-adds.
    """
    assert device.bandwidth is not None
    types = dtypes.for_paths(layer.path for layer in costs.layers)
    layer_bounds = []
    for layer, layer_dtypes, layer_traffic in zip(
        costs.layers, types, traffic(costs, dtypes), strict=True
    ):
        rate = 1
        if layer.macs:
            wider = max(
                layer_dtypes.activations, layer_dtypes.weights, key=lambda dtype: dtype.bits
            )
            rate = device.rate(wider.name.partition("/")[0])
        compute, memory = layer.macs * device.bandwidth, layer_traffic.bytes * rate
        limit: Limit | None = "memory" if memory else ""
        if compute > memory:
            limit = "compute"
        elif layer.counts.uncounted:
            limit = None
        seconds = max(compute, memory) * PICOSECONDS // (rate * device.bandwidth)
        layer_bounds.append(LayerBound(limit, seconds))
    return layer_bounds


def _stored_read(costs: Costs, step: Step, index: int, stored: list[StoredBytes]) -> int:
    """The bytes of weights, biases and buffers that a layer reads.

    Of a table, a layer reads at most as many rows as it looks up. Of experts, it reads at least as
    many as one position takes: all positions may take the same ones.
    """
    owner = index if step.shared is None else step.shared
    copies = costs.network.steps[owner].copies
    used = prod(choice.take for choice in step.copies.choices[: len(copies.choices)])
    total = -(-stored[owner].total * used // copies.stored)
    elements = costs.layers[owner].counts.weights
    if step.layer.operation != "lookup" or not elements:
        return total
    return min(total, -(-total * step.shape.elements * costs.batch // elements))


def _read_elements(layer: Kind[Any], shapes: tuple[Shape, ...], output: Shape) -> tuple[int, ...]:
    """The elements of each input that a layer reads, for one sample; 0 if it only gives a shape."""
    data = len(shapes) if layer.data_inputs is None else layer.data_inputs
    element_counts = [shape.elements for shape in shapes[:data]] + [0] * len(shapes[data:])
    x = layer.select_inputs(shapes)
    windows = layer.windows(x)
    if len(windows) == len(shapes[0].size):
        element_counts[0] = shapes[0].channels * prod(map(count_covered, windows))
    if layer.operation == "move":
        element_counts = [min(elements, output.elements) for elements in element_counts]
    most = layer.most_read(x)
    return (*map(min, element_counts, most), *element_counts[len(most) :])
