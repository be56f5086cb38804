"""Assigns layers without a name to the module of the layers around them, such as the activation
after a module's last convolution, or the join of a module's branches; and tables to the module of
all layers that use them."""

from collections import Counter

from convcost.importing.ir.layer_graph import GraphLayer, LayerGraph, Path, common_prefix
from convcost.importing.outline.wiring import shared_tables

MIN_BRANCHES = 2  # of a join


def with_inferred_scopes(graph: LayerGraph) -> LayerGraph:
    """The graph with paths for layers whose path is only their kind. A model with class names
    states the module of each layer itself, so only its tables change, which are learned tensors and
    constants."""
    layers = list(graph.layers)
    _move_tables(layers)
    if graph.classes:
        return graph._replace(layers=tuple(layers))
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


def _move_tables(layers: list[GraphLayer]) -> None:
    """Moves a table to the innermost module that contains all its users. A framework computes it in
    the module that needs it first. A learned table gets the name of its module. A constant of the
    code has no module of its own."""
    users: dict[int, list[Path]] = {}
    computed = shared_tables(layers, [layer.inputs for layer in layers])
    for index, layer in reversed(list(enumerate(layers))):
        *own_module, name = layer.path
        paths = [path for path in (tuple(own_module), *users.get(index, ())) if path]
        if (index in computed or layer.path == ("constant",)) and paths:
            module = common_prefix(paths)
            if "".join(max(paths)[len(module) : len(module) + 1]).isdigit():
                module = module[:-1]  # it is a list of modules, which computes nothing
            is_learned = layer.kind == "learned" and len(own_module) > len(module)
            layers[index] = layer._replace(path=(*module, own_module[-1] if is_learned else name))
        for source in layer.inputs:
            users.setdefault(source, []).append(layers[index].path[:-1])


def _has_no_name(layer: GraphLayer) -> bool:
    return layer.path == (layer.kind,) and not layer.params


def _module(layer: GraphLayer, sources: list[GraphLayer]) -> Path:
    """The outermost module that contains all inputs of a layer; () if there is none."""
    modules = {source.path[:-1][:1] for source in sources}
    if layer.kind == "concat":
        fits = len(sources) >= MIN_BRANCHES
    else:
        fits = [(source.params > 0, source.output) for source in sources] == [(True, layer.output)]
    return modules.pop() if fits and len(modules) == 1 else ()
