"""Finds the numbers that a framework computes from the size while it exports a graph, by comparing
graphs at several sizes. Numbers that differ become expressions, and a resize refers to the tensor
whose size it has."""

from convcost.importing.generalize.align import align
from convcost.importing.generalize.at_sizes import AtSizes
from convcost.importing.generalize.fold_padding import foldable_paddings
from convcost.importing.generalize.rules import RULES, unchanged
from convcost.importing.ir.layer_graph import LayerGraph


def same_paddings(one: LayerGraph, *others: LayerGraph) -> frozenset[int]:
    """The pads to merge into their windows as `same`: all that allow it, if at least one has
    another border at another size."""
    if any(len(other.layers) != len(one.layers) for other in others):
        return frozenset()
    all_of = set(foldable_paddings(one)).intersection(*map(foldable_paddings, others))
    differ = any(one.layers[n].options != o.layers[n].options for o in others for n in all_of)
    return frozenset(all_of) if differ else frozenset()


def with_size_expressions(one: LayerGraph, *others: LayerGraph) -> LayerGraph | None:
    """The first graph, with expressions for the options that depend on the size; the others are the
    same model at other sizes.

    None if the graphs have different layers, or differ in a number that no expression gives.
    """
    longest = max(others, key=lambda other: len(other.layers))
    graphs = tuple(align(graph, longest) for graph in (one, *others))
    if len({len(graph.layers) for graph in graphs}) > 1:
        return None
    layers = []
    for number, mine in enumerate(graphs[0].layers):
        at = AtSizes(graphs, number)
        if any((one.kind, one.inputs) != (mine.kind, mine.inputs) for one in at.layers):
            return None
        layer = RULES.get(mine.kind, unchanged)(at)
        if layer is None:
            return None
        layers.append(layer)
    return graphs[0]._replace(layers=tuple(layers))
