"""The counts of two counting conventions a second time: from docs/conventions.md and what
`convcost conventions NAME` says. Nothing of convcost is imported."""

from math import prod
from typing import NamedTuple

from fuzz.memory import SUMS

OPERATIONS = {
    1: ("relu", "sign", "tanh", "threshold"),
    2: ("relu6", "hard_tanh", "leaky_relu", "prelu", "hard_shrink", "tanh_shrink"),
    3: ("soft_shrink", "softsign", "softplus"),
    4: ("sigmoid", "hard_sigmoid", "elu"),
    5: ("silu", "hard_swish", "gelu", "mish", "selu", "celu", "log_sigmoid", "softmax"),
    6: ("quick_gelu",),
}
PER_OUTPUT = {kind: n for n, kinds in OPERATIONS.items() for kind in kinds}
FILTERS = ("conv", "transposed_conv", "locally_connected", "linear", "depthwise")
NORMS = ("group_norm", "layer_norm", "instance_norm")
MOVES = ("concat", "flatten", "identity", "dropout", "pad", "crop")


class Use(NamedTuple):
    """A layer with the elements of its first input and its output; `owner` has its weights."""

    layer: NamedTuple
    owner: NamedTuple
    x: int
    y: int


def uses(layers, inputs):
    """Each layer as it is used; `inputs` are the shapes of the inputs of the network."""
    for layer in layers:
        first = layer.inputs[0] if layer.inputs else -1
        channels, size = layers[first].shape if first >= 0 else inputs[-1 - first]
        elements = layer.shape[0] * prod(layer.shape[1])
        yield Use(layer, layers[layer.owner], channels * prod(size), elements)


def flops(use):
    """Two operations for each multiply-add, one for each other one; None where not counted here."""
    layer, owner, x, y = use
    if layer.kind in FILTERS:
        return 2 * layer.macs + (y if owner.biases else 0)
    if layer.kind in ("matmul", "contract", "einsum"):
        return 2 * layer.macs
    if layer.kind in NORMS:
        return (5 + bool(owner.weights) + bool(owner.biases)) * x
    if layer.kind in SUMS:
        return (len(layer.inputs) - 1) * y
    known = {"batch_norm": 2 * x, "mean": x, "sum": x - y, "global_avg_pool": x,
             "global_max_pool": x - y, **dict.fromkeys(MOVES, 0)}  # fmt: skip
    return PER_OUTPUT[layer.kind] * y if layer.kind in PER_OUTPUT else known.get(layer.kind)


def thop(use):
    """Multiply-adds of convolutions and linear layers, and operations of norms and pools."""
    layer, owner, x, y = use
    if layer.kind in ("conv", "linear", "depthwise"):
        return layer.macs
    if layer.kind == "transposed_conv":  # at the positions of the output, not of the input
        return (owner.weights or owner.buffers) * prod(layer.shape[1])
    if layer.kind in ("batch_norm", "layer_norm", "instance_norm"):
        return (4 if owner.weights or owner.biases else 2) * x
    free = ("relu", "sigmoid", "silu", "tanh", "matmul", "max_pool", *SUMS, *MOVES)
    known = {"prelu": x, "avg_pool": y, "global_avg_pool": x + y, **dict.fromkeys(free, 0)}
    return known.get(layer.kind)
