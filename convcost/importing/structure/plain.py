"""The layers of a drawing as layers of a tree, and the tree that has no structure at all."""

from typing import Any

from convcost.importing.drawing import Drawing, Drawn
from convcost.importing.structure.tree import Branch, Item, Join, Layer
from convcost.importing.structure.values import Expression
from convcost.importing.structure.wiring import Inputs
from convcost.kind import KINDS
from convcost.options import REST
from convcost.shapes import Shape


def drawn_layer(index: int, layer: Drawn, refs: tuple[int, ...] = ()) -> Layer:
    options = layer.options
    if layer.rest is not None:
        options = tuple((name, _left(value, layer.rest)) for name, value in options)
    if layer.follows:
        told = dict(layer.follows)
        options = tuple((n, _followed(v, told[n]) if n in told else v) for n, v in options)
    return Layer(index, layer.kind, options, layer.path, refs, layer.shares, layer.note)


def _followed(value: Any, told: str | tuple[str, ...]) -> Any:
    """A value, or every entry of a shape, as an expression."""
    if isinstance(told, str):
        return Expression(told)
    entries: list[Any] = [
        Expression(text) if text else extent
        for text, extent in zip(told, (value.channels, *value.size), strict=True)
    ]
    return Shape(entries[0], tuple(entries[1:]))


def _left(value: Any, rest: int) -> Any:
    """A shape of which one entry follows from the others."""
    if not isinstance(value, Shape):
        return value
    entries = [REST if n == rest else extent for n, extent in enumerate((value[0], *value.size))]
    return Shape(entries[0], tuple(entries[1:]))


def plain(drawing: Drawing, inputs: Inputs) -> tuple[Item, ...]:
    """Every layer in the model's own order, joins by name."""
    found: list[Item] = []
    flow = -1 if len(drawing.inputs) == 1 else None
    for index, layer in enumerate(drawing.layers):
        kind = KINDS.get(layer.kind)
        sources = inputs[index]
        if kind is not None and kind.role == "join":
            branches = tuple(Branch(ref=source) for source in sources)
            found.append(Join(drawn_layer(index, layer), branches))
        else:
            alone = sources == (flow,)
            found.append(drawn_layer(index, layer, () if alone else sources))
        flow = index
    return tuple(found)
