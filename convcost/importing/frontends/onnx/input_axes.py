"""Finds which axes of an input are the batch and the channels, from the operators that read it,
otherwise from its dims."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from convcost.importing.frontends.onnx.graph import OnnxNode
from convcost.importing.frontends.onnx.registry import has, row_of
from convcost.importing.ir.constant import Constant
from convcost.importing.ir.operator_graph import readers_of
from convcost.importing.ir.ops import Trait
from convcost.importing.ir.tensor import SEQUENCE_RANK
from convcost.importing.passes.channel_axis import AxisReader, channel_axis
from convcost.importing.passes.model_inputs import MAX_COLOURS

MAX_JOINS = 5  # joins between an input and the operator that reads it


class InputReaders:
    """The operators that read each tensor of a graph."""

    def __init__(self, nodes: Sequence[OnnxNode]) -> None:
        self.by_tensor = readers_of(nodes)
        self._outputs = {output for node in nodes for output in node.outputs}

    def through_joins(self, name: str) -> list[OnnxNode]:
        """The operators that read an input, also through joins with constants."""
        names, reader_nodes = [name], list[OnnxNode]()
        for tensor in names:  # it grows
            for node in self.by_tensor.get(tensor, ()):
                dependent = {x for x in node.inputs if x == name or x in self._outputs}
                joins = row_of(node.op).op == "identity" or has(node.op, Trait.JOINS, Trait.CHOOSES)
                if joins and len(dependent) == 1 and len(names) < MAX_JOINS:
                    names += [other for other in node.outputs if other not in names]
                else:
                    reader_nodes.append(node)
        return reader_nodes


def input_channel(
    readers: InputReaders,
    name: str,
    extents: Sequence[int | None],
    shapes: Mapping[str, Sequence[int]],
) -> int:
    """The channel axis of an input with at least two axes: the second one, or the last one. It is
    the last one if the model moves that to the front, or if only the last one is small enough for
    the colours of an image. An extent is None if it is open."""
    rank = len(extents)
    if rank < SEQUENCE_RANK:
        return 1
    axis = channel_axis(name, axis_readers(readers, shapes)) if rank == SEQUENCE_RANK else None
    if axis:  # axis 0 is the batch
        return axis
    reader_nodes = readers.through_joins(name)
    if any(node.op in ("Conv", "MaxPool", "AveragePool") for node in reader_nodes):
        return 1
    orders = [node.attributes.get("perm", ()) for node in reader_nodes if node.op == "Transpose"]
    second, last = extents[1], extents[-1]
    colours = last is not None and last <= MAX_COLOURS and (second is None or second > MAX_COLOURS)
    to_front = any(order[:2] == (0, rank - 1) for order in orders)
    return rank - 1 if to_front or (not orders and colours) else 1


def axis_readers(
    readers: InputReaders, shapes: Mapping[str, Sequence[int]]
) -> Callable[[str], Iterator[AxisReader[str]]]:
    """For a tensor: the operators that read it, as those that determine the channels."""
    same = tuple(range(SEQUENCE_RANK))

    def read(tensor: str) -> Iterator[AxisReader[str]]:
        for node in readers.by_tensor.get(tensor, ()):
            order = node.attributes.get("perm", same[::-1]) if node.op == "Transpose" else same
            dims = shapes.get(tensor, same), shapes.get(node.outputs[0], ())
            second = _is_summed_first(node, tensor)
            yield AxisReader(row_of(node.op), *dims, node.outputs, order, second)

    return read


def _is_summed_first(node: OnnxNode, name: str) -> bool:
    """Whether a product sums over the second-to-last axis of a tensor instead of the last axis."""
    if not node.op.startswith(("MatMul", "Gemm")):
        return False
    if node.inputs[0] == name:
        return bool(node.attributes.get("transA", 0))
    return not node.attributes.get("transB", 0)


STATES = (0, 5, 6)  # the input X, and the initial states


def batch_axes(nodes: Sequence[OnnxNode], inputs: Collection[str]) -> dict[str, int]:
    """The batch axis, 0 or 1, of each input that reaches a recurrent operator."""
    producers = {name: node for node in nodes for name in node.outputs if name}
    axis_by_input: dict[str, int] = {}
    waiting = [
        (node.input(position), 0 if node.attributes.get("layout") and position == 0 else 1)
        for node in nodes
        if row_of(node.op).op in ("lstm", "gru", "rnn")
        for position in STATES
    ]
    seen = set[tuple[str, int]]()
    while waiting:
        name, axis = waiting.pop()
        if (name, axis) in seen:
            continue
        seen.add((name, axis))
        if name in inputs:
            axis_by_input.setdefault(name, axis)
        elif name in producers:
            waiting += _batch_inputs(producers[name], axis)
    return axis_by_input


def summed_inputs(nodes: Sequence[OnnxNode], inputs: Collection[str]) -> set[str]:
    """The inputs whose first axis is summed in a `Gemm`. That axis is not a batch."""
    products = [node for node in nodes if node.op == "Gemm"]
    names = {node.input(0) for node in products if node.attributes.get("transA")}
    names |= {node.input(1) for node in products if not node.attributes.get("transB")}
    return names.intersection(inputs)


def inputs_without_batch(
    nodes: Sequence[OnnxNode],
    inputs: Mapping[str, Sequence[int | None]],
    stored: Mapping[str, Constant],
) -> dict[str, str]:
    """The inputs without a batch: the model adds an axis of extent 1 in front of their axes. Each
    has the name of the tensor with that axis. `inputs` have their extents, None if open, and
    `stored` has the constants of the file."""
    origin = {name: name for name in inputs}
    tensor_by_input: dict[str, str] = {}
    for node in nodes:
        name = origin.get(node.input(0), "")
        if name and row_of(node.op).op == "identity":
            origin[node.outputs[0]] = name
        elif name and (inputs[name] or (None,))[0] not in (None, 1):
            constant = stored.get(node.input(1))
            data = None if constant is None else constant.data
            numbers = [] if data is None else data.ravel().tolist()
            axes = node.attributes.get("axes", numbers) if node.op == "Unsqueeze" else ()
            new_dims = node.attributes.get("shape", numbers) if node.op == "Reshape" else ()
            if 0 in axes or [*new_dims] == [1, *inputs[name]]:
                tensor_by_input.setdefault(name, node.outputs[0])
    return tensor_by_input


def _batch_inputs(node: OnnxNode, axis: int) -> list[tuple[str, int]]:
    """The inputs of a node that have the same batch as its output, each with its batch axis."""
    if has(node.op, Trait.LEADS) and node.inputs:
        is_join = has(node.op, Trait.JOINS)
        return [(name, axis) for name in node.inputs[: 2 if is_join else 1] if name]
    if node.op == "Gather" and not node.attributes.get("axis"):  # an embedding of indices
        return [(node.input(1), axis)]
    if node.op == "Transpose":
        order = node.attributes.get("perm", ())
        if axis < len(order) and order[axis] in (0, 1):
            return [(node.input(0), order[axis])]
    return []
