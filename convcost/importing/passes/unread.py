"""Removes layers that nothing reads, such as the mean of attention weights, which a module returns
and its caller ignores."""

from collections import Counter

from convcost.importing.ir.layer_graph import LayerGraph, read_by, without_layers


def remove_unread(graph: LayerGraph) -> LayerGraph:
    """The graph without the layers that nothing reads, if they cost nothing. A model computes the
    others, so they stay."""
    readers = Counter(graph.outputs)
    for layer in graph.layers:
        readers.update(read_by(layer))
    removed: dict[int, int] = {}
    for index, layer in reversed(list(enumerate(graph.layers))):
        is_free = not (layer.params or layer.buffers or layer.macs or layer.uncounted)
        if not readers[index] and layer.inputs and is_free:
            removed[index] = layer.inputs[0]
            readers.subtract(read_by(layer))
    # A stored tensor is next to a layer that it does not read, and which may be removed.
    return without_layers(graph, set(removed), removed)
