"""Normalizations and scales of Keras."""

from math import prod
from typing import Any

from convcost.errors import Refusal
from convcost.importing.easel import Easel
from convcost.importing.from_keras.call import Call, layer
from convcost.importing.parts.pointwise import by_channel
from convcost.importing.value import Value, permuted, reshaped


def _learned(call: Call, channels: int) -> tuple[dict[str, bool], dict[str, int]]:
    scale = bool(call.config.get("scale", True))
    shift = bool(call.config.get("center", True))
    tensors = call.tensor("gamma", channels) if scale else {}
    tensors |= call.tensor("beta", channels) if shift else {}
    return {"scale": scale, "shift": shift}, tensors


def _axes(call: Call) -> list[int]:
    axis = call.config.get("axis", -1)
    axes = axis if isinstance(axis, list | tuple) else [axis]
    found = sorted({int(one) % len(call.x.dims) for one in axes})
    if not found or 0 in found:
        raise Refusal("CC401", f"{call.kind} over the axes {list(axes)} is not read")
    return found


def _axis(call: Call) -> int:
    """The one axis that is normalized by."""
    axes = _axes(call)
    if len(axes) != 1:
        raise Refusal("CC401", f"{call.kind} over the axes {axes} is not read")
    return axes[0]


@layer("BatchNormalization", "SyncBatchNormalization")
def batch_norm(easel: Easel, call: Call) -> Value:
    axis = _axis(call)
    if call.config.get("renorm"):
        raise Refusal("CC401", f"{call.kind} with renorm is not read")
    c = call.x.dims[axis]
    options, tensors = _learned(call, c)
    kept = call.tensor("moving_mean", c) | call.tensor("moving_variance", c)
    return by_channel(
        easel, "batch_norm", call.x, call.path, axis, options, tensors=tensors, buffers=kept
    )


@layer("LayerNormalization")
def layer_norm(easel: Easel, call: Call) -> Value:
    axes = _axes(call)
    n = prod(call.x.dims[axis] for axis in axes)
    if call.config.get("rms_scaling"):  # then there is no shift, and always a factor
        return _over(easel, call, "rms_norm", axes, {}, call.tensor("gamma", n))
    options, tensors = _learned(call, n)
    return _over(easel, call, "layer_norm", axes, options, tensors)


@layer("RMSNormalization")
def rms_norm(easel: Easel, call: Call) -> Value:
    axes = _axes(call)
    n = prod(call.x.dims[axis] for axis in axes)
    return _over(easel, call, "rms_norm", axes, {}, call.tensor("scale", n))


@layer("UnitNormalization")
def unit_norm(easel: Easel, call: Call) -> Value:
    return _over(easel, call, "l2_norm", _axes(call), {}, {})


def _over(
    easel: Easel, call: Call, kind: str, axes: list[int], options: dict[str, Any],
    tensors: dict[str, int],
) -> Value:  # fmt: skip
    """Over one axis, over all of a sample, or over some axes: then these are channels."""
    x, rank = call.x, len(call.x.dims)
    if len(axes) == 1:
        return by_channel(easel, kind, x, call.path, axes[0], options, tensors=tensors)
    if len(axes) == rank - 1 and kind != "l2_norm":
        over = {**options, "over": "all"}
        return by_channel(easel, kind, x, call.path, call.x.channel, over, tensors=tensors)
    order = [*(axis for axis in range(rank) if axis not in axes), *axes]
    turned = permuted(x, order)
    outer = turned.dims[: rank - len(axes)]
    flat = reshaped(turned, (*outer, prod(turned.dims[len(outer) :])))
    drawn = by_channel(easel, kind, flat, call.path, -1, options, tensors=tensors)
    return permuted(reshaped(drawn, turned.dims), [order.index(axis) for axis in range(rank)])


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
