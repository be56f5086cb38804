"""Tensors on their way through a model: which of their axes are channels, which the size.

A spec knows channels and size, a model only axes. So a layout, channels first or last, is followed
and leaves no layer behind; only where elements move does one stand, and only if someone asks.
"""

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from convcost.shapes import Shape

ONE = -1


class Move(NamedTuple):
    """A rearrangement that no layer stands for yet: a reshape `to` dims, or a permutation `by`."""

    to: tuple[int, ...] = ()
    by: tuple[int, ...] = ()


class Value(NamedTuple):
    """A tensor of one sample, `dims` as the model has them, the batch as 1.

    `source` is the layer that made it, or −1−k the k-th input; `shape` is what that gives. `axes`
    tells of each axis of the tensor which of the shape it is: 0 the channels, 1 the outermost of
    the size, ONE an axis of 1 that the shape has not. They are None where elements have moved since
    the source: `moves` tells how, from `begun`. `batch` is the axis of samples, if there is one.
    """

    source: int
    shape: Shape
    dims: tuple[int, ...]
    axes: tuple[int, ...] | None
    batch: int | None = 0
    begun: "Value | None" = None
    moves: tuple[Move, ...] = ()

    @property
    def elements(self) -> int:
        return prod(self.dims)

    @property
    def channel(self) -> int:
        """The axis of the tensor that holds channels; a guess where elements have moved."""
        if self.axes is not None:
            return self.axes.index(0) if 0 in self.axes else len(self.dims) - 1
        for axis, extent in enumerate(self.dims):
            if axis != self.batch and extent == self.shape.channels:
                return axis
        return len(self.dims) - 1


def made(source: int, shape: Shape, rank: int, channel: int, batch: int | None = 0) -> Value:
    """The tensor of a layer's output; axes of 1 that the shape has too many are left out."""
    if not rank:  # a single number
        return Value(source, shape, (), (), None)
    sizes = list(range(1, len(shape.size) + 1))
    places = [axis for axis in range(rank) if axis not in (channel, batch)]
    while len(sizes) > len(places):
        ones = [axis for axis in sizes if shape.size[axis - 1] == 1]
        sizes.remove(ones[-1] if ones else sizes[-1])
    axes = [ONE] * rank
    axes[channel] = 0
    for place, size in zip(places, sizes, strict=False):
        axes[place] = size
    extents = (shape.channels, *shape.size)
    dims = tuple(1 if axis == ONE else extents[axis] for axis in axes)
    return Value(source, shape, dims, tuple(axes), batch)


def permuted(value: Value, order: Sequence[int]) -> Value:
    """Axis `order[i]` becomes axis i."""
    order = tuple(axis % len(value.dims) for axis in order)
    dims = tuple(value.dims[axis] for axis in order)
    batch = order.index(value.batch) if value.batch is not None else None
    if value.axes is not None:
        axes = tuple(value.axes[axis] for axis in order)
        batch = _leading_one(axes, dims) if batch is None else batch
        return value._replace(dims=dims, axes=axes, batch=batch)
    moves = value.moves
    if moves and moves[-1].by:  # two permutations are one
        order = tuple(moves[-1].by[axis] for axis in order)
        moves = moves[:-1]
    before = moves[-1].to
    long = [axis for axis in order if before[axis] != 1]
    if long == sorted(long):  # only axes of 1 have moved
        still = reshaped(value._replace(dims=before, moves=moves), dims)
        return still if still.axes is not None else still._replace(batch=batch)
    return value._replace(dims=dims, batch=batch, moves=(*moves, Move(by=order)))


def reshaped(value: Value, dims: Sequence[int]) -> Value:
    """The same elements in other dims: axes of 1 come and go, anything else is a move."""
    dims = tuple(dims)
    if dims == value.dims:
        return value
    moves = value.moves
    if moves and moves[-1].by and _long(dims) == _long(value.dims):
        return _refolded(value, dims)
    if moves and moves[-1].to:  # only the last of two reshapes counts
        moves = moves[:-1]
    start = value.begun if value.begun is not None and not moves else value
    if start.axes is not None:
        matched = _matched(start, dims)
        if matched is not None:
            axes, batch = matched
            return start._replace(dims=dims, axes=axes, batch=batch)
    batch = _batch_of(value, dims)
    return value._replace(
        dims=dims,
        axes=None,
        batch=batch,
        begun=value.begun or value,
        moves=(*moves, Move(to=dims)),
    )


def _refolded(value: Value, dims: tuple[int, ...]) -> Value:
    """Axes of 1 that come and go after a permutation do so before it instead."""
    apart, order = value.moves[-2].to, value.moves[-1].by
    kept = [axis for axis, extent in enumerate(apart) if extent != 1]
    moved = iter([kept.index(axis) for axis in order if apart[axis] != 1])
    ones = iter(range(len(kept), len(dims)))
    by = tuple(next(ones) if extent == 1 else next(moved) for extent in dims)
    to = _long(apart) + (1,) * (len(dims) - len(kept))
    moves = (*value.moves[:-2], Move(to=to), Move(by=by))
    return value._replace(dims=dims, batch=_batch_of(value, dims), moves=moves)


def _long(dims: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(extent for extent in dims if extent != 1)


def _batch_of(value: Value, dims: tuple[int, ...]) -> int | None:
    at = value.batch
    stays = at is not None and at < len(dims) and dims[at] == 1
    if stays and prod(dims[:at]) == prod(value.dims[:at]):
        return at
    return 0 if len(dims) > 2 and dims[0] == 1 else None  # noqa: PLR2004  a vector has none


def _matched(value: Value, dims: tuple[int, ...]) -> tuple[tuple[int, ...], int | None] | None:
    """The roles of new axes, if they are the old ones but for axes of 1."""
    assert value.axes is not None
    long = [axis for axis, extent in enumerate(value.dims) if extent != 1]
    if [value.dims[axis] for axis in long] != [extent for extent in dims if extent != 1]:
        return None
    # Axes of 1 are told apart by how many longer ones stand before them.
    ones: dict[int, list[int]] = {}
    before, batch_before = 0, None
    for axis, extent in enumerate(value.dims):
        if extent != 1:
            before += 1
        elif axis == value.batch:
            batch_before = before
        elif value.axes[axis] != ONE:
            ones.setdefault(before, []).append(value.axes[axis])
    axes: list[int] = []
    batch, before = None, 0
    for axis, extent in enumerate(dims):
        if extent != 1:
            axes.append(value.axes[long[before]])
            before += 1
        elif batch is None and before == batch_before:
            batch = axis
            axes.append(ONE)
        else:
            axes.append(ones[before].pop(0) if ones.get(before) else ONE)
    return tuple(axes), _leading_one(axes, dims) if batch is None else batch


def _leading_one(axes: Sequence[int], dims: Sequence[int]) -> int | None:
    """Samples stand first, where an axis of 1 does that is nothing else."""
    return 0 if len(dims) > 1 and axes[0] == ONE and dims[0] == 1 else None


def arranged(value: Value, channel: int) -> tuple[Shape, bool]:
    """The shape of a tensor with that axis as channels, the others as size in their order; and
    whether its source gives just that."""
    kept = [axis for axis in range(len(value.dims)) if axis not in (channel, value.batch)]
    shape = Shape(value.dims[channel], tuple(value.dims[axis] for axis in kept))
    if value.axes is None or shape != value.shape:
        return shape, False
    roles = [value.axes[axis] for axis in (channel, *kept) if value.dims[axis] != 1]
    return shape, roles == sorted(roles)
