"""What a budget can limit: of a network, of one layer, of the layers that a pattern matches.

Depth is the number of layers with multiply-adds on the longest way through the network, as papers
count it: VGG-16 has 16, GoogLeNet 22, ResNet-50 has 50. Bytes are those of the params at a
precision.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from convcost.costs import Costs, LayerCost
from convcost.errors import Place
from convcost.network import Limit
from convcost.shapes import Shape
from convcost.spec.figures import BITS

DTYPE = "float32"
NOWHERE = Place(0, 0, 0, 0)


class Measured(NamedTuple):
    """What limits can speak of, of one network: its layers, and what only the whole of it has.

    The receptive field is that of an element of the output, along its largest side; a `min` is held
    against the `shortest` one, where it is known and another.
    """

    name: str
    layers: tuple[LayerCost, ...]
    depth: int
    receptive_field: int
    inputs: tuple[tuple[str, Shape], ...] = ()
    shortest: int | None = None


def measured(costs: Costs) -> Measured:
    """What limits can speak of, from the costs of a network."""
    last = costs.network.last
    field = costs.layers[last].field if last >= 0 else ()
    sides = [int(sight.extent) for sight in field] or [1]
    network = costs.network
    return Measured(
        network.name, costs.layers, depth(costs), max(sides), network.inputs, min(sides)
    )


def total(network: Measured, measure: str) -> int:
    """A measure of the whole network by its name."""
    return of_network(network, Limit(measure, NOWHERE))


def of_network(network: Measured, limit: Limit, test: str = "max") -> int:
    """A measure of the whole network, as a test is held against it."""
    if limit.measure == "depth":
        return network.depth
    if limit.measure == "receptive_field":
        sides = (network.receptive_field, network.shortest)
        return min(side for side in sides if side is not None) if test == "min" else sides[0]
    return of_layers(network.layers, limit)


def of_layers(layers: Sequence[LayerCost], limit: Limit) -> int:
    """A measure of some layers together: the sum, and of the largest activation the largest."""
    if limit.measure == "largest_activation":
        return max((layer.activations for layer in layers), default=0)
    if limit.measure == "bytes":
        bits = sum(layer.params for layer in layers) * BITS[limit.dtype or DTYPE]
        return -(-bits // 8)
    return sum(getattr(layer, limit.measure) for layer in layers)


def depth(costs: Costs) -> int:
    """Layers with multiply-adds on the longest way."""
    deep: list[int] = []
    for step, layer in zip(costs.network.steps, costs.layers, strict=True):
        before = max((deep[source] for source in step.inputs if source >= 0), default=0)
        deep.append(before + (layer.macs > 0))
    return max(deep, default=0)


def matched(layers: Sequence[LayerCost], pattern: str) -> list[LayerCost]:
    """The layers whose path, or that of a group they stand in, a pattern matches."""
    return [layer for layer in layers if matches(layer.path, pattern)]


def matches(path: str, pattern: str) -> bool:
    names = path.split("/")
    return any(fnmatchcase("/".join(names[:end]), pattern) for end in range(1, len(names) + 1))
