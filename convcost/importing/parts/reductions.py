"""Means, maxima and sums over axes. No multiply-adds."""

from collections.abc import Sequence

from convcost.importing.drawing import Path
from convcost.importing.easel import Easel
from convcost.importing.value import Value, made, reshaped

GLOBAL = {"mean": "global_avg_pool", "max": "global_max_pool"}


def reduced(
    easel: Easel, kind: str, x: Value, axes: Sequence[int], keep: bool, path: Path
) -> Value:
    """`mean`, `max` or `sum` over some axes of a tensor; over the whole size it is a global
    pool."""
    rank = len(x.dims)
    over = sorted(axis % rank for axis in axes)
    rest = tuple(1 if axis in over else n for axis, n in enumerate(x.dims))
    channel = x.channel
    if channel in over and len(over) < rank - 1 - (x.batch is not None):
        free = [axis for axis in range(rank) if axis not in (*over, x.batch)]
        channel = channel if len(over) == 1 else free[0]
    source = easel.demand(x, channel, path)
    sizes = [axis for axis in range(rank) if axis not in (channel, x.batch)]
    if kind in GLOBAL and sizes and set(sizes) <= set(over) and channel not in over:
        index = easel.emit(GLOBAL[kind], path, [source])
        result = made(index, easel.shape(index), rank, channel, x.batch)
    else:
        index = source
        for axis in over:
            named = "channels" if axis == channel else 1 + sizes.index(axis) if axis in sizes else 0
            if named:
                index = easel.emit(kind, path, [index], {"over": named, "keep": True})
        result = made(index, easel.shape(index), rank, channel, x.batch)
    assert result.dims == rest, (result.dims, rest)
    if keep:
        return result
    return reshaped(result, tuple(n for axis, n in enumerate(rest) if axis not in over))
