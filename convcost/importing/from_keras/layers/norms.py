"""Normalizations and scales of Keras."""

from convcost.errors import Refusal
from convcost.importing.easel import Easel
from convcost.importing.from_keras.call import Call, layer
from convcost.importing.parts.pointwise import by_channel
from convcost.importing.value import Value


def _learned(call: Call, channels: int) -> tuple[dict[str, bool], dict[str, int]]:
    scale = bool(call.config.get("scale", True))
    shift = bool(call.config.get("center", True))
    tensors = call.tensor("gamma", channels) if scale else {}
    tensors |= call.tensor("beta", channels) if shift else {}
    return {"scale": scale, "shift": shift}, tensors


def _axis(call: Call) -> int:
    """The one axis that is normalized by."""
    axis = call.config.get("axis", -1)
    axes = axis if isinstance(axis, list | tuple) else [axis]
    if len(axes) != 1:
        raise Refusal("CC401", f"{call.kind} over the axes {list(axes)} is not read")
    return int(axes[0]) % len(call.x.dims)


@layer("BatchNormalization", "SyncBatchNormalization")
def batch_norm(easel: Easel, call: Call) -> Value:
    axis = _axis(call)
    c = call.x.dims[axis]
    options, tensors = _learned(call, c)
    kept = call.tensor("moving_mean", c) | call.tensor("moving_variance", c)
    return by_channel(
        easel, "batch_norm", call.x, call.path, axis, options, tensors=tensors, buffers=kept
    )


@layer("LayerNormalization")
def layer_norm(easel: Easel, call: Call) -> Value:
    axis = _axis(call)
    options, tensors = _learned(call, call.x.dims[axis])
    return by_channel(easel, "layer_norm", call.x, call.path, axis, options, tensors=tensors)


@layer("GroupNormalization")
def group_norm(easel: Easel, call: Call) -> Value:
    axis = _axis(call)
    c = call.x.dims[axis]
    options, tensors = _learned(call, c)
    groups = int(call.config.get("groups", 32))
    return by_channel(
        easel,
        "group_norm",
        call.x,
        call.path,
        axis,
        {"groups": c if groups == -1 else groups, **options},
        tensors=tensors,
    )


@layer("LayerScale")
def layer_scale(easel: Easel, call: Call) -> Value:
    c = call.x.dims[-1]
    tensors = call.tensor("gamma", c)
    return by_channel(easel, "scale", call.x, call.path, -1, {"shift": False}, tensors=tensors)


@layer("Normalization")
def normalization(easel: Easel, call: Call) -> Value:
    """By a mean and variance of the data: constants, nothing learned."""
    easel.free[call.kind] += 1
    return call.x


@layer(
    "Rescaling", "GaussianNoise", "GaussianDropout", "ActivityRegularization", "StochasticDepth",
    "Identity", "UnitNormalization", "Masking", "RandomFlip", "RandomRotation", "RandomZoom",
    "RandomTranslation", "RandomContrast", "RandomBrightness",
)  # fmt: skip
def free(easel: Easel, call: Call) -> Value:
    easel.free[call.kind] += 1
    return call.x
