"""Network to costs: every step counted, nothing rounded."""

from operator import add, mul
from typing import Any, NamedTuple

from convcost.kind import Kind, Reach
from convcost.network import Network, Step
from convcost.shapes import Shape

MEASURES = ("weights", "biases", "params", "buffers", "macs", "activations")


class Field(NamedTuple):
    """Receptive field on the input, one number for each of its axes.

    `size` is how far one element sees, `step` how far two neighbours are apart: ints, or Fractions
    where a layer enlarges beyond the input. `window` is `size` before it is rounded up.
    """

    window: tuple[Any, ...]
    step: tuple[Any, ...]

    @property
    def size(self) -> tuple[int, ...]:
        if all(map(_whole, self.window)):
            return self.window
        return tuple(-(-extent.numerator // extent.denominator) for extent in self.window)


def _whole(number: Any) -> bool:
    return type(number) is int


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
    field: Field
    stated: bool
    step: int

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
    reach: Reach | None


def costs(network: Network, batch: int = 1) -> Costs:
    """Counts every step for `batch` samples. Weights used again are params once, macs each time."""
    known: dict[tuple[object, ...], _Counted] = {}
    steps = network.steps
    shapes = [step.shape for step in steps]
    fields: list[Field] = []
    layers: list[LayerCost] = []
    starts = [Field((1,) * len(shape.size), (1,) * len(shape.size)) for _, shape in network.inputs]
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
            field = _joined([fields[i] if i >= 0 else starts[-1 - i] for i in inputs])
        key = (layer, x)
        counted = known.get(key)
        if counted is None:
            counted = known[key] = _count(layer, x, step.shape, batch)
        if counted.reach is not None:
            field = _widened(field, counted.reach)
        fields.append(field)
        own = step.shared is None
        layers.append(
            LayerCost(
                step.path,
                layer.name,
                step.shape,
                counted.weights if own else 0,
                counted.biases if own else 0,
                counted.buffers,
                counted.macs,
                counted.activations,
                field,
                layer.stated,
                index,
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
        layer.reach(x),
    )


def _joined(fields: list[Field]) -> Field:
    """At a join the largest over the branches, per axis; where the axes differ, the longer list."""
    axes = max(len(field.window) for field in fields)
    same = [field for field in fields if len(field.window) == axes]
    return Field(
        tuple(map(max, zip(*(field.window for field in same), strict=True))),
        tuple(map(max, zip(*(field.step for field in same), strict=True))),
    )


def _widened(field: Field, reach: Reach) -> Field:
    if len(reach.span) != len(field.window):
        return field
    step = field.step
    window = tuple(map(add, field.window, map(mul, reach.span, step)))
    if reach.down:
        step = tuple(map(mul, step, reach.down))
    if reach.up:
        step = tuple(_over(s, u) for s, u in zip(step, reach.up, strict=True))
    return Field(window, step)


def _over(number: Any, by: int) -> Any:
    if type(number) is int and number % by == 0:
        return number // by
    from fractions import Fraction

    exact = Fraction(number) / by
    return exact.numerator if exact.denominator == 1 else exact
