"""Enlarging, padding and cropping."""

from fractions import Fraction
from math import floor

from convcost.errors import Refusal
from convcost.importing.from_onnx.graph import Node
from convcost.importing.from_onnx.operators import operator
from convcost.importing.from_onnx.shapes import Dims
from convcost.importing.from_onnx.sheet import Sheet, get
from convcost.importing.from_onnx.unknown import stated
from convcost.importing.from_onnx.work import np_flat
from convcost.importing.parts.resizing import enlargement
from convcost.importing.parts.windows import padded, window
from convcost.importing.value import Value

MODES = {"nearest": "nearest", "linear": "linear", "bilinear": "linear", "cubic": "cubic"}


@operator("Resize", "Upsample")
def resize(sheet: Sheet, node: Node) -> Value:
    x = sheet.value(node)
    rank = len(x.dims)
    axes = [axis % rank for axis in get(node, "axes", tuple(range(rank)))]
    wanted, scales = _wanted(sheet, node, x, axes)
    if wanted == x.dims:
        return sheet.free(node, x)
    channel = x.channel
    still = {channel, x.batch} - {None}
    if any(wanted[axis] != x.dims[axis] for axis in still if axis is not None):
        return stated(sheet, node, wanted)
    sizes = [axis for axis in range(rank) if axis not in still]
    options = enlargement(
        tuple(x.dims[a] for a in sizes), tuple(wanted[a] for a in sizes),
        None if scales is None else [scales[a] for a in sizes],
    )  # fmt: skip
    options["mode"] = MODES.get(get(node, "mode", "nearest"), "linear")
    path = sheet.path(node)
    sized = scales is None
    return window(sheet.easel, "upsample", x, path, options, channel=channel, sized=sized)


def _wanted(
    sheet: Sheet, node: Node, x: Value, axes: list[int]
) -> tuple[Dims, list[Fraction] | None]:
    """The dims that come out, and the factors of all axes where these were given."""
    old = node.op == "Upsample" or sheet.opset < 11  # noqa: PLR2004
    constant = sheet.constant(node, 1 if old else 2)
    if "scales" in node.attributes:
        found = [float(one) for one in node.attributes["scales"]]
    elif constant is not None and constant.data is not None and constant.data.size:
        found = [float(one) for one in np_flat(constant.data)]
        sheet.numbers(node, "scales", 1 if old else 2)
    else:
        found = []
    if found:
        factors = [Fraction(1)] * len(x.dims)
        for axis, one in zip(axes, found, strict=True):
            factors[axis] = Fraction(one)
        dims = tuple(floor(n * f) for n, f in zip(x.dims, factors, strict=True))
        return dims, factors
    sizes = sheet.numbers(node, "sizes", 3)
    if sizes is None:
        raise Refusal("CC401", "its scales are not known beforehand")
    given = dict(zip(axes, sizes, strict=True))
    dims = tuple(given.get(axis, n) for axis, n in enumerate(x.dims))
    known = sheet.dims(node)
    kept = get(node, "keep_aspect_ratio_policy", "stretch") != "stretch" and known is not None
    return (known if kept and known is not None else dims), None


@operator("Pad")
def pad(sheet: Sheet, node: Node) -> Value:
    x = sheet.value(node)
    rank = len(x.dims)
    pads = sheet.numbers(node, "pads" if "pads" in node.attributes else "paddings", 1) or ()
    axes = sheet.numbers(node, "axes", 3) or tuple(range(rank))
    begins, ends = [0] * rank, [0] * rank
    for at, axis in enumerate(axes):
        begins[axis], ends[axis] = pads[at], pads[at + len(axes)]
    if not any(begins) and not any(ends):
        return sheet.free(node, x)
    dims = tuple(n + a + b for n, a, b in zip(x.dims, begins, ends, strict=True))
    channel = x.channel
    sizes = [axis for axis in range(rank) if axis not in (channel, x.batch)]
    moved = {axis for axis in range(rank) if begins[axis] or ends[axis]}
    if not moved <= set(sizes):
        return stated(sheet, node, dims)
    for kind, sign in (("pad", 1), ("crop", -1)):
        before = [max(sign * begins[a], 0) for a in sizes]
        after = [max(sign * ends[a], 0) for a in sizes]
        if any(before) or any(after):
            options = {"border": padded(before, after)}
            x = window(sheet.easel, kind, x, sheet.path(node), options, channel=channel)
    return x


@operator("CenterCropPad", "Crop")
def crop(sheet: Sheet, node: Node) -> Value:
    return stated(sheet, node)
