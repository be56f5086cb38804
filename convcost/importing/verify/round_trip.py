"""Compares the text of a spec with the graph that it was written from, layer by layer."""

from collections.abc import Sequence

from convcost.importing.ir.layer_graph import GraphLayer, LayerGraph, weights_owner
from convcost.importing.outline.weight_owners import weight_owners
from convcost.language.load import load
from convcost.model.costs import LayerCost, costs
from convcost.model.errors import ConstraintError, Source, SpecError
from convcost.model.network import Network, Step
from convcost.model.shape import Shape

NO_WEIGHTS = GraphLayer((), "", (), (), Shape(0))


def verify_round_trip(
    text: str, graph: LayerGraph, order: Sequence[int], inputs: Sequence[tuple[int, ...]]
) -> None:
    """Raises ConstraintError at the first difference between a text and the graph.

    `order` maps each layer of the text to its layer of the graph; `inputs` has the inputs of each
    layer of the graph.
    """
    network = _read_back(text)
    counted = costs(network).layers
    if sorted(order) != list(range(len(graph.layers))) or len(order) != len(counted):
        message = f"the spec has {len(counted):,} layers, the model {len(graph.layers):,}"
        raise ConstraintError("CC402", message)
    if tuple(shape for _, shape in network.inputs) != tuple(shape for _, shape in graph.inputs):
        raise ConstraintError("CC402", "the inputs of the spec are not those of the model")
    place = {index: number for number, index in enumerate(order)}
    first = weight_owners(graph.layers, order)
    for index, cost, step in zip(order, counted, network.steps, strict=True):
        layer = graph.layers[index]
        root = weights_owner(graph.layers, index)
        owner = first[root]
        _verify_layer(layer, cost, graph.layers[root] if owner == index else NO_WEIGHTS)
        _verify_options(layer, step)
        sources = tuple(place[source] if source >= 0 else source for source in inputs[index])
        if step.inputs != sources and not layer.is_input_free:
            raise ConstraintError("CC402", f"`{layer.name}` has other inputs in the spec")
        if step.shared != (None if owner == index else place[owner]):
            raise ConstraintError("CC403", f"`{layer.name}` shares other weights in the spec")


def _read_back(text: str) -> Network:
    """The network of a text. Raises ConstraintError if convcost refuses the text."""
    try:
        (network,) = load(Source("the imported spec", text))
    except SpecError as error:
        problem = error.problems[0]
        line = f" in line {problem.span.line}" if problem.span else ""
        message = f"the spec of this model cannot be read back: {problem.message}{line}"
        raise ConstraintError("CC402", message, problem.help) from None
    return network


def _verify_layer(layer: GraphLayer, cost: LayerCost, owner: GraphLayer) -> None:
    """Raises ConstraintError if a layer of the text differs from the layer of the graph. `owner` is
    the layer of the graph that has its weights; without weights of its own, NO_WEIGHTS."""
    if (cost.kind, cost.output) != (layer.kind, layer.output):
        raise ConstraintError(
            "CC402",
            f"`{layer.name}` is a {layer.kind} of {layer.output.text} in the model, "
            f"a {cost.kind} of {cost.output.text} in the spec",
        )
    for measure, in_model in (
        ("params", owner.params),
        ("trainable", owner.params - owner.frozen_params),
        ("buffers", owner.buffers),
        ("macs", layer.macs),
    ):
        in_spec = getattr(cost, measure)
        if in_spec != in_model:
            raise ConstraintError(
                "CC403",
                f"`{layer.name}` has {in_model:,} {measure} in the model, {in_spec:,} in the spec",
            )


def _verify_options(layer: GraphLayer, step: Step) -> None:
    """Raises ConstraintError if an option differs, also one without a cost, such as the name of a
    function."""
    for name, value in layer.options:
        if step.layer.option_values[name] != value and layer.rest is None:
            raise ConstraintError("CC402", f"`{layer.name}` has another {name} in the spec")
