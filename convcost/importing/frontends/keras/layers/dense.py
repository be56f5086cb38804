"""Fully connected layers, and layers that reshape tensors."""

from math import prod

from convcost.importing.frontends.keras.call import LayerCall, layer
from convcost.importing.frontends.keras.layers.activations import activated
from convcost.importing.ir.tensor import Tensor, permuted, reshaped
from convcost.model.errors import ConstraintError


@layer("Dense")
def dense(call: LayerCall) -> Tensor:
    features, n = int(call.config["units"]), call.x.dims[-1]
    bias = bool(call.config.get("use_bias", True))
    tensors = call.tensor("kernel", n, features)
    tensors |= call.tensor("bias", features) if bias else {}
    y = call.lower("linear", call.x, features=features, weights=tensors, bias=bias)
    return activated(call, y)


@layer("Flatten")
def flatten(call: LayerCall) -> Tensor:
    return reshaped(call.x, (1, prod(call.x.dims)))


@layer("Reshape", "ops.Reshape")
def reshape(call: LayerCall) -> Tensor:
    written = call.config.get("target_shape")
    if written is None:  # the file does not say whether it is the function or the layer
        written = call.config["newshape"][1:]
    target = [n if n is not None else -1 for n in written]
    known = prod(n for n in target if n != -1)
    open_, elements = target.count(-1), call.x.elements
    if open_ > 1 or not known or elements % known or (not open_ and elements != known):
        raise ConstraintError("CC402", f"cannot reshape {elements} elements to {target}")
    return reshaped(call.x, (1, *(elements // known if n == -1 else n for n in target)))


@layer("Permute")
def permute(call: LayerCall) -> Tensor:
    order = [int(axis) for axis in call.config["dims"]]
    axes = len(call.x.dims) - 1
    if sorted(order) != list(range(1, axes + 1)):
        raise ConstraintError(
            "CC404", f"Permute needs each axis from 1 to {axes} once, not {order}"
        )
    return permuted(call.x, (0, *order))


@layer("RepeatVector")
def repeat(call: LayerCall) -> Tensor:
    """A vector n times: a single position upsampled to n."""
    one = reshaped(call.x, (1, 1, call.x.dims[-1]))
    n = int(call.config["n"])
    dims = (1, n, one.dims[2])
    return call.lower("upsample", one, dims=dims, factors=(1, n, 1), mode="nearest", channel=2)
