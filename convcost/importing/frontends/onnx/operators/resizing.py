"""Resizing, padding and cropping."""

from fractions import Fraction
from math import floor

from convcost.importing.frontends.onnx.context import LoweringContext, get
from convcost.importing.frontends.onnx.evaluate import np_flat
from convcost.importing.frontends.onnx.graph import OnnxNode
from convcost.importing.frontends.onnx.open_dims import Dims
from convcost.importing.frontends.onnx.registry import operator
from convcost.importing.frontends.onnx.unknown import custom_layer
from convcost.importing.ir.tensor import Tensor
from convcost.model.errors import ConstraintError

MODES = {"nearest": "nearest", "linear": "linear", "bilinear": "linear", "cubic": "cubic"}


@operator("GridSample")
def grid_sample(context: LoweringContext, node: OnnxNode) -> Tensor:
    """Inputs: x, and a grid [batch, *positions, axes]."""
    mode = str(get(node, "mode", "linear")).removeprefix("bi")
    inputs = context.value(node), context.value(node, 1)
    return context.lower(node, "grid_sample", *inputs, mode=mode)


@operator("Resize", "Upsample")
def resize(context: LoweringContext, node: OnnxNode) -> Tensor:
    x = context.value(node)
    rank = len(x.dims)
    axes = [axis % rank for axis in get(node, "axes", tuple(range(rank)))]
    wanted, scales = _output_dims(context, node, x, axes)
    mode = MODES.get(get(node, "mode", "nearest"), "linear")
    return context.lower(node, "upsample", x, dims=wanted, factors=scales, mode=mode)


def _output_dims(
    context: LoweringContext, node: OnnxNode, x: Tensor, axes: list[int]
) -> tuple[Dims, list[Fraction] | None]:
    """The output dims, and the factors of all axes if the node states factors."""
    old = node.op == "Upsample" or context.opset < 11  # noqa: PLR2004
    constant = context.constant(node, 1 if old else 2)
    if "scales" in node.attributes:
        found = [float(one) for one in node.attributes["scales"]]
    elif constant is not None and constant.data is not None and constant.data.size:
        found = [float(one) for one in np_flat(constant.data)]
        context.numbers(node, "scales", 1 if old else 2)
    else:
        found = []
    if found:
        factors = [Fraction(1)] * len(x.dims)
        for axis, one in zip(axes, found, strict=True):
            factors[axis] = Fraction(one)
        dims = tuple(floor(n * f) for n, f in zip(x.dims, factors, strict=True))
        return dims, factors
    sizes = context.numbers(node, "sizes", 3)
    if sizes is None:
        raise ConstraintError("CC401", "its scales are not known at import")
    given = dict(zip(axes, sizes, strict=True))
    dims = tuple(given.get(axis, n) for axis, n in enumerate(x.dims))
    known = context.dims(node)
    kept = get(node, "keep_aspect_ratio_policy", "stretch") != "stretch" and known is not None
    return (known if kept and known is not None else dims), None


@operator("Pad")
def pad(context: LoweringContext, node: OnnxNode) -> Tensor:
    x = context.value(node)
    rank = len(x.dims)
    pads = context.numbers(node, "pads" if "pads" in node.attributes else "paddings", 1) or ()
    axes = context.numbers(node, "axes", 3) or tuple(range(rank))
    begins, ends = [0] * rank, [0] * rank
    for at, axis in enumerate(axes):
        begins[axis], ends[axis] = pads[at], pads[at + len(axes)]
    return context.lower(node, "pad", x, begins=begins, ends=ends)


@operator("CenterCropPad", "Crop")
def crop(context: LoweringContext, node: OnnxNode) -> Tensor:
    return custom_layer(context, node)
