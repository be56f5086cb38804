"""Embeddings of Keras, and their reversal."""

from convcost.importing.frontends.keras.call import LayerCall, layer
from convcost.importing.ir.refusals import unsupported
from convcost.importing.ir.tensor import Tensor


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
