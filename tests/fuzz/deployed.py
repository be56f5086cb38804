"""What inference runs, counted a second time: batch norms that the layer before can include.

Nothing of convcost is imported. Layers are those of `recount`.
"""

from collections import Counter
from math import prod

from fuzz.memory import read_by

REMOVED = ("identity", "dropout")
INCLUDING = ("conv", "depthwise", "transposed_conv", "deformable_conv", "linear",
             "locally_connected")  # fmt: skip


def folded(layers, last):
    """The kind, weights, biases and buffers of each layer that is left, without sums of parallel
    convolutions. `last` is the tensor that the network outputs."""
    readers = Counter((last,))
    for n, layer in reversed(list(enumerate(layers))):
        for tensor in read_by(layer):
            readers[tensor] += readers[n] if layer.kind in REMOVED else 1
    shared = {layer.owner for n, layer in enumerate(layers) if layer.owner != n}
    behind: dict[int, int] = {}  # a tensor to that of the layer which includes or replaces it
    alone: dict[int, bool] = {}  # whether nothing else reads what is between
    biases = {n: layer.biases for n, layer in enumerate(layers)}

    for n, layer in enumerate(layers):
        if layer.kind not in (*REMOVED, "batch_norm"):
            continue
        tensor = layer.inputs[0]
        source = behind.get(tensor, tensor)
        once = alone.get(tensor, True) and readers[tensor] == 1
        if layer.kind == "batch_norm":
            before = layers[source] if source >= 0 else None
            if before is None or not once or before.kind not in INCLUDING:
                continue
            own = layer.owner == n and before.owner == source and not {n, source} & shared
            if not own or before.experts != layer.experts or before.buffers:
                continue
            each = prod(before.shape[1]) if before.kind == "locally_connected" else 1
            full = before.shape[0] * each * prod(expert.of for expert in before.experts)
            if full - biases[source] > layer.weights + layer.biases + layer.buffers:
                continue
            biases[source] = full
        behind[n], alone[n] = source, once
    left = [(n, layer) for n, layer in enumerate(layers) if n not in behind]
    return [(layer.kind, layer.weights, biases[n], layer.buffers) for n, layer in left]
