"""Wrappers of layers: TimeDistributed and SpectralNormalization."""

from math import prod
from typing import Any

from convcost.importing.frontends.keras.call import LayerCall, layer
from convcost.importing.frontends.keras.classes import require_own
from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.tensor import Tensor, reshaped
from convcost.importing.passes.lower.pointwise import pointwise
from convcost.importing.passes.rewrite import rewrite
from convcost.model.errors import ConstraintError

# Layers that work on the channels at each position also work with one more axis.
ANYWHERE = ("Dense", "Activation", "Dropout", "ReLU", "LeakyReLU", "ELU", "Rescaling", "Identity")
BY_CHANNEL = ("BatchNormalization", "LayerNormalization", "RMSNormalization", "Softmax")
# A window over n axes is a window over n + 1 axes with extent 1 along the first.
WINDOWS = {
    f"{kind}{n}D": f"{kind}{n + 1}D"
    for kind in ("Conv", "MaxPooling", "AveragePooling", "UpSampling")
    for n in (1, 2)
} | {"DepthwiseConv1D": "DepthwiseConv2D"}
NUMBERS = ("kernel_size", "pool_size", "strides", "dilation_rate", "size")
GLOBAL = {"GlobalAveragePooling": "mean", "GlobalMaxPooling": "max"}


@layer("TimeDistributed")
def time_distributed(call: LayerCall) -> Tensor:
    """Applies a layer to each step of the first axis."""
    one = call.config["layer"]
    require_own(one, call.kind)
    if len(call.x.dims) < 3:  # noqa: PLR2004  batch, steps, features
        dims = "×".join(map(str, call.x.dims[1:]))
        raise ConstraintError("CC401", f"TimeDistributed needs an input with steps, not {dims}")
    kind, config, x = str(one["class_name"]), one["config"], call.x
    last = config.get("data_format") != "channels_first"
    same = kind in BY_CHANNEL and config.get("axis", -1) in (-1, [-1])
    if kind in ANYWHERE or same:
        return _lower_inside(call, one)
    if kind == "Flatten":
        return reshaped(x, (*x.dims[:2], prod(x.dims[2:])))
    if kind in WINDOWS and last and config.get("padding") != "causal":
        return _lower_inside(call, _widened(one, len(x.dims) - 3))
    if kind[:-2] in GLOBAL and last:
        axes, keep = range(2, len(x.dims) - 1), bool(config.get("keepdims"))
        return call.lower(GLOBAL[kind[:-2]], x, axes=axes, keep=keep)
    return _repeated(call, one)


def _lower_inside(call: LayerCall, one: dict[str, Any]) -> Tensor:
    assert call.inner is not None
    return call.inner(call.builder, one, call.x, call.path, f"{call.key}/layer")


def _widened(one: dict[str, Any], axes: int) -> dict[str, Any]:
    """The layer with a window of one more axis. The first axis needs its own number where an option
    is one number for all axes."""
    config = dict(one["config"])
    for name in NUMBERS:
        value = config.get(name)
        if value is not None:
            numbers = value if isinstance(value, list | tuple) else (value,) * axes
            config[name] = [1, *numbers]
    return {**one, "class_name": WINDOWS[str(one["class_name"])], "config": config}


def _repeated(call: LayerCall, one: dict[str, Any]) -> Tensor:
    """Any layer or model: its costs for one step, from a builder of its own, times the number of
    steps."""
    assert call.inner is not None
    steps, *rest = call.x.dims[1:]
    own = GraphBuilder(call.builder.name, call.builder.source)
    x = own.input("step", [1, *rest], len(rest))
    value = call.inner(own, one, x, call.path, f"{call.key}/layer")
    graph = rewrite(own.graph([value]))
    call.builder.free.update(own.free)
    uncounted = any(inner.uncounted for inner in graph.layers)
    params, frozen, buffers = (
        sum(getattr(inner, count) for inner in graph.layers)
        for count in ("params", "frozen_params", "buffers")
    )
    name = f"{call.key}/layer"
    call.builder.frozen.add(f"{name}/frozen")
    weights = {name: params - frozen, f"{name}/frozen": frozen}
    return call.lower(
        "custom",
        what=f"{one['class_name']} a step",
        dims=(1, steps, *value.dims[1:]),
        macs=None if uncounted else steps * sum(inner.macs for inner in graph.layers),
        weights={key: elements for key, elements in weights.items() if elements},
        buffers={f"{name}/kept": buffers} if buffers else {},
    )


@layer("SpectralNormalization")
def spectral(call: LayerCall) -> Tensor:
    """The layer without changes, because its weights are normalized only in training. The buffer is
    a vector with one number for each entry of the kernel's last axis."""
    one = call.config["layer"]
    require_own(one, call.kind)
    assert call.inner is not None
    n = _last(one, call.x)
    if f"{call.key}/vector_u" in call.builder.used:  # a second call uses the same vector
        return call.inner(call.builder, one, call.x, call.path, f"{call.key}/layer")
    options = {"what": "spectral vector", "params": 0, "macs": 0, "buffers": n}
    x = pointwise(
        call.builder, "custom", call.x, (*call.path, "vector_u"), options,
        buffers=call.tensor("vector_u", n),
    )  # fmt: skip
    return call.inner(call.builder, one, x, call.path, f"{call.key}/layer")


def _last(one: dict[str, Any], x: Tensor) -> int:
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
    raise ConstraintError("CC401", f"convcost does not support SpectralNormalization of {kind}")
