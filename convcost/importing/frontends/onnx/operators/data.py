"""Operators on the results of a network: selection, look-up, sorting. They have no multiply-adds,
and state their output shape."""

from math import prod

from convcost.importing.frontends.onnx.call import OnnxCall
from convcost.importing.frontends.onnx.operators.slices import rows_at_stored_indices
from convcost.importing.frontends.onnx.registry import free_row, operator, without_layer
from convcost.importing.ir.tensor import Tensor
from convcost.importing.passes.fourier import transform_macs

AXIS_AS_INPUT = 20  # the opset of DFT in which its axis became an input


free_row("ScatterND", "ScatterElements", "Scatter", "CumSum", "Trilu", "ReverseSequence",
         like_input=True)  # fmt: skip
free_row("RotaryEmbedding", what="rotary embedding", like_input=True)
free_row("Im2Col", what="im2col")  # patterns.py makes it from gathers of sliding windows


@operator("GatherND", "GatherElements", "OneHot", "EyeLike", "Range", "RoiAlign",
          "MaxRoiPool", "Col2Im")  # fmt: skip
def gather_without_macs(call: OnnxCall) -> Tensor | tuple[Tensor, ...]:
    if call.dims() is None:
        return ()
    if call.op == "GatherND" and (rows := rows_at_stored_indices(call)) is not None:
        return rows
    table = call.constant(0) if call.op.startswith("Gather") else None
    if table is not None and table.is_weight:
        call.value(0)
    for constant in filter(None, map(call.constant, range(1, len(call.inputs)))):
        call.context.exclude(constant)
    return call.custom(what="gather" if call.op.startswith("Gather") else "")


@operator("AffineGrid", op="matmul")
def affine_grid(call: OnnxCall) -> Tensor | tuple[Tensor, ...]:
    """A grid [n, h, w, 2] from matrices [n, 2, 3]: at each position, the matrix times [x, y, 1].
    With depth, [n, d, h, w, 3] from [n, 3, 4]."""
    dims = call.dims()
    if dims is None:
        return call.add_uncounted()
    return call.custom(dims, macs=prod(dims) * call.value().dims[-1])


@operator("ArgMax", "ArgMin")
def arg_extreme(call: OnnxCall) -> Tensor:
    """The index of the largest or smallest element along an axis."""
    x = call.value()
    axis = call.axis(0, len(x.dims))
    reduced_dims = (1,) if call.get("keepdims", 1) else ()
    return call.custom((*x.dims[:axis], *reduced_dims, *x.dims[axis + 1 :]))


@operator("TopK")
def topk(call: OnnxCall) -> tuple[Tensor, ...]:
    x = call.value()
    number = call.numbers("k", 1) if call.constant(1) or "k" in call.node.attributes else None
    if not number:
        return ()
    axis = call.axis(-1, len(x.dims))
    dims = (*x.dims[:axis], *number, *x.dims[axis + 1 :])
    return call.custom(dims), call.custom(dims, "topk, indices")


without_layer("shape", "Shape", "Size", "SplitToSequence", "SequenceAt", "SequenceConstruct",
              "SequenceEmpty", "SequenceErase", "SequenceInsert", "SequenceLength", "Optional",
              "OptionalGetElement", "OptionalHasElement")  # fmt: skip
without_layer("constant", "Constant", "ConstantOfShape")
without_layer("conv", "FusedConv")  # fused_operators.py replaces it before it is lowered


@operator("DFT", op="fourier")
def fourier(call: OnnxCall) -> Tensor | tuple[Tensor, ...]:
    """The last axis has the parts of a complex number, or one real number."""
    x, dims = call.value().dims, call.dims()
    axes = call.numbers("axis", 2)
    if dims is None or len(x) != len(dims):
        return call.add_uncounted()
    # Before version 20 the axis is an attribute, by default 1.
    axis = (axes[0] if axes else -2 if call.context.opset >= AXIS_AS_INPUT else 1) % len(x)
    real = 1 in (x[-1], dims[-1])
    points = x[axis] if real and dims[-1] != 1 else dims[axis]
    lengths = call.numbers("dft_length", 1)
    macs = transform_macs(prod(x[:-1]) // x[axis], lengths[0] if lengths else points, real=real)
    return call.custom(dims, "fft", macs=macs)


@operator("STFT", op="fourier")
def windowed_fourier(call: OnnxCall) -> Tensor | tuple[Tensor, ...]:
    """A transform of each frame of a signal [1, n, 1], or [1, n, 2] of complex numbers. The output
    is [1, frames, points, 2]."""
    x, window, lengths = call.value().dims, call.constant(2), call.numbers("frame_length", 3)
    dims, points = call.dims(), lengths[0] if lengths else window and window.elements
    if dims is None or not points:
        return call.add_uncounted()
    learned = window is not None and window.declared
    if window is not None and not learned:
        call.context.exclude(window)
    macs = transform_macs(prod(dims[:2]), points, real=x[-1] == 1)
    return call.custom(dims, "stft", macs=macs, weights=call.tensors(2) if learned else {})


@operator("NonMaxSuppression", "NonZero", "Unique", "Compress", "StringNormalizer")
def data_dependent(call: OnnxCall) -> tuple[Tensor, ...]:
    """The output shape depends on the data, so the operators after it are left out."""
    return ()
