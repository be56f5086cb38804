"""Functions of keras.ops that move elements, or compute each element by itself, and indexing such
as `x[:, 0]`, which Keras 3 stores as a function of the index."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from convcost.importing.frontends.keras.call import LayerCall, layer, row
from convcost.importing.ir.refusals import unsupported
from convcost.importing.ir.tensor import Tensor, axes_moved, axes_swapped, reshaped
from convcost.importing.passes.lower.slices import split_axis
from convcost.model.errors import ConstraintError
from convcost.model.number_format import counted

ALL = {"start": None, "stop": None, "step": None}
WHOLE_AXIS = {"class_name": "__slice__", "config": ALL}

for _name in ("Sqrt", "Rsqrt", "Square", "Exp", "Log", "Sign", "Erf", "Sin", "Cos", "Round"):
    row(_name.lower(), f"ops.{_name}")
row("abs", "ops.Absolute", "ops.Abs")
row("negate", "ops.Negative")
row("reciprocal", "ops.Reciprocal")
row("glu", "ops.Glu", axis="axis")
row("clip", "ops.Clip", low="x_min", high="x_max")
row("unsqueeze", "ops.ExpandDims", axes=lambda call: _axes(call, "axis", len(call.x.dims) + 1))


@layer("ops.Squeeze")
def squeeze(call: LayerCall) -> Tensor:
    """Without `axis`, it removes all axes of extent 1 except the batch."""
    dims = call.x.dims
    ones = [axis for axis, extent in enumerate(dims) if axis and extent == 1]
    axes = ones if call.config.get("axis") is None else _axes(call, "axis", len(dims))
    return reshaped(call.x, [extent for axis, extent in enumerate(dims) if axis not in axes])


@layer("ops.Swapaxes")
def swap_axes(call: LayerCall) -> Tensor:
    (first,), (second,) = (_axes(call, name, len(call.x.dims)) for name in ("axis1", "axis2"))
    return axes_swapped(call.x, first, second)


@layer("ops.Moveaxis")
def move_axis(call: LayerCall) -> Tensor:
    axes = (_axes(call, name, len(call.x.dims)) for name in ("source", "destination"))
    return axes_moved(call.x, *axes)


@layer("ops.Stack")
def stack(call: LayerCall) -> Tensor:
    (axis,) = _axes(call, "axis", len(call.x.dims) + 1)
    return call.lower("concat", *call.values, axis=axis, new=True)


@layer("ops.Split")
def split(call: LayerCall) -> tuple[Tensor, ...]:
    """Equal parts, or parts that begin at the given entries."""
    (axis,), sections = _axes(call, "axis", len(call.x.dims)), call.config["indices_or_sections"]
    extent = call.x.dims[axis]
    if isinstance(sections, int):
        if sections < 1 or extent % sections:
            raise unsupported(f"{counted(sections, 'part')} of an axis of {extent}")
        return _parts(call, axis, [extent // sections] * sections)
    return _parts(call, axis, [end - start for start, end in pairwise((0, *sections, extent))])


@layer("ops.Unstack")
def unstack(call: LayerCall) -> tuple[Tensor, ...]:
    (axis,) = _axes(call, "axis", len(call.x.dims))
    return _parts(call, axis, [1] * call.x.dims[axis], remove_axis=True)


@layer("ops.Pad")
def pad(call: LayerCall) -> Tensor:
    """`pad_width` has the begin and the end of each axis."""
    widths: Any = call.config["pad_width"]
    pairs = isinstance(widths, list | tuple) and len(widths) == len(call.x.dims)
    if not pairs or list(widths[0]) != [0, 0]:
        raise unsupported(f"padding by {widths} of {len(call.x.dims)} axes")
    begins, ends = zip(*widths, strict=True)
    return call.lower("pad", begins=begins, ends=ends)


def _parts(
    call: LayerCall, axis: int, lengths: Sequence[int], *, remove_axis: bool = False
) -> tuple[Tensor, ...]:
    return tuple(
        split_axis(call.builder, call.x, axis, lengths, call.path, remove_axis=remove_axis)
    )


def _axes(call: LayerCall, name: str, rank: int) -> list[int]:
    """The axes that an option names, counted from 0. Raises ConstraintError if one is the batch."""
    value: Any = call.config[name]
    axes = [axis % rank for axis in (value if isinstance(value, list | tuple) else [value])]
    if 0 in axes:
        raise unsupported(f"{call.kind} along the batch")
    return axes


# Indexing


@layer("ops.GetItem")
def get_item(call: LayerCall) -> Tensor:
    entries = _entries(call)
    if len(call.values) != 1 or entries[0] != WHOLE_AXIS:
        raise unsupported("indexing the batch")
    return call.lower("index", index=list(map(_entry, entries)))


def _entries(call: LayerCall) -> list[Any]:
    """One entry for each axis, and None for new axes. An ellipsis selects all remaining axes."""
    key = call.keywords.get("key")
    entries = list(key) if isinstance(key, list | tuple) else [key]
    rank = len(call.x.dims)
    dots = [place for place, entry in enumerate(entries) if _is(entry, "__ellipsis__")]
    count = sum(entry is not None for entry in entries) - len(dots)
    if len(dots) > 1 or count > rank:
        message = f"{call.kind} has {count} entries for {counted(rank, 'axis')}"
        raise ConstraintError("CC401", message)
    rest = [WHOLE_AXIS] * (rank - count)
    place = dots[0] if dots else len(entries)
    return [*entries[:place], *rest, *entries[place + 1 :]]


def _is(entry: Any, kind: str) -> bool:
    return isinstance(entry, dict) and entry.get("class_name") == kind


def _entry(entry: Any) -> int | slice | None:
    """An entry as in Python. Raises ConstraintError."""
    if entry is None or type(entry) is int:
        return entry
    bounds: list[Any] = [""]
    if _is(entry, "__slice__"):
        bounds = [entry["config"].get(name) for name in ALL]
    if not all(n is None or type(n) is int for n in bounds) or bounds[2] == 0:
        raise ConstraintError("CC401", "convcost supports only integers and ranges as an index")
    return slice(*bounds)
