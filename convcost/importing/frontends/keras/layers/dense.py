"""Fully connected layers, embeddings and their reversal, and layers that reshape tensors."""

from convcost.importing.frontends.keras.call import LayerCall, layer, row
from convcost.importing.frontends.keras.layers.activations import add_activation
from convcost.importing.ir.refusals import unsupported
from convcost.importing.ir.tensor import Tensor, reshaped


@layer("Dense")
def dense(call: LayerCall) -> Tensor:
    features, n = int(call.config["units"]), call.x.dims[-1]
    weights, bias = call.tensor("kernel", n, features), call.bias(features)
    y = call.lower("linear", features=features, weights=weights | bias, bias=bool(bias))
    return add_activation(call, y)


row("flatten", "Flatten")
row("permute", "Permute", order=lambda call: (0, *map(int, call.config["dims"])))


@layer("Reshape", "ops.Reshape")
def reshape(call: LayerCall) -> Tensor:
    target = call.config.get("target_shape")
    if target is None:  # the file does not say whether it is the function or the layer
        target = call.config["newshape"][1:]
    return call.lower("reshape", to=(1, *(-1 if n is None else n for n in target)))


@layer("RepeatVector")
def repeat(call: LayerCall) -> Tensor:
    """A vector n times: a single position upsampled to n."""
    step = reshaped(call.x, (1, 1, call.x.dims[-1]))
    n = int(call.config["n"])
    dims = (1, n, step.dims[2])
    return call.lower("upsample", step, dims=dims, factors=(1, n, 1), mode="nearest", channel=2)


@layer("Embedding")
def embedding(call: LayerCall) -> Tensor:
    rows, channels = int(call.config["input_dim"]), int(call.config["output_dim"])
    tensors = call.tensor("embeddings", rows, channels)
    y = call.lower("embedding", rows=rows, channels=channels, weights=tensors)
    return y._replace(batch=0)


@layer("ReversibleEmbedding")
def reversible_embedding(call: LayerCall) -> Tensor:
    """An embedding; called in reverse, it is a linear layer with the table as its matrix."""
    if not call.config.get("tie_weights", True):
        raise unsupported("ReversibleEmbedding with `tie_weights=False`")
    if not call.keywords.get("reverse"):
        return embedding(call)
    rows, channels = int(call.config["input_dim"]), int(call.config["output_dim"])
    tensors = call.tensor("embeddings", rows, channels)
    return call.lower("linear", call.x, features=rows, weights=tensors, bias=False)
