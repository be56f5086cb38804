"""Layers that a model gives no name stand in the module of those around them: the activation behind
a module's last convolution, the join of a module's branches."""

from collections import Counter

from convcost.importing.drawing import Drawing, Drawn, Path

FEWEST = 2  # branches of a join


def homed(drawing: Drawing) -> Drawing:
    """The drawing with paths for layers that have none but their kind. Models that name classes
    say themselves where a layer belongs."""
    if drawing.classes:
        return drawing
    layers = list(drawing.layers)
    uses = Counter(source for layer in layers for source in layer.inputs)
    for index, layer in enumerate(layers):
        if not _nameless(layer) or any(source < 0 for source in layer.inputs):
            continue
        # What leads to nothing but a join, and learns nothing, is where the join is.
        waiting = [n for n in layer.inputs if _nameless(layers[n]) and uses[n] == 1]
        if layer.kind != "concat":
            waiting = []
        told = [layers[source] for source in layer.inputs if source not in waiting]
        module = _module(layer, told)
        for number in (index, *waiting) if module else ():
            layers[number] = layers[number]._replace(path=(*module, *layers[number].path))
    return drawing._replace(layers=tuple(layers))


def _nameless(layer: Drawn) -> bool:
    return layer.path == (layer.kind,) and not layer.params


def _module(layer: Drawn, sources: list[Drawn]) -> Path:
    """The outermost module that all a layer takes is in; () if there is none."""
    modules = {source.path[:-1][:1] for source in sources}
    if layer.kind == "concat":
        fits = len(sources) >= FEWEST
    else:
        fits = [(one.params > 0, one.output) for one in sources] == [(True, layer.output)]
    return modules.pop() if fits and len(modules) == 1 else ()
