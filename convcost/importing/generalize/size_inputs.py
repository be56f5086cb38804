"""Gives another tensor to layers whose shape depends on the size although their own input has the
same shape at all sizes, such as the look-up of a table at all positions. Their shapes can then be
expressions over the shape of that tensor."""

from collections.abc import Iterator, Mapping

from convcost.importing.generalize.at_sizes import LayerAtSizes
from convcost.importing.generalize.fit import incoming_extents
from convcost.importing.ir.layer_graph import GraphLayer, LayerGraph, stated_options
from convcost.model.kind import KINDS

INPUT = -1  # the only input of the model


def size_inputs(*graphs: LayerGraph) -> dict[int, int]:
    """The layers with a stated shape that depends on the size, and a first input whose shape does
    not: each with a tensor whose shape does. The graphs are those of a model at several sizes."""
    if len({len(graph.layers) for graph in graphs}) > 1:
        return {}
    source_by_layer = {}
    for number, layer in enumerate(graphs[0].layers):
        at = LayerAtSizes(graphs, number)
        is_sized = not layer.is_input_free and bool(at.input_extents)
        if _states_shape(layer) and not is_sized and len(set(at.shapes(number))) > 1:
            source_by_layer[number] = next(
                source for source in _sources(at) if incoming_extents(at.shapes(source))
            )
    return source_by_layer


def _states_shape(layer: GraphLayer) -> bool:
    """Whether a `custom` layer can replace a layer whose options state its shape: it has no costs,
    and no kind takes its size from another tensor instead, as `upsample_like` does."""
    kind = KINDS[layer.kind]
    return kind.stated or not (
        kind.takes_several or not kind.is_free or KINDS.get(f"{layer.kind}_like")
    )


def _sources(at: LayerAtSizes) -> Iterator[int]:
    """The tensors that may give a layer its size, the best first: the earlier tensors that the
    layer's output is joined with, and the model's input. A constant, which modules may share,
    prefers the input if that has the same extents."""
    extents = incoming_extents(at.shapes(at.number)).values()
    same = set(extents) <= set(incoming_extents(at.shapes(INPUT)).values())
    if at.first.is_input_free and same:
        yield INPUT
    for layer in at.graphs[0].layers[at.number + 1 :]:
        if at.number in layer.inputs:
            yield from (source for source in layer.inputs if 0 <= source < at.number)
    yield INPUT


def with_size_inputs(graph: LayerGraph, chosen: Mapping[int, int]) -> LayerGraph:
    """The graph with another tensor as first input of the `chosen` layers. All but constants become
    `custom` layers."""
    if not all(n < len(graph.layers) and _states_shape(graph.layers[n]) for n in chosen):
        return graph
    layers = list(graph.layers)
    for number, source in chosen.items():
        layers[number] = _with_size_input(graph, layers[number], source)
    return graph._replace(layers=tuple(layers))


def _with_size_input(graph: LayerGraph, layer: GraphLayer, source: int) -> GraphLayer:
    if layer.kind == "constant":
        return layer._replace(inputs=(source,), sized_by_input=source == INPUT)
    options = {"what": layer.kind, "params": 0, "macs": 0}
    if layer.kind == "custom":
        options = {name: value for name, value in layer.options if name not in ("input", "output")}
    if layer.output != graph.shape(source):
        options["output"] = layer.output
    return layer._replace(
        kind="custom",
        options=stated_options(KINDS["custom"], options),
        inputs=(source, *layer.inputs),
        sized_by_input=source == INPUT,
    )
