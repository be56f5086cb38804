"""Normalizations."""

from math import prod
from typing import Any

from convcost.importing.from_torch.materials import buffers, flowing, weights
from convcost.importing.from_torch.registry import Call, operator
from convcost.importing.from_torch.unknown import stated
from convcost.importing.parts.pointwise import by_channel
from convcost.importing.value import Value

CHANNELS = 1


@operator("aten.batch_norm", "aten._native_batch_norm_legit_no_training")
def batch_norm(call: Call) -> Any:
    given = call.given
    kept = buffers(given["running_mean"], given["running_var"])
    if not kept:
        # Without running numbers the sample itself is what is averaged.
        y = _by_channel(call, "instance_norm", CHANNELS)
    else:
        y = _by_channel(call, "batch_norm", CHANNELS, kept=kept)
    several = isinstance(call.dims[0], tuple)
    return (y, None, None) if several else y


@operator("aten.instance_norm")
def instance_norm(call: Call) -> Any:
    return _by_channel(call, "instance_norm", CHANNELS)


@operator("aten.group_norm")
def group_norm(call: Call) -> Any:
    return _by_channel(call, "group_norm", CHANNELS, {"groups": call.given["num_groups"]})


@operator("aten.layer_norm", "aten.rms_norm")
def layer_norm(call: Call) -> Any:
    """Over the last axes; of several of them, over all of a sample."""
    x = flowing(call.easel, call.given["input"])
    over = call.given["normalized_shape"]
    kind = call.name.removeprefix("aten.")
    if len(over) == 1:
        return _by_channel(call, kind, -1)
    if prod(over) != x.elements:
        return stated(call, kind)
    return _by_channel(call, kind, x.channel, {"over": "all"})


def _by_channel(
    call: Call,
    kind: str,
    channel: int,
    options: dict[str, Any] | None = None,
    kept: dict[str, int] | None = None,
) -> Value:
    given = call.given
    weight, bias = given.get("weight"), given.get("bias")
    x = flowing(call.easel, given["input"])
    return by_channel(
        call.easel,
        kind,
        x,
        call.path,
        channel,
        {**(options or {}), "scale": weight is not None, "shift": bias is not None},
        tensors=weights(weight, bias),
        buffers=kept,
    )
