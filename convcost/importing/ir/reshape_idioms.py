"""Chains of reshapes and permutations that are a named operator, such as a pixel shuffle."""

from collections.abc import Iterator
from typing import Any, TypeAlias

from convcost.importing.ir.tensor import Rearrangement, Tensor

Dims: TypeAlias = tuple[int, ...]
Named: TypeAlias = tuple[str, dict[str, Any]]  # a kind and its options


def named_rearrangement(
    origin: Tensor, moves: tuple[Rearrangement, ...], channel: int
) -> Named | None:
    """`channel_shuffle`, `pixel_shuffle` or `pixel_unshuffle` with its options, if the moves are
    one of them and end with the channels at axis `channel`; otherwise None."""
    if origin.axes is None or origin.batch != 0 or channel != 1 or len(moves) != 3:  # noqa: PLR2004
        return None
    roles = [role for role in origin.axes if role >= 0]  # without axes that the shape does not have
    if origin.axes[1] != 0 or roles != sorted(roles):  # not [1, c, h, w …] in order
        return None
    target = moves[0].dims, moves[1].order, moves[2].dims
    return next((named for named, form in _forms(origin.dims, target[0]) if form == target), None)


def _forms(dims: Dims, split_dims: Dims) -> Iterator[tuple[Named, tuple[Dims, Dims, Dims]]]:
    """The operators on [1, c, h, w …] that may begin with a reshape to `split_dims`, each with its
    three moves: the axes are split, permuted, and merged to the dims of the output."""
    _, c, *size = dims
    if len(split_dims) == len(dims) + 1:
        n = split_dims[1]
        order = (0, 2, 1, *range(3, len(split_dims)))
        yield ("channel_shuffle", {"groups": n}), ((1, n, c // n, *size), order, dims)
    if len(size) == 2 and len(split_dims) == 6:  # noqa: PLR2004  maps
        (h, w), (_, _, r, s, _, _) = size, split_dims
        split, after = (1, c // (r * r), r, r, h, w), (1, c // (r * r), h * r, w * r)
        yield ("pixel_shuffle", {"factor": r}), (split, (0, 1, 4, 2, 5, 3), after)
        split, after = (1, c, h // s, s, w // s, s), (1, c * s * s, h // s, w // s)
        yield ("pixel_unshuffle", {"factor": s}), (split, (0, 1, 3, 5, 2, 4), after)
