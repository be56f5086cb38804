"""One number for all along some axes. No multiply-adds."""

from convcost.importing.from_onnx.graph import Node
from convcost.importing.from_onnx.operators import operator
from convcost.importing.from_onnx.sheet import Sheet, get
from convcost.importing.from_onnx.unknown import stated
from convcost.importing.parts.pointwise import pointwise
from convcost.importing.parts.reductions import reduced
from convcost.importing.value import Value

# What is done to every element before, the reduction, and what to its result.
STEPS = {
    "ReduceMean": ("", "mean", ""),
    "ReduceMax": ("", "max", ""),
    "ReduceMin": ("", "min", ""),
    "ReduceSum": ("", "sum", ""),
    "ReduceL1": ("abs", "sum", ""),
    "ReduceL2": ("square", "sum", "sqrt"),
    "ReduceSumSquare": ("square", "sum", ""),
    "ReduceLogSum": ("", "sum", "log"),
    "ReduceLogSumExp": ("exp", "sum", "log"),
}


@operator(*STEPS, "ReduceProd")
def reduction(sheet: Sheet, node: Node) -> Value:
    x = sheet.value(node)
    rank = len(x.dims)
    axes = sheet.numbers(node, "axes", 1)
    if axes is None or not axes:
        if get(node, "noop_with_empty_axes", 0):
            return sheet.free(node, x)
        axes = tuple(range(rank))
    keep = bool(get(node, "keepdims", 1))
    if node.op == "ReduceProd":
        over = {axis % rank for axis in axes}
        full = tuple(1 if axis in over else n for axis, n in enumerate(x.dims))
        kept = full if keep else tuple(n for axis, n in enumerate(full) if axis not in over)
        return stated(sheet, node, kept, "product")
    before, kind, after = STEPS[node.op]
    x = _each(sheet, node, before, x)
    x = reduced(sheet.easel, kind, x, axes, keep, sheet.path(node))
    return _each(sheet, node, after, x)


def _each(sheet: Sheet, node: Node, function: str, x: Value) -> Value:
    if not function:
        return x
    path = (*sheet.path(node), function)
    return pointwise(sheet.easel, "elementwise", x, path, {"function": function})
