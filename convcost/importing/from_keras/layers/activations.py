"""Activations of Keras: layers of their own, and the `activation` of other layers."""

from fractions import Fraction
from math import prod
from typing import Any

from convcost.errors import Refusal
from convcost.importing.easel import Easel
from convcost.importing.from_keras.call import Call, layer
from convcost.importing.from_keras.once import stated
from convcost.importing.parts.pointwise import by_channel, pointwise
from convcost.importing.value import Value, made
from convcost.kind import KINDS

WORDS = {
    "swish": "silu",
    "hard_swish": "hard_swish",
    "hard_silu": "hard_swish",
    "leaky_relu": "leaky_relu",
    "exponential": "",
    "squareplus": "",
    "sparse_plus": "",
    "sparse_sigmoid": "",
}


def activated(easel: Easel, call: Call, x: Value, path: tuple[str, ...] | None = None) -> Value:
    """With the activation that the layer is given; linear is none."""
    given = call.config.get("activation")
    if isinstance(given, dict):
        given = given.get("registered_name") or given.get("config") or given.get("class_name")
        given = given.rpartition(">")[2] if isinstance(given, str) else "?"
    if given in (None, "linear"):
        return x
    word = WORDS.get(str(given), str(given))
    if not word:
        easel.free[f"activation {given}"] += 1
        return x
    if KINDS.get(word) is None:
        raise Refusal("CC401", f"there is no activation `{given}`", "a kind or a word of Keras")
    return pointwise(easel, word, x, path or (*call.path[:-1], word))


@layer("ReLU")
def relu(easel: Easel, call: Call) -> Value:
    slope = call.config.get("negative_slope") or 0
    if slope:
        return pointwise(easel, "leaky_relu", call.x, call.path, {"slope": _exact(slope)})
    kind = "relu6" if call.config.get("max_value") == 6 else "relu"  # noqa: PLR2004  its name
    return pointwise(easel, kind, call.x, call.path)


@layer("LeakyReLU")
def leaky(easel: Easel, call: Call) -> Value:
    slope = call.config.get("negative_slope", call.config.get("alpha"))
    options = {} if slope is None else {"slope": _exact(slope)}
    return pointwise(easel, "leaky_relu", call.x, call.path, options)


@layer("ELU")
def elu(easel: Easel, call: Call) -> Value:
    return pointwise(easel, "elu", call.x, call.path, {"alpha": _exact(call.config["alpha"])})


@layer("Softmax")
def softmax(easel: Easel, call: Call) -> Value:
    return pointwise(easel, "softmax", call.x, call.path)


@layer("PReLU")
def prelu(easel: Easel, call: Call) -> Value:
    """One slope a channel if the slopes are shared over the other axes, whichever they are."""
    x = call.x
    shared = {axis % len(x.dims) for axis in call.config.get("shared_axes") or ()}
    own = [axis for axis in range(1, len(x.dims)) if axis not in shared]
    if len(own) != 1:
        return _by_position(easel, call, own)
    tensors = call.tensor("alpha", x.dims[own[0]])
    return by_channel(easel, "prelu", x, call.path, own[0], tensors=tensors)


def _by_position(easel: Easel, call: Call, own: list[int]) -> Value:
    """Slopes for single positions: no kind has such, and like all activations they cost nothing."""
    source = easel.demand(call.x, call.x.channel, call.path)
    n = prod(call.x.dims[axis] for axis in own)
    options = {"what": "PReLU", "macs": 0, "input": easel.shape(source)}
    index = stated(easel, call.path, [source], options, call.tensor("alpha", n))
    return made(index, easel.shape(index), len(call.x.dims), call.x.channel, call.x.batch)


def _exact(number: float) -> Any:
    exact = Fraction(repr(number))
    return int(exact) if exact.denominator == 1 else exact
