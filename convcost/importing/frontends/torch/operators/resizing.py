"""Interpolation, padding, also negative, and pixel shuffles between channels and size."""

from fractions import Fraction
from math import prod
from typing import Any

from convcost.importing.frontends.torch.registry import TorchCall, operator, row
from convcost.importing.ir.tensor import Tensor

MODES = {
    **dict.fromkeys((*(f"upsample_nearest{n}d" for n in (1, 2, 3)), "_upsample_nearest_exact2d"),
                    "nearest"),
    **dict.fromkeys(("upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d",
                     "_upsample_bilinear2d_aa"), "linear"),
    **dict.fromkeys(("upsample_bicubic2d", "_upsample_bicubic2d_aa"), "cubic"),
}  # fmt: skip
SAMPLED = ("linear", "nearest", "cubic")  # in the order of the numbers of modes

row("pixel_shuffle", factor="upscale_factor")
row("pixel_unshuffle", factor="downscale_factor")
row("channel_shuffle", groups="groups")


@operator(*MODES)
def interpolate(call: TorchCall) -> Any:
    """An upsample. Factors are valid for inputs of any size."""
    scale_factors = call.given.get("scale_factors")
    factors = [Fraction(1), Fraction(1), *map(Fraction, scale_factors)] if scale_factors else None
    mode = MODES[call.own_name]
    return call.lower("upsample", dims=call.dims, factors=factors, mode=mode, channel=1)


@operator("grid_sampler", "grid_sampler_2d", "grid_sampler_3d")
def grid_sample(call: TorchCall) -> Any:
    """The grid is [batch, *positions, axes]."""
    x, grid = (call.tensor(call.given[name]) for name in ("input", "grid"))
    mode = SAMPLED[call.given["interpolation_mode"]]
    return call.lower("grid_sample", x, grid, mode=mode)


@operator("affine_grid_generator", op="matmul")
def affine_grid(call: TorchCall) -> Any:
    """Multiplies by a matrix at each position."""
    return call.custom("affine_grid", prod(call.dims) * call.x.dims[-1])


@operator("pad", "constant_pad_nd", *(f"reflection_pad{n}d" for n in (1, 2, 3)),
          *(f"replication_pad{n}d" for n in (1, 2, 3)))  # fmt: skip
def pad(call: TorchCall) -> Tensor:
    """`pad` has the begin and end of the last axis first."""
    x, numbers = call.x, call.given.get("pad", call.given.get("padding"))
    none = [0] * (len(x.dims) - len(numbers) // 2)
    begins, ends = ([*none, *numbers[at::2][::-1]] for at in (0, 1))
    return call.lower("pad", x, begins=begins, ends=ends)
