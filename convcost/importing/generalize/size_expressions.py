"""Finds the numbers that a framework computes from the size while it exports a graph, by comparing
graphs at several sizes. Numbers that differ become expressions, and a resize refers to the tensor
whose size it has."""

from convcost.importing.generalize.at_sizes import LayerAtSizes
from convcost.importing.generalize.fold_padding import foldable_paddings
from convcost.importing.generalize.rules import RULES, same_at_all_sizes
from convcost.importing.ir.layer_graph import GraphLayer, LayerGraph

FIT_SIZE = ("pad", "crop", "upsample")  # layers that a model may have only at some sizes


def same_paddings(first: LayerGraph, *others: LayerGraph) -> frozenset[int]:
    """The pads to merge into their windows as `same`: all that allow it, if at least one has
    another border at another size."""
    if any(len(other.layers) != len(first.layers) for other in others):
        return frozenset()
    all_of = set(foldable_paddings(first)).intersection(*map(foldable_paddings, others))
    differ = any(
        first.layers[n].options != other.layers[n].options for other in others for n in all_of
    )
    return frozenset(all_of) if differ else frozenset()


def with_size_expressions(first: LayerGraph, *others: LayerGraph) -> LayerGraph | None:
    """The first graph, with expressions for the options that depend on the size; the others are the
    same model at other sizes.

    None if the graphs have different layers, or differ in a number that no expression gives.
    """
    longest = max(others, key=lambda other: len(other.layers))
    graphs = tuple(_align(graph, longest) for graph in (first, *others))
    if len({len(graph.layers) for graph in graphs}) > 1:
        return None
    layers = []
    for number, own_layer in enumerate(graphs[0].layers):
        at = LayerAtSizes(graphs, number)
        if any(
            (other.kind, other.inputs) != (own_layer.kind, own_layer.inputs) for other in at.layers
        ):
            return None
        layer = RULES.get(own_layer.kind, same_at_all_sizes)(at)
        if layer is None:
            return None
        layers.append(layer)
    return graphs[0]._replace(layers=tuple(layers))


def _align(graph: LayerGraph, other: LayerGraph) -> LayerGraph:
    """The first graph with the layers of FIT_SIZE that only the other graph has, with options that
    change nothing. If the graphs differ in other layers, the first graph does not change."""
    if len(graph.layers) >= len(other.layers):
        return graph
    layers: list[GraphLayer] = []
    remaining = list(reversed(graph.layers))
    for target in other.layers:
        missing = len(other.layers) - len(layers) - len(remaining)
        layer = remaining[-1] if remaining else None
        is_same = layer is not None and (layer.kind, layer.path) == (target.kind, target.path)
        if layer is not None and (is_same or not missing or target.kind not in FIT_SIZE):
            remaining.pop()
            layers.append(layer._replace(inputs=target.inputs, shares=target.shares))
        elif target.kind in FIT_SIZE:
            output = graph._replace(layers=tuple(layers)).shape(target.inputs[0])
            mode = tuple(pair for pair in target.options if pair[0] == "mode")
            layers.append(target._replace(options=mode, output=output, follows=()))
        else:
            return graph
    if remaining or any(a.kind != b.kind for a, b in zip(layers, other.layers, strict=True)):
        return graph
    return graph._replace(layers=tuple(layers), outputs=other.outputs)
