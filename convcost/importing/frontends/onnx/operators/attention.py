"""Attention as one operator."""

from convcost.importing.frontends.onnx.call import OnnxCall
from convcost.importing.frontends.onnx.registry import operator
from convcost.importing.ir.tensor import Tensor

HEADS_RANK = 4  # samples, heads, steps, channels of a head


@operator("Attention", "MultiHeadAttention", op="attention")
def attention(call: OnnxCall) -> Tensor | tuple[Tensor, ...]:
    """The standard operator with 3 or 4 axes, and ONNX Runtime's operator without projections."""
    standard = call.node.domain in ("", "ai.onnx")
    all_depend = all(call.depends_on_input(position) for position in range(3))
    # convcost does not count attention to the keys and values of earlier steps.
    past = bool(
        call.node.input(4) or call.node.input(5)
        if standard
        else call.node.input(6) or call.node.input(7)
    )
    past = past or any(call.is_output_used(position) for position in range(1, len(call.outputs)))
    if not all_depend or past or (call.op == "Attention") is not standard:
        return call.uncounted()
    if not standard and call.constant(3) is not None:
        return call.uncounted()
    sides = [call.value(position) for position in range(3)]
    if all(len(side.dims) == HEADS_RANK for side in sides):
        return call.lower("attention", *sides)
    if any(len(side.dims) != HEADS_RANK - 1 for side in sides):
        return call.uncounted()
    heads = call.get("q_num_heads", call.get("num_heads", 1))
    return call.lower("attention", *sides, heads=heads)
