"""Views: the same elements in other dims. A view becomes a layer only if a later layer needs it."""

from typing import Any

from convcost.importing.frontends.torch.registry import TorchCall, has_only_joins, operator, row
from convcost.importing.ir.tensor import axes_moved, axes_swapped, reshaped, transposed, with_rank

# Operators that are, or begin, a reshape.
RESHAPES = {f"aten.{name}" for name in ("reshape", "view", "_unsafe_view", "flatten", "clone")}

row("permute", order="dims")
row("permute", "t", "numpy_T")


@operator("view", "reshape", "flatten", "unflatten", "unsqueeze",
          "squeeze", "view_as", "reshape_as", "ravel", "_unsafe_view",
          "_reshape_copy")  # fmt: skip
def reshape(call: TorchCall) -> Any:
    return reshaped(call.x, call.dims)


@operator("transpose", "swapaxes", "swapdims")
def transpose(call: TorchCall) -> Any:
    """Its axes are `dim0` and `dim1`, or `axis0` and `axis1`."""
    _, first, second = call.given.values()
    return axes_swapped(call.x, first, second)


@operator("mT")
def transpose_matrices(call: TorchCall) -> Any:
    return transposed(call.x)


@operator("movedim", "moveaxis")
def movedim(call: TorchCall) -> Any:
    axis_pair = (call.given["source"], call.given["destination"])
    source, to = (axes if isinstance(axes, tuple) else (axes,) for axes in axis_pair)
    return axes_moved(call.x, source, to)


@operator("expand", "expand_as", "broadcast_to")
def expand(call: TorchCall) -> Any:
    """An expanded tensor. Joins broadcast their inputs themselves, so it adds no layer for them."""
    if has_only_joins(call.users):
        return with_rank(call.x, len(call.dims))
    return call.lower("expand", what="expand", dims=call.dims, merged=call.users <= RESHAPES)


@operator("roll")
def roll(call: TorchCall) -> Any:
    """The kind has a single distance, so the distance along the last axis is used for all axes.
    Without axes, all elements are rolled as one vector."""
    shifts, axes = call.given["shifts"], call.given["dims"]
    places = shifts[-1] if isinstance(shifts, tuple) else shifts
    return call.lower("roll", axes=axes, places=places)
