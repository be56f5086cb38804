"""Which axis of an input is samples, as the LSTM, GRU or RNN that reads it has it.

PyTorch's own order is steps first, then samples, and no shape tells that from samples first.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

RECURRENT = ("LSTM", "GRU", "RNN")
STATES = (0, 5, 6)  # what flows in, and the states at the start
# Operators that keep the two leading axes of what comes in first.
KEEPING = frozenset(
    (
        *("Identity", "Cast", "Dropout", "Relu", "Tanh", "Sigmoid", "Gelu", "Softmax", "Slice"),
        *("Add", "Sub", "Mul", "Div", "MatMul", "LayerNormalization", "LeakyRelu", "Clip", "Neg"),
        *("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "Split"),
    )
)


def sampled(model: "ModelProto") -> dict[str, int]:
    """The axis of samples, 0 or 1, by input; of those inputs that reach a recurrent operator."""
    makers = {name: node for node in model.graph.node for name in node.output if name}
    given = {entry.name for entry in model.graph.input}
    found: dict[str, int] = {}
    left = [
        (name, 0 if _attribute(node, "layout", 0) and at == 0 else 1)
        for node in model.graph.node
        if node.op_type in RECURRENT
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
        elif name in makers:
            left += _before(makers[name], axis)
    return found


def summed(model: "ModelProto") -> set[str]:
    """Inputs whose first axis the operator that reads them sums over: it is no samples."""
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


def _before(node: "NodeProto", axis: int) -> list[tuple[str, int]]:
    """What a node reads that has the same samples, and along which axis."""
    if node.op_type in KEEPING and node.input:
        wide = node.op_type in ("Add", "Sub", "Mul", "Div")
        return [(name, axis) for name in node.input[: 2 if wide else 1] if name]
    if node.op_type == "Gather" and _attribute(node, "axis", 0) == 0:  # an embedding of indices
        return [(node.input[1], axis)]
    if node.op_type == "Transpose":
        order = [one.ints for one in node.attribute if one.name == "perm"]
        if order and axis < len(order[0]) and order[0][axis] in (0, 1):
            return [(node.input[0], order[0][axis])]
    return []


def _attribute(node: "NodeProto", name: str, default: int) -> int:
    return next((one.i for one in node.attribute if one.name == name), default)
