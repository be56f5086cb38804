"""Normalizations and scales of Keras."""

from math import prod
from typing import Any

from convcost.importing.frontends.keras.call import LayerCall, layer, row
from convcost.importing.ir.refusals import unsupported
from convcost.importing.ir.tensor import Tensor


def _scale_and_shift(call: LayerCall, channels: int) -> tuple[dict[str, Any], dict[str, int]]:
    scale = bool(call.config.get("scale", True))
    shift = bool(call.config.get("center", True))
    tensors = call.tensor("gamma", channels) if scale else {}
    tensors |= call.tensor("beta", channels) if shift else {}
    return {"scale": scale, "shift": shift}, tensors


def _axes(call: LayerCall) -> list[int]:
    axis = call.config.get("axis", -1)
    axes = axis if isinstance(axis, list | tuple) else [axis]
    normalized_axes = sorted({int(axis) % len(call.x.dims) for axis in axes})
    if not normalized_axes or 0 in normalized_axes:
        raise unsupported(f"{call.kind} over {'the batch axis' if normalized_axes else 'no axis'}")
    return normalized_axes


def _extents(call: LayerCall) -> list[int]:
    return [call.x.dims[axis] for axis in _axes(call)]


def _axis(call: LayerCall) -> int:
    """The single axis whose entries have params of their own. Raises ConstraintError for several
    axes."""
    axes = _axes(call)
    if len(axes) != 1:
        raise unsupported(f"{call.kind} with params along the axes {axes}")
    return axes[0]


@layer("BatchNormalization", "SyncBatchNormalization")
def batch_norm(call: LayerCall) -> Tensor:
    axis = _axis(call)
    if call.config.get("renorm"):
        raise unsupported(f"{call.kind} with renorm")
    c = call.x.dims[axis]
    options, tensors = _scale_and_shift(call, c)
    statistics = call.tensor("moving_mean", c) | call.tensor("moving_variance", c)
    return call.lower("batch_norm", axis=axis, weights=tensors, buffers=statistics, **options)


@layer("LayerNormalization")
def layer_norm(call: LayerCall) -> Tensor:
    axes, n = _axes(call), prod(_extents(call))
    if call.config.get("rms_scaling"):  # RMS scaling has a scale, and no shift
        return call.lower("rms_norm", axes=axes, weights=call.tensor("gamma", n))
    options, tensors = _scale_and_shift(call, n)
    return call.lower("layer_norm", axes=axes, weights=tensors, **options)


row("l2_norm", "UnitNormalization", axes=_axes)
row("rms_norm", "RMSNormalization", axes=_axes,
    weights=lambda call: call.tensor("scale", *_extents(call)))  # fmt: skip
row("scale", "LayerScale", axis=-1, shift=False,
    weights=lambda call: call.tensor("gamma", call.x.dims[-1]))  # fmt: skip


@layer("GroupNormalization")
def group_norm(call: LayerCall) -> Tensor:
    axis = _axis(call)
    c = call.x.dims[axis]
    options, tensors = _scale_and_shift(call, c)
    groups = int(call.config.get("groups", 32))
    options["groups"] = c if groups == -1 else groups
    return call.lower("group_norm", axis=axis, weights=tensors, **options)
