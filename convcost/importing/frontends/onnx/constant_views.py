"""The parts of constants that operators take, and the views after them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from convcost.importing.frontends.onnx.graph import OnnxNode
from convcost.importing.frontends.onnx.open_dims import Dims
from convcost.importing.ir.constant import Constant
from convcost.importing.ir.tensor_views import (
    TensorView,
    changed_view,
    view_of_entries,
    view_of_reshape,
)


def view_after(
    view: TensorView, node: OnnxNode, constants: Mapping[str, Constant], dims: Dims | None
) -> TensorView | None:
    """The view after a node with one output; None if the output is not a view. `dims` are the dims
    of the output."""
    if node.op == "Transpose":
        order = node.attributes.get("perm") or None
        return changed_view(view, lambda array: array.transpose(order))
    if node.op == "Slice":
        return _view_of_slice(view, node, constants)
    if node.op == "Gather":
        return _view_of_gather(view, node, constants)
    if node.op == "Piece":
        axis, start, length = (node.attributes[name] for name in ("axis", "start", "length"))
        entries = range(start, start + length)
        return view_of_entries(view, axis, entries, keep=node.attributes["keep"])
    return None if dims is None else view_of_reshape(view, dims)


def _view_of_slice(
    view: TensorView, node: OnnxNode, constants: Mapping[str, Constant]
) -> TensorView | None:
    """The part of a view that a `Slice` selects; None if its range is not constant."""
    slice_inputs: list[Sequence[int]] = []
    for position, name in enumerate(("starts", "ends", "axes", "steps"), 1):
        constant = constants.get(node.input(position))
        if name in node.attributes:
            slice_inputs.append(node.attributes[name])
        elif not node.input(position):
            slice_inputs.append(())
        elif constant is None or constant.data is None:
            return None
        else:
            slice_inputs.append(constant.data.ravel().tolist())
    for axis, entries in sliced_entries(view.dims, *slice_inputs):
        view = view_of_entries(view, axis, entries)
    return view


def sliced_entries(
    dims: Dims, starts: Sequence[int], ends: Sequence[int], axes: Sequence[int],
    steps: Sequence[int],
) -> Iterator[tuple[int, range]]:  # fmt: skip
    """The entries that a `Slice` selects, for each axis. Its axes and steps may be left out."""
    axes, steps = axes or range(len(starts)), steps or (1,) * len(starts)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        stop = None if step < 0 and end < -dims[axis] else end
        yield axis % len(dims), range(dims[axis])[slice(start, stop, step)]


def regular_entries(indices: Any, extent: int) -> range | None:
    """The entries that indices select, if they have equal distances; otherwise None."""
    entries = [int(n) % extent for n in indices.ravel().tolist()]
    first, step = entries[0], entries[1] - entries[0] if len(entries) > 1 else 1
    regular_range = range(first, first + step * len(entries), step or 1)
    return regular_range if entries == [*regular_range] else None


def _view_of_gather(
    view: TensorView, node: OnnxNode, constants: Mapping[str, Constant]
) -> TensorView | None:
    """Entries of an axis at equal distances."""
    indices = constants.get(node.input(1))
    axis = node.attributes.get("axis", 0) % len(view.dims)
    if indices is None or indices.data is None or len(indices.dims) > 1 or not indices.elements:
        return None
    entries = regular_entries(indices.data, view.dims[axis])
    if entries is None:
        return None
    return view_of_entries(view, axis, entries, keep=bool(indices.dims))
