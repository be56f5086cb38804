"""Network to costs: every step counted, nothing rounded."""

from typing import Any, NamedTuple, TypeAlias

from convcost.errors import printable
from convcost.field import Sight, all_of, through
from convcost.kind import Kind
from convcost.network import Network, Step
from convcost.shapes import Shape
from convcost.units import grouped

MEASURES = ("weights", "biases", "params", "buffers", "macs", "activations")


Field: TypeAlias = tuple[Sight, ...]  # one for each axis of the input


class LayerCost(NamedTuple):
    """What one layer costs. `macs` and `activations` are those of the whole batch."""

    path: str
    kind: str
    output: Shape
    weights: int
    biases: int
    buffers: int
    macs: int
    activations: int
    field: Field  # the receptive field
    stated: bool
    step: int
    uncounted: bool = False

    @property
    def params(self) -> int:
        return self.weights + self.biases


class Totals(NamedTuple):
    weights: int
    biases: int
    buffers: int
    macs: int
    activations: int

    @property
    def params(self) -> int:
        return self.weights + self.biases


class Costs(NamedTuple):
    network: Network
    batch: int
    layers: tuple[LayerCost, ...]
    totals: Totals

    def __repr__(self) -> str:
        """Short, as an interpreter and an assertion show it."""
        counts = f"{grouped(self.totals.params)} params, {grouped(self.totals.macs)} macs"
        batch = f" of {grouped(self.batch)} samples" if self.batch > 1 else ""
        return f"<Costs {printable(self.network.name)}: {counts}{batch}>"


def inputs_of(network: Network, step: Step) -> tuple[Shape, ...]:
    """The shapes that a step takes."""
    return tuple(
        network.steps[i].shape if i >= 0 else network.inputs[-1 - i][1] for i in step.inputs
    )


class _Counted(NamedTuple):
    weights: int
    biases: int
    buffers: int
    macs: int
    activations: int
    sight: tuple[Sight, ...] | None
    known: bool


def costs(network: Network, batch: int = 1) -> Costs:
    """Counts every step for `batch` samples. Weights used again are params once, macs each time."""
    known: dict[tuple[object, ...], _Counted] = {}
    steps = network.steps
    shapes = [step.shape for step in steps]
    fields: list[Field] = []
    layers: list[LayerCost] = []
    starts: list[Field] = [(Sight(),) * len(shape.size) for _, shape in network.inputs]
    for index, step in enumerate(steps):
        inputs = step.inputs
        layer = step.layer
        if len(inputs) == 1:
            source = inputs[0]
            x: tuple[Shape, ...] = (
                shapes[source] if source >= 0 else network.inputs[-1 - source][1],
            )
            field = fields[source] if source >= 0 else starts[-1 - source]
        else:
            x = inputs_of(network, step)
            field = _joined([fields[i] if i >= 0 else starts[-1 - i] for i in inputs[: layer.seen]])
        key = (layer, x)
        counted = known.get(key)
        if counted is None:
            counted = known[key] = _count(layer, x, step.shape, batch)
        if counted.sight is not None:
            field = _widened(field, counted.sight, network)
        fields.append(field)
        own = step.shared is None
        layers.append(
            LayerCost(
                step.path,
                layer.name,
                step.shape,
                counted.weights if own else 0,
                counted.biases if own else 0,
                counted.buffers if own else 0,
                counted.macs,
                counted.activations,
                field,
                layer.stated,
                index,
                not counted.known,
            )
        )
    return Costs(network, batch, tuple(layers), summed(layers))


def summed(layers: "list[LayerCost] | tuple[LayerCost, ...]") -> Totals:
    return Totals(
        sum(layer.weights for layer in layers),
        sum(layer.biases for layer in layers),
        sum(layer.buffers for layer in layers),
        sum(layer.macs for layer in layers),
        sum(layer.activations for layer in layers),
    )


def _count(layer: Kind[Any], inputs: tuple[Shape, ...], output: Shape, batch: int) -> _Counted:
    x = layer.take(inputs)
    return _Counted(
        layer.weights(x).value,
        layer.biases(x).value,
        layer.buffers(x).value,
        layer.macs(x).value * batch,
        output.elements * batch,
        layer.sight(x),
        layer.counted(),
    )


def _joined(fields: list[Field]) -> Field:
    """At a join the largest over the branches, per axis; where the axes differ, the longer list."""
    axes = max(map(len, fields))
    same = [field for field in fields if len(field) == axes]
    return tuple(
        max(sights, key=lambda sight: (sight.extent, sight.step))
        for sights in zip(*same, strict=True)
    )


def _widened(field: Field, sights: tuple[Sight, ...], network: Network) -> Field:
    """The field after a layer. Where axes are no longer those of the input nobody knows where an
    element stands: what sees more than one may then see all of the input."""
    if len(sights) != len(field):
        alone = sights and all(sight.extent == 1 for sight in sights)
        return field if alone else _whole(network, len(field))
    if len(field) == 2 and field[0] == field[1] and sights[0] == sights[1]:  # noqa: PLR2004  square
        return (through(field[0], sights[0]),) * 2
    return tuple(map(through, field, sights))


def _whole(network: Network, axes: int) -> Field:
    sizes = [shape.size for _, shape in network.inputs if len(shape.size) == axes]
    return tuple(all_of(max(numbers)) for numbers in zip(*sizes, strict=True))
