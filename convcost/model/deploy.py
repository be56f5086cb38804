"""A network as it is deployed: layers that only training needs are folded or removed.

At inference, a batch norm multiplies each channel by a number and adds a number. So it can become
part of the weights and biases of the layer before it (Jacob et al., 2018, section 3.2). The sum of
convolutions with the same input is one convolution (Ding et al., RepVGG, 2021, section 3.3).
"""

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from functools import reduce
from typing import Any

from convcost.model.costs import inputs_of
from convcost.model.graph_edit import GraphEdit, apply_edit
from convcost.model.kind import Kind
from convcost.model.network import ALL_PARTS, Network, Parts, Step
from convcost.model.number_format import counted


def deploy(network: Network) -> Network:
    """The network with batch norms folded, identities and dropouts removed, and parallel
    convolutions merged.

    Each change keeps the function of the network. The field `deployed` says what changed.
    """
    network, edit, counts = _folded(network)
    merged, parts = _merged(apply_edit(network, edit))
    left = sum(step.layer.name == "batch_norm" for step in merged.steps)
    done = (
        ("batch norm", counts["batch norm"], "folded into the layer before"),
        ("batch norm", left, "kept, because no layer before can include it"),
        ("parallel convolution", parts["convolution"], "merged into another"),
        ("batch norm", parts["batch norm"], "merged into a parallel convolution"),
        ("identity shortcut", parts["identity"], "merged into a parallel convolution"),
        ("identity or dropout layer", counts["identity"], "removed"),
    )
    texts = [f"{counted(number, name)} {what}" for name, number, what in done if number]
    name = f"{network.name} (deployed)"
    deployed = "; ".join(texts) or "nothing changes"
    # Published figures and budgets are about the network as it is trained.
    return merged._replace(
        name=name, deployed=deployed, published=(), budget=None, states_bias=True
    )


def _folded(network: Network) -> tuple[Network, GraphEdit, Counter[str]]:
    """The network with what is then frozen, its edit, and the number of layers of each kind that
    are folded or removed."""
    steps = network.steps
    frozen = list(steps)
    readers = _readers(network)
    owners = {step.shared for step in steps}
    edit: GraphEdit = {}  # an identity, or a norm that is folded, is no layer
    # The layer before each of them, and whether nothing else reads what is between.
    before: dict[int, tuple[int, bool]] = {}
    parts: dict[int, list[int]] = {}
    counts: Counter[str] = Counter()
    for index, step in enumerate(steps):
        if step.layer.is_identity:
            edit[index] = []
            before[index] = _source(step, before, readers)
            counts["identity"] += 1
        if step.layer.name != "batch_norm" or step.shared is not None or index in owners:
            continue
        source, alone = _source(step, before, readers)
        if source < 0 or not alone or source in owners or steps[source].shared is not None:
            continue
        layer = steps[source].layer
        if steps[source].copies != step.copies:  # each expert has a norm of its own
            continue
        if layer.folds_norms and not getattr(layer, "buffer", False):
            folded = with_options(layer, bias=True)
            x = layer.select_inputs(inputs_of(network, steps[source]))
            more = folded.biases(x).value - layer.biases(x).value
            if more > _stored(network, step):  # a bias for each position
                continue
            edit[source] = [("", folded)]
            parts.setdefault(source, [source]).append(index)
            edit[index] = []
            before[index] = source, alone
            counts["batch norm"] += 1
    for source, own in parts.items():
        frozen[source] = steps[source]._replace(frozen=_frozen(network, own))
    return network._replace(steps=tuple(frozen)), edit, counts


def _stored(network: Network, step: Step) -> int:
    """The params and buffers of a layer."""
    layer, x = step.layer, step.layer.select_inputs(inputs_of(network, step))
    return layer.weights(x).value + layer.biases(x).value + layer.buffers(x).value


def _source(
    step: Step, before: Mapping[int, tuple[int, bool]], readers: Counter[int]
) -> tuple[int, bool]:
    """The layer whose output a step reads, without layers that are folded or removed, and whether
    nothing else reads what is between."""
    source, alone = step.inputs[0], readers[step.inputs[0]] == 1
    if source in before:
        source, alone_before = before[source]
        alone &= alone_before
    return source, alone


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
        layer, x = step.layer, step.layer.select_inputs(inputs_of(network, step))
        parts = {"weights": layer.weights(x), "biases": layer.biases(x)}
        own = {part for part, cost in parts.items() if cost.value and part not in step.frozen}
        learned |= own | ({"biases"} if layer.is_norm and own else set())
    return tuple(part for part in ALL_PARTS if part not in learned)


def _merged(network: Network) -> tuple[Network, Counter[str]]:
    """The network with parallel convolutions merged, and the number of convolutions, batch norms
    and identities that are now part of another convolution.

    The branches of such a sum are convolutions of one tensor, batch norms of it, or the tensor
    itself.
    """
    readers = _readers(network)
    # The owner of shared weights stays, because other layers use its weights as they are.
    owners = {step.shared for step in network.steps}
    steps = list(network.steps)
    edit: GraphEdit = {}
    merged: Counter[str] = Counter()
    for index, step in enumerate(network.steps):
        if step.layer.name != "add" or any(x != step.shape for x in inputs_of(network, step)):
            continue
        rank = len(step.shape.size)
        branches = [_Branch(network, source, rank, readers, owners) for source in step.inputs]
        convolutions = [branch for branch in branches if branch.layer is not None]
        if len(convolutions) < 2:  # noqa: PLR2004
            continue
        largest = reduce(lambda one, two: one if one.includes(two) else two, convolutions)
        if not all(map(largest.includes, branches)):
            continue  # 1×3 and 3×1 are a larger kernel, with more macs
        bias = any(branch.has_bias for branch in branches)
        edit[index] = [("", with_options(largest.layer, bias=bias))]
        parts = tuple(branch.step for branch in branches if branch.step is not None)
        edit.update((part, []) for part in parts)
        steps[index] = steps[index]._replace(frozen=_frozen(network, parts))
        merged["convolution"] += len(convolutions) - 1
        merged.update(branch.what for branch in branches if branch.layer is None)
    return apply_edit(network._replace(steps=tuple(steps)), edit), merged


# Options that give the windows of a convolution, and the bias, which the sum can add.
OF_WINDOWS = frozenset(("kernel", "stride", "padding", "dilation", "bias"))


class _Branch:
    """An input of a sum: a convolution of the tensor `origin`, a batch norm of it, or the tensor
    itself.

    `taps` are the positions that a window reads along each axis, relative to its stride.
    """

    def __init__(
        self,
        network: Network,
        source: int,
        rank: int,
        readers: Counter[int],
        owners: Container[int | None],
    ) -> None:
        self.origin = source
        self.step: int | None = None
        self.layer: Any = None
        self.strides = (1,) * rank
        self.taps = (range(1),) * rank
        self.what = "identity"
        step = network.steps[source] if source >= 0 else None
        if step is None or readers[source] != 1 or step.shared is not None or source in owners:
            return
        if step.density is not None or step.copies.stored > 1:
            return
        if step.layer.name == "batch_norm":
            self.step, self.origin, self.what = source, step.inputs[0], "batch norm"
        elif step.layer.name in ("conv", "depthwise"):
            self.step, self.origin, self.layer = source, step.inputs[0], step.layer
            windows = step.layer.windows(step.layer.select_inputs(inputs_of(network, step)))
            self.strides = tuple(window.s for window in windows)
            fields = [window.receptive_field for window in windows]
            self.taps = tuple(range(f.first[0], f.last[0] + 1, f.dilation) for f in fields)

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
            return not self.layer.buffer and getattr(self.layer, "connections", None) is None
        return _channels(self.layer) == _channels(other.layer)


def _is_subset(some: range, every: range) -> bool:
    return (
        some[0] in every and some[-1] in every and (len(some) == 1 or some.step % every.step == 0)
    )


def _channels(layer: Kind[Any]) -> tuple[Any, ...]:
    """The kind, and the options that say which weights connect which channels."""
    options = type(layer).options.items()
    return (
        layer.name,
        *(getattr(layer, known.field) for name, known in options if name not in OF_WINDOWS),
    )


def _readers(network: Network) -> Counter[int]:
    """The number of times that each tensor is read; the output of the network counts once more."""
    found = Counter(source for step in network.steps for source in step.inputs)
    found[network.last] += 1
    return found


def with_options(layer: Kind[Any], **changed: Any) -> Kind[Any]:
    """The same kind of layer, with some options changed."""
    options = {name: getattr(layer, known.field) for name, known in type(layer).options.items()}
    return type(layer)(**{**options, **changed})
