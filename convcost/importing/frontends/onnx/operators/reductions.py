"""Reductions over axes, without multiply-adds."""

from convcost.importing.frontends.onnx.call import OnnxCall
from convcost.importing.frontends.onnx.registry import operator
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
def reduction(call: OnnxCall) -> Tensor:
    x = call.value()
    rank = len(x.dims)
    axes = call.numbers("axes", 1)
    if axes is None or not axes:
        if call.get("noop_with_empty_axes", 0):
            return call.free(x)
        axes = tuple(range(rank))
    keep = bool(call.get("keepdims", 1))
    if call.op == "ReduceProd":
        over = {axis % rank for axis in axes}
        full = tuple(1 if axis in over else n for axis, n in enumerate(x.dims))
        dims = full if keep else tuple(n for axis, n in enumerate(full) if axis not in over)
        return call.custom(dims, "product")
    return call.lower(call.canonical, x, axes=axes, keep=keep)
