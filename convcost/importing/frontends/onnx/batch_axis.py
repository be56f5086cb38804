"""Finds which axis of an input is the batch, from the operators that read the input.

An LSTM, GRU or RNN determines it: PyTorch's default order is [steps, batch, features], and the
shape alone cannot distinguish it from [batch, steps, features].
"""

from collections.abc import Collection, Mapping, Sequence

from convcost.importing.frontends.onnx.graph import OnnxNode
from convcost.importing.frontends.onnx.registry import has, row_of
from convcost.importing.ir.ops import Trait

STATES = (0, 5, 6)  # the input X, and the initial states


def batch_axes(nodes: Sequence[OnnxNode], inputs: Collection[str]) -> dict[str, int]:
    """The batch axis, 0 or 1, of each input that reaches a recurrent operator."""
    producers = {name: node for node in nodes for name in node.outputs if name}
    found: dict[str, int] = {}
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
            found.setdefault(name, axis)
        elif name in producers:
            waiting += _before(producers[name], axis)
    return found


def summed_inputs(nodes: Sequence[OnnxNode], inputs: Collection[str]) -> set[str]:
    """The inputs whose first axis is summed in a `Gemm`. That axis is not a batch."""
    products = [node for node in nodes if node.op == "Gemm"]
    found = {node.input(0) for node in products if node.attributes.get("transA")}
    found |= {node.input(1) for node in products if not node.attributes.get("transB")}
    return found.intersection(inputs)


def batch_added(
    nodes: Sequence[OnnxNode],
    inputs: Mapping[str, Sequence[int | None]],
    stored: Mapping[str, list[int]],
) -> dict[str, str]:
    """The inputs without a batch: the model adds an axis of extent 1 in front of their axes. Each
    has the name of the tensor with that axis. `inputs` have their extents, None if open, and
    `stored` has the integers of the file."""
    origin = {name: name for name in inputs}
    found: dict[str, str] = {}
    for node in nodes:
        name = origin.get(node.input(0), "")
        if name and row_of(node.op).op == "identity":
            origin[node.outputs[0]] = name
        elif name and (inputs[name] or (None,))[0] not in (None, 1):
            numbers = stored.get(node.input(1), [])
            axes = node.attributes.get("axes", numbers) if node.op == "Unsqueeze" else ()
            to = node.attributes.get("shape", numbers) if node.op == "Reshape" else ()
            if 0 in axes or [*to] == [1, *inputs[name]]:
                found.setdefault(name, node.outputs[0])
    return found


def _before(node: OnnxNode, axis: int) -> list[tuple[str, int]]:
    """The inputs of a node that have the same batch as its output, each with its batch axis."""
    if has(node.op, Trait.LEADS) and node.inputs:
        wide = has(node.op, Trait.JOINS)
        return [(name, axis) for name in node.inputs[: 2 if wide else 1] if name]
    if node.op == "Gather" and not node.attributes.get("axis"):  # an embedding of indices
        return [(node.input(1), axis)]
    if node.op == "Transpose":
        order = node.attributes.get("perm", ())
        if axis < len(order) and order[axis] in (0, 1):
            return [(node.input(0), order[axis])]
    return []
