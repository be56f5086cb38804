"""Pools, by windows and to a size."""

from typing import Any

from convcost.importing.from_torch.operators.convolutions import AXES, spread
from convcost.importing.from_torch.registry import Call, operator
from convcost.importing.from_torch.samples import apart, together
from convcost.importing.from_torch.unknown import stated
from convcost.importing.parts.windows import each, window
from convcost.importing.value import Value


@operator("aten.max_pool1d", "aten.max_pool2d", "aten.max_pool3d")
def max_pool(call: Call) -> Any:
    return _windows(call, "max_pool", {"dilation": call.given["dilation"]})


@operator("aten.max_pool1d_with_indices", "aten.max_pool2d_with_indices",
          "aten.max_pool3d_with_indices")  # fmt: skip
def max_pool_with_indices(call: Call) -> Any:
    first = call._replace(dims=call.dims[0])
    return (max_pool(first), None)


@operator("aten.avg_pool1d", "aten.avg_pool2d", "aten.avg_pool3d")
def avg_pool(call: Call) -> Any:
    return _windows(call, "avg_pool", {})


@operator("aten.adaptive_avg_pool1d", "aten.adaptive_avg_pool2d", "aten.adaptive_avg_pool3d",
          "aten._adaptive_avg_pool2d")  # fmt: skip
def adaptive_avg_pool(call: Call) -> Any:
    return _adaptive(call, "avg")


@operator("aten.adaptive_max_pool1d", "aten.adaptive_max_pool2d", "aten.adaptive_max_pool3d")
def adaptive_max_pool(call: Call) -> Any:
    several = bool(call.dims) and isinstance(call.dims[0], tuple)
    if several:
        return (_adaptive(call._replace(dims=call.dims[0]), "max"), None)
    return _adaptive(call, "max")


def _windows(call: Call, kind: str, more: dict[str, Any]) -> Value:
    given = call.given
    rank = len(given["self"].dims) - 2
    if rank == AXES and given["self"].dims[0] > 1:
        return stated(call, f"{kind} of many samples")  # type: ignore[no-any-return]
    kernel = spread(given["kernel_size"], rank)
    stride = spread(given["stride"] or kernel, rank)
    x = together(given["self"])
    ones, none = [1] * (len(x.dims) - 2 - rank), [0] * (len(x.dims) - 2 - rank)
    options = {
        "kernel": each([*ones, *kernel]),
        "padding": each([*none, *spread(given["padding"], rank)]),
        "ceil": given["ceil_mode"],
        **{name: each([*ones, *spread(value, rank)]) for name, value in more.items()},
    }
    if stride != kernel or ones:
        options["stride"] = each([*ones, *stride])
    return apart(window(call.easel, kind, x, call.path, options), call.dims)


def _adaptive(call: Call, what: str) -> Value:
    before = call.given["self"].dims
    if len(before) - 2 == AXES and before[0] > 1:
        return stated(call, f"adaptive_{what}_pool of many samples")  # type: ignore[no-any-return]
    x = together(call.given["self"])
    size = call.dims[2:]
    if set(size) == {1} and len(x.dims) == len(before):
        return window(call.easel, f"global_{what}_pool", x, call.path, {})
    ones = before[:1] if len(x.dims) > len(before) else ()
    options = {"size": each([*ones, *size])}
    return apart(window(call.easel, f"adaptive_{what}_pool", x, call.path, options), call.dims)
