"""Interpolation, and channels that become space."""

from fractions import Fraction
from typing import Any

from convcost.importing.from_torch.materials import flowing
from convcost.importing.from_torch.registry import Call, operator
from convcost.importing.parts.resizing import enlargement
from convcost.importing.parts.windows import window

MODES = {
    "upsample_nearest1d": "nearest",
    "upsample_nearest2d": "nearest",
    "upsample_nearest3d": "nearest",
    "_upsample_nearest_exact2d": "nearest",
    "upsample_linear1d": "linear",
    "upsample_bilinear2d": "linear",
    "upsample_trilinear3d": "linear",
    "upsample_bicubic2d": "cubic",
    "_upsample_bilinear2d_aa": "linear",
    "_upsample_bicubic2d_aa": "cubic",
}


@operator(*(f"aten.{name}" for name in MODES))
def interpolated(call: Call) -> Any:
    """Factors go with inputs of any size; a size that the model gives is told as one if it is
    whole."""
    x = flowing(call.easel, call.given.get("input", call.given.get("self")))
    before, after = x.dims[2:], call.dims[2:]
    if before == after:
        call.easel.free["interpolate"] += 1
        return x
    given = call.given.get("scale_factors")
    factors = [Fraction(factor) for factor in given] if given else None
    options: dict[str, Any] = {"mode": MODES[call.name.removeprefix("aten.")]}
    options |= enlargement(before, after, factors)
    return window(call.easel, "upsample", x, call.path, options, sized=factors is None)


@operator("aten.pixel_shuffle")
def pixel_shuffle(call: Call) -> Any:
    return _shuffled(call, {"factor": call.given["upscale_factor"]})


@operator("aten.pixel_unshuffle")
def pixel_unshuffle(call: Call) -> Any:
    return _shuffled(call, {"factor": call.given["downscale_factor"]})


@operator("aten.channel_shuffle")
def channel_shuffle(call: Call) -> Any:
    return _shuffled(call, {"groups": call.given["groups"]})


def _shuffled(call: Call, options: dict[str, Any]) -> Any:
    kind = call.name.removeprefix("aten.")
    return window(call.easel, kind, flowing(call.easel, call.given["self"]), call.path, options)
