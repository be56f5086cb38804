"""Inserts layers that a model has only at other sizes: pads and resizes that change nothing at its
own size."""

from convcost.importing.ir.layer_graph import GraphLayer, LayerGraph

FIT_SIZE = ("pad", "crop", "upsample")


def align(one: LayerGraph, other: LayerGraph) -> LayerGraph:
    """The first graph with the layers that only the other graph has, with options that change
    nothing. If the graphs differ in more layers, the first graph does not change."""
    if len(one.layers) >= len(other.layers):
        return one
    layers: list[GraphLayer] = []
    waiting = list(reversed(one.layers))
    for theirs in other.layers:
        spare = len(other.layers) - len(layers) - len(waiting)
        mine = waiting[-1] if waiting else None
        alike = mine is not None and (mine.kind, mine.path) == (theirs.kind, theirs.path)
        if mine is not None and (alike or not spare or theirs.kind not in FIT_SIZE):
            waiting.pop()
            layers.append(mine._replace(inputs=theirs.inputs, shares=theirs.shares))
        elif theirs.kind in FIT_SIZE:
            output = one._replace(layers=tuple(layers)).shape(theirs.inputs[0])
            mode = tuple(pair for pair in theirs.options if pair[0] == "mode")
            layers.append(theirs._replace(options=mode, output=output, follows=()))
        else:
            return one
    if waiting or any(a.kind != b.kind for a, b in zip(layers, other.layers, strict=True)):
        return one
    return one._replace(layers=tuple(layers), outputs=other.outputs)
