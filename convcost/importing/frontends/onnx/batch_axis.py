"""Finds which axis of an input is the batch, from the LSTM, GRU or RNN that reads the input.

PyTorch's default order is [steps, batch, features]. The shape alone cannot distinguish it from
[batch, steps, features].
"""

from collections.abc import Collection, Sequence

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
