"""Where tensors meet: element by element as NumPy broadcasts, side by side, in products."""

from collections.abc import Mapping, Sequence
from typing import Any

from convcost.importing.drawing import Path
from convcost.importing.easel import Easel
from convcost.importing.value import Value, made, permuted, reshaped


def elementwise(easel: Easel, kind: str, values: Sequence[Value], path: Path) -> Value:
    """`add` or `multiply`; what else joins element by element costs as much, nothing."""
    rank = max(len(value.dims) for value in values)
    full = [reshaped(value, (1,) * (rank - len(value.dims)) + value.dims) for value in values]
    first = _leading(full)
    channel = first.channel
    sources = [easel.demand(_batched(value, first), channel, path) for value in full]
    index = easel.emit(kind, path, sources)
    return made(index, easel.shape(index), rank, channel, first.batch)


def side_by_side(easel: Easel, values: Sequence[Value], axis: int, path: Path) -> Value:
    """Concatenation along an axis of the tensors."""
    rank = len(values[0].dims)
    axis %= rank
    first = _leading(values)
    channel = first.channel
    if axis != channel and all(value.axes is None for value in values):
        channel = first.channel
    sources = [easel.demand(_batched(value, first), channel, path) for value in values]
    options: dict[str, Any] = {}
    if axis != channel:
        sizes = [n for n in range(rank) if n not in (channel, first.batch)]
        options = {"along": 1 + sizes.index(axis)}
    index = easel.emit("concat", path, sources, options)
    return made(index, easel.shape(index), rank, channel, first.batch)


def product(
    easel: Easel,
    kind: str,
    values: Sequence[Value],
    path: Path,
    options: Mapping[str, Any] | None = None,
) -> Value:
    """`matmul` or `attention`: rows along the last axis but one, columns along the last."""
    values = [_of_matrices(value) for value in values]
    if kind == "matmul" and not options:
        values, options = _transposed(values)
    sources = [easel.demand(value, -1, path) for value in values]
    index = easel.emit(kind, path, sources, options)
    first = max(values, key=lambda value: len(value.dims))
    rank = len(first.dims)
    return made(index, easel.shape(index), rank, rank - 1, first.batch)


def _of_matrices(value: Value) -> Value:
    """Rows and columns are never samples."""
    inner = value.batch is not None and value.batch >= len(value.dims) - 2
    return value._replace(batch=None) if inner else value


def _transposed(values: Sequence[Value]) -> tuple[Sequence[Value], dict[str, Any]]:
    """The second of a product the other way round, where that is how it was before."""
    first, second = values
    rank = len(second.dims)
    turned = _of_matrices(permuted(second, (*range(rank - 2), rank - 1, rank - 2)))
    if not _in_order(second) and _in_order(turned):
        return (first, turned), {"transpose": True}
    return values, {}


def _in_order(value: Value) -> bool:
    """Whether the innermost axis was that before elements moved."""
    if value.axes is not None:
        return value.axes[-1] == 0
    last = value.moves[-1].by
    return not last or last[-1] == max(axis for axis in last if value.moves[-2].to[axis] != 1)


def _leading(values: Sequence[Value]) -> Value:
    """The tensor whose layout the others are brought to: the largest of those with one."""
    return max(values, key=lambda x: (x.axes is not None, x.elements, x.batch is not None))


def _batched(value: Value, first: Value) -> Value:
    """With its samples along the axis of `first`, where that can be."""
    if first.batch is None or value.dims[first.batch] == 1:
        return value._replace(batch=first.batch)
    return value
