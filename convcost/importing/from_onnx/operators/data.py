"""What is done with a network's answer: choices, look-ups, order. Known to cost no multiply-adds;
they state the shape that they give."""

from convcost.importing.from_onnx.graph import Node
from convcost.importing.from_onnx.operators import operator
from convcost.importing.from_onnx.sheet import Sheet, axis_of, get
from convcost.importing.from_onnx.unknown import stated
from convcost.importing.value import Value


@operator("ScatterND", "ScatterElements", "Scatter", "CumSum", "Trilu", "ReverseSequence")
def in_place(sheet: Sheet, node: Node) -> Value:
    """The shape of the first input stays."""
    return stated(sheet, node, sheet.value(node).dims)


@operator("GatherND", "GatherElements", "OneHot", "EyeLike", "Range", "MaxUnpool", "RoiAlign",
          "MaxRoiPool", "GridSample", "AffineGrid", "Col2Im")  # fmt: skip
def looked_up(sheet: Sheet, node: Node) -> Value | tuple[Value, ...]:
    if sheet.dims(node) is None:
        return ()
    return stated(sheet, node)


@operator("ArgMax", "ArgMin")
def largest(sheet: Sheet, node: Node) -> Value:
    x = sheet.value(node)
    axis = axis_of(node, 0, len(x.dims))
    one = (1,) if get(node, "keepdims", 1) else ()
    return stated(sheet, node, (*x.dims[:axis], *one, *x.dims[axis + 1 :]))


@operator("TopK")
def topk(sheet: Sheet, node: Node) -> tuple[Value, ...]:
    x = sheet.value(node)
    wanted = (
        sheet.numbers(node, "k", 1) if sheet.constant(node, 1) or "k" in node.attributes else None
    )
    if not wanted:
        return ()
    axis = axis_of(node, -1, len(x.dims))
    dims = (*x.dims[:axis], wanted[0], *x.dims[axis + 1 :])
    first = stated(sheet, node, dims)
    if not sheet.wanted(node, 1):
        return (first,)
    return first, stated(sheet, node, dims, "topk, indices")


@operator("NonMaxSuppression", "NonZero", "Unique", "Compress", "StringNormalizer")
def from_data(sheet: Sheet, node: Node) -> tuple[Value, ...]:
    """How many there are follows from data: what comes after is not drawn."""
    return ()
