"""Tensors in the layer graph: which axes are the channels and which are the size.

A spec has channels and size, a model has only axes. So the layout of a tensor, channels first or
last, is tracked, and a transpose adds no layer. A layer is added only if a later layer needs the
elements in the new order.
"""

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from convcost.model.shape import Shape

ONE = -1  # an entry of `Tensor.axes`
MATRIX_RANK = 2  # rows, columns
SEQUENCE_RANK = 3  # samples, steps, channels: [n, t, c] or [n, c, t]
MAPS_RANK = 4  # samples, channels, height, width: [n, c, h, w] or [n, h, w, c]


class Rearrangement(NamedTuple):
    """A rearrangement that has no layer yet: a reshape to `dims`, or a permutation whose axis i is
    axis `order[i]` of its input. The other field is empty."""

    dims: tuple[int, ...] = ()
    order: tuple[int, ...] = ()


class Tensor(NamedTuple):
    """A tensor of one sample; `dims` as in the model, with a batch of 1.

    `source` is the layer that computes it, or −1−k for the k-th input; `shape` is the output shape
    of the source. `axes` says for each axis which entry of the shape it is: 0 the channels, 1 the
    outermost axis of the size, ONE an axis of extent 1 that the shape does not have. `axes` is None
    if elements were rearranged since the source; then `moves` are the rearrangements, and `origin`
    is the tensor before them. `batch` is the batch axis, if there is one.
    """

    source: int
    shape: Shape
    dims: tuple[int, ...]
    axes: tuple[int, ...] | None
    batch: int | None = 0
    origin: "Tensor | None" = None
    moves: tuple[Rearrangement, ...] = ()

    @property
    def elements(self) -> int:
        return prod(self.dims)

    def size_axes(self, channel: int) -> list[int]:
        """All axes except the batch and the axis `channel`."""
        return [axis for axis in range(len(self.dims)) if axis not in (channel, self.batch)]

    def along(self, axis: int, channel: int) -> dict[str, int]:
        """The option `along` for an axis; the default of the kinds is the channels."""
        return {} if axis == channel else {"along": 1 + self.size_axes(channel).index(axis)}

    @property
    def channel(self) -> int:
        """The axis with the channels; the last one if no axis has all of them."""
        if self.axes is not None:
            return self.axes.index(0) if 0 in self.axes else len(self.dims) - 1
        assert self.origin is not None
        before = self.origin.channel
        whole = {before: self.origin.dims[before]}
        parts_by_axis = enumerate(_parts(self.origin.dims, self.moves))
        return next((axis for axis, parts in parts_by_axis if parts == whole), len(self.dims) - 1)


def output_tensor(
    source: int, shape: Shape, rank: int, channel: int, batch: int | None = 0
) -> Tensor:
    """The output of a layer as a tensor of `rank` axes. If the shape has too many axes, those of
    extent 1 are dropped."""
    if not rank:  # a scalar
        return Tensor(source, shape, (), (), None)
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
    return Tensor(source, shape, dims, tuple(axes), batch)


def permuted(value: Tensor, order: Sequence[int]) -> Tensor:
    """The tensor with axis `order[i]` as its axis i."""
    order = tuple(axis % len(value.dims) for axis in order)
    dims = tuple(value.dims[axis] for axis in order)
    batch = order.index(value.batch) if value.batch is not None else None
    if value.axes is not None:
        axes = tuple(value.axes[axis] for axis in order)
        batch = _leading_one(axes, dims) if batch is None else batch
        return value._replace(dims=dims, axes=axes, batch=batch)
    moves = value.moves
    if moves and moves[-1].order:  # two permutations combine to one
        order = tuple(moves[-1].order[axis] for axis in order)
        moves = moves[:-1]
    before = moves[-1].dims
    long_axes = [axis for axis in order if before[axis] != 1]
    if long_axes == sorted(long_axes):  # only axes of extent 1 moved
        still = reshaped(value._replace(dims=before, moves=moves), dims)
        return still if still.axes is not None else still._replace(batch=batch)
    return value._replace(dims=dims, batch=batch, moves=(*moves, Rearrangement(order=order)))


def axes_swapped(value: Tensor, first: int, second: int) -> Tensor:
    """The tensor with two axes exchanged."""
    order = list(range(len(value.dims)))
    order[first], order[second] = order[second], order[first]
    return permuted(value, order)


def transposed(value: Tensor) -> Tensor:
    """The tensor with its last two axes exchanged, like the transpose of a matrix; a vector stays
    the same."""
    return axes_swapped(value, -2, -1) if len(value.dims) > 1 else value


def axes_moved(value: Tensor, source: Sequence[int], destination: Sequence[int]) -> Tensor:
    """The tensor with the axes `source` at the places `destination`, and the others in order."""
    rank = len(value.dims)
    source, destination = ([axis % rank for axis in axes] for axes in (source, destination))
    order = [axis for axis in range(rank) if axis not in source]
    for place, axis in sorted(zip(destination, source, strict=True)):
        order.insert(place, axis)
    return permuted(value, order)


def with_rank(value: Tensor, rank: int) -> Tensor:
    """The tensor with at least `rank` axes; those that are added have extent 1 and are in front."""
    return reshaped(value, (1,) * (rank - len(value.dims)) + value.dims)


def reshaped(value: Tensor, dims: Sequence[int]) -> Tensor:
    """The same elements in other dims. Axes of extent 1 can be added and removed; any other change
    is a rearrangement."""
    dims = tuple(dims)
    if dims == value.dims:
        return value
    moves = value.moves
    if moves and moves[-1].order and _without_ones(dims) == _without_ones(value.dims):
        return _refolded(value, dims)
    if moves and moves[-1].dims:  # the last of two reshapes replaces the first
        moves = moves[:-1]
    start = value.origin if value.origin is not None and not moves else value
    if start.axes is not None:
        same_axes = _with_other_ones(start, dims)
        if same_axes is not None:
            return same_axes
    batch = _batch_of(value, dims)
    return value._replace(
        dims=dims,
        axes=None,
        batch=batch,
        origin=value.origin or value,
        moves=(*moves, Rearrangement(dims=dims)),
    )


def arranged(value: Tensor, *groups: Sequence[int]) -> Tensor:
    """The tensor with its axes in the order of the groups. Each group becomes one axis; an empty
    group becomes an axis of extent 1."""
    turned = permuted(value, [axis for group in groups for axis in group])
    return reshaped(turned, [prod(value.dims[axis] for axis in group) for group in groups])


def restored(value: Tensor, dims: Sequence[int], *groups: Sequence[int]) -> Tensor:
    """The tensor of `dims` that `arranged` made this tensor of."""
    order = [axis for group in groups for axis in group]
    split_axes = reshaped(value, [dims[axis] for axis in order])
    return permuted(split_axes, [order.index(axis) for axis in range(len(order))])


def _refolded(value: Tensor, dims: tuple[int, ...]) -> Tensor:
    """A reshape after a permutation that only adds or removes axes of extent 1, moved before the
    permutation."""
    split_dims, order = value.moves[-2].dims, value.moves[-1].order
    long_axes = [axis for axis, extent in enumerate(split_dims) if extent != 1]
    moved = iter([long_axes.index(axis) for axis in order if split_dims[axis] != 1])
    ones = iter(range(len(long_axes), len(dims)))
    new_order = tuple(next(ones) if extent == 1 else next(moved) for extent in dims)
    new_dims = _without_ones(split_dims) + (1,) * (len(dims) - len(long_axes))
    moves = (*value.moves[:-2], Rearrangement(dims=new_dims), Rearrangement(order=new_order))
    return value._replace(dims=dims, batch=_batch_of(value, dims), moves=moves)


def _parts(dims: Sequence[int], moves: Sequence[Rearrangement]) -> list[dict[int, int]]:
    """For each axis after the moves: the axes of `dims` that it consists of, each with the number
    of its elements. Empty if an axis has a part that does not divide the axis before."""
    axes = [[(axis, extent)] for axis, extent in enumerate(dims)]
    for move in moves:
        if move.order:
            axes = [axes[axis] for axis in move.order]
            continue
        # The innermost part is first, so that `pop` gives the outermost part that remains.
        remaining = [part for parts in reversed(axes) for part in reversed(parts) if part[1] != 1]
        axes = [[] for _ in move.dims]
        for parts, new_extent in zip(axes, move.dims, strict=True):
            while (missing := new_extent // prod(n for _, n in parts)) > 1:
                axis, extent = remaining.pop()
                used = min(missing, extent)
                if missing % used or extent % used:
                    return []
                parts.append((axis, used))
                if extent != used:  # the next new axis gets the inner elements of this part
                    remaining.append((axis, extent // used))
    return [
        {axis: prod(n for other, n in parts if other == axis) for axis, _ in parts}
        for parts in axes
    ]


def _without_ones(dims: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(extent for extent in dims if extent != 1)


def _batch_of(value: Tensor, dims: tuple[int, ...]) -> int | None:
    axis = value.batch
    stays = axis is not None and axis < len(dims) and dims[axis] == 1
    if stays and prod(dims[:axis]) == prod(value.dims[:axis]):
        return axis
    return 0 if len(dims) > 2 and dims[0] == 1 else None  # noqa: PLR2004  a vector has no batch


def _with_other_ones(value: Tensor, dims: tuple[int, ...]) -> Tensor | None:
    """The tensor in other dims, if they differ only in axes of extent 1; else None."""
    assert value.axes is not None
    long_axes = [axis for axis, extent in enumerate(value.dims) if extent != 1]
    if [value.dims[axis] for axis in long_axes] != [extent for extent in dims if extent != 1]:
        return None
    # An axis of extent 1 is identified by the number of longer axes before it.
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
            axes.append(value.axes[long_axes[before]])
            before += 1
        elif batch is None and before == batch_before:
            batch = axis
            axes.append(ONE)
        else:
            axes.append(ones[before].pop(0) if ones.get(before) else ONE)
    batch = _leading_one(axes, dims) if batch is None else batch
    return value._replace(dims=dims, axes=tuple(axes), batch=batch)


def _leading_one(axes: Sequence[int], dims: Sequence[int]) -> int | None:
    """The batch is the first axis, if that has extent 1 and no other role."""
    return 0 if len(dims) > 1 and axes[0] == ONE and dims[0] == 1 else None


def shape_by_channel(value: Tensor, channel: int) -> Shape:
    """The shape of a tensor with the axis `channel` as the channels and the other axes as the size,
    in order."""
    return Shape(value.dims[channel], tuple(value.dims[axis] for axis in value.size_axes(channel)))


def is_in_order(value: Tensor, channel: int) -> bool:
    """Whether the source of a tensor already has the shape of `shape_by_channel`."""
    if value.axes is None or shape_by_channel(value, channel) != value.shape:
        return False
    order = (channel, *value.size_axes(channel))
    roles = [value.axes[axis] for axis in order if value.dims[axis] != 1]
    return roles == sorted(roles)
