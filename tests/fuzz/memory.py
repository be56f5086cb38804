"""Tensors in memory and the work of training, counted a second time: from docs/memory.md alone.

Nothing of convcost is imported. Layers are those of `recount`; tensor n is the output of layer n,
and −1 − k is the k-th input.
"""

from math import prod
from typing import NamedTuple

from fuzz.formulas import JOINS, NAMELESS, NUMBERED

VIEWS = ("flatten", "reshape", "reshape_like", "identity", "dropout")
STORED = ("learned", "constant")
OF_SIZE = ("upsample_like", "pad_like", "reshape_like")  # their second input only gives a size
SUMS = ("add", "subtract", "multiply", "divide", "maximum", "minimum")
MIXING = ("softmax", "log_softmax", "l2_norm")
ELEMENTWISE = {*NAMELESS, *NUMBERED, "batch_norm", "prelu", *SUMS}.difference(MIXING)
NEVER_ELEMENTWISE = {"conv", "linear", *MIXING, *JOINS}.difference(SUMS)


class Bytes(NamedTuple):
    """The bits of the numbers of each tensor, and how many samples there are."""

    bits: dict[int, int]
    batch: int

    def of(self, tensor, elements):
        return -(-elements * self.batch * self.bits[tensor] // 8)


def read_by(layer):
    """The tensors whose elements a layer reads."""
    if layer.kind in STORED:
        return ()
    return layer.inputs[:1] if layer.kind in OF_SIZE else layer.inputs


def in_order(layers, tensor, shapes):
    """The tensor whose elements a view of the same shape shows in the same order. A `reshape` of
    a size can be a transposition."""
    while tensor >= 0 and layers[tensor].kind in VIEWS:
        shape, source = shapes[tensor], layers[tensor].inputs[0]
        if shapes[source] != shape or (layers[tensor].kind == "reshape" and shape[1]):
            break
        tensor = source
    return tensor


def alive(layers, inputs, types, overwrites):
    """The bytes that are alive while each layer runs. A layer of a kind in `overwrites` writes over
    an input of its shape and type that nothing reads later."""
    shapes = {-1 - k: shape for k, shape in enumerate(inputs)}
    # A tensor to the first one in its memory; None if it is stored.
    where: dict[int, int | None] = {tensor: tensor for tensor in shapes}
    bits = dict(types.bits)
    elements = {tensor: shape[0] * prod(shape[1]) for tensor, shape in shapes.items()}
    read = {tensor for layer in layers for tensor in read_by(layer)}
    there = [tensor for tensor in shapes if tensor in read]
    found = []
    for n, layer in enumerate(layers):
        shapes[n], elements[n] = layer.shape, layer.activations
        later = {tensor for layer in layers[n + 1 :] for tensor in read_by(layer)}
        later |= {tensor for tensor in (*where, n) if tensor >= 0 and tensor not in read}
        kept = {where[tensor] for tensor in later if tensor in where}
        same = [
            where[x]
            for x in layer.inputs
            if where[x] is not None and where[x] not in kept
            and (shapes[x], elements[where[x]], bits[x]) == (layer.shape, elements[n], bits[n])
            and len(
                {in_order(layers, y, shapes) for y in read_by(layer) if where[y] == where[x]}
            ) == 1
        ]  # fmt: skip
        if layer.kind in STORED:
            where[n] = None
        elif layer.kind in VIEWS:
            where[n], bits[n] = where[layer.inputs[0]], bits[layer.inputs[0]]
        elif layer.kind in overwrites and same:
            where[n] = same[0]
        else:
            where[n] = n
            there.append(n)
        found.append(sum(types.of(tensor, elements[tensor]) for tensor in there))
        kept |= {where[n]} if n in later else set()
        there = [tensor for tensor in there if tensor in kept]
    return found


READ_WHOLE = {*ELEMENTWISE, *MIXING, "linear", "matmul"}  # each element of each input, once


def behind_views(layers, tensor):
    while tensor >= 0 and layers[tensor].kind in VIEWS:
        tensor = layers[tensor].inputs[0]
    return tensor


def moved(layers, inputs, batch, width):
    """For each layer the least and the most bytes that it reads, and those that it writes, with
    numbers of `width` bytes. They differ where it does not read all of its inputs or weights."""
    for layer in layers:
        if layer.kind in VIEWS or layer.kind in STORED:
            yield 0, 0, 0
            continue
        total = 0
        for tensor in {behind_views(layers, tensor) for tensor in read_by(layer)}:
            channels, size = layers[tensor].shape if tensor >= 0 else inputs[-1 - tensor]
            times = 1 if tensor >= 0 and layers[tensor].kind in STORED else batch
            total += channels * prod(size) * times * width
        owner = layers[layer.owner]
        stored = (owner.weights + owner.biases + owner.buffers) * width
        least = total + stored if layer.kind in READ_WHOLE else 0
        yield least, total + stored, layer.activations * batch * width


def backward_macs(layers):
    """The least and the most macs of the backward pass of one sample. They differ where a layer
    needs some of its gradients only: the gradient of a state, or of one factor of attention."""
    needs = {-1 - k: False for layer in layers for k in range(-min((*layer.inputs, 0)))}
    least = most = 0
    for n, layer in enumerate(layers):
        owner = layers[layer.owner]
        trains = [getattr(owner, p) > 0 and p not in owner.frozen for p in ("weights", "biases")]
        of_inputs = [needs[x] for x in read_by(layer)]
        needs[n] = any((*trains, *of_inputs))
        times = [trains[0] + any(of_inputs)] * 2
        if layer.kind in ("matmul", "contract", "einsum"):
            times = [sum(of_inputs)] * 2
        elif layer.kind == "attention" and any(of_inputs):
            times = [2 if all(of_inputs) else 0, 2]
        elif layer.kind in ("rnn", "gru", "lstm") and any(trains) and not any(of_inputs):
            times = [trains[0], trains[0] + 1]  # biases need the gradients of the states, too
        least, most = least + times[0] * layer.macs, most + times[1] * layer.macs
    return least, most
