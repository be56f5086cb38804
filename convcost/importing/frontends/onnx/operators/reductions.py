"""Reductions over axes, without multiply-adds."""

from convcost.importing.frontends.onnx.context import LoweringContext, get
from convcost.importing.frontends.onnx.graph import OnnxNode
from convcost.importing.frontends.onnx.registry import known, operator
from convcost.importing.frontends.onnx.unknown import custom_layer
from convcost.importing.ir.tensor import Tensor


@operator(
    "ReduceProd",
    ReduceMean="mean",
    ReduceMax="max",
    ReduceMin="min",
    ReduceSum="sum",
    ReduceL1="reduce_l1",
    ReduceL2="reduce_l2",
    ReduceSumSquare="reduce_square",
    ReduceLogSum="reduce_log",
    ReduceLogSumExp="reduce_log_exp",
)
def reduction(context: LoweringContext, node: OnnxNode) -> Tensor:
    x = context.value(node)
    rank = len(x.dims)
    axes = context.numbers(node, "axes", 1)
    if axes is None or not axes:
        if get(node, "noop_with_empty_axes", 0):
            return context.free(node, x)
        axes = tuple(range(rank))
    keep = bool(get(node, "keepdims", 1))
    if node.op == "ReduceProd":
        over = {axis % rank for axis in axes}
        full = tuple(1 if axis in over else n for axis, n in enumerate(x.dims))
        kept = full if keep else tuple(n for axis, n in enumerate(full) if axis not in over)
        return custom_layer(context, node, kept, "product")
    return context.lower(node, known(node.op).op, x, axes=axes, keep=keep)
