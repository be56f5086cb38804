"""A whole spec as text: what it is of, what comes in, blocks, layers."""

from typing import Any

from convcost.importing.drawing import Drawing
from convcost.importing.structure.naming import Named
from convcost.importing.writing.flow import Node, entry
from convcost.importing.writing.layers import Defaults, written
from convcost.importing.writing.scalars import number, prose, text
from convcost.shapes import Shape
from convcost.spec.sizes import Sizes


def document(
    drawing: Drawing,
    entrances: tuple[str, ...],
    layers: tuple[Named, ...],
    blocks: tuple[tuple[str, tuple[tuple[str, Any], ...], tuple[Named, ...]], ...],
    defaults: Defaults,
) -> str:
    lines = entry("name", prose(drawing.name or "model"), 0)
    if drawing.source:
        lines += entry("source", prose(drawing.source), 0)
    note = _note(drawing)
    if note:
        lines += entry("note", prose(note), 0)
    shapes = [shape for _, shape in drawing.inputs]
    if len(shapes) == 1:
        lines += entry("input", _tensor(shapes[0]) | _sizes(drawing.sizes), 0)
    else:
        inputs: dict[str, Node] = {
            text(name): _tensor(shape) for name, shape in zip(entrances, shapes, strict=True)
        }
        lines += entry("inputs", inputs, 0)
    if defaults:
        told: dict[str, Node] = {
            kind: {name: number(value) for name, value in options.items()}
            for kind, options in defaults.items()
        }
        lines += entry("defaults", told, 0)
    if blocks:
        lines.append("blocks:")
        for name, options, items in blocks:
            lines += _block(name, options, written(items, defaults))
    lines.append("layers:")
    from convcost.importing.writing.flow import block

    lines += block(written(layers, defaults), 2)
    return "\n".join(lines) + "\n"


def _block(name: str, options: tuple[tuple[str, Any], ...], layers: list[Node]) -> list[str]:
    lines = [f"  {name}:"]
    if options:
        told: dict[str, Node] = {
            option: "" if default is None else number(default) for option, default in options
        }
        lines += entry("options", told, 4)
    return lines + entry("layers", layers, 4)


def _sizes(sizes: Sizes) -> dict[str, Node]:
    said: dict[str, Node] = {"fixed": "true"} if sizes.fixed else {}
    return said | ({"multiple": str(sizes.multiple)} if sizes.multiple > 1 else {})


def _tensor(shape: Shape) -> dict[str, Node]:
    size: Node = [str(n) for n in shape.size]
    if len(shape.size) == 2 and len(set(shape.size)) == 1:  # noqa: PLR2004  a square
        size = str(shape.size[0])
    return {"channels": str(shape.channels), "size": size}


def _note(drawing: Drawing) -> str:
    """What no layer stands for, and what is not counted."""
    parts = list(drawing.notes)
    if drawing.free:
        parts.append("free: " + ", ".join(f"{count} {name}" for name, count in drawing.free))
    uncounted = sum(layer.uncounted for layer in drawing.layers)
    if uncounted:
        parts.append(f"{uncounted} layer{'s' * (uncounted > 1)} not counted")
    return "; ".join(parts)
