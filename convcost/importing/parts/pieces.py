"""Pieces of tensors: slices along an axis, and splits, which are several of them."""

from collections.abc import Sequence
from math import prod

from convcost.importing.drawing import Path
from convcost.importing.easel import Easel
from convcost.importing.value import Value, made, permuted, reshaped

EXTENTS = ("in_width", "in_height", "in_depth")  # of the axes, from the innermost
SMALL = 4  # a number that is at most the extent over this stays as it is


def piece(
    easel: Easel, x: Value, axis: int, start: int, length: int, path: Path, step: int = 1
) -> Value:
    """`length` entries of an axis from `start`, every `step`-th."""
    rank = len(x.dims)
    axis %= rank
    if (start, length, step) == (0, x.dims[axis], 1):
        return x
    within = _of_begun(easel, x, axis, start, length, path) if step == 1 else None
    if within is not None:
        return within
    channel = x.channel
    source = easel.demand(x, channel, path)
    sizes = [n for n in range(rank) if n not in (channel, x.batch)]
    options = {"length": length, "start": start}
    if axis != channel:
        options["along"] = 1 + sizes.index(axis)
    if step != 1:
        options["step"] = step
    follows = {}
    if axis != channel and easel.varies(source)[options["along"]]:
        shape = easel.shape(source)
        follows = following(len(shape.size) - options["along"], x.dims[axis], start, length, step)
    index = easel.emit("slice", path, [source], options, follows=follows)
    return made(index, easel.shape(index), rank, channel, x.batch)


def following(inward: int, extent: int, start: int, length: int, step: int) -> dict[str, str]:
    """A range of an axis that goes with the size of the input, as expressions of its extent.
    `inward` are the axes inside of it.

    A model says only numbers. Those that are small are taken to be meant, counted from the
    beginning or from the end; with others the range is bound to this extent, and at another one an
    error.
    """
    if inward >= len(EXTENTS):
        return {}
    n = EXTENTS[inward]
    cut = extent - (start + (length - 1) * step + 1)
    if start + length * step <= extent // SMALL or start + length == 1:
        return {}
    if length * step <= extent // SMALL and cut <= extent // SMALL and step == 1:
        return {"start": f"{n} - {length + cut}"}
    if start <= extent // SMALL and step == 1 and cut <= extent // SMALL:
        return {"length": f"{n} - {start + cut}"}
    if start <= extent // SMALL and 0 <= cut < step:
        over = step - 1 - start
        dividend = f"({n} {'+' if over > 0 else '-'} {abs(over)})" if over else n
        return {"length": f"{dividend} // {step}"}
    return {"length": f"{length} if {n} == {extent} else 0"}


def _of_begun(
    easel: Easel, x: Value, axis: int, start: int, length: int, path: Path
) -> Value | None:
    """A piece of a tensor whose elements have moved, taken before they do: where the axis is the
    outer part of one that the tensor had before, as query, key and value are."""
    if x.begun is None or len(x.moves) > 2 or not x.moves[0].to:  # noqa: PLR2004  apart, and turned
        return None
    apart = x.moves[0].to
    order = x.moves[1].by if len(x.moves) > 1 else tuple(range(len(apart)))
    if not order:
        return None
    outer = order[axis]
    whole = _axis_of(x.begun.dims, apart, outer)
    if whole is None:
        return None
    inner = x.begun.dims[whole] // apart[outer]
    taken = piece(easel, x.begun, whole, start * inner, length * inner, path)
    to = (*apart[:outer], length, *apart[outer + 1 :])
    return permuted(reshaped(taken, to), order)._replace(batch=x.batch)


def _axis_of(before: tuple[int, ...], after: tuple[int, ...], outer: int) -> int | None:
    """The axis whose outermost part the axis `outer` is, after a reshape."""
    ahead = prod(after[:outer])
    for axis, extent in enumerate(before):
        if prod(before[:axis]) == ahead and extent != 1 and extent % after[outer] == 0:
            return axis
    return None


def split(
    easel: Easel, x: Value, axis: int, lengths: Sequence[int], path: Path
) -> tuple[Value, ...]:
    """All pieces of an axis, one after the other."""
    found, start = [], 0
    for length in lengths:
        found.append(piece(easel, x, axis, start, length, path))
        start += length
    return tuple(found)
