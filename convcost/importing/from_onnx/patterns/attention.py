"""Attention: softmax of query times key, times value; numbers and fixed masks in between."""

from convcost.importing.from_onnx.constants import Constant
from convcost.importing.from_onnx.graph import Node
from convcost.importing.from_onnx.patterns import Net, one, pattern

DEEPEST = 8
BETWEEN = ("Mul", "Div", "Add", "Sub", "Where", "Cast", "Dropout", "Identity", "Clip", "Max")


@pattern("MatMul")
def attention(net: Net, node: Node) -> Node | None:
    """MatMul(Softmax(MatMul(q, kᵀ)), v), all of them flowing, and read by nothing else: what else
    reads the scores keeps their product alive, which would be counted twice."""
    soft = _back(net, node.inputs[0], "Softmax")
    scores = _back(net, soft.inputs[0], "MatMul") if soft is not None else None
    if soft is None or scores is None:
        return None
    names = (*scores.inputs, node.inputs[1])
    if any(name in net.constants for name in names):
        return None
    rank = len(net.shapes.get(soft.outputs[0], ()))
    if rank < 3 or soft.attributes.get("axis", -1) not in (-1, rank - 1):  # noqa: PLR2004
        return None
    return one(node, "AttentionOf", names)


def _numbers(part: Constant) -> bool:
    """Whether something learned is more than an index or a choice."""
    return part.real or part.elements > 1


def _back(net: Net, name: str, op: str) -> Node | None:
    """The operator that makes a tensor, past what leaves it as it is but for fixed numbers."""
    for _ in range(DEEPEST):
        maker = net.makers.get(name)
        if net.uses[name] != 1:
            return None
        if maker is None or maker.op == op:
            return maker
        if maker.op not in BETWEEN:
            return None
        flowing = [part for part in maker.inputs if part and part not in net.constants]
        fixed = [net.constants[part] for part in maker.inputs if part in net.constants]
        if len(flowing) != 1 or any(part.learned and _numbers(part) for part in fixed):
            return None
        if net.shapes.get(flowing[0]) != net.shapes.get(maker.outputs[0]):
            return None
        name = flowing[0]
    return None
