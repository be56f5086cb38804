"""Slices along an axis."""

from collections.abc import Sequence
from itertools import accumulate
from math import prod
from typing import Any

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.layer_graph import Path
from convcost.importing.ir.ops import Node
from convcost.importing.ir.tensor import Tensor, output_tensor, permuted, reshaped
from convcost.importing.passes.lower.pointwise import pointwise
from convcost.importing.passes.lowering import lower, lowering
from convcost.model.errors import ConstraintError

EXTENTS = ("in_width", "in_height", "in_depth")  # names of the axes' extents, from the innermost
SMALL_PART = 4  # a bound of at most this fraction of the extent is a constant


@lowering("slice")
def slice_(builder: GraphBuilder, node: Node) -> Tensor:
    """The range `entries` of the entries of `axis`. `remove_axis` removes an axis with a single
    entry."""
    x, axis, span = node.x, node.attributes["axis"] % len(node.x.dims), node.attributes["entries"]
    if not span:
        raise ConstraintError("CC401", f"selects no entry of axis {axis} of {list(x.dims)}")
    backward = span.step < 0 and len(span) > 1
    first, step = (span[-1], -span.step) if backward else (span[0], abs(span.step))
    y = slice_axis(builder, x, axis, first, len(span), node.path, step if len(span) > 1 else 1)
    if backward:
        y = pointwise(builder, "custom", y, node.path, {"what": "flip", "params": 0, "macs": 0})
    if not node.attributes.get("remove_axis", False):
        return y
    return reshaped(y, (*y.dims[:axis], *y.dims[axis + 1 :]))


@lowering("index")
def index(builder: GraphBuilder, node: Node) -> Tensor:
    """The entries of `index`, as in NumPy: a range selects entries of its axis, a number removes
    its axis, and None adds one."""
    x, axis = node.x, 0
    for entry in node.attributes["index"]:
        if entry is None:
            x = reshaped(x, (*x.dims[:axis], 1, *x.dims[axis:]))
            axis += 1
            continue
        extent, single = x.dims[axis], isinstance(entry, int)
        if single and entry not in range(-extent, extent):
            raise ConstraintError("CC401", f"selects entry {entry} of an axis of {extent}")
        entries = range(entry % extent, entry % extent + 1) if single else range(extent)[entry]
        if not entries:
            raise ConstraintError("CC401", f"a range selects no entry of an axis of {extent}")
        x = lower(builder, "slice", node.path, x, axis=axis, entries=entries, remove_axis=single)
        axis += not single
    return x


def split_axis(
    builder: GraphBuilder,
    x: Tensor,
    axis: int,
    lengths: Sequence[int],
    path: Path,
    *,
    is_read: Sequence[bool] = (),
    remove_axis: bool = False,
) -> list[Tensor]:
    """The parts of an axis, one after the other. A part without entries adds no layer, and
    neither does one that nothing reads, if `is_read` is given. `remove_axis` removes the axis from
    parts of a single entry."""
    axis %= len(x.dims)
    if sum(lengths) != x.dims[axis]:
        raise ConstraintError(
            "CC404", f"its parts {list(lengths)} are not the {x.dims[axis]} entries of axis {axis}"
        )
    parts = []
    is_read = is_read or [length > 0 for length in lengths]
    for length, end, read in zip(lengths, accumulate(lengths), is_read, strict=True):
        entries = range(end - length, end)
        if read:
            options: dict[str, Any] = {"axis": axis, "entries": entries, "remove_axis": remove_axis}
            parts.append(lower(builder, "slice", path, x, **options))
        else:
            rest = () if remove_axis else (length,)
            parts.append(x._replace(dims=(*x.dims[:axis], *rest, *x.dims[axis + 1 :])))
    return parts


def slice_axis(
    builder: GraphBuilder, x: Tensor, axis: int, start: int, length: int, path: Path, step: int = 1
) -> Tensor:
    """`length` entries of an axis from `start`, every `step`-th one."""
    rank = len(x.dims)
    axis %= rank
    if (start, length, step) == (0, x.dims[axis], 1):
        return x
    if step == 1:
        y = _slice_before_rearrangement(builder, x, axis, start, length, path)
        if y is not None:
            return y
    channel = x.channel
    source = builder.materialize(x, channel, path)
    options = {"length": length, "start": start, **x.along(axis, channel)}
    if step != 1:
        options["step"] = step
    follows = {}
    if axis != channel and builder.varies(source)[options["along"]]:
        shape = builder.shape(source)
        follows = expressions(len(shape.size) - options["along"], x.dims[axis], start, length, step)
    index = builder.emit("slice", path, [source], options, follows=follows)
    return output_tensor(index, builder.shape(index), rank, channel, x.batch)


def expressions(inward: int, extent: int, start: int, length: int, step: int) -> dict[str, str]:
    """The range of an axis as expressions of its extent, for other input sizes. `inward` is the
    number of axes inside of it.

    A model has only numbers. Small numbers count from the beginning or from the end at any size.
    Otherwise, the range is valid at this extent only, and any other extent is an error.
    """
    if inward >= len(EXTENTS):
        return {}
    n = EXTENTS[inward]
    cut = extent - (start + (length - 1) * step + 1)
    if start + length * step <= extent // SMALL_PART or start + length == 1:
        return {}
    if length * step <= extent // SMALL_PART and cut <= extent // SMALL_PART and step == 1:
        return {"start": f"{n} - {length + cut}"}
    if start <= extent // SMALL_PART and step == 1 and cut <= extent // SMALL_PART:
        return {"length": f"{n} - {start + cut}"}
    if step > 1 and 0 <= cut < step:
        shift = step - 1 - start
        dividend = f"({n} {'+' if shift > 0 else '-'} {abs(shift)})" if shift else n
        return {"length": f"{dividend} // {step}"}
    return {"length": f"{length} if {n} == {extent} else 0"}


def _slice_before_rearrangement(
    builder: GraphBuilder, x: Tensor, axis: int, start: int, length: int, path: Path
) -> Tensor | None:
    """The slice of a tensor that a reshape split, perhaps followed by a permutation: slices the
    tensor before the reshape and rearranges the result, so that no layer rearranges all of `x`.

    The slice must be along the outermost part of an earlier axis, such as query, key and value in
    one projection; otherwise None.
    """
    if x.origin is None or len(x.moves) > 2 or not x.moves[0].dims:  # noqa: PLR2004  a split and a transpose
        return None
    split_dims = x.moves[0].dims
    order = x.moves[1].order if len(x.moves) > 1 else tuple(range(len(split_dims)))
    outer = order[axis]
    origin_axis = _axis_of(x.origin.dims, split_dims, outer)
    if origin_axis is None:
        return None
    inner = x.origin.dims[origin_axis] // split_dims[outer]
    part = slice_axis(builder, x.origin, origin_axis, start * inner, length * inner, path)
    part_dims = (*split_dims[:outer], length, *split_dims[outer + 1 :])
    return permuted(reshaped(part, part_dims), order)._replace(batch=x.batch)


def _axis_of(before: tuple[int, ...], after: tuple[int, ...], outer: int) -> int | None:
    """The earlier axis whose outermost part became the axis `outer` in a reshape."""
    ahead = prod(after[:outer])
    for axis, extent in enumerate(before):
        if prod(before[:axis]) == ahead and extent != 1 and extent % after[outer] == 0:
            return axis
    return None
