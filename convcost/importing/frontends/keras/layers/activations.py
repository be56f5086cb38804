"""Activations of Keras: as layers, and as the option `activation` of other layers."""

from typing import Any

from convcost.importing.frontends.keras.call import LayerCall, layer, row
from convcost.importing.ir.ops import OPS, Trait
from convcost.importing.ir.tensor import Tensor
from convcost.model.errors import ConstraintError

# Values of the option `activation` that differ from the canonical names; "" for those without
# a kind.
WORDS = {
    "swish": "silu",
    "hard_silu": "hard_swish",
    "exponential": "",
    "squareplus": "",
    "sparse_plus": "",
    "sparse_sigmoid": "",
}

row("softmax", "Softmax", "ops.Softmax", "tf.softmax")
row("relu", "ThresholdedReLU")
row("leaky_relu", "LeakyReLU", number="negative_slope|alpha")
row("elu", "ELU", number="alpha")
row(
    "dropout", *(f"SpatialDropout{n}D" for n in (1, 2, 3)), "Dropout", "AlphaDropout", number="rate"
)
row("log_softmax", "ops.LogSoftmax")
row("hard_sigmoid", "ops.HardSigmoid")
row("hard_swish", "ops.HardSilu")
for _name in ("Relu", "Relu6", "Sigmoid", "Silu", "Gelu", "Tanh", "Softplus", "Softsign", "Selu"):
    row(_name.lower(), f"ops.{_name}", f"tf.{_name.lower()}")


@layer("Activation")
def activation(call: LayerCall) -> Tensor:
    return add_activation(call, call.x, call.path)


def add_activation(call: LayerCall, x: Tensor, path: tuple[str, ...] | None = None) -> Tensor:
    """The tensor after the layer's activation; `linear` adds no layer."""
    name: Any = call.config.get("activation")
    if isinstance(name, dict):
        name = name.get("registered_name") or name.get("config") or name.get("class_name")
        name = name.rpartition(">")[2] if isinstance(name, str) else "?"
    if name in (None, "linear"):
        return x
    op = WORDS.get(str(name), str(name))
    if not op:
        call.builder.free[f"activation {name}"] += 1
        return x
    if op not in OPS or Trait.ACTIVATES not in OPS[op].traits:
        raise ConstraintError(
            "CC401", f"Keras has no activation `{name}`", "use the name of a Keras activation"
        )
    return call.lower(op, x, path=path or (*call.path[:-1], op))


@layer("ReLU")
def relu(call: LayerCall) -> Tensor:
    if slope := call.config.get("negative_slope"):
        return call.lower("leaky_relu", number=slope)
    return call.lower("clip", low=0, high=call.config.get("max_value"))


@layer("PReLU")
def prelu(call: LayerCall) -> Tensor:
    """One slope for each channel if the layer shares the slopes along all other axes."""
    rank = len(call.x.dims)
    shared = {0, *(axis % rank for axis in call.config.get("shared_axes") or ())}
    dims = [1 if axis in shared else n for axis, n in enumerate(call.x.dims)]
    return call.lower("prelu", weights=call.tensor("alpha", *dims), dims=dims)
