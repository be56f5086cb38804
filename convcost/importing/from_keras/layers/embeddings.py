"""Tables of Keras: a row for each index, and back."""

from convcost.errors import Refusal
from convcost.importing.easel import Easel
from convcost.importing.from_keras.call import Call, layer
from convcost.importing.parts.linear import connected
from convcost.importing.value import Value, made


@layer("Embedding")
def embedding(easel: Easel, call: Call) -> Value:
    rows, channels = int(call.config["input_dim"]), int(call.config["output_dim"])
    tensors = call.tensor("embeddings", rows, channels)
    options = {"channels": channels, "rows": rows}
    source = easel.demand(call.x, len(call.x.dims) - 1, call.path)
    index = easel.emit("embedding", call.path, [source], options, tensors=tensors)
    return made(index, easel.shape(index), len(call.x.dims) + 1, len(call.x.dims))


@layer("ReversibleEmbedding")
def reversible(easel: Easel, call: Call) -> Value:
    """Called in reverse, it is a linear layer whose matrix is the table."""
    if not call.config.get("tie_weights", True):
        raise Refusal("CC401", "ReversibleEmbedding with a table for each way is not read")
    if not call.keywords.get("reverse"):
        return embedding(easel, call)
    rows, channels = int(call.config["input_dim"]), int(call.config["output_dim"])
    tensors = call.tensor("embeddings", rows, channels)
    return connected(easel, call.x, call.path, features=rows, tensors=tensors, bias=False)
