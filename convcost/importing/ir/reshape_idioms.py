"""Chains of reshapes and permutations that are a named operator, such as a pixel shuffle."""

from typing import Any

from convcost.importing.ir.tensor import Rearrangement, Tensor


def named_rearrangement(
    origin: Tensor, moves: tuple[Rearrangement, ...], channel: int
) -> tuple[str, dict[str, Any]] | None:
    """`channel_shuffle`, `pixel_shuffle` or `pixel_unshuffle` with its options, if the moves are
    one of them and end with the channels at axis `channel`; otherwise None.

    n, c, h, w are the dims of the tensor at the start, channels first.
    """
    if origin.axes is None or origin.batch != 0 or channel != 1 or len(moves) != 3:  # noqa: PLR2004
        return None
    known = [axis for axis in origin.axes if axis >= 0]
    if origin.axes[1] != 0 or known != sorted(known):
        return None
    split_dims, order, merged_dims = moves[0].dims, moves[1].order, moves[2].dims
    if not (split_dims and order and merged_dims):
        return None
    c, size = origin.dims[1], origin.dims[2:]
    axes = len(size)
    exchanged = order == (0, 2, 1, *range(3, 3 + axes)) and merged_dims == origin.dims
    if (
        exchanged
        and len(split_dims) == 3 + axes
        and split_dims[3:] == size
        and split_dims[1] * split_dims[2] == c
    ):
        return "channel_shuffle", {"groups": split_dims[1]}
    if axes == 2 and len(split_dims) == 6:  # noqa: PLR2004  maps
        return _pixels(split_dims, order, merged_dims, (c, *size))
    return None


def _pixels(
    split_dims: tuple[int, ...],
    order: tuple[int, ...],
    merged_dims: tuple[int, ...],
    x: tuple[int, ...],
) -> tuple[str, dict[str, Any]] | None:
    c, h, w = x
    r = split_dims[2]
    into_space = split_dims == (1, c // (r * r), r, r, h, w) and order == (0, 1, 4, 2, 5, 3)
    if into_space and merged_dims == (1, c // (r * r), h * r, w * r):
        return "pixel_shuffle", {"factor": r}
    r = split_dims[3]
    into_channels = split_dims == (1, c, h // r, r, w // r, r) and order == (0, 1, 3, 5, 2, 4)
    if into_channels and merged_dims == (1, c * r * r, h // r, w // r):
        return "pixel_unshuffle", {"factor": r}
    return None
