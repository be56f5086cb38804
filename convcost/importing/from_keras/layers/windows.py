"""Convolutions and pools of Keras: a window option is one number an axis, padding a word."""

from collections.abc import Sequence
from math import prod
from typing import Any

from convcost.errors import Refusal
from convcost.importing.easel import Easel
from convcost.importing.from_keras.call import Call, layer
from convcost.importing.from_keras.layers.activations import activated
from convcost.importing.parts.pointwise import pointwise
from convcost.importing.parts.windows import convolved, each, window
from convcost.importing.value import Value, reshaped


def _padded(call: Call) -> str:
    word = str(call.config.get("padding", "valid")).lower()
    if word not in ("same", "valid"):
        raise Refusal("CC401", f"padding `{word}` of {call.kind} is not read")
    return word


def _window(call: Call, window: str = "kernel_size") -> dict[str, Any]:
    return {
        "kernel": each(call.numbers(window)),
        "stride": each(call.numbers("strides")),
        "padding": _padded(call),
        "dilation": each(call.numbers("dilation_rate")),
    }


@layer("Conv1D", "Conv2D", "Conv3D", "Convolution1D", "Convolution2D", "Convolution3D")
def conv(easel: Easel, call: Call) -> Value:
    filters, groups = int(call.config["filters"]), int(call.config.get("groups", 1) or 1)
    c = call.x.dims[call.channel]
    kernel, bias = call.numbers("kernel_size"), bool(call.config.get("use_bias", True))
    tensors = call.tensor("kernel", *kernel, c // groups, filters)
    tensors |= call.tensor("bias", filters) if bias else {}
    x = call.x
    padding: Sequence[int] = (0,) * len(kernel)
    if call.config.get("padding") == "causal":
        before = [*call.numbers("dilation_rate")]
        border = [d * (k - 1) for d, k in zip(before, kernel, strict=True)]
        ends = (0,) * len(border)
        x = window(easel, "pad", x, call.path, {"border": (*border, *ends)}, None, call.channel)
    elif _padded(call) == "same":
        options = {"filters": filters, "groups": groups, "bias": bias, **_window(call)}
        return _worded(easel, call, options, tensors)
    drawn = convolved(
        easel,
        x,
        call.path,
        filters=filters,
        kernel=kernel,
        stride=call.numbers("strides"),
        begins=padding,
        ends=padding,
        dilation=call.numbers("dilation_rate"),
        groups=groups,
        tensors=tensors,
        bias=bias,
        channel=call.channel,
    )
    return activated(easel, call, drawn)


def _worded(easel: Easel, call: Call, options: dict[str, Any], tensors: dict[str, int]) -> Value:
    """A convolution with `same` padding."""
    c, filters = call.x.dims[call.channel], options["filters"]
    if options["groups"] == c > 1 and filters % c == 0:
        del options["filters"], options["groups"]
        options["multiplier"] = filters // c
        drawn = window(easel, "depthwise", call.x, call.path, options, tensors, call.channel)
    else:
        drawn = window(easel, "conv", call.x, call.path, options, tensors, call.channel)
    return activated(easel, call, drawn)


def _depthwise(easel: Easel, call: Call, *, bias: bool) -> Value:
    times = int(call.config.get("depth_multiplier", 1))
    c = call.x.dims[call.channel]
    options = {**_window(call), "multiplier": times, "bias": bias}
    tensors = call.tensor("depthwise_kernel", prod(call.numbers("kernel_size")), c, times)
    tensors |= call.tensor("bias", c * times) if bias else {}
    return window(easel, "depthwise", call.x, call.path, options, tensors, call.channel)


@layer("DepthwiseConv1D", "DepthwiseConv2D")
def depthwise(easel: Easel, call: Call) -> Value:
    bias = bool(call.config.get("use_bias", True))
    return activated(easel, call, _depthwise(easel, call, bias=bias))


@layer("SeparableConv1D", "SeparableConv2D", "SeparableConvolution2D")
def separable(easel: Easel, call: Call) -> Value:
    """A depthwise convolution without a bias, then one of 1×1."""
    filters, bias = int(call.config["filters"]), bool(call.config.get("use_bias", True))
    deep = _depthwise(easel, call._replace(path=(*call.path, "depthwise")), bias=False)
    c = deep.dims[call.channel]
    tensors = call.tensor("pointwise_kernel", c, filters)
    tensors |= call.tensor("bias", filters) if bias else {}
    options = {"filters": filters, "kernel": 1, "bias": bias}
    path = (*call.path, "pointwise")
    drawn = window(easel, "conv", deep, path, options, tensors, call.channel)
    return activated(easel, call, drawn)


@layer("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
def transposed(easel: Easel, call: Call) -> Value:
    """Keras makes the output n·stride under `same`, n·stride + max(kernel − stride, 0) else."""
    filters, bias = int(call.config["filters"]), bool(call.config.get("use_bias", True))
    kernel, stride = call.numbers("kernel_size"), call.numbers("strides")
    dilation = call.numbers("dilation_rate")
    begins, ends, extra = [], [], []
    given = call.config.get("output_padding")
    out = call.numbers("output_padding", 0)
    for k, s, d, o in zip(kernel, stride, dilation, out, strict=True):
        spread = d * (k - 1) + 1
        if _padded(call) == "valid":
            total, more = (0, max(s - spread, 0)) if given is None else (0, o)
        else:
            total = max(spread - s, 0) if given is None else 2 * (spread // 2)
            more = max(s - spread, 0) if given is None else o
        begins.append(total // 2)
        ends.append(total - total // 2)
        extra.append(more)
    options = {
        "filters": filters,
        "kernel": each(kernel),
        "stride": each(stride),
        "dilation": each(dilation),
        "padding": each(begins) if begins == ends else (*begins, *ends),
        "output_padding": each(extra),
        "bias": bias,
    }
    c = call.x.dims[call.channel]
    tensors = call.tensor("kernel", *kernel, filters, c)
    tensors |= call.tensor("bias", filters) if bias else {}
    drawn = window(easel, "transposed_conv", call.x, call.path, options, tensors, call.channel)
    return activated(easel, call, drawn)


@layer(
    *(f"{kind}Pooling{n}D" for kind in ("Max", "Average") for n in (1, 2, 3)),
    *(f"{kind}Pool{n}D" for kind in ("Max", "Avg") for n in (1, 2, 3)),
)
def pool(easel: Easel, call: Call) -> Value:
    kind = "max_pool" if call.kind.startswith("Max") else "avg_pool"
    kernel = call.numbers("pool_size", 2)
    options: dict[str, Any] = {"kernel": each(kernel)}
    if call.config.get("strides") is not None and call.numbers("strides") != kernel:
        options["stride"] = each(call.numbers("strides"))
    if _padded(call) != "valid":
        options["padding"] = _padded(call)
    return window(easel, kind, call.x, call.path, options, None, call.channel)


@layer(
    *(f"Global{kind}Pooling{n}D" for kind in ("Max", "Average") for n in (1, 2, 3)),
    *(f"Global{kind}Pool{n}D" for kind in ("Max", "Avg") for n in (1, 2, 3)),
)
def global_pool(easel: Easel, call: Call) -> Value:
    kind = "global_max_pool" if "Max" in call.kind else "global_avg_pool"
    drawn = window(easel, kind, call.x, call.path, {}, None, call.channel)
    if call.config.get("keepdims"):
        return drawn
    return reshaped(drawn, (1, drawn.dims[call.channel]))


@layer(*(f"Adaptive{kind}Pooling{n}D" for kind in ("Max", "Average") for n in (1, 2, 3)))
def adaptive(easel: Easel, call: Call) -> Value:
    kind = "adaptive_max_pool" if "Max" in call.kind else "adaptive_avg_pool"
    options = {"size": each(call.numbers("output_size"))}
    return window(easel, kind, call.x, call.path, options, None, call.channel)


@layer("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D")
def pad(easel: Easel, call: Call) -> Value:
    return _bordered(easel, call, "pad", "padding")


@layer("Cropping1D", "Cropping2D", "Cropping3D")
def crop(easel: Easel, call: Call) -> Value:
    return _bordered(easel, call, "crop", "cropping")


def _bordered(easel: Easel, call: Call, kind: str, name: str) -> Value:
    value, axes = call.config[name], len(call.size)
    pairs = [value] if axes == 1 and isinstance(value, list | tuple) else value
    if not isinstance(pairs, list | tuple):
        pairs = [pairs] * axes
    both = [pair if isinstance(pair, list | tuple) else (pair, pair) for pair in pairs]
    begins, ends = [int(a) for a, _ in both], [int(b) for _, b in both]
    border = each(begins) if begins == ends else (*begins, *ends)
    return window(easel, kind, call.x, call.path, {"border": border}, None, call.channel)


@layer("UpSampling1D", "UpSampling2D", "UpSampling3D")
def upsample(easel: Easel, call: Call) -> Value:
    word = str(call.config.get("interpolation", "nearest"))
    mode = {"bilinear": "linear", "bicubic": "cubic", "nearest": "nearest"}.get(word)
    if mode is None:
        easel.notes.append(f"{'/'.join(call.path)}: interpolation {word} is written as nearest")
    options = {"scale": each(call.numbers("size", 2)), "mode": mode or "nearest"}
    return window(easel, "upsample", call.x, call.path, options, None, call.channel)


@layer("Activation")
def activation(easel: Easel, call: Call) -> Value:
    return activated(easel, call, call.x, call.path)


@layer("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout")
def dropout(easel: Easel, call: Call) -> Value:
    rate = call.config.get("rate")
    options = {} if rate is None else {"rate": _decimal(rate)}
    return pointwise(easel, "dropout", call.x, call.path, options)


def _decimal(number: float) -> Any:
    from fractions import Fraction

    exact = Fraction(repr(number))
    return int(exact) if exact.denominator == 1 else exact
