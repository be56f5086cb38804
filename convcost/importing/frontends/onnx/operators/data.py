"""Operators on the results of a network: selection, look-up, sorting. They have no multiply-adds
and state their output shape."""

from convcost.importing.frontends.onnx.context import LoweringContext, axis_of, get
from convcost.importing.frontends.onnx.graph import OnnxNode
from convcost.importing.frontends.onnx.operators.slices import by_buffer
from convcost.importing.frontends.onnx.registry import operator, without_layer
from convcost.importing.frontends.onnx.unknown import custom_layer
from convcost.importing.ir.tensor import Tensor


@operator("ScatterND", "ScatterElements", "Scatter", "CumSum", "Trilu", "ReverseSequence")
def in_place(context: LoweringContext, node: OnnxNode) -> Tensor:
    """The output has the shape of the first input."""
    return custom_layer(context, node, context.value(node).dims)


@operator("GatherND", "GatherElements", "OneHot", "EyeLike", "Range", "RoiAlign",
          "MaxRoiPool", "AffineGrid", "Col2Im")  # fmt: skip
def looked_up(context: LoweringContext, node: OnnxNode) -> Tensor | tuple[Tensor, ...]:
    if context.dims(node) is None:
        return ()
    if node.op == "GatherND" and (found := by_buffer(context, node)) is not None:
        return found
    return custom_layer(context, node, what="gather" if node.op.startswith("Gather") else "")


@operator("ArgMax", "ArgMin")
def largest(context: LoweringContext, node: OnnxNode) -> Tensor:
    x = context.value(node)
    axis = axis_of(node, 0, len(x.dims))
    one = (1,) if get(node, "keepdims", 1) else ()
    return custom_layer(context, node, (*x.dims[:axis], *one, *x.dims[axis + 1 :]))


@operator("TopK")
def topk(context: LoweringContext, node: OnnxNode) -> tuple[Tensor, ...]:
    x = context.value(node)
    wanted = (
        context.numbers(node, "k", 1)
        if context.constant(node, 1) or "k" in node.attributes
        else None
    )
    if not wanted:
        return ()
    axis = axis_of(node, -1, len(x.dims))
    dims = (*x.dims[:axis], wanted[0], *x.dims[axis + 1 :])
    first = custom_layer(context, node, dims)
    if not context.is_output_used(node, 1):
        return (first,)
    return first, custom_layer(context, node, dims, "topk, indices")


without_layer("shape", "Shape", "Size", "SplitToSequence", "SequenceAt", "SequenceConstruct",
              "SequenceEmpty", "SequenceErase", "SequenceInsert", "SequenceLength", "Optional",
              "OptionalGetElement", "OptionalHasElement")  # fmt: skip
without_layer("constant", "Constant", "ConstantOfShape")
without_layer("fourier", "DFT", "STFT")
without_layer("conv", "FusedConv")  # fused_operators.py replaces it before it is lowered


@operator("NonMaxSuppression", "NonZero", "Unique", "Compress", "StringNormalizer")
def from_data(context: LoweringContext, node: OnnxNode) -> tuple[Tensor, ...]:
    """The number of outputs depends on the data, so the operators after it are left out."""
    return ()


@operator("Im2Col")
def im2col(context: LoweringContext, node: OnnxNode) -> Tensor:
    """The elements of each sliding window, found as a pattern."""
    return custom_layer(context, node, what="im2col")
