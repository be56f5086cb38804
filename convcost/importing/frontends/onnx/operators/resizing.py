"""Resizing, padding and cropping."""

from fractions import Fraction
from math import floor

from convcost.importing.frontends.onnx.call import OnnxCall
from convcost.importing.frontends.onnx.open_dims import Dims
from convcost.importing.frontends.onnx.registry import free_row, operator
from convcost.importing.ir.tensor import Tensor
from convcost.model.errors import ConstraintError

free_row("CenterCropPad", "Crop")
MODES = {"nearest": "nearest", "linear": "linear", "bilinear": "linear", "cubic": "cubic"}


@operator("GridSample")
def grid_sample(call: OnnxCall) -> Tensor:
    """Inputs: x, and a grid [batch, *positions, axes]."""
    mode = str(call.get("mode", "linear")).removeprefix("bi")
    inputs = call.value(), call.value(1)
    return call.lower("grid_sample", *inputs, mode=mode)


@operator("Resize", "Upsample")
def resize(call: OnnxCall) -> Tensor:
    x = call.value()
    rank = len(x.dims)
    axes = [axis % rank for axis in call.get("axes", tuple(range(rank)))]
    dims, scales = _output_dims(call, x, axes)
    if _crops(call):
        if scales is not None:
            raise ConstraintError(
                "CC401",
                "it resizes a part of its input, `roi`, by `scales`: ONNX's shape inference does "
                "not know the size of the result",
                "export the model with `sizes` in place of `scales`",
            )
        return call.custom(dims, "crop and resize")
    mode = MODES.get(call.get("mode", "nearest"), "linear")
    return call.lower("upsample", x, dims=dims, factors=scales, mode=mode)


def _crops(call: OnnxCall) -> bool:
    """Whether only a part of the input is resized: `roi` has the begins of all axes, then the ends,
    as shares of the extents."""
    if call.get("coordinate_transformation_mode", "") != "tf_crop_and_resize":
        return False
    roi = call.constant(1)
    if roi is None or roi.data is None:
        return True
    call.context.read_as_options.update(key for key, _ in roi.sources)
    ends = roi.data.ravel().tolist()
    return bool(ends != [0] * (len(ends) // 2) + [1] * (len(ends) // 2))


def _output_dims(call: OnnxCall, x: Tensor, axes: list[int]) -> tuple[Dims, list[Fraction] | None]:
    """The output dims, and the factors of all axes if the node states factors."""
    old = call.op == "Upsample" or call.context.opset < 11  # noqa: PLR2004
    constant = call.constant(1 if old else 2)
    if "scales" in call.node.attributes:
        scales = [float(scale) for scale in call.node.attributes["scales"]]
    elif constant is not None and constant.data is not None and constant.data.size:
        scales = [float(scale) for scale in constant.data.ravel().tolist()]
        call.numbers("scales", 1 if old else 2)
    else:
        scales = []
    if scales:
        factors = [Fraction(1)] * len(x.dims)
        for axis, scale in zip(axes, scales, strict=True):
            factors[axis] = Fraction(scale)
        dims = tuple(floor(n * f) for n, f in zip(x.dims, factors, strict=True))
        return dims, factors
    sizes = call.numbers("sizes", 3)
    if sizes is None:
        raise ConstraintError(
            "CC401",
            "it has neither scales nor sizes that are known at import",
            "export the model with an example of a fixed size, without dynamic axes",
        )
    size_by_axis = dict(zip(axes, sizes, strict=True))
    dims = tuple(size_by_axis.get(axis, n) for axis, n in enumerate(x.dims))
    output = call.dims()
    has_policy = call.get("keep_aspect_ratio_policy", "stretch") != "stretch" and output is not None
    return (output if has_policy and output is not None else dims), None


@operator("Pad")
def pad(call: OnnxCall) -> Tensor:
    x = call.value()
    rank = len(x.dims)
    pads = call.numbers("paddings" if "paddings" in call.node.attributes else "pads", 1) or ()
    axes = call.numbers("axes", 3) or tuple(range(rank))
    begins, ends = [0] * rank, [0] * rank
    for number, axis in enumerate(axes):
        begins[axis], ends[axis] = pads[number], pads[number + len(axes)]
    return call.lower("pad", x, begins=begins, ends=ends)
