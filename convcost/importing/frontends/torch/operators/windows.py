"""Convolutions, plain and transposed, and pools, with one, two or three axes."""

from collections.abc import Mapping
from math import prod
from typing import Any

from convcost.importing.frontends.torch.constant_value import (
    ConstantValue,
    buffers,
    learned_tensors,
    weights,
)
from convcost.importing.frontends.torch.names import split_name
from convcost.importing.frontends.torch.registry import TorchCall, operator, row
from convcost.importing.ir.tensor import Tensor, reshaped
from convcost.importing.passes.lower.windows import MAX_AXES, SlidingWindow


@operator(*(f"conv{n}d" for n in (1, 2, 3)), op="conv")
def convolution(call: TorchCall) -> Any:
    """`weight` is [filters, channels/groups, kernel…]."""
    arguments = call.given
    filters, group_channels, *kernel = arguments["weight"].dims
    fixed = _inexpressible_conv(call, prod(call.dims) * group_channels * prod(kernel))
    if fixed is not None:
        return fixed
    rank = len(kernel)
    dilation = per_axis(arguments["dilation"], rank)
    begins, ends = _padding(arguments["padding"], kernel, dilation)
    window = SlidingWindow(kernel, per_axis(arguments["stride"], rank), begins, ends, dilation)
    tensors, gain = learned_tensors(arguments["weight"])
    stored = {"weights": tensors, "buffers": {} if tensors else buffers(arguments["weight"])}
    return _with_bias(call, "conv", filters, gain, stored, window=window)


@operator(*(f"conv_transpose{n}d" for n in (1, 2, 3)), op="transposed_conv")
def transposed(call: TorchCall) -> Any:
    """`weight` is [channels, filters/groups, kernel…]."""
    arguments = call.given
    _, group_filters, *kernel = arguments["weight"].dims
    fixed = _inexpressible_conv(call, prod(arguments["input"].dims) * group_filters * prod(kernel))
    if fixed is not None:
        return fixed
    stride, padding, extra, dilation = (
        per_axis(arguments[name], len(kernel))
        for name in ("stride", "padding", "output_padding", "dilation")
    )
    window = SlidingWindow(kernel, stride, padding, padding, dilation)
    stored = {"weights": weights(arguments["weight"])}
    filters = group_filters * arguments["groups"]
    return _with_bias(
        call, "transposed_conv", filters, {}, stored, window=window, output_padding=extra
    )


@operator("torchvision.deform_conv2d")
def deform_conv(call: TorchCall) -> Any:
    """`weight` is [filters, channels/groups, kernel…]. PyTorch passes zeros for a missing bias or
    mask."""
    arguments = call.given
    filters, _, *kernel = arguments["weight"].dims
    stride, padding, dilation = (
        (arguments[f"{name}_h"], arguments[f"{name}_w"]) for name in ("stride", "pad", "dilation")
    )
    biases = weights(arguments["bias"])
    names = ("input", "offset", *(["mask"] if arguments["use_mask"] else []))
    return call.lower(
        "deformable_conv",
        *(call.tensor(arguments[name]) for name in names),
        filters=filters,
        window=SlidingWindow(kernel, stride, padding, padding, dilation),
        groups=arguments["groups"],
        offset_groups=arguments["offset_groups"],
        bias=sum(biases.values()) == filters,
        weights={**weights(arguments["weight"]), **biases},
    )


def _with_bias(
    call: TorchCall,
    op: str,
    filters: int,
    gain: Mapping[str, int],
    stored: dict[str, Any],
    **more: Any,
) -> Tensor:
    """Adds a convolution, and its factors and biases after it."""
    x, bias = call.tensor(call.given["input"]), call.given["bias"]
    y = call.lower(op, x, **stored, **more, filters=filters, groups=call.given["groups"])
    learned = weights(bias) if isinstance(bias, ConstantValue) else {}
    shift = bool(learned and (gain or bias.leaf or sum(learned.values()) == filters))
    if late := {**gain, **(learned if shift else {})}:
        named = call._replace(path=split_name(next(iter(late))))
        y = named.lower("scale", y, factor=bool(gain), shift=shift, weights=late)
    if isinstance(bias, ConstantValue) and not bias.leaves:
        call.builder.free["add a fixed number"] += 1
    elif bias is not None and not shift:
        numbers = call.tensor(bias)
        across = reshaped(numbers, (1, *numbers.dims, *(1 for _ in y.dims[2:])))
        y = call.lower("add", y, across)
    return y


def _inexpressible_conv(call: TorchCall, macs: int) -> Any:
    """A `custom` layer with the macs, if no kind can express the convolution. None for a plain
    layer, and for weights that are a learned tensor times a factor for each filter."""
    weight = call.given["weight"]
    if isinstance(weight, Tensor):
        return call.custom("convolution with computed weights", macs)
    if len(weight.dims) - 2 == MAX_AXES and call.given["input"].dims[0] > 1:
        return call.custom("convolution of many samples", macs)
    main_tensors, others = learned_tensors(weight)
    size = prod(weight.dims)
    plain = call.canonical == "conv"
    factors = (0, weight.dims[0]) if plain else (0,)
    if sum(main_tensors.values()) == size and sum(others.values()) in factors:
        return None
    if main_tensors:
        return call.custom("convolution with weights computed from others", macs)
    stored = buffers(weight)
    if plain and list(stored.values()) == [size] and not stored.keys() & call.builder.used.keys():
        return None  # a buffer that only this layer uses, such as a blur before a stride
    return call.custom("convolution with fixed weights", macs)


def _padding(padding: Any, kernel: Any, dilation: Any) -> tuple[list[int], list[int]]:
    """The padding before and after each axis. With `same`, the odd element is at the end."""
    if padding == "valid":
        padding = 0
    if padding == "same":
        spans = [d * (f - 1) for d, f in zip(dilation, kernel, strict=True)]
        return [n // 2 for n in spans], [n - n // 2 for n in spans]
    both = list(per_axis(padding, len(kernel)))
    return both, both


def per_axis(value: Any, rank: int) -> tuple[int, ...]:
    """One number for each axis; a single number counts for all axes."""
    numbers = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    return numbers * rank if len(numbers) == 1 else numbers


# Pools


def _window(call: TorchCall) -> SlidingWindow:
    arguments, rank = call.given, len(call.given["self"].dims) - 2
    kernel = per_axis(arguments["kernel_size"], rank)
    padding = per_axis(arguments["padding"], rank)
    dilation = per_axis(arguments["dilation"], rank) if "dilation" in arguments else ()
    return SlidingWindow(
        kernel, per_axis(arguments["stride"] or kernel, rank), padding, padding, dilation
    )


for _op in ("max_pool", "avg_pool"):
    row(_op, *(f"{_op}{n}d" for n in (1, 2, 3)), window=_window, ceil="ceil_mode",
        dims=lambda call: call.dims)  # fmt: skip


@operator(*(f"max_pool{n}d_with_indices" for n in (1, 2, 3)), op="max_pool")
def max_pool_with_indices(call: TorchCall) -> Any:
    """The window determines the indices of the largest elements."""
    window, ceil = _window(call), call.given["ceil_mode"]
    return call.lower("max_pool", window=window, ceil=ceil, dims=call.dims[0]), window


@operator("max_unpool2d", "max_unpool3d")
def max_unpool(call: TorchCall) -> Tensor:
    window = call.given["indices"]
    pool_window = window if isinstance(window, SlidingWindow) else None
    return call.lower("max_unpool", window=pool_window, size=call.dims[2:])


@operator(*(f"adaptive_{kind}_pool{n}d" for kind in ("max", "avg") for n in (1, 2, 3)),
          "_adaptive_avg_pool2d")  # fmt: skip
def adaptive_pool(call: TorchCall) -> Any:
    dims = call.first_dims
    kind = call.own_name.removeprefix("_")[:-2]
    y = call.lower(kind, size=dims[2:], dims=dims)
    return (y, None) if call.has_several_outputs else y
