"""Operators that move elements or change their dims, most of which add no layer, and resizing,
padding and cropping."""

from fractions import Fraction
from math import floor

from convcost.importing.frontends.onnx.call import OnnxCall
from convcost.importing.frontends.onnx.open_dims import Dims
from convcost.importing.frontends.onnx.registry import has, operator, row
from convcost.importing.frontends.onnx.unknown import custom_layer, free_row
from convcost.importing.ir.ops import Trait
from convcost.importing.ir.tensor import Tensor, with_rank
from convcost.model.errors import ConstraintError
from convcost.model.shape import broadcast

row("pixel_shuffle", "DepthToSpace", factor="blocksize")
row("pixel_unshuffle", "SpaceToDepth", factor="blocksize")
row("channel_shuffle", "ChannelShuffle", groups="group")
row("flatten", "Flatten", axis="axis")
row("permute", "Transpose", order="perm")


@operator("Reshape", op="reshape")
def reshape(call: OnnxCall) -> Tensor:
    """In the stated dims, 0 keeps an axis."""
    dims = call.value().dims
    stated = call.numbers("shape", 1)
    assert stated is not None
    kept = not call.get("allowzero", 0)
    to = [dims[axis] if n == 0 and kept else n for axis, n in enumerate(stated)]
    return call.lower("reshape", to=to)


@operator(Squeeze="squeeze", Unsqueeze="unsqueeze")
def squeeze(call: OnnxCall) -> Tensor:
    x = call.value()
    return call.lower(call.canonical, x, axes=call.numbers("axes", 1) or ())


@operator("Expand", op="expand")
def expand(call: OnnxCall) -> Tensor:
    x = call.value()
    wide = broadcast(x.dims, call.numbers("shape", 1) or ())
    if wide is None:
        raise ConstraintError(
            "CC404", f"a tensor of {list(x.dims)} does not broadcast to the requested shape"
        )
    if len(wide) == len(x.dims) and _joined_only(call, wide):
        call.context.broadcast_by_readers.update(call.outputs)
        return call.free(x)
    return _spread(call, x, wide)


def _joined_only(call: OnnxCall, wide: Dims) -> bool:
    """Whether only joins read an expanded tensor. They broadcast it themselves."""
    readers = call.context.readers.get(call.outputs[0], [])
    others = [name for reader in readers for name in reader.inputs if name != call.outputs[0]]
    joins = all(has(reader.op, Trait.JOINS) and len(reader.inputs) == 2 for reader in readers)  # noqa: PLR2004
    computed = all(
        name in call.context.shapes and name not in call.context.constants for name in others
    )
    count = call.context.uses[call.outputs[0]]
    return (
        joins
        and computed
        and count == len(others)
        and all(call.context.shapes[name] == wide for name in others)
    )


@operator("Tile")
def tile(call: OnnxCall) -> Tensor:
    x = call.value()
    times = call.numbers("repeats", 1) or ()
    return _spread(call, x, tuple(n * t for n, t in zip(x.dims, times, strict=True)))


def _spread(call: OnnxCall, x: Tensor, dims: Dims) -> Tensor:
    longer = with_rank(x, len(dims))
    if longer.dims == dims:
        return call.free(longer)
    return custom_layer(call, dims)


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
        return custom_layer(call, dims, "crop and resize")
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
    ends = roi.data.ravel().tolist()
    return bool(ends != [0] * (len(ends) // 2) + [1] * (len(ends) // 2))


def _output_dims(call: OnnxCall, x: Tensor, axes: list[int]) -> tuple[Dims, list[Fraction] | None]:
    """The output dims, and the factors of all axes if the node states factors."""
    old = call.op == "Upsample" or call.context.opset < 11  # noqa: PLR2004
    constant = call.constant(1 if old else 2)
    if "scales" in call.node.attributes:
        found = [float(one) for one in call.node.attributes["scales"]]
    elif constant is not None and constant.data is not None and constant.data.size:
        found = [float(one) for one in constant.data.ravel().tolist()]
        call.numbers("scales", 1 if old else 2)
    else:
        found = []
    if found:
        factors = [Fraction(1)] * len(x.dims)
        for axis, one in zip(axes, found, strict=True):
            factors[axis] = Fraction(one)
        dims = tuple(floor(n * f) for n, f in zip(x.dims, factors, strict=True))
        return dims, factors
    sizes = call.numbers("sizes", 3)
    if sizes is None:
        raise ConstraintError(
            "CC401",
            "it has neither scales nor sizes that are known at import",
            "export the model with an example of a fixed size, without dynamic axes",
        )
    given = dict(zip(axes, sizes, strict=True))
    dims = tuple(given.get(axis, n) for axis, n in enumerate(x.dims))
    known = call.dims()
    kept = call.get("keep_aspect_ratio_policy", "stretch") != "stretch" and known is not None
    return (known if kept and known is not None else dims), None


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
