"""The same elements in other dims: layers stand for them only where one is asked for."""

from typing import Any

from convcost.importing.from_torch.materials import flowing
from convcost.importing.from_torch.registry import STRETCHING, Call, operator
from convcost.importing.from_torch.unknown import stated
from convcost.importing.parts.pointwise import pointwise
from convcost.importing.value import Value, permuted, reshaped


@operator("aten.view", "aten.reshape", "aten.flatten", "aten.unflatten", "aten.unsqueeze",
          "aten.squeeze", "aten.view_as", "aten.reshape_as", "aten.ravel", "aten._unsafe_view",
          "aten._reshape_copy")  # fmt: skip
def reshape(call: Call) -> Any:
    return reshaped(_x(call), call.dims)


@operator("aten.permute")
def permute(call: Call) -> Any:
    return permuted(_x(call), call.given["dims"])


@operator("aten.transpose", "aten.swapaxes", "aten.swapdims")
def transpose(call: Call) -> Any:
    x, given = _x(call), call.given
    first, second = (
        given[name] % len(x.dims)
        for name in (("dim0", "dim1") if "dim0" in given else ("axis0", "axis1"))
    )
    order = list(range(len(x.dims)))
    order[first], order[second] = second, first
    return permuted(x, order)


@operator("aten.t", "aten.numpy_T", "aten.mT")
def turned(call: Call) -> Any:
    x = _x(call)
    return permuted(x, range(len(x.dims))[::-1])


@operator("aten.movedim", "aten.moveaxis")
def movedim(call: Call) -> Any:
    x, rank = _x(call), len(call.dims)
    source, to = (
        [n % rank for n in (one if isinstance(one, tuple) else (one,))]
        for one in (call.given["source"], call.given["destination"])
    )
    order = [n for n in range(rank) if n not in source]
    for at, axis in sorted(zip(to, source, strict=True)):
        order.insert(at, axis)
    return permuted(x, order)


@operator("aten.expand", "aten.expand_as", "aten.broadcast_to")
def expand(call: Call) -> Any:
    """Where only joins take it, they broadcast it themselves."""
    x = _x(call)
    longer = reshaped(x, (1,) * (len(call.dims) - len(x.dims)) + x.dims)
    if longer.dims == call.dims or call.users <= STRETCHING:
        return longer
    return stated(call, "expand")


@operator("aten.roll")
def roll(call: Call) -> Any:
    return pointwise(call.easel, "roll", _x(call), call.path)


def _x(call: Call) -> Value:
    return flowing(call.easel, call.given["self"])
