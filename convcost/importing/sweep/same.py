"""A pad as large as a size asks for, and the window behind it: `padding: same` in two layers."""

from collections import Counter
from typing import Any

from convcost.importing.drawing import Drawing, Drawn
from convcost.kind import KINDS
from convcost.window import spread

WINDOWS = ("conv", "depthwise", "max_pool", "avg_pool")


def pads(drawing: Drawing) -> dict[int, int]:
    """The pads that are just what `same` gives the window behind them, with those windows."""
    uses = Counter(source for layer in drawing.layers for source in layer.inputs)
    found = {}
    for number, layer in enumerate(drawing.layers):
        source = layer.inputs[0] if layer.inputs else -1
        if layer.kind in WINDOWS and source >= 0 and drawing.layers[source].kind == "pad":
            alone = uses[source] == 1 and source not in drawing.outputs
            if alone and _is_same(drawing, source, layer):
                found[source] = number
    return found


def _is_same(drawing: Drawing, pad: int, layer: Drawn) -> bool:
    before = drawing.layers[pad].inputs[0]
    shape = drawing.layers[before].output if before >= 0 else drawing.inputs[-1 - before][1]
    axes = len(shape.size)
    kernel, stride, dilation = (
        _each(layer, name, axes) for name in ("kernel", "stride", "dilation")
    )
    if _value(layer, "padding") != 0 or _value(layer, "ceil"):
        return False
    begins, ends = [], []
    for n, f, s, d in zip(shape.size, kernel, stride, dilation, strict=True):
        # ⌈n/s⌉ windows; the odd element goes to the end.
        whole = max((-(-n // s) - 1) * s + d * (f - 1) + 1 - n, 0)
        begins.append(whole // 2)
        ends.append(whole - whole // 2)
    return _border(drawing.layers[pad], axes) == (*begins, *ends)


def _border(pad: Drawn, axes: int) -> tuple[int, ...]:
    border = dict(pad.options)["border"]
    numbers = border if isinstance(border, tuple) else (border,) * axes
    return numbers if len(numbers) == 2 * axes else numbers * 2


def _each(layer: Drawn, name: str, axes: int) -> tuple[int, ...]:
    value = _value(layer, name)
    if value is None and name == "stride":  # of a pool: that of its kernel
        value = _value(layer, "kernel")
    return spread(value, axes, name)


def _value(layer: Drawn, name: str) -> Any:
    kind = KINDS.get(layer.kind)
    assert kind is not None
    if name not in kind.options:
        return None
    return dict(layer.options).get(name, kind.options[name].default)


def merged(drawing: Drawing, chosen: frozenset[int]) -> Drawing:
    """The drawing with those pads in their windows."""
    windows = {window: pad for pad, window in pads(drawing).items() if pad in chosen}
    if len(windows) < len(chosen):
        return drawing
    gone = set(chosen)
    kept = [number for number in range(len(drawing.layers)) if number not in gone]
    place = {number: new for new, number in enumerate(kept)}

    def moved(source: int) -> int:
        return place[source] if source >= 0 else source

    layers = []
    for number in kept:
        layer = drawing.layers[number]
        if number in windows:
            before = drawing.layers[windows[number]].inputs[0]
            layer = layer._replace(inputs=(before, *layer.inputs[1:]), options=_padded(layer))
        shares = None if layer.shares is None else moved(layer.shares)
        layers.append(layer._replace(inputs=tuple(map(moved, layer.inputs)), shares=shares))
    return drawing._replace(layers=tuple(layers), outputs=tuple(map(moved, drawing.outputs)))


def _padded(layer: Drawn) -> tuple[tuple[str, Any], ...]:
    kind = KINDS.get(layer.kind)
    assert kind is not None
    options = {**dict(layer.options), "padding": "same"}
    return tuple((name, options[name]) for name in kind.options if name in options)
