"""Merges a pad whose border depends on the size into the window after it, which then has `padding:
same`."""

from collections import Counter

from convcost.importing.ir.layer_graph import GraphLayer, LayerGraph, stated_options, without_layers
from convcost.model.kind import KINDS

WINDOWS = ("conv", "depthwise", "max_pool", "avg_pool")


def foldable_paddings(graph: LayerGraph) -> dict[int, int]:
    """The pads that equal `padding: same` of the next window, each with the index of that
    window."""
    uses = Counter(source for layer in graph.layers for source in layer.inputs)
    window_by_pad = {}
    for number, layer in enumerate(graph.layers):
        source = layer.inputs[0] if layer.inputs else -1
        if layer.kind in WINDOWS and source >= 0 and graph.layers[source].kind == "pad":
            read_once = uses[source] == 1 and source not in graph.outputs
            if read_once and _is_same(graph, source, layer):
                window_by_pad[source] = number
    return window_by_pad


def _is_same(graph: LayerGraph, pad: int, window: GraphLayer) -> bool:
    """Whether a window sees the same elements with `padding: same` as after the pad."""
    before = graph.shape(graph.layers[pad].inputs[0])
    border = graph.layers[pad].option("border")
    seen = []
    for padding in ("same", border):
        layer = KINDS[window.kind](**dict(window.options) | {"padding": padding})
        axes = layer.windows(before)
        seen.append([(axis.output, axis.receptive_field) for axis in axes])
    return window.option("padding") == 0 and seen[0] == seen[1]


def fold_paddings(graph: LayerGraph, chosen: frozenset[int]) -> LayerGraph:
    """The graph with the chosen pads merged into their windows."""
    windows = foldable_paddings(graph)
    if not chosen <= windows.keys():
        return graph
    layers = list(graph.layers)
    for pad in chosen:
        window = layers[windows[pad]]
        options = stated_options(KINDS[window.kind], {**dict(window.options), "padding": "same"})
        layers[windows[pad]] = window._replace(options=options)
    before = {pad: layers[pad].inputs[0] for pad in chosen}
    return without_layers(graph._replace(layers=tuple(layers)), set(chosen), before)
