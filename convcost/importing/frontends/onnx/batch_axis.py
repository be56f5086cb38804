"""Finds which axis of an input is the batch, from the LSTM, GRU or RNN that reads the input.

PyTorch's default order is [steps, batch, features]. The shape alone cannot distinguish it from
[batch, steps, features].
"""

from onnx import ModelProto, NodeProto

from convcost.importing.frontends.onnx.registry import has, row_of
from convcost.importing.ir.ops import Trait

STATES = (0, 5, 6)  # the input X, and the initial states


def batch_axes(model: ModelProto) -> dict[str, int]:
    """The batch axis, 0 or 1, of each input that reaches a recurrent operator."""
    producers = {name: node for node in model.graph.node for name in node.output if name}
    given = {entry.name for entry in model.graph.input}
    found: dict[str, int] = {}
    left = [
        (name, 0 if _attribute(node, "layout", 0) and at == 0 else 1)
        for node in model.graph.node
        if row_of(node.op_type).op in ("lstm", "gru", "rnn")
        for at, name in enumerate(node.input)
        if at in STATES and name
    ]
    seen = set[tuple[str, int]]()
    while left:
        name, axis = left.pop()
        if (name, axis) in seen:
            continue
        seen.add((name, axis))
        if name in given:
            found.setdefault(name, axis)
        elif name in producers:
            left += _before(producers[name], axis)
    return found


def summed_inputs(model: ModelProto) -> set[str]:
    """The inputs whose first axis is summed in a `Gemm`. That axis is not a batch."""
    given = {entry.name for entry in model.graph.input}
    found = set()
    for node in model.graph.node:
        if node.op_type != "Gemm":
            continue
        turned = [_attribute(node, name, 0) for name in ("transA", "transB")]
        if node.input[0] in given and turned[0]:
            found.add(node.input[0])
        if node.input[1] in given and not turned[1]:
            found.add(node.input[1])
    return found.difference(tensor.name for tensor in model.graph.initializer)


def _before(node: NodeProto, axis: int) -> list[tuple[str, int]]:
    """The inputs of a node that have the same batch as its output, each with its batch axis."""
    if has(node.op_type, Trait.LEADS) and node.input:
        wide = has(node.op_type, Trait.JOINS)
        return [(name, axis) for name in node.input[: 2 if wide else 1] if name]
    if node.op_type == "Gather" and _attribute(node, "axis", 0) == 0:  # an embedding of indices
        return [(node.input[1], axis)]
    if node.op_type == "Transpose":
        order = [one.ints for one in node.attribute if one.name == "perm"]
        if order and axis < len(order[0]) and order[0][axis] in (0, 1):
            return [(node.input[0], order[0][axis])]
    return []


def _attribute(node: NodeProto, name: str, default: int) -> int:
    return next((one.i for one in node.attribute if one.name == name), default)
