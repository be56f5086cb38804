"""Convolutions and pools of Keras. An option of the window has one number for each axis; the
padding is a word."""

from math import prod
from typing import Any

from convcost.importing.frontends.keras.call import LayerCall, layer
from convcost.importing.frontends.keras.layers.activations import add_activation
from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.refusals import unsupported
from convcost.importing.ir.tensor import Tensor, reshaped
from convcost.importing.passes.lower.windows import SlidingWindow
from convcost.importing.passes.lowering import lower
from convcost.model.errors import ConstraintError

GATES = 4  # of a ConvLSTM: input, forget, cell, output
MODES = {"bilinear": "linear", "bicubic": "cubic", "nearest": "nearest"}


def window_of(call: LayerCall) -> SlidingWindow:
    """The window of a convolution."""
    stride, dilation = call.numbers("strides"), call.numbers("dilation_rate")
    return SlidingWindow(call.numbers("kernel_size"), stride, _padding(call), (), dilation)


def _padding(call: LayerCall) -> str:
    word = str(call.config.get("padding", "valid")).lower()
    if word not in ("same", "valid"):
        raise unsupported(f"the padding `{word}` of {call.kind}")
    return word


def _convolve(
    call: LayerCall, op: str, x: Tensor, filters: int, kernel: dict[str, int], **more: Any
) -> Tensor:
    """A convolution with the layer's bias, before the activation."""
    bias = call.bias(filters)
    options = {"filters": filters, "bias": bool(bias), "channel": call.channel, **more}
    return call.lower(op, x, weights=kernel | bias, **options)


@layer("Conv1D", "Conv2D", "Conv3D", "Convolution1D", "Convolution2D", "Convolution3D")
def conv(call: LayerCall) -> Tensor:
    filters, groups = int(call.config["filters"]), int(call.config.get("groups", 1) or 1)
    kernel, x, window_call = call.numbers("kernel_size"), call.x, call
    if call.config.get("padding") == "causal":
        dilation = call.numbers("dilation_rate")
        before = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        x = call.add_border(x, before, [0] * len(before))
        window_call = call._replace(config={**call.config, "padding": "valid"})
    weights = call.tensor("kernel", *kernel, x.dims[call.channel] // groups, filters)
    more = {"window": window_of(window_call), "groups": groups}
    return add_activation(call, _convolve(call, "conv", x, filters, weights, **more))


@layer("LocallyConnected1D", "LocallyConnected2D")
def locally_connected(call: LayerCall) -> Tensor:
    """Layers of Keras 2. The other implementations store more or fewer weights."""
    implementation, padding = call.config.get("implementation", 1), _padding(call)
    if implementation != 1:
        raise ConstraintError(
            "CC401",
            f"{call.kind} with `implementation={implementation}` stores its weights in another "
            "form; convcost reads only `implementation=1`",
            "build the layer with `implementation=1` and the padding `valid`",
        )
    if padding != "valid":
        raise unsupported(f"the padding `{padding}` of {call.kind}")
    filters, kernel, stride = int(call.config["filters"]), *map(call.numbers, WINDOW)
    sizes = zip(call.size, kernel, stride, strict=True)
    positions = [(n - k) // s + 1 for n, k, s in sizes]
    weights = call.tensor("kernel", *positions, *kernel, call.x.dims[call.channel], filters)
    bias = call.bias(*positions, filters)
    y = call.lower(
        "locally_connected",
        filters=filters,
        bias=bool(bias),
        channel=call.channel,
        weights=weights | bias,
        window=SlidingWindow(kernel, stride),
    )
    return add_activation(call, y)


@layer("DepthwiseConv1D", "DepthwiseConv2D")
def depthwise(call: LayerCall) -> Tensor:
    return add_activation(call, _depthwise(call))


def _depthwise(call: LayerCall) -> Tensor:
    times, c = int(call.config.get("depth_multiplier", 1)), call.x.dims[call.channel]
    weights = call.tensor("depthwise_kernel", prod(call.numbers("kernel_size")), c, times)
    return _convolve(call, "conv", call.x, c * times, weights, window=window_of(call), groups=c)


@layer("SeparableConv1D", "SeparableConv2D", "SeparableConvolution2D")
def separable_conv(call: LayerCall) -> Tensor:
    """A depthwise convolution without a bias, then a 1×1 convolution."""
    config, filters = {**call.config, "use_bias": False}, int(call.config["filters"])
    x = _depthwise(call._replace(path=(*call.path, "depthwise"), config=config))
    weights = call.tensor("pointwise_kernel", x.dims[call.channel], filters)
    ones, pointwise = (1,) * len(call.size), call._replace(path=(*call.path, "pointwise"))
    window = SlidingWindow(ones, ones)
    return add_activation(call, _convolve(pointwise, "conv", x, filters, weights, window=window))


@layer("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
def transposed(call: LayerCall) -> Tensor:
    """A transposed convolution. The output extent is n·stride with `same`, otherwise n·stride +
    max(kernel − stride, 0)."""
    filters, kernel, stride = int(call.config["filters"]), *map(call.numbers, WINDOW)
    dilation, same = call.numbers("dilation_rate"), _padding(call) == "same"
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    more: dict[str, Any] = {}
    if call.config.get("output_padding") is None:
        sizes = zip(call.size, stride, spans, strict=True)
        more["size"] = [n * s + (0 if same else max(span - s, 0)) for n, s, span in sizes]
    else:
        more["output_padding"] = call.numbers("output_padding")
    sides = [span // 2 if same else 0 for span in spans]
    window = SlidingWindow(kernel, stride, sides, sides, dilation)
    weights = call.tensor("kernel", *kernel, filters, call.x.dims[call.channel])
    y = _convolve(call, "transposed_conv", call.x, filters, weights, window=window, **more)
    return add_activation(call, y)


WINDOW = ("kernel_size", "strides")


@layer(
    *(f"{kind}Pooling{n}D" for kind in ("Max", "Average") for n in (1, 2, 3)),
    *(f"{kind}Pool{n}D" for kind in ("Max", "Avg") for n in (1, 2, 3)),
)
def pool(call: LayerCall) -> Tensor:
    kernel = call.numbers("pool_size", 2)
    stride = kernel if call.config.get("strides") is None else call.numbers("strides")
    window = SlidingWindow(kernel, stride, _padding(call))
    return call.lower(f"{_reduction(call)}_pool", window=window, channel=call.channel)


def _reduction(call: LayerCall) -> str:
    return "max" if "Max" in call.kind else "avg"


@layer(
    *(f"Global{kind}Pooling{n}D" for kind in ("Max", "Average") for n in (1, 2, 3)),
    *(f"Global{kind}Pool{n}D" for kind in ("Max", "Avg") for n in (1, 2, 3)),
)
def global_pool(call: LayerCall) -> Tensor:
    y = call.lower(f"global_{_reduction(call)}_pool", channel=call.channel)
    keep = call.config.get("keepdims")
    return y if keep else reshaped(y, (y.dims[0], y.dims[call.channel]))


@layer(*(f"Adaptive{kind}Pooling{n}D" for kind in ("Max", "Average") for n in (1, 2, 3)))
def adaptive_pool(call: LayerCall) -> Tensor:
    size = call.numbers("output_size")
    return call.lower(f"adaptive_{_reduction(call)}_pool", size=size, channel=call.channel)


@layer(*(f"{kind}{n}D" for kind in ("ZeroPadding", "Cropping") for n in (1, 2, 3)))
def pad(call: LayerCall) -> Tensor:
    name, sign = ("padding", 1) if "Padding" in call.kind else ("cropping", -1)
    value, axes = call.config[name], len(call.size)
    pairs = [value] if axes == 1 and isinstance(value, list | tuple) else value
    if not isinstance(pairs, list | tuple):
        pairs = [pairs] * axes
    both = [pair if isinstance(pair, list | tuple) else (pair, pair) for pair in pairs]
    return call.add_border(
        call.x, [sign * int(a) for a, _ in both], [sign * int(b) for _, b in both]
    )


@layer("UpSampling1D", "UpSampling2D", "UpSampling3D")
def upsample(call: LayerCall) -> Tensor:
    mode_name = str(call.config.get("interpolation", "nearest"))
    if mode_name not in MODES:
        place = "/".join(call.path)
        call.builder.notes.append(f"{place}: interpolation {mode_name} is written as nearest")
    factors = call.along_size(call.numbers("size", 2), 1)
    dims = [n * times for n, times in zip(call.x.dims, factors, strict=True)]
    mode = MODES.get(mode_name, "nearest")
    return call.lower("upsample", dims=dims, factors=factors, mode=mode, channel=call.channel)


@layer("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
def conv_lstm(call: LayerCall) -> Tensor:
    """For each step, a convolution of the input and a convolution of the state with stride 1, each
    for four gates. Source: Keras' ConvLSTMCell."""
    steps, f = call.x.dims[1], int(call.config["filters"])
    step = call._replace(values=(call.x._replace(dims=(1, *call.x.dims[2:])),))
    window, channel = window_of(step), step.channel
    k, c = prod(window.kernel), step.x.dims[channel]
    out = _output(step.x.dims, channel, f, window)
    bias = call.bias(GATES, f)
    weights = call.tensor("kernel", k, c, GATES, f) | call.tensor("recurrent", k, f, GATES, f)
    sequences = bool(call.config.get("return_sequences"))
    options: dict[str, Any] = {"biases": GATES * f} if bias else {}
    return call.lower(
        "custom", what=call.kind, dims=(1, steps, *out[1:]) if sequences else out,
        macs=steps * prod(out) * k * (c + f) * GATES, channel=channel + sequences,
        weights=weights | bias, **options,
    )  # fmt: skip


def _output(dims: tuple[int, ...], channel: int, filters: int, window: SlidingWindow) -> Any:
    """The dims of one step after the convolution of the input."""
    step_builder = GraphBuilder("step", "")
    kernel = {"kernel": prod(window.kernel) * dims[channel] * filters}
    x = step_builder.input("step", dims, channel)
    more: dict[str, Any] = {"filters": filters, "window": window, "channel": channel}
    return lower(step_builder, "conv", (), x, weights=kernel, **more).dims
