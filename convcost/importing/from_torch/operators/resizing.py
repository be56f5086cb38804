"""Interpolation, and channels that become space."""

from typing import Any

from convcost.importing.from_torch.materials import flowing
from convcost.importing.from_torch.registry import Call, operator
from convcost.importing.parts.windows import each, window

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
    """A whole factor is told as such: it goes with inputs of any size."""
    x = flowing(call.easel, call.given.get("input", call.given.get("self")))
    before, after = x.dims[2:], call.dims[2:]
    if before == after:
        call.easel.free["interpolate"] += 1
        return x
    options: dict[str, Any] = {"mode": MODES[call.name.removeprefix("aten.")]}
    if all(m % n == 0 for n, m in zip(before, after, strict=True)):
        options["scale"] = each([m // n for n, m in zip(before, after, strict=True)])
    else:
        options["size"] = each(after)
    return window(call.easel, "upsample", x, call.path, options)


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
