"""Convolutions: plain, transposed, of integers."""

from collections.abc import Sequence
from math import prod
from typing import Any

from convcost.errors import Refusal
from convcost.importing.from_onnx.biases import shifted
from convcost.importing.from_onnx.constants import Constant
from convcost.importing.from_onnx.graph import Node
from convcost.importing.from_onnx.operators import operator
from convcost.importing.from_onnx.operators.activations import applied
from convcost.importing.from_onnx.shapes import Dims
from convcost.importing.from_onnx.sheet import Sheet, get
from convcost.importing.from_onnx.unknown import uncounted
from convcost.importing.parts.pointwise import by_channel
from convcost.importing.parts.stated import bounded
from convcost.importing.parts.windows import convolved, each, padded, window
from convcost.importing.value import Value, made
from convcost.shapes import Shape

SAME = ("SAME_UPPER", "SAME_LOWER")


def borders(
    node: Node, size: Dims, kernel: Dims, stride: Dims, dilation: Dims
) -> tuple[Dims, Dims] | str:
    """Padding before and after, or `same` where the odd element goes to the end."""
    axes = len(size)
    auto = get(node, "auto_pad", "NOTSET")
    if auto == "SAME_UPPER":
        return "same"
    if auto == "SAME_LOWER":
        totals = [
            max((-(-n // s) - 1) * s + d * (f - 1) + 1 - n, 0)
            for n, f, s, d in zip(size, kernel, stride, dilation, strict=True)
        ]
        return tuple(-(-total // 2) for total in totals), tuple(total // 2 for total in totals)
    pads = get(node, "pads", (0,) * 2 * axes) if auto == "NOTSET" else (0,) * 2 * axes
    if len(pads) != 2 * axes:
        raise Refusal("CC404", f"pads has {len(pads)} numbers for {axes} axes")
    return tuple(pads[:axes]), tuple(pads[axes:])


def spread(node: Node, name: str, axes: int) -> Dims:
    """An attribute with a number for each axis, 1 where left out."""
    found = tuple(get(node, name, ())) or (1,) * axes
    if len(found) != axes:
        raise Refusal("CC404", f"{name} has {len(found)} numbers for {axes} axes")
    return found


def biased(sheet: Sheet, node: Node, at: int) -> bool:
    """Whether a layer has a bias. One of zeros that others share was put there by an exporter."""
    constant = sheet.constant(node, at) if at > 0 else None
    if constant is None:
        return False
    if constant.number == 0 and (sheet.uses[node.input(at)] > 1 or not constant.learned):
        sheet.number(node, at)
        return False
    return True


@operator("Conv", "ConvInteger", "FusedConv")
def conv(sheet: Sheet, node: Node) -> Value | tuple[Value, ...]:
    bias = 2 if node.op != "ConvInteger" else -1
    return _convolved(sheet, node, 1, bias)


@operator("QLinearConv")
def qlinear_conv(sheet: Sheet, node: Node) -> Value | tuple[Value, ...]:
    return _convolved(sheet, node, 3, 8)


def _convolved(sheet: Sheet, node: Node, weights: int, bias: int) -> Value | tuple[Value, ...]:
    filters = sheet.constant(node, weights)
    if filters is None or sheet.flows(node, bias):
        return uncounted(sheet, node)
    x = sheet.value(node)
    if len(filters.dims) != len(x.dims) or len(x.dims) < 3:  # noqa: PLR2004
        raise Refusal("CC404", f"weights of dims {list(filters.dims)} meet {list(x.dims)}")
    axes = len(x.dims) - 2
    kernel = filters.dims[2:]
    stride, dilation = spread(node, "strides", axes), spread(node, "dilations", axes)
    found = borders(node, x.dims[2:], kernel, stride, dilation)
    begins, ends = (found, found) if isinstance(found, str) else found
    gain = _gain(sheet, filters, sheet.constant(node, bias))
    shift = biased(sheet, node, bias)
    has_bias = shift and gain is None and not sheet.is_apart(filters)
    kept = sheet.kept(filters)
    if not sheet.easel.used.keys().isdisjoint(kept):
        return _fixed(sheet, node, x, kept, filters, bias)
    held = (*(() if kept else (weights,)), *((bias,) if has_bias else ()))
    x = convolved(
        sheet.easel,
        x,
        sheet.path(node),
        filters=filters.dims[0],
        kernel=kernel,
        stride=stride,
        begins=begins,
        ends=ends,
        dilation=dilation,
        groups=get(node, "group", 1),
        tensors=sheet.tensors(node, *held, kinds=("conv", "depthwise")),
        bias=has_bias,
        buffers=kept,
    )
    if gain is not None:
        x = _gained(sheet, node, x, gain, bias)
    elif shift and not has_bias:
        x = shifted(sheet, node, x, bias, 1)
    if "activation" in node.attributes:
        x = applied(sheet, node, node.attributes["activation"], x)
    return x


def _fixed(
    sheet: Sheet, node: Node, x: Value, kept: dict[str, int], filters: Constant, bias: int
) -> Value | tuple[Value, ...]:
    """A convolution whose weights are a buffer that no layer of its kind can have: it states its
    macs."""
    dims = sheet.dims(node)
    if dims is None:
        return uncounted(sheet, node)
    # Each number of the wider side meets a window of each channel of its group on the other.
    wide = x.dims if node.op == "ConvTranspose" else dims
    macs = prod(wide) * prod(filters.dims[1:])
    source = sheet.easel.demand(x, 1, sheet.path(node))
    shape = Shape(dims[1], dims[2:])
    inputs, bound = bounded(sheet.easel, [source], shape, macs)
    new = {key: n for key, n in kept.items() if key not in sheet.easel.used}
    what = "transposed_conv" if node.op == "ConvTranspose" else "conv"
    options = {"what": f"{what} of kept weights", "params": 0, "macs": macs, **bound}
    options["buffers"] = sum(new.values())
    path = sheet.path(node)
    index = sheet.easel.emit("custom", path, inputs, options, buffers=new)
    y = made(index, shape, len(dims), 1, x.batch)
    return shifted(sheet, node, y, bias, 1) if biased(sheet, node, bias) else y


def _gain(sheet: Sheet, filters: Constant, bias: Constant | None) -> str | None:
    """The tensor of one number a filter that weights are multiplied with before they are used, as
    weight standardization and weight norm do."""
    roots = sheet.books.stored(filters)
    own = [root for root in roots if root[1] == filters.elements]
    rest = [root for root in roots if root not in own and root not in (bias.roots if bias else ())]
    if filters.whole or not filters.learned or len(own) != 1:
        return None
    found = [key for key, elements in rest if elements == filters.dims[0] > 1]
    return found[0] if len(found) == 1 and sheet.books.multiplies(filters, found[0]) else None


def _gained(sheet: Sheet, node: Node, x: Value, gain: str, bias: int) -> Value:
    """That gain as a layer, and the bias after it."""
    shift = biased(sheet, node, bias)
    tensors = sheet.tensors(node, *((bias,) if shift else ()), kinds=("scale",), more=(gain,))
    path = (*sheet.path(node), "gain")
    return by_channel(sheet.easel, "scale", x, path, 1, {"shift": shift}, tensors=tensors)


@operator("ConvTranspose")
def conv_transpose(sheet: Sheet, node: Node) -> Value | tuple[Value, ...]:
    filters = sheet.constant(node, 1)
    if filters is None or sheet.flows(node, 2):
        return uncounted(sheet, node)
    x = sheet.value(node)
    axes = len(x.dims) - 2
    groups = get(node, "group", 1)
    kernel = filters.dims[2:]
    stride, dilation = spread(node, "strides", axes), spread(node, "dilations", axes)
    extra = tuple(get(node, "output_padding", ())) or (0,) * axes
    if kept := sheet.kept(filters):
        return _fixed(sheet, node, x, kept, filters, 2)
    shift = biased(sheet, node, 2)
    has_bias = shift and not sheet.is_apart(filters)
    options: dict[str, Any] = {
        "filters": filters.dims[1] * groups,
        "kernel": each(kernel),
        "stride": each(stride),
        "dilation": each(dilation),
        "groups": groups,
        "bias": has_bias,
        **_cut(node, x.dims[2:], kernel, stride, dilation, extra),
    }
    tensors = sheet.tensors(node, 1, *((2,) if has_bias else ()), kinds=("transposed_conv",))
    y = window(sheet.easel, "transposed_conv", x, sheet.path(node), options, tensors)
    return shifted(sheet, node, y, 2, 1) if shift and not has_bias else y


def _cut(
    node: Node, size: Dims, kernel: Dims, stride: Dims, dilation: Dims, extra: Sequence[int]
) -> dict[str, Any]:
    """Padding and output padding, from the output's size where that is what is given."""
    auto = get(node, "auto_pad", "NOTSET")
    wanted = get(node, "output_shape", None)
    if wanted is None and auto in SAME:
        wanted = tuple(n * s for n, s in zip(size, stride, strict=True))
    if wanted is None:
        found = borders(node, size, kernel, stride, dilation)
        begins, ends = found if not isinstance(found, str) else ((0,), (0,))
        return {"padding": padded(begins, ends), "output_padding": each(extra)}
    before, after, more = [], [], []
    for n, f, s, d, e, out in zip(
        size, kernel, stride, dilation, extra, wanted[-len(size) :], strict=True
    ):
        total = s * (n - 1) + e + (f - 1) * d + 1 - out
        # Room that is left is filled only up to a size that was asked for.
        more.append(e + max(-total, 0) * ("output_shape" in node.attributes))
        small, large = max(total, 0) // 2, max(total, 0) - max(total, 0) // 2
        upper = auto == "SAME_UPPER"
        before.append(small if upper else large)
        after.append(large if upper else small)
    return {"padding": padded(before, after), "output_padding": each(more)}
