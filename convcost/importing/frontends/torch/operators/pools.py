"""Pools, with windows and to a given size."""

from typing import Any

from convcost.importing.frontends.torch.operators.convolutions import per_axis
from convcost.importing.frontends.torch.registry import TorchCall, operator
from convcost.importing.ir.tensor import Tensor
from convcost.importing.passes.lower.windows import SlidingWindow


def _window(call: TorchCall) -> SlidingWindow:
    given, rank = call.given, len(call.given["self"].dims) - 2
    kernel = per_axis(given["kernel_size"], rank)
    padding = per_axis(given["padding"], rank)
    dilation = per_axis(given["dilation"], rank) if "dilation" in given else ()
    return SlidingWindow(
        kernel, per_axis(given["stride"] or kernel, rank), padding, padding, dilation
    )


@operator(*(f"max_pool{n}d" for n in (1, 2, 3)), op="max_pool")
@operator(*(f"avg_pool{n}d" for n in (1, 2, 3)), op="avg_pool")
def pool(call: TorchCall) -> Tensor:
    ceil = call.given["ceil_mode"]
    return call.lower(call.canonical, window=_window(call), ceil=ceil, dims=call.dims)


@operator(*(f"max_pool{n}d_with_indices" for n in (1, 2, 3)), op="max_pool")
def max_pool_with_indices(call: TorchCall) -> Any:
    """The window determines the indices of the largest elements."""
    window, ceil = _window(call), call.given["ceil_mode"]
    return call.lower("max_pool", window=window, ceil=ceil, dims=call.dims[0]), window


@operator("max_unpool2d", "max_unpool3d")
def max_unpool(call: TorchCall) -> Tensor:
    window = call.given["indices"]
    known = window if isinstance(window, SlidingWindow) else None
    return call.lower("max_unpool", window=known, size=call.dims[2:])


@operator(*(f"adaptive_{kind}_pool{n}d" for kind in ("max", "avg") for n in (1, 2, 3)),
          "_adaptive_avg_pool2d")  # fmt: skip
def adaptive_pool(call: TorchCall) -> Any:
    dims = call.first_dims
    kind = call.own_name.removeprefix("_")[:-2]
    y = call.lower(kind, size=dims[2:], dims=dims)
    return (y, None) if call.several else y
