"""Fully connected layers, and what gives tensors another form."""

from math import prod

from convcost.errors import Refusal
from convcost.importing.easel import Easel
from convcost.importing.from_keras.call import Call, layer
from convcost.importing.from_keras.layers.activations import activated
from convcost.importing.parts.linear import connected
from convcost.importing.parts.windows import window
from convcost.importing.value import Value, permuted, reshaped


@layer("Dense")
def dense(easel: Easel, call: Call) -> Value:
    features, n = int(call.config["units"]), call.x.dims[-1]
    bias = bool(call.config.get("use_bias", True))
    tensors = call.tensor("kernel", n, features)
    tensors |= call.tensor("bias", features) if bias else {}
    drawn = connected(easel, call.x, call.path, features=features, tensors=tensors, bias=bias)
    return activated(easel, call, drawn)


@layer("Flatten")
def flatten(easel: Easel, call: Call) -> Value:
    return reshaped(call.x, (1, prod(call.x.dims)))


@layer("Reshape", "ops.Reshape")
def reshape(easel: Easel, call: Call) -> Value:
    written = call.config.get("target_shape")
    if written is None:  # a function's, of a file that does not tell it from the layer
        written = call.config["newshape"][1:]
    target = [n if n is not None else -1 for n in written]
    known = prod(n for n in target if n != -1)
    open_, elements = target.count(-1), call.x.elements
    if open_ > 1 or not known or elements % known or (not open_ and elements != known):
        raise Refusal("CC402", f"cannot reshape {elements} elements to {target}")
    return reshaped(call.x, (1, *(elements // known if n == -1 else n for n in target)))


@layer("Permute")
def permute(easel: Easel, call: Call) -> Value:
    order = [int(axis) for axis in call.config["dims"]]
    if sorted(order) != list(range(1, len(call.x.dims))):
        raise Refusal("CC404", f"Permute has the dims {order}")
    return permuted(call.x, (0, *order))


@layer("RepeatVector")
def repeat(easel: Easel, call: Call) -> Value:
    """A vector n times: one position made larger to n."""
    one = reshaped(call.x, (1, 1, call.x.dims[-1]))
    return window(easel, "upsample", one, call.path, {"scale": int(call.config["n"])}, None, 2)
