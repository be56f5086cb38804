"""Attention: softmax(query · key) · value, with scales and fixed masks in between."""

from convcost.importing.frontends.onnx.constants import OnnxConstant
from convcost.importing.frontends.onnx.graph import OnnxNode
from convcost.importing.frontends.onnx.patterns import PatternGraph, pattern, replacement

DEEPEST = 8
BETWEEN = ("Mul", "Div", "Add", "Sub", "Where", "Cast", "Dropout", "Identity", "Clip", "Max")


@pattern("MatMul")
def attention(net: PatternGraph, node: OnnxNode) -> OnnxNode | None:
    """MatMul(Softmax(MatMul(q, kᵀ)), v), if all inputs depend on the model's inputs and nothing
    else reads the scores. Otherwise the product of q and k would be counted twice."""
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
    return replacement(node, "AttentionOf", names)


def _numbers(part: OnnxConstant) -> bool:
    """Whether a learned constant contains numbers, not only indices or truth values."""
    return part.real or part.elements > 1


def _back(net: PatternGraph, name: str, op: str) -> OnnxNode | None:
    """The operator that computes a tensor, skipping operators that only combine it with fixed
    numbers."""
    for _ in range(DEEPEST):
        producer = net.producers.get(name)
        if net.uses[name] != 1:
            return None
        if producer is None or producer.op == op:
            return producer
        if producer.op not in BETWEEN:
            return None
        computed = [part for part in producer.inputs if part and part not in net.constants]
        fixed = [net.constants[part] for part in producer.inputs if part in net.constants]
        if len(computed) != 1 or any(part.learned and _numbers(part) for part in fixed):
            return None
        if net.shapes.get(computed[0]) != net.shapes.get(producer.outputs[0]):
            return None
        name = computed[0]
    return None
