"""Operators that convcost does not know: they become layers that say so, never layers without
costs."""

from typing import Any

from convcost.importing.frontends.torch.constant_value import ConstantValue, tensors
from convcost.importing.frontends.torch.registry import TorchCall
from convcost.importing.frontends.torch.weights import as_tensor, buffers, weights
from convcost.importing.ir.tensor import Tensor


def unknown(call: TorchCall) -> Any:
    """Adds a `custom` layer without a count, one for each output."""
    return custom_layer(call, call.name.removeprefix("aten."), None)


def custom_layer(call: TorchCall, what: str, macs: int | None = 0) -> Any:
    """Adds a `custom` layer with the output shape in the model; None as `macs` means unknown. If
    there are several outputs, the first layer has the params and macs; the others are added only if
    something reads them."""
    given = list(tensors(dict(call.given)))
    inputs = [one for one in given if isinstance(one, Tensor)]
    constants = [one for one in given if isinstance(one, ConstantValue)]
    if not inputs:
        inputs, constants = [as_tensor(call.builder, one) for one in constants if one.leaves], []
    stored: dict[str, Any] = {"weights": weights(*constants), "buffers": buffers(*constants)}
    found: list[Tensor | None] = []
    for number, dims in enumerate(call.dims if call.several else (call.dims,)):
        if dims is None or (number and f"getitem:{number}" not in call.users):
            found.append(None)
            continue
        found.append(call.lower("custom", *inputs, what=what, dims=dims, macs=macs, **stored))
        stored, macs = {}, None if macs is None else 0
    return tuple(found) if call.several else found[0]
