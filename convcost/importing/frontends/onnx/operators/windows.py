"""Convolutions, plain, transposed, deformable and quantized, and pools."""

from collections.abc import Sequence
from math import prod
from typing import Any

from convcost.importing.frontends.onnx.call import OnnxCall
from convcost.importing.frontends.onnx.open_dims import Dims
from convcost.importing.frontends.onnx.registry import free_row, operator, row
from convcost.importing.ir.constant import Constant
from convcost.importing.ir.tensor import Tensor
from convcost.importing.passes.lower.stored_tensors import join_with_learned
from convcost.importing.passes.lower.windows import SlidingWindow
from convcost.model.errors import ConstraintError
from convcost.model.number_format import counted

SAME = ("SAME_UPPER", "SAME_LOWER")


def borders(
    call: OnnxCall, size: Dims, kernel: Dims, stride: Dims, dilation: Dims
) -> tuple[Dims, Dims] | str:
    """The padding before and after each axis, or `same` if the odd element is at the end."""
    axes = len(size)
    auto = call.get("auto_pad", "NOTSET")
    if auto == "SAME_UPPER":
        return "same"
    if auto == "SAME_LOWER":
        totals = [
            max((-(-n // s) - 1) * s + d * (f - 1) + 1 - n, 0)
            for n, f, s, d in zip(size, kernel, stride, dilation, strict=True)
        ]
        return tuple(-(-total // 2) for total in totals), tuple(total // 2 for total in totals)
    pads = call.get("pads", (0,) * 2 * axes) if auto == "NOTSET" else (0,) * 2 * axes
    if len(pads) != 2 * axes:
        raise _wrong_length("pads", pads, axes)
    return tuple(pads[:axes]), tuple(pads[axes:])


def per_axis(call: OnnxCall, name: str, axes: int) -> Dims:
    """An attribute with one number for each axis; 1 if it is left out."""
    numbers = tuple(call.get(name, ())) or (1,) * axes
    if len(numbers) != axes:
        raise _wrong_length(name, numbers, axes)
    return numbers


def _wrong_length(name: str, numbers: Sequence[int], axes: int) -> ConstraintError:
    message = f"{name} has {counted(len(numbers), 'number')} for {counted(axes, 'axis')}"
    return ConstraintError("CC404", message)


def window_of(call: OnnxCall, size: Dims, kernel: Dims) -> SlidingWindow:
    """The window of a convolution or pool over an input of `size`."""
    stride, dilation = (per_axis(call, name, len(size)) for name in ("strides", "dilations"))
    padding = borders(call, size, kernel, stride, dilation)
    begins, ends = (padding, ()) if isinstance(padding, str) else padding
    return SlidingWindow(kernel, stride, begins, ends, dilation)


def has_bias(call: OnnxCall, position: int) -> bool:
    """Whether a layer has a bias. A bias of zeros that other layers share was added by an exporter
    and does not count. One that the code creates, or a buffer, is not a param."""
    constant = call.constant(position)
    if constant is None:
        return False
    if constant.number == 0 and (
        call.context.uses[call.node.input(position)] > 1 or not constant.learned
    ):
        call.number(position)
        return False
    fixed = not constant.learned and constant.is_float
    if fixed and (call.context.is_of_code(constant) or call.context.buffer_of(constant)):
        call.context.exclude(constant)
        return False
    return True


@operator("Conv", op="conv", weights=1, bias=2)
def conv(call: OnnxCall) -> Tensor | tuple[Tensor, ...]:
    filters = call.constant(1)
    if filters is None or call.depends_on_input(2):
        return _with_computed_weights(call)
    x = call.value()
    if len(filters.dims) != len(x.dims) or len(x.dims) < 3:  # noqa: PLR2004
        raise ConstraintError(
            "CC404",
            f"its weights have the dims {list(filters.dims)}, but its input has {list(x.dims)}",
        )
    buffers = call.context.buffer_of(filters)
    if _is_of_code(call, filters) or not call.builder.used.keys().isdisjoint(buffers):
        return _with_fixed_weights(call, x, buffers, filters)
    window = window_of(call, x.dims[2:], filters.dims[2:])
    more = {"window": window, "filters": filters.dims[0], "groups": call.get("group", 1)}
    return _with_bias(call, x, "conv", gain=_filter_factors(call, filters), buffers=buffers, **more)


@operator("ConvInteger", op="conv", weights=1)
@operator("QLinearConv", op="conv", weights=3)
def integer_conv(call: OnnxCall) -> Tensor | tuple[Tensor, ...]:
    positions = (0, 1) if call.op == "ConvInteger" else (0, 3, 8)
    if call.constant(positions[1]) is None:
        return call.add_uncounted()
    return conv(call.as_operator("Conv", *map(call.node.input, positions)))


@operator("DeformConv", op="deformable_conv")
def deform_conv(call: OnnxCall) -> Tensor | tuple[Tensor, ...]:
    """Inputs: x, weights, offsets, biases, mask."""
    filters = call.constant(1)
    if filters is None or call.depends_on_input(3):
        return call.add_uncounted()
    x = call.value()
    branches = (0, 2, 4) if call.node.input(4) else (0, 2)
    y = call.lower(
        "deformable_conv",
        *(call.value(position) for position in branches),
        filters=filters.dims[0],
        window=window_of(call, x.dims[2:], filters.dims[2:]),
        groups=call.get("group", 1),
        offset_groups=call.get("offset_group", 1),
        bias=False,
        weights=call.tensors(1),
    )
    return _add_bias(call, y, 3)


def _with_bias(
    call: OnnxCall,
    x: Tensor,
    op: str,
    *,
    gain: str | None = None,
    buffers: dict[str, int] | None = None,
    **more: Any,
) -> Tensor:
    """Adds a convolution with the inputs x, weights and bias, and its learned factors (`gain`)."""
    weights, bias = call.constant(1), (2,) if gain is None and has_bias(call, 2) else ()
    assert weights is not None
    # Weights of equal numbers can belong to several modules, which differ in their biases.
    own_bias = (
        bias if any(call.builder.has_equal_numbers(key) for key, _ in weights.sources) else ()
    )
    tensors = call.tensors(*(() if buffers else (1,)), *own_bias)
    y = call.lower(op, x, weights=tensors, buffers=buffers, bias=bool(own_bias), **more)
    if gain is not None:
        y = call.lower("scale", y, path=("gain",), weights=call.tensors(more=(gain,)), shift=False)
    return y if own_bias else _add_bias(call, y, 2)


def _add_bias(call: OnnxCall, y: Tensor, position: int) -> Tensor:
    """Adds the bias as a layer after the convolution, if there is one. `merge_affine` makes it an
    option of the convolution if all convolutions with the same weights have the same bias."""
    bias = call.constant(position)
    if bias is None or not has_bias(call, position):
        return y
    key = call.context.key_of_operand(y, call.node.input(position))
    dims = (bias.elements, *(1 for _ in y.dims[2:]))
    return join_with_learned(call.builder, "add", y, key, dims, call.path("bias"))


def _is_of_code(call: OnnxCall, filters: Constant) -> bool:
    """Whether the code of the model creates the weights."""
    return not filters.learned and call.context.is_of_code(filters)


def _with_fixed_weights(
    call: OnnxCall, x: Tensor, buffers: dict[str, int], filters: Constant
) -> Tensor | tuple[Tensor, ...]:
    """A convolution whose weights are created by the code, or a buffer that no layer of its kind
    can have: an earlier layer counts it, or the kind has no buffers."""
    free = {key: n for key, n in buffers.items() if key not in call.builder.used}
    if not buffers:
        call.context.exclude(filters)
    which = "buffers as weights" if buffers else "fixed weights"
    y = _custom(call, (x,), filters.dims, which, buffers=free)
    return _add_bias(call, y, 2) if isinstance(y, Tensor) else y


def _with_computed_weights(call: OnnxCall) -> Tensor | tuple[Tensor, ...]:
    """A convolution whose weights or biases depend on the input of the model."""
    inputs = tuple(map(call.value, call.dependent_positions))
    stored = call.tensors(1, *((2,) if has_bias(call, 2) else ()))
    return _custom(call, inputs, call.input_dims(1), "computed weights", weights=stored)


def _custom(
    call: OnnxCall, inputs: tuple[Tensor, ...], filters: Dims, variety: str, **stored: Any
) -> Tensor | tuple[Tensor, ...]:
    """A `custom` layer with the macs of a convolution. `filters` are the dims of its weights."""
    dims, transposed = call.dims(), call.op == "ConvTranspose"
    if dims is None:
        return call.add_uncounted()
    # Each element of the larger side is multiplied with a window over the channels of its group.
    macs = prod(inputs[0].dims if transposed else dims) * prod(filters[1:])
    what = f"{'transposed_conv' if transposed else 'conv'} with {variety}"
    return call.lower("custom", *inputs, what=what, dims=dims, macs=macs, channel=1, **stored)


def _filter_factors(call: OnnxCall, filters: Constant) -> str | None:
    """The key of the tensor with one factor for each filter, by which weights are multiplied before
    they are used, as in weight standardization and weight norm."""
    derived, bias = call.context.derived, call.constant(2)
    sources = derived.stored(filters)
    complete = [entry for entry in sources if entry[1] == filters.elements]
    rest = set(sources).difference(complete, bias.sources if bias else ())
    if filters.has_whole_source or not filters.learned or len(complete) != 1:
        return None
    keys = [key for key, elements in rest if elements == filters.dims[0] > 1]
    return keys[0] if len(keys) == 1 and derived.multiplies(filters, keys[0]) else None


@operator("ConvTranspose", op="transposed_conv", weights=1, bias=2)
def conv_transpose(call: OnnxCall) -> Tensor | tuple[Tensor, ...]:
    filters = call.constant(1)
    if filters is None or call.depends_on_input(2):
        return _with_computed_weights(call)
    x, groups, kernel = call.value(), call.get("group", 1), filters.dims[2:]
    buffers = call.context.buffer_of(filters)
    if buffers or _is_of_code(call, filters):
        return _with_fixed_weights(call, x, buffers, filters)
    window, extra = _transposed_window(call, x.dims[2:], kernel)
    more = {"filters": filters.dims[1] * groups, "groups": groups, "output_padding": extra}
    return _with_bias(call, x, "transposed_conv", window=window, **more)


def _transposed_window(
    call: OnnxCall, size: Dims, kernel: Dims
) -> tuple[SlidingWindow, Sequence[int]]:
    """The window and the output padding; computed from the output size if the node states it."""
    auto, axes = call.get("auto_pad", "NOTSET"), len(size)
    stride, dilation = per_axis(call, "strides", axes), per_axis(call, "dilations", axes)
    extra = tuple(call.get("output_padding", ())) or (0,) * axes
    output = call.get("output_shape", None)
    if output is None and auto in SAME:
        output = tuple(n * s for n, s in zip(size, stride, strict=True))
    if output is None:
        return window_of(call, size, kernel), extra
    plain = [n - e for n, e in zip(output[-axes:], extra, strict=True)]
    window = SlidingWindow(kernel, stride, dilation=dilation)
    window, missing = window.to_size(size, plain, odd_first=auto != "SAME_UPPER")
    has_output_shape = "output_shape" in call.node.attributes
    return window, [e + more * has_output_shape for e, more in zip(extra, missing, strict=True)]


# Pools

row("global_avg_pool", "GlobalAveragePool", "QLinearGlobalAveragePool")
row("global_max_pool", "GlobalMaxPool")
free_row("LpPool", what="lp_pool")
free_row("GlobalLpPool", what="global_lp_pool")


@operator(MaxPool="max_pool", AveragePool="avg_pool", QLinearAveragePool="avg_pool")
def pool(call: OnnxCall) -> tuple[Tensor, ...]:
    x, ceil = call.value(), bool(call.get("ceil_mode", 0))
    window = window_of(call, x.dims[2:], tuple(call.node.attributes["kernel_shape"]))
    y = call.lower(call.canonical, x, window=window, ceil=ceil, dims=call.dims())
    return y, *(call.custom(y.dims, "max_pool, indices") for _ in call.outputs[1:])


@operator("MaxUnpool")
def max_unpool(call: OnnxCall) -> Tensor:
    """Inputs: x, indices, output size."""
    x = call.value()
    window = window_of(call, x.dims[2:], tuple(call.node.attributes["kernel_shape"]))
    kernel, stride, begins, ends, _ = window
    assert not isinstance(begins, str)
    axes = zip(x.dims[2:], kernel, stride, begins, ends, strict=True)
    plain = tuple((n - 1) * s + f - begin - end for n, f, s, begin, end in axes)
    output_size = call.node.attributes.get("size", call.numbers("output_shape", 2))
    size = plain if output_size is None else output_size[-len(plain) :]
    return call.lower("max_unpool", x, window=window, size=size)
