"""Layers around a layer: the same at every step, or with its weights held to a norm."""

from math import prod
from typing import Any

from convcost.errors import Refusal
from convcost.importing.easel import Easel
from convcost.importing.from_keras.call import Call, layer
from convcost.importing.from_keras.classes import owned
from convcost.importing.from_keras.once import stated
from convcost.importing.parts.reductions import reduced
from convcost.importing.parts.stated import bounded
from convcost.importing.value import Value, made, reshaped
from convcost.shapes import Shape

# What works on the channels at every position is the same with an axis more.
ANYWHERE = ("Dense", "Activation", "Dropout", "ReLU", "LeakyReLU", "ELU", "Rescaling", "Identity")
BY_CHANNEL = ("BatchNormalization", "LayerNormalization", "RMSNormalization", "Softmax")
# Windows over n axes are windows over n + 1 of them, of one step along the first.
WINDOWS = {
    f"{kind}{n}D": f"{kind}{n + 1}D"
    for kind in ("Conv", "MaxPooling", "AveragePooling", "UpSampling")
    for n in (1, 2)
} | {"DepthwiseConv1D": "DepthwiseConv2D"}
NUMBERS = ("kernel_size", "pool_size", "strides", "dilation_rate", "size")
GLOBAL = {"GlobalAveragePooling": "mean", "GlobalMaxPooling": "max"}


@layer("TimeDistributed")
def time_distributed(easel: Easel, call: Call) -> Value:
    """A layer at every step of the first axis."""
    one = call.config["layer"]
    owned(one, call.kind)
    if len(call.x.dims) < 3:  # noqa: PLR2004  samples, steps, and what is at each
        dims = "×".join(map(str, call.x.dims[1:]))
        raise Refusal("CC401", f"TimeDistributed takes steps of tensors, not {dims}")
    kind, config, x = str(one["class_name"]), one["config"], call.x
    last = config.get("data_format") != "channels_first"
    same = kind in BY_CHANNEL and config.get("axis", -1) in (-1, [-1])
    if kind in ANYWHERE or same:
        return _within(easel, call, one)
    if kind == "Flatten":
        return reshaped(x, (*x.dims[:2], prod(x.dims[2:])))
    if kind in WINDOWS and last and config.get("padding") != "causal":
        return _within(easel, call, _widened(one, len(x.dims) - 3))
    if kind[:-2] in GLOBAL and last:
        axes, keep = range(2, len(x.dims) - 1), bool(config.get("keepdims"))
        return reduced(easel, GLOBAL[kind[:-2]], x, axes, keep, call.path)
    return _repeated(easel, call, one)


def _within(easel: Easel, call: Call, one: dict[str, Any]) -> Value:
    assert call.inner is not None
    return call.inner(easel, one, call.x, call.path, f"{call.key}/layer")


def _widened(one: dict[str, Any], axes: int) -> dict[str, Any]:
    """The layer with an axis more; a number for all axes is not one of the first."""
    config = dict(one["config"])
    for name in NUMBERS:
        value = config.get(name)
        if value is not None:
            numbers = value if isinstance(value, list | tuple) else (value,) * axes
            config[name] = [1, *numbers]
    return {**one, "class_name": WINDOWS[str(one["class_name"])], "config": config}


def _repeated(easel: Easel, call: Call, one: dict[str, Any]) -> Value:
    """Any layer, and any model: counted once on an easel of its own, times the steps."""
    assert call.inner is not None
    steps, *rest = call.x.dims[1:]
    own = Easel(easel.name, easel.source)
    x = own.input("step", [1, *rest], len(rest))
    value = call.inner(own, one, x, call.path, f"{call.key}/layer")
    drawing = own.drawing([value])
    easel.free.update(own.free)
    if any(drawn.uncounted for drawn in drawing.layers):
        macs: int | str = "uncounted"
    else:
        macs = steps * sum(drawn.macs for drawn in drawing.layers)
    params = sum(drawn.params for drawn in drawing.layers)
    buffers = sum(drawn.buffers for drawn in drawing.layers)
    dims = (1, steps, *value.dims[1:])
    shape = Shape(dims[-1], dims[1:-1])
    source = easel.demand(call.x, len(rest) + 1, call.path)
    inputs, bound = bounded(easel, [source], shape, 1)
    options = {"what": f"{one['class_name']} a step", "macs": macs, **bound}
    tensors = {f"{call.key}/layer": params} if params else {}
    kept = {f"{call.key}/layer/kept": buffers} if buffers else {}
    index = stated(easel, call.path, inputs, options, tensors, kept)
    return made(index, shape, len(dims), len(dims) - 1)


@layer("SpectralNormalization")
def spectral(easel: Easel, call: Call) -> Value:
    """The layer as it is: its weights are divided in training only, by what a vector tells that it
    keeps, with a number for each entry of the kernel's last axis."""
    one = call.config["layer"]
    owned(one, call.kind)
    assert call.inner is not None
    n = _last(one, call.x)
    if f"{call.key}/vector_u" in easel.used:  # called again, it has the same
        return call.inner(easel, one, call.x, call.path, f"{call.key}/layer")
    options = {"what": "spectral vector", "params": 0, "macs": 0, "buffers": n}
    source = call.x.source
    index = easel.emit(
        "custom", (*call.path, "vector_u"), [source], options, buffers=call.tensor("vector_u", n)
    )
    x = call.x._replace(source=index)
    if x.begun is not None:
        x = x._replace(begun=x.begun._replace(source=index))
    return call.inner(easel, one, x, call.path, f"{call.key}/layer")


def _last(one: dict[str, Any], x: Value) -> int:
    kind, config = str(one["class_name"]), one["config"]
    if kind == "Dense":
        return int(config["units"])
    if kind in ("Conv1D", "Conv2D", "Conv3D"):
        return int(config["filters"])
    if kind in ("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"):
        return x.dims[1 if config.get("data_format") == "channels_first" else -1]
    if kind in ("DepthwiseConv1D", "DepthwiseConv2D"):
        return int(config.get("depth_multiplier", 1))
    if kind == "Embedding":
        return int(config["output_dim"])
    raise Refusal("CC401", f"SpectralNormalization of {kind} is not read")
