"""What training needs: saved tensors, gradients, the state of an optimizer, and backward macs.

A backward pass reads some tensors of the forward pass, which stay in memory until then. Which ones
follows from the derivative of each kind (`Kind.backward_reads`). The gradient of the weights of a
layer, and that of its input, each need as many multiply-adds as the layer itself. The inputs of the
network need no gradient.
"""

from collections.abc import Iterator
from math import prod
from typing import Any

from convcost.model.costs import Costs, layer_input
from convcost.model.dtypes import Dtypes
from convcost.model.kind import Kind, Operation
from convcost.model.measures import Count
from convcost.model.network import Step
from convcost.model.peak_memory import tensor_dtypes
from convcost.model.record import NamedTuple
from convcost.model.stored_bytes import stored_bytes

# Numbers that an optimizer keeps for each trainable param.
OPTIMIZERS = {"sgd": 0, "momentum": 1, "adam": 2}
_READS: dict[Operation, str] = {
    "conv": "linear", "transposed_conv": "linear", "deformable_conv": "inputs", "linear": "linear",
    "matmul": "factors", "attention": "inputs", "recurrent": "input", "norm": "input",
    "activation": "input", "softmax": "output", "pool": "nothing", "reduction": "nothing",
    "join": "nothing", "resize": "nothing", "scale": "linear", "lookup": "linear",
    "move": "nothing", "stated": "input", "contraction": "factors", "experts": "gate",
    "selective_scan": "inputs", "fft": "nothing", "sampling": "inputs",
}  # fmt: skip


class Training(NamedTuple):
    """The memory of training in bytes, and the multiply-adds of the backward pass, for a batch;
    None if nothing is known of them.

    `saved` are the tensors that the backward pass reads, `gradients` those of trainable params,
    `state` is that of the optimizer. With all params and buffers, that is `at_least` the memory:
    the gradients of all params exist at the end, when no saved tensor is needed.
    """

    optimizer: str
    at_least: int
    saved: int
    gradients: int
    state: int
    backward_macs: int | None


def training(costs: Costs, optimizer: str, dtypes: Dtypes) -> Training:
    """What training the network needs. Raises KeyError for an unknown optimizer."""
    backward = _Backward(costs)
    types = tensor_dtypes(costs.network, dtypes)
    saved = sum(
        types[tensor].bytes(_elements(costs, tensor) * costs.batch) for tensor in backward.saved()
    )
    gradients = 0
    layer_dtypes = dtypes.for_paths(layer.path for layer in costs.layers)
    for step, layer, dtype in zip(costs.network.steps, costs.layers, layer_dtypes, strict=True):
        if "weights" not in step.frozen:
            gradients += dtype.weights.bytes(layer.weights)
        if "biases" not in step.frozen:
            gradients += dtype.biases.bytes(layer.biases)
    state = OPTIMIZERS[optimizer] * gradients
    flash = sum(layer.total for layer in stored_bytes(costs.layers, dtypes))
    at_least = flash + state + max(saved, gradients)
    macs = Count(sum(backward.macs()), costs.totals.uncounted).shown
    return Training(optimizer, at_least, saved, gradients, state, macs)


def _elements(costs: Costs, tensor: int) -> int:
    """The elements of a tensor; of a layer of an expert, those of all copies that run."""
    network = costs.network
    return network.steps[tensor].elements if tensor >= 0 else network.shape_of(tensor).elements


class _Backward:
    """Which tensors need a gradient, and what their gradients need."""

    def __init__(self, costs: Costs) -> None:
        self.costs = costs
        self.steps = costs.network.steps
        self.needs: list[bool] = []  # whether the output of each step needs a gradient
        for index, step in enumerate(self.steps):
            parts = self._trainable(index)
            self.needs.append(any(parts) or any(map(self._needs, step.reads)))

    def _needs(self, tensor: int) -> bool:
        return tensor >= 0 and self.needs[tensor]

    def _trainable(self, index: int) -> tuple[bool, bool]:
        """Whether a step has weights, and biases, that are trained."""
        step = self.steps[index]
        owner = index if step.shared is None else step.shared
        counts, frozen = self.costs.layers[owner].counts, self.steps[owner].frozen
        return (
            counts.weights > 0 and "weights" not in frozen,
            counts.biases > 0 and "biases" not in frozen,
        )

    def saved(self) -> set[int]:
        """The tensors that the backward pass reads, each once. A view counts as the tensor that it
        is a view of."""
        tensors: set[int] = set()
        for index, step in enumerate(self.steps):
            if not self.needs[index]:
                continue
            weights, _ = self._trainable(index)
            reads = backward_reads(step.layer)
            if reads == "output":
                tensors.add(index)
            elif reads in ("factors", "quotient", "gate"):
                tensors.update(self._factors(step, reads, weights=weights))
            elif reads in ("inputs", "input") or (reads == "linear" and weights):
                tensors.update(step.reads if reads == "inputs" else step.reads[:1])
        viewed = self.costs.network.viewed()
        return {
            n
            for n in map(viewed.__getitem__, tensors)
            if n < 0 or self.steps[n].layer.memory != "weights"
        }

    def _factors(self, step: Step, reads: str, *, weights: bool) -> Iterator[int]:
        """The factors that the gradient of another factor needs. With a `gate`, the first two
        inputs are factors, and further ones are added. All gradients of a `quotient` need its
        divisors, those of the divisors also the first input."""
        factors = step.reads[:2] if reads == "gate" else step.reads
        for number, tensor in enumerate(factors):
            others = factors[:number] + factors[number + 1 :]
            is_divisor = reads == "quotient" and number > 0
            if weights or is_divisor or any(map(self._needs, others)):
                yield tensor

    def macs(self) -> Iterator[int]:
        """The multiply-adds of the gradients of each step."""
        for index, step in enumerate(self.steps):
            macs = self.costs.layers[index].macs
            yield self._step_macs(index, step, macs) if macs and self.needs[index] else 0

    def _step_macs(self, index: int, step: Step, macs: int) -> int:
        """The multiply-adds of the gradients of a step: as many as those of the step, `macs`, for
        the gradient of the weights, and as many for that of the input."""
        inputs = [self._needs(tensor) for tensor in step.reads]
        weights, _ = self._trainable(index)
        operation = step.layer.operation
        if operation == "attention":
            return self._attention_macs(step, inputs)
        if operation in ("matmul", "contraction"):
            return macs * sum(inputs) + macs * weights
        gradient_macs = macs * weights + macs * any(inputs)
        if operation == "recurrent" and not any(inputs):
            # The states need gradients, and the input does not.
            x = layer_input(self.costs.network, step)
            of_input = step.layer.input_macs(x).value
            if step.density is not None:
                of_input = step.density.macs(of_input)
            gradient_macs += macs - of_input * step.copies.used * self.costs.batch
        return gradient_macs

    def _attention_macs(self, step: Step, inputs: list[bool]) -> int:
        """The scores are a product of queries and keys, the output is one of scores and values."""
        query, key, value = inputs
        scores, mean = (
            self.costs.batch * step.copies.used * prod(factor.value for factor in term)
            for term in step.layer.macs(layer_input(self.costs.network, step)).terms
        )
        return scores * (query + key) + mean * (value + (query or key))


def backward_reads(layer: Kind[Any]) -> str:
    """What the gradients of a layer need: `input`, `inputs`, `output` or `nothing`; `linear` if
    only the gradient of its weights needs the input, `factors` if the gradient of each input needs
    the others only, `gate` if this is so of the first two, `quotient` for the first input divided
    by the others."""
    if layer.backward_reads is not None:
        return layer.backward_reads
    return "input" if layer.operation is None else _READS[layer.operation]
