"""The measures that a budget can limit: of a network, of one layer, of the layers of a pattern.

Depth is the largest number of layers with macs on a path through the network, as papers count it:
VGG-16 has 16, GoogLeNet 22, ResNet-50 has 50. Bytes are those of the params in a dtype; `flash` has
the buffers, too. `memory` is flash and peak memory, for a device that loads the weights into RAM.
"""

from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from operator import attrgetter

from convcost.language.patterns import has_wildcard, matcher
from convcost.model.costs import Costs, LayerCost
from convcost.model.dtypes import Dtypes, parse_dtypes
from convcost.model.errors import Span
from convcost.model.measures import Count, Measure
from convcost.model.network import Budget, Rule, path_prefixes
from convcost.model.peak_memory import PeakMemory, peak_memory
from convcost.model.record import NamedTuple
from convcost.model.shape import Shape
from convcost.model.stored_bytes import stored_bytes

PEAK = ("peak_memory", "memory")  # measures that need the tensors of a network
OF_NETWORK = ("depth", "receptive_field")  # measures that layers do not add up to
LOWER = ("macs", "depth")  # lower bounds if layers are uncounted
NO_SPAN = Span(0, 0, 0, 0)


class MeasuredNetwork(NamedTuple):
    """The layers of a network, its own budget, and the measures that only the whole network has.

    `receptive_field` is the longest side of the receptive field of an output element; `shortest` is
    the shortest side, which a `min` limits. With `field_is_bound`, both are upper bounds. `costs`
    are None if the layers are only known by their counts; then `stored_dtypes` are the types of
    their numbers, and `shortest` is not known.
    """

    name: str
    layers: tuple[LayerCost, ...]
    depth: int
    receptive_field: int
    inputs: tuple[tuple[str, Shape], ...] = ()
    shortest: int = 0
    field_is_bound: bool = False
    budget: Budget | None = None
    costs: Costs | None = None
    stored_dtypes: Dtypes | None = None

    @property
    def inputs_text(self) -> str:
        """The input shapes: `224×224×3`; of several inputs, with their names."""
        if len(self.inputs) == 1:
            return self.inputs[0][1].text
        return ", ".join(f"{name} {shape.text}" for name, shape in self.inputs)

    @property
    def uncounted(self) -> int:
        """The number of layers whose macs are not known, so that no total has them."""
        return sum(layer.counts.uncounted for layer in self.layers)

    def with_layers(self, layers: Iterable[LayerCost]) -> "MeasuredNetwork":
        """The network with only these layers."""
        return self._replace(layers=tuple(layers))

    def total(self, measure: str, dtype: str = "", test: str = "max") -> int:
        """The count that a limit on `measure` is compared with. `test` is the key of the limit: a
        `min` of the receptive field limits its shortest side. `dtype` replaces the dtypes of the
        spec."""
        if measure == "depth":
            return self.depth
        if measure == "receptive_field":
            return self.shortest if test == "min" else self.receptive_field
        if measure == "memory":
            return self.total("peak_memory", dtype) + self.total("flash", dtype)
        if measure == "peak_memory":
            return self.peak(dtype).bytes if self.layers else 0
        return add_counts(count_each_layer(self.layers, measure, self.dtypes(dtype)), measure)

    def count_of(self, measure: str, dtype: str = "", test: str = "max") -> Count:
        """The count of `total`, with the number of layers that are not in it."""
        return Count(self.total(measure, dtype, test), self.uncounted if measure in LOWER else 0)

    def knows(self, measure: str, test: str = "max") -> bool:
        """Whether `total` is known. A baseline file has counts, and no tensors. It has the longest
        side of the receptive field only."""
        is_shortest = measure == "receptive_field" and test == "min"
        return self.costs is not None or not (measure in PEAK or is_shortest)

    def dtypes(self, dtype: str = "") -> Dtypes:
        """The dtypes of that text; without one, those of the spec."""
        if dtype:
            return parse_dtypes(dtype)
        network_dtypes = self.costs.network.dtypes if self.costs else self.stored_dtypes
        return network_dtypes or Dtypes()

    def peak(self, dtype: str = "") -> PeakMemory:
        """The peak memory of one sample. The network must have `costs`, and layers."""
        assert self.costs is not None
        return peak_memory(self.costs.network, dtypes=self.dtypes(dtype))

    def peak_tensors(self, peak: PeakMemory) -> tuple[tuple[str, int], ...]:
        """The tensors that are alive at the peak, with their bytes, the largest first."""
        assert self.costs is not None
        network = self.costs.network
        names = [(network.name_of(buffer.tensor), buffer.bytes) for buffer in peak.buffers]
        return tuple(sorted(names, key=lambda item: -item[1]))


class NetworkInFile(NamedTuple):
    """A network, and the name of its file."""

    file: str
    network: MeasuredNetwork


def measure_network(costs: Costs) -> MeasuredNetwork:
    """All measures of a network that a budget can limit."""
    network = costs.network
    field = costs.layers[network.last].field if network.last >= 0 else ()
    sides = [int(axis.extent) for axis in field] or [1]
    return MeasuredNetwork(
        name=network.name,
        layers=costs.layers,
        depth=depth(costs),
        receptive_field=max(sides),
        inputs=network.inputs,
        shortest=min(sides),
        field_is_bound=not all(axis.exact for axis in field),
        budget=network.budget,
        costs=costs,
    )


def add_counts(counts: Iterable[int], measure: str) -> int:
    """The sum of the counts of layers; for the largest activation, the maximum."""
    return max(counts, default=0) if measure == "largest_activation" else sum(counts)


def count_by_path(layers: Sequence[LayerCost], measure: str, dtypes: Dtypes) -> dict[str, int]:
    """The count of each layer by its path."""
    paths = (layer.path for layer in layers)
    return dict(zip(paths, count_each_layer(layers, measure, dtypes), strict=True))


def count_each_layer(layers: Sequence[LayerCost], measure: str, dtypes: Dtypes) -> Iterable[int]:
    """The count of each layer, in order."""
    if measure == "largest_activation":
        return (layer.activations for layer in layers)
    if measure in ("bytes", "flash"):
        stored = stored_bytes(layers, dtypes)
        return (layer.params if measure == "bytes" else layer.total for layer in stored)
    return map(attrgetter(f"counts.{Measure(measure)}"), layers)


def depth(costs: Costs) -> int:
    """The largest number of layers with macs on a path through the network."""
    depths: list[int] = []
    for step, layer in zip(costs.network.steps, costs.layers, strict=True):
        before = max((depths[source] for source in step.reads if source >= 0), default=0)
        depths.append(before + (layer.macs > 0))
    return max(depths, default=0)


class LayerIndex:
    """Finds the layers that a pattern matches: by their own paths, or by the path of a group that
    they are in. `paths` are one or several for each layer, in the place of its own."""

    def __init__(
        self, layers: Sequence[LayerCost], paths: Sequence[Collection[str]] | None = None
    ) -> None:
        self.layers = layers
        self._by_path: dict[str, list[int]] = {}
        all_paths = [(layer.path,) for layer in layers] if paths is None else paths
        for position, of_layer in enumerate(all_paths):
            for path in dict.fromkeys(chain.from_iterable(map(path_prefixes, of_layer))):
                self._by_path.setdefault(path, []).append(position)

    def matching(self, pattern: str) -> list[LayerCost]:
        """The layers that a pattern matches, in the order of the network."""
        return [self.layers[position] for position in self._positions(pattern)]

    def first_rules(self, rules: Iterable[Rule]) -> list[Rule | None]:
        """For each layer the first rule whose pattern matches it."""
        layer_rules: list[Rule | None] = [None] * len(self.layers)
        for rule in rules:
            for position in self._positions(rule.match):
                layer_rules[position] = layer_rules[position] or rule
        return layer_rules

    def _positions(self, pattern: str) -> Collection[int]:
        if not has_wildcard(pattern):
            return self._by_path.get(pattern, ())
        paths = filter(matcher(pattern), self._by_path)
        return sorted({position for path in paths for position in self._by_path[path]})
