"""Assigns layers without a name to the module of the layers around them, such as the activation
after a module's last convolution, or the join of a module's branches."""

from collections import Counter

from convcost.importing.ir.layer_graph import GraphLayer, LayerGraph, Path

MIN_BRANCHES = 2  # of a join


def with_inferred_scopes(graph: LayerGraph) -> LayerGraph:
    """The graph with paths for layers whose path is only their kind. A model with class names
    states the module of each layer itself, so it does not change."""
    if graph.classes:
        return graph
    layers = list(graph.layers)
    uses = Counter(source for layer in layers for source in layer.inputs)
    for index, layer in enumerate(layers):
        if not _has_no_name(layer) or any(source < 0 for source in layer.inputs):
            continue
        # A layer without weights that only a concat uses belongs to the module of the concat.
        waiting = [n for n in layer.inputs if _has_no_name(layers[n]) and uses[n] == 1]
        if layer.kind != "concat":
            waiting = []
        sources = [layers[source] for source in layer.inputs if source not in waiting]
        module = _module(layer, sources)
        for number in (index, *waiting) if module else ():
            layers[number] = layers[number]._replace(path=(*module, *layers[number].path))
    return graph._replace(layers=tuple(layers))


def _has_no_name(layer: GraphLayer) -> bool:
    return layer.path == (layer.kind,) and not layer.params


def _module(layer: GraphLayer, sources: list[GraphLayer]) -> Path:
    """The outermost module that contains all inputs of a layer; () if there is none."""
    modules = {source.path[:-1][:1] for source in sources}
    if layer.kind == "concat":
        fits = len(sources) >= MIN_BRANCHES
    else:
        fits = [(one.params > 0, one.output) for one in sources] == [(True, layer.output)]
    return modules.pop() if fits and len(modules) == 1 else ()
