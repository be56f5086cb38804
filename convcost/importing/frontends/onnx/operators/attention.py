"""Attention, found as a pattern or written as one operator."""

from convcost.importing.frontends.onnx.context import LoweringContext, get
from convcost.importing.frontends.onnx.graph import OnnxNode
from convcost.importing.frontends.onnx.registry import operator
from convcost.importing.frontends.onnx.unknown import uncounted
from convcost.importing.ir.tensor import Tensor, transposed

HEADED = 4


@operator("AttentionOf", op="attention")
def attention_of(context: LoweringContext, node: OnnxNode) -> Tensor:
    """Attention from a pattern, whose key is transposed: [.., d, m]."""
    query, key, value = (context.value(node, at) for at in range(3))
    return context.lower(node, "attention", query, transposed(key), value)


@operator("Attention", "MultiHeadAttention", op="attention")
def attention(context: LoweringContext, node: OnnxNode) -> Tensor | tuple[Tensor, ...]:
    """The standard operator with 3 or 4 axes, and ONNX Runtime's operator without projections."""
    standard = node.domain in ("", "ai.onnx")
    all_depend = all(context.depends_on_input(node, at) for at in range(3))
    # convcost does not count attention to the keys and values of earlier steps.
    past = bool(node.input(4) or node.input(5) if standard else node.input(6) or node.input(7))
    past = past or any(context.is_output_used(node, at) for at in range(1, len(node.outputs)))
    if not all_depend or past or (node.op == "Attention") is not standard:
        return uncounted(context, node)
    if not standard and context.constant(node, 3) is not None:
        return uncounted(context, node)
    sides = [context.value(node, at) for at in range(3)]
    if all(len(side.dims) == HEADED for side in sides):
        return context.lower(node, "attention", *sides)
    if any(len(side.dims) != HEADED - 1 for side in sides):
        return uncounted(context, node)
    heads = get(node, "q_num_heads", get(node, "num_heads", 1))
    return context.lower(node, "attention", *sides, heads=heads)
