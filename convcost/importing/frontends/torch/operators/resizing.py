"""Interpolation, and pixel shuffles between channels and size."""

from fractions import Fraction
from math import prod
from typing import Any

from convcost.importing.frontends.torch.registry import TorchCall, operator, row
from convcost.importing.frontends.torch.unknown import custom_layer
from convcost.importing.frontends.torch.weights import as_tensor

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


SAMPLED = ("linear", "nearest", "cubic")  # in the order of the numbers of modes

row("pixel_shuffle", factor="upscale_factor")
row("pixel_unshuffle", factor="downscale_factor")
row("channel_shuffle", groups="groups")


@operator(*(f"aten.{name}" for name in MODES))
def interpolate(call: TorchCall) -> Any:
    """An upsample. Factors are valid for inputs of any size."""
    given = call.given.get("scale_factors")
    factors = [Fraction(1), Fraction(1), *map(Fraction, given)] if given else None
    mode = MODES[call.name.removeprefix("aten.")]
    return call.lower("upsample", dims=call.dims, factors=factors, mode=mode, channel=1)


@operator("aten.grid_sampler", "aten.grid_sampler_2d", "aten.grid_sampler_3d")
def grid_sample(call: TorchCall) -> Any:
    """The grid is [batch, *positions, axes]."""
    x, grid = (as_tensor(call.builder, call.given[name]) for name in ("input", "grid"))
    mode = SAMPLED[call.given["interpolation_mode"]]
    return call.lower("grid_sample", x, grid, mode=mode)


@operator("aten.affine_grid_generator", op="matmul")
def affine_grid(call: TorchCall) -> Any:
    """Multiplies by a matrix at each position."""
    return custom_layer(call, "affine_grid", prod(call.dims) * call.x.dims[-1])
