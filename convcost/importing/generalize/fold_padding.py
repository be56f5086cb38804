"""Merges a pad whose border depends on the size into the window after it, which then has `padding:
same`."""

from collections import Counter
from typing import Any

from convcost.importing.ir.layer_graph import GraphLayer, LayerGraph
from convcost.model.axes import per_axis
from convcost.model.kind import KINDS

WINDOWS = ("conv", "depthwise", "max_pool", "avg_pool")


def foldable_paddings(graph: LayerGraph) -> dict[int, int]:
    """The pads that equal `padding: same` of the next window, each with the index of that
    window."""
    uses = Counter(source for layer in graph.layers for source in layer.inputs)
    found = {}
    for number, layer in enumerate(graph.layers):
        source = layer.inputs[0] if layer.inputs else -1
        if layer.kind in WINDOWS and source >= 0 and graph.layers[source].kind == "pad":
            alone = uses[source] == 1 and source not in graph.outputs
            if alone and _is_same(graph, source, layer):
                found[source] = number
    return found


def _is_same(graph: LayerGraph, pad: int, layer: GraphLayer) -> bool:
    shape = graph.shape(graph.layers[pad].inputs[0])
    axes = len(shape.size)
    kernel, stride, dilation = (
        _for_each_axis(layer, name, axes) for name in ("kernel", "stride", "dilation")
    )
    if _value(layer, "padding") != 0 or _value(layer, "ceil"):
        return False
    begins, ends = [], []
    for n, f, s, d in zip(shape.size, kernel, stride, dilation, strict=True):
        # There are ⌈n/s⌉ windows. The odd element of padding is at the end.
        whole = max((-(-n // s) - 1) * s + d * (f - 1) + 1 - n, 0)
        begins.append(whole // 2)
        ends.append(whole - whole // 2)
    return _border(graph.layers[pad], axes) == (*begins, *ends)


def _border(pad: GraphLayer, axes: int) -> tuple[int, ...]:
    border = dict(pad.options)["border"]
    numbers = border if isinstance(border, tuple) else (border,) * axes
    return numbers if len(numbers) == 2 * axes else numbers * 2


def _for_each_axis(layer: GraphLayer, name: str, axes: int) -> tuple[int, ...]:
    value = _value(layer, name)
    if value is None and name == "stride":  # the default stride of a pool is its kernel
        value = _value(layer, "kernel")
    return per_axis(value, axes, name)


def _value(layer: GraphLayer, name: str) -> Any:
    kind = KINDS.get(layer.kind)
    assert kind is not None
    if name not in kind.options:
        return None
    return dict(layer.options).get(name, kind.options[name].default)


def fold_paddings(graph: LayerGraph, chosen: frozenset[int]) -> LayerGraph:
    """The graph with the chosen pads merged into their windows."""
    windows = {window: pad for pad, window in foldable_paddings(graph).items() if pad in chosen}
    if len(windows) < len(chosen):
        return graph
    gone = set(chosen)
    kept = [number for number in range(len(graph.layers)) if number not in gone]
    place = {number: new for new, number in enumerate(kept)}

    def new_number(source: int) -> int:
        return place[source] if source >= 0 else source

    layers = []
    for number in kept:
        layer = graph.layers[number]
        if number in windows:
            before = graph.layers[windows[number]].inputs[0]
            layer = layer._replace(
                inputs=(before, *layer.inputs[1:]), options=_with_same_padding(layer)
            )
        shares = None if layer.shares is None else new_number(layer.shares)
        layers.append(layer._replace(inputs=tuple(map(new_number, layer.inputs)), shares=shares))
    return graph._replace(layers=tuple(layers), outputs=tuple(map(new_number, graph.outputs)))


def _with_same_padding(layer: GraphLayer) -> tuple[tuple[str, Any], ...]:
    kind = KINDS.get(layer.kind)
    assert kind is not None
    options = {**dict(layer.options), "padding": "same"}
    return tuple((name, options[name]) for name in kind.options if name in options)
