"""A network as it is deployed: layers that only training needs are folded or removed.

At inference, a batch norm multiplies each channel by a number and adds a number. So it can become
part of the weights and biases of the layer before it (Jacob et al., 2018, section 3.2). The sum of
convolutions with the same input is one convolution (Ding et al., RepVGG, 2021, section 3.3).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from convcost.model.costs import inputs_of, layer_input
from convcost.model.graph_edit import GraphEdit, apply_edit
from convcost.model.kind import Kind
from convcost.model.network import ALL_PARTS, Network, Parts, Step
from convcost.model.number_format import counted
from convcost.model.record import NamedTuple


def deploy(network: Network) -> Network:
    """The network with batch norms folded, identities and dropouts removed, and parallel
    convolutions merged.

    Each change keeps the function of the network. The field `deployed` says what changed.
    """
    deployment = _Deployed(network)
    for index in range(len(network.steps)):
        deployment.add(index)
    deployed, counts = deployment.network(), deployment.counts
    left = sum(step.layer.name == "batch_norm" for step in deployed.steps)
    done = (
        ("batch norm", counts["folded"], "folded into the layer before"),
        ("batch norm", left, "kept, because no layer before can include it"),
        ("parallel convolution", counts["convolution"], "merged into another"),
        ("batch norm", counts["batch norm"], "merged into a parallel convolution"),
        ("identity shortcut", counts["identity"], "merged into a parallel convolution"),
        ("identity or dropout layer", counts["removed"], "removed"),
    )
    texts = [f"{counted(number, name)} {event}" for name, number, event in done if number]
    # Published figures and budgets are about the network as it is trained.
    return deployed._replace(
        name=f"{network.name} (deployed)",
        deployed="; ".join(texts) or "nothing changes",
        published=(),
        budget=None,
        states_bias=True,
    )


class _Source(NamedTuple):
    """The tensor behind layers that are folded or removed. `read_once`: nothing else reads it or
    what is between; `used_once`: nothing else takes its shape either."""

    tensor: int
    read_once: bool
    used_once: bool


class _Deployed:
    """The layers of a network as deployed, one after the other.

    `steps` are those of the network, with the layers that replace them: a sum of convolutions is a
    convolution of their input. So a norm after it can be folded, and a sum around it can include
    it.
    """

    def __init__(self, trained: Network) -> None:
        self.trained = trained
        self.steps = list(trained.steps)
        self.counts: Counter[str] = Counter()
        self.owners = {step.shared for step in trained.steps}
        self._reads = _count_readers(trained, lambda step: step.reads)
        self._uses = _count_readers(trained, lambda step: step.inputs)
        # Removes identities and folded norms, and replaces layers that include others.
        self._edit: GraphEdit = {}
        self._before: dict[int, _Source] = {}
        # The layers whose params are in each layer that includes others.
        self._parts: dict[int, tuple[int, ...]] = {}

    def add(self, index: int) -> None:
        """Folds, merges or removes a step, or leaves it as it is."""
        step = self.steps[index]
        if step.layer.is_identity:
            self._edit[index] = []
            self._before[index] = self.source(step.inputs[0])
            self.counts["removed"] += 1
        elif step.layer.name == "batch_norm":
            self._fold(index)
        elif step.layer.name == "add":
            self._merge(index)

    def network(self) -> Network:
        """The deployed network."""
        steps = list(self.trained.steps)
        for index, parts in self._parts.items():
            steps[index] = steps[index]._replace(frozen=_frozen(self.trained, parts))
        return apply_edit(self.trained._replace(steps=tuple(steps)), self._edit)

    def source(self, tensor: int) -> _Source:
        """The tensor before the folded or removed layers that output a tensor."""
        before = self._before.get(tensor, _Source(tensor, read_once=True, used_once=True))
        return _Source(
            before.tensor,
            before.read_once and self._reads[tensor] == 1,
            before.used_once and self._uses[tensor] == 1,
        )

    def _include(self, index: int, layer: Kind[Any], parts: Sequence[int], *inputs: int) -> None:
        """Replaces a step by a layer that includes others."""
        every = (part for included in parts for part in self._parts.get(included, (included,)))
        self._parts[index] = tuple(dict.fromkeys(every))
        self._edit[index] = [("", layer)]
        self.steps[index] = self.steps[index]._replace(layer=layer, inputs=inputs)

    def _fold(self, index: int) -> None:
        """Makes a batch norm part of the layer before it, if that can include it."""
        step = self.steps[index]
        source, read_once, _ = self.source(step.inputs[0])
        if source < 0 or not read_once or {index, source} & self.owners:
            return
        before = self.steps[source]
        if step.shared is not None or before.shared is not None:
            return
        layer = before.layer
        if before.copies != step.copies:  # each expert has a norm of its own
            return
        x = layer_input(self.trained, before)
        # Weights that are buffers cannot change.
        if not layer.folds_norms or layer.buffers(x).terms:
            return
        folded = layer.with_options(bias=True)
        if folded.biases(x).value - layer.biases(x).value > self._stored_elements(step):
            return  # a bias for each position
        self._include(source, folded, (source, index), *before.inputs)
        self._edit[index] = []
        self._before[index] = self.source(step.inputs[0])
        self.counts["folded"] += 1

    def _stored_elements(self, step: Step) -> int:
        """The params and buffers of a layer."""
        layer, x = step.layer, layer_input(self.trained, step)
        return layer.weights(x).value + layer.biases(x).value + layer.buffers(x).value

    def _merge(self, index: int) -> None:
        """Makes a sum of parallel convolutions a convolution, if one of them can include the
        others.

        The branches of such a sum are convolutions of one tensor, batch norms of it, or the tensor
        itself.
        """
        step = self.steps[index]
        if any(x != step.shape for x in inputs_of(self.trained, step)):
            return
        rank = len(step.shape.size)
        branches = [_Branch(self, tensor, rank) for tensor in step.inputs]
        convolutions = [branch for branch in branches if branch.layer is not None]
        if len(convolutions) < 2:  # noqa: PLR2004
            return
        largest = reduce(
            lambda first, second: first if first.includes(second) else second, convolutions
        )
        if not all(map(largest.includes, branches)):
            return  # 1×3 and 3×1 are a larger kernel, with more macs
        bias = any(branch.has_bias for branch in branches)
        parts = [branch.step for branch in branches if branch.step is not None]
        self._include(index, largest.layer.with_options(bias=bias), parts, largest.origin)
        self._edit.update((part, []) for part in parts)
        self.counts["convolution"] += len(convolutions) - 1
        self.counts.update(branch.what for branch in branches if branch.layer is None)


def _count_readers(network: Network, inputs: Callable[[Step], tuple[int, ...]]) -> Counter[int]:
    """How often each tensor is among these inputs of a layer; the output of the network counts once
    more. The readers of an identity, which is removed, are those of its input."""
    count_by_tensor = Counter((network.last,))
    for index, step in reversed(list(enumerate(network.steps))):
        for tensor in inputs(step):
            count_by_tensor[tensor] += count_by_tensor[index] if step.layer.is_identity else 1
    return count_by_tensor


def _frozen(network: Network, steps: Sequence[int]) -> Parts:
    """The frozen parts of a layer after the params of these steps are folded into it.

    A folded weight is a product with the factors of the norms, and a folded bias is a sum with
    them. So each is frozen only if everything in it is frozen.
    """
    if not any(network.steps[index].frozen for index in steps):
        return ()
    learned: set[str] = set()
    for index in steps:
        step = network.steps[index]
        layer, x = step.layer, layer_input(network, step)
        parts = {"weights": layer.weights(x), "biases": layer.biases(x)}
        learned_parts = {
            part for part, cost in parts.items() if cost.value and part not in step.frozen
        }
        learned |= learned_parts | ({"biases"} if layer.is_norm and learned_parts else set())
    return tuple(part for part in ALL_PARTS if part not in learned)


# Options that give the windows of a convolution, and the bias, which the sum can add.
OF_WINDOWS = frozenset(("kernel", "stride", "padding", "dilation", "bias"))


class _Branch:
    """An input of a sum: a convolution of the tensor `origin`, a batch norm of it, or the tensor
    itself.

    `taps` are the positions that a window reads along each axis, relative to its stride.
    """

    def __init__(self, deployed: _Deployed, tensor: int, rank: int) -> None:
        source, _, used_once = deployed.source(tensor)
        self.origin = source
        self.step: int | None = None
        self.layer: Any = None
        self.strides = (1,) * rank
        self.taps = (range(1),) * rank
        self.what = "identity"
        step = deployed.steps[source] if source >= 0 else None
        # The owner of shared weights stays, because other layers use its weights as they are.
        if step is None or not used_once or step.shared is not None or source in deployed.owners:
            return
        if step.density is not None or step.copies.stored > 1:
            return
        if step.layer.name == "batch_norm":
            self.what = "batch norm"
        elif step.layer.name in ("conv", "depthwise"):
            self.layer = step.layer
            windows = step.layer.windows(layer_input(deployed.trained, step))
            self.strides = tuple(window.s for window in windows)
            fields = [window.receptive_field for window in windows]
            self.taps = tuple(range(f.first[0], f.last[0] + 1, f.dilation) for f in fields)
        else:
            return
        self.step, self.origin = source, deployed.source(step.inputs[0]).tensor

    @property
    def has_bias(self) -> bool:
        """Whether the branch adds a number to each channel: a bias, or the mean of a norm."""
        return self.step is not None and (self.layer is None or self.layer.bias)

    def includes(self, other: "_Branch") -> bool:
        """Whether the kernel of this convolution has a place for all that `other` computes."""
        if (self.origin, self.strides) != (other.origin, other.strides):
            return False
        if not all(map(_is_subset, other.taps, self.taps)):
            return False
        if other.layer is None:
            return not self.layer.buffer and not self.layer.option_values.get("connections")
        return _channels(self.layer) == _channels(other.layer)


def _is_subset(part: range, whole: range) -> bool:
    return (
        part[0] in whole and part[-1] in whole and (len(part) == 1 or part.step % whole.step == 0)
    )


def _channels(layer: Kind[Any]) -> tuple[Any, ...]:
    """The kind, and the options that say which weights connect which channels."""
    options = layer.option_values.items()
    return (layer.name, *(value for name, value in options if name not in OF_WINDOWS))
