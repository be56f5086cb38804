"""A layer of a model at several input sizes."""

from typing import Any, NamedTuple

from convcost.importing.generalize.fit import Numbers, incoming_extents
from convcost.importing.ir.layer_graph import GraphLayer, LayerGraph
from convcost.model.shape import Shape


class LayerAtSizes(NamedTuple):
    """A layer in the graphs of all sizes, with its index. The first graph has the size of the
    spec."""

    graphs: tuple[LayerGraph, ...]
    number: int

    @property
    def layers(self) -> tuple[GraphLayer, ...]:
        return tuple(graph.layers[self.number] for graph in self.graphs)

    @property
    def first(self) -> GraphLayer:
        """The layer at the spec's own size."""
        return self.graphs[0].layers[self.number]

    @property
    def same_options(self) -> bool:
        """Whether its options are the same at all sizes."""
        return all(layer.options == self.first.options for layer in self.layers)

    def shapes(self, source: int) -> tuple[Shape, ...]:
        return tuple(graph.shape(source) for graph in self.graphs)

    @property
    def input_extents(self) -> dict[str, Numbers]:
        return incoming_extents(self.shapes(self.first.inputs[0]))

    def values(self, name: str) -> tuple[Any, ...]:
        """The value of an option at each size, given or default."""
        return tuple(layer.option(name) for layer in self.layers)
