"""Converts the layers of a graph to layers of a tree, and builds the tree without structure."""

from collections.abc import Iterable
from typing import Any

from convcost.importing.ir.layer_graph import GraphLayer, LayerGraph
from convcost.importing.outline.tree import Item, ItemBranch
from convcost.importing.outline.values import OptionExpression
from convcost.importing.outline.wiring import Inputs
from convcost.language.common_keys import FROZEN
from convcost.model.kind import KINDS
from convcost.model.options import REST
from convcost.model.shape import Shape


def layer_item(
    index: int,
    layer: GraphLayer,
    refs: tuple[int, ...] = (),
    branches: Iterable[ItemBranch] = (),
) -> Item:
    options = layer.options
    if layer.rest is not None:
        options = tuple((name, _with_rest(value, layer.rest)) for name, value in options)
    if layer.follows:
        expressions = dict(layer.follows)
        options = tuple(
            (n, _as_expression(v, expressions[n]) if n in expressions else v) for n, v in options
        )
    if layer.frozen:
        options = (*options, (FROZEN.name, layer.frozen))
    return Item(
        layer.kind, options, layer.path, tuple(branches), index, refs, layer.shares, layer.note
    )


def _as_expression(value: Any, expressions: str | tuple[str, ...]) -> Any:
    """A value, or every entry of a shape, as an expression."""
    if isinstance(expressions, str):
        return OptionExpression(expressions)
    entries: list[Any] = [
        OptionExpression(text) if text else extent
        for text, extent in zip(expressions, (value.channels, *value.size), strict=True)
    ]
    return Shape(entries[0], tuple(entries[1:]))


def _with_rest(value: Any, rest: int) -> Any:
    """A shape with one entry that follows from the others."""
    if not isinstance(value, Shape):
        return value
    entries = [REST if n == rest else extent for n, extent in enumerate((value[0], *value.size))]
    return Shape(entries[0], tuple(entries[1:]))


def flat_items(graph: LayerGraph, inputs: Inputs) -> tuple[Item, ...]:
    """Every layer in the model's order. Joins reference their inputs by name."""
    found: list[Item] = []
    flow = -1 if len(graph.inputs) == 1 else None
    for index, layer in enumerate(graph.layers):
        sources = inputs[index]
        if KINDS[layer.kind].role == "join":
            branches = [ItemBranch(ref=source) for source in sources]
            found.append(layer_item(index, layer, branches=branches))
        else:
            alone = sources == (flow,)
            found.append(layer_item(index, layer, () if alone else sources))
        flow = index
    return tuple(found)
