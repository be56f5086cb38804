"""Means, maxima and sums over axes, without multiply-adds."""

from collections.abc import Sequence
from typing import Any

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.layer_graph import Path
from convcost.importing.ir.ops import Node
from convcost.importing.ir.tensor import Tensor, output_tensor, reshaped
from convcost.importing.passes.lower.joins import elementwise
from convcost.importing.passes.lower.pointwise import pointwise
from convcost.importing.passes.lowering import lower, lowering

# The function of each element, the reduction, and the function of the result.
STEPS = {
    **{kind: ("", kind, "") for kind in ("mean", "max", "min", "sum")},
    "reduce_l1": ("abs", "sum", ""),
    "reduce_l2": ("square", "sum", "sqrt"),
    "reduce_largest": ("abs", "max", ""),
    "reduce_power": ("power", "sum", "power"),
    "reduce_square": ("square", "sum", ""),
    "reduce_log": ("", "sum", "log"),
    "reduce_log_exp": ("exp", "sum", "log"),
}
GLOBAL = {"mean": "global_avg_pool", "max": "global_max_pool"}


@lowering(*STEPS)
def reduction(builder: GraphBuilder, node: Node) -> Tensor:
    """Reduces `axes` to extent 1, or removes them without `keep`."""
    before, kind, after = STEPS[node.op]
    x, axes, keep = node.x, node.attributes["axes"], bool(node.attributes["keep"])
    if before:
        x = lower(builder, before, (*node.path, before), x)
    x = reduce_axes(builder, kind, x, axes, keep, node.path)
    return lower(builder, after, (*node.path, after), x) if after else x


def reduce_axes(
    builder: GraphBuilder, kind: str, x: Tensor, axes: Sequence[int], keep: bool, path: Path
) -> Tensor:
    """`mean`, `max` or `sum` over some axes of a tensor; a global pool if these are the whole
    size."""
    rank = len(x.dims)
    reduced = sorted(axis % rank for axis in axes)
    rest = tuple(1 if axis in reduced else n for axis, n in enumerate(x.dims))
    channel = x.channel
    if channel in reduced and len(reduced) < rank - 1 - (x.batch is not None):
        free = [axis for axis in range(rank) if axis not in (*reduced, x.batch)]
        channel = channel if len(reduced) == 1 else free[0]
    source = builder.materialize(x, channel, path)
    sizes = x.size_axes(channel)
    if kind in GLOBAL and sizes and set(sizes) <= set(reduced) and channel not in reduced:
        index = builder.emit(GLOBAL[kind], path, [source])
        result = output_tensor(index, builder.shape(index), rank, channel, x.batch)
    else:
        index = source
        for named in _over_options(reduced, channel, sizes):
            index = builder.emit(kind, path, [index], {"over": named})
        result = output_tensor(index, builder.shape(index), rank, channel, x.batch)
    assert result.dims == rest, (result.dims, rest)
    if keep:
        return result
    return reshaped(result, tuple(n for axis, n in enumerate(rest) if axis not in reduced))


def _over_options(reduced: Sequence[int], channel: int, sizes: Sequence[int]) -> list[Any]:
    """The values of the option `over` of layers that together reduce the axes `reduced`."""
    among = tuple(number for number, axis in enumerate(sizes, 1) if axis in reduced)
    whole = len(among) == len(sizes)
    if channel in reduced and whole and among:
        return ["all"]
    size = [among[0] if len(among) == 1 else "size" if whole else among] if among else []
    return ["channels", *size] if channel in reduced else size


def variance(
    builder: GraphBuilder, x: Tensor, axes: Sequence[int], keep: bool, path: Path, *, root: bool
) -> tuple[Tensor, Tensor]:
    """The mean, and the variance or its root over some axes. Whether the sum of squares is divided
    by n or n − 1 does not matter."""
    mean = reduce_axes(builder, "mean", x, axes, True, path)
    centred = elementwise(builder, "subtract", [x, mean], path)
    square = pointwise(builder, "elementwise", centred, path, {"function": "square"})
    y = reduce_axes(builder, "mean", square, axes, keep, path)
    if root:
        y = pointwise(builder, "elementwise", y, path, {"function": "sqrt"})
    if not keep:
        reduced = {axis % len(x.dims) for axis in axes}
        mean = reshaped(mean, [n for axis, n in enumerate(mean.dims) if axis not in reduced])
    return y, mean
