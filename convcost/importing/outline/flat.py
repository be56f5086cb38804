"""Converts the layers of a graph to layers of a tree, and builds the tree without structure."""

from collections.abc import Iterable

from convcost.importing.ir.layer_graph import GraphLayer, LayerGraph
from convcost.importing.outline.tree import Item, ItemBranch, Items
from convcost.importing.outline.values import layer_options
from convcost.importing.outline.wiring import Inputs
from convcost.model.kind import KINDS


def layer_item(
    index: int, layer: GraphLayer, refs: tuple[int, ...] = (), branches: Iterable[ItemBranch] = ()
) -> Item:
    return Item(
        layer.kind,
        layer_options(layer),
        layer.path,
        tuple(branches),
        index,
        refs,
        layer.shares,
        layer.note,
    )


def flat_items(graph: LayerGraph, inputs: Inputs) -> Items:
    """Every layer in the model's order. Joins reference their inputs by name."""
    items: list[Item] = []
    flow = -1 if len(graph.inputs) == 1 else None
    for index, layer in enumerate(graph.layers):
        sources = inputs[index]
        if KINDS[layer.kind].role == "join":
            branches = [ItemBranch(ref=source) for source in sources]
            items.append(layer_item(index, layer, branches=branches))
        else:
            in_series = sources == (flow,)
            items.append(layer_item(index, layer, () if in_series else sources))
        flow = index
    return tuple(items)
