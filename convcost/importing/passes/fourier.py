"""The multiply-adds of Fourier transforms, as the kind `fft` counts them."""

from collections.abc import Sequence
from math import prod


def transform_macs(transforms: int, points: int, *, real: bool) -> int:
    """The multiply-adds of transforms of N points: 2·N·⌈log2 N⌉ each, half as many if real."""
    return transforms * points * (points - 1).bit_length() * (1 if real else 2)


def real_macs(half: Sequence[int], axes: Sequence[int], points: int) -> int:
    """The multiply-adds of transforms along several axes between real and complex numbers.

    `half` has the dims of the complex side, where the last of `axes` is halved; `points` is the
    full length of that axis.
    """
    *others, last = axes
    macs = transform_macs(prod(half) // half[last], points, real=True)
    return macs + complex_macs(half, others)


def complex_macs(dims: Sequence[int], axes: Sequence[int]) -> int:
    return sum(transform_macs(prod(dims) // dims[axis], dims[axis], real=False) for axis in axes)
