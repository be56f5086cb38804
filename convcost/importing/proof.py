"""The text of a spec held against the drawing it was made of, layer by layer."""

from collections.abc import Sequence
from typing import Any

from convcost.costs import LayerCost, costs
from convcost.errors import Refusal, Source, SpecError
from convcost.importing.describes import INPUT_FREE
from convcost.importing.drawing import Drawing, Drawn
from convcost.importing.structure.sharing import owners
from convcost.network import Step
from convcost.spec.load import load


def proved(
    text: str, drawing: Drawing, order: Sequence[int], inputs: Sequence[tuple[int, ...]]
) -> None:
    """Raises Refusal at the first difference between a text and the drawing.

    `order` says which layer of the drawing each layer of the text is, `inputs` what each layer of
    the drawing takes.
    """
    try:
        (network,) = load(Source("the imported spec", text))
    except SpecError as error:
        problem = error.problems[0]
        line = f" in line {problem.place.line}" if problem.place else ""
        message = f"the spec of this model cannot be read back: {problem.message}{line}"
        raise Refusal("CC402", message, problem.help) from None
    counted = costs(network).layers
    if sorted(order) != list(range(len(drawing.layers))) or len(order) != len(counted):
        message = f"the spec has {len(counted):,} layers, the model {len(drawing.layers):,}"
        raise Refusal("CC402", message)
    if tuple(shape for _, shape in network.inputs) != tuple(shape for _, shape in drawing.inputs):
        raise Refusal("CC402", "the inputs of the spec are not those of the model")
    place = {index: number for number, index in enumerate(order)}
    first = owners(drawing.layers, order)
    for index, cost, step in zip(order, counted, network.steps, strict=True):
        layer = drawing.layers[index]
        root = index if layer.shares is None else layer.shares
        owner = first.get(root, index)
        held = drawing.layers[root] if owner == index else None
        expected = (held.params, held.buffers) if held is not None else (0, 0)
        _same(layer, cost, *expected)
        taken = tuple(place[source] if source >= 0 else source for source in inputs[index])
        if step.inputs != taken and layer.kind not in INPUT_FREE:
            raise Refusal("CC402", f"`{_name(layer)}` takes other layers in the spec")
        _options(layer, step)
        shared = None if owner == index else place[owner]
        if step.shared != shared:
            raise Refusal("CC403", f"`{_name(layer)}` shares other weights in the spec")


def _same(layer: Drawn, cost: LayerCost, params: int, buffers: int) -> None:
    """Raises Refusal if a layer that was read back is not the one drawn."""
    if (cost.kind, cost.output) != (layer.kind, layer.output):
        raise Refusal(
            "CC402",
            f"`{_name(layer)}` is a {layer.kind} of {layer.output.text} in the model, "
            f"a {cost.kind} of {cost.output.text} in the spec",
        )
    for what, theirs in (("params", params), ("buffers", buffers), ("macs", layer.macs)):
        ours = getattr(cost, what)
        if ours != theirs:
            raise Refusal(
                "CC403",
                f"`{_name(layer)}` has {theirs:,} {what} in the model, {ours:,} in the spec",
            )


def _options(layer: Drawn, step: Step) -> None:
    """Options that cost nothing, as a function's name, are held against each other too."""
    for name, value in layer.options:
        option = step.layer.options[name]
        found: Any = getattr(step.layer, option.field)
        if found != value and layer.rest is None:
            raise Refusal("CC402", f"`{_name(layer)}` has another {name} in the spec")


def _name(layer: Drawn) -> str:
    return "/".join(layer.path) or layer.kind
