"""Writes a whole spec: name, note, inputs, blocks, layers."""

from collections.abc import Iterable

from convcost.importing.emit.flow import Node, block, entry
from convcost.importing.emit.layers import Defaults, layer_nodes
from convcost.importing.emit.scalars import number_text, text, unquoted_text
from convcost.importing.ir.layer_graph import LayerGraph
from convcost.importing.outline.tree import Items, OutlineBlock
from convcost.language.network_inputs import AllowedSizes
from convcost.model.number_format import counted
from convcost.model.shape import Shape


def document(
    graph: LayerGraph,
    input_names: tuple[str, ...],
    layers: Items,
    blocks: Iterable[OutlineBlock],
    defaults: Defaults,
) -> str:
    lines = entry("name", unquoted_text(graph.name or "model"), 0)
    if graph.source:
        lines += entry("source", unquoted_text(graph.source), 0)
    note = _note(graph)
    if note:
        lines += entry("note", unquoted_text(note), 0)
    lines += _inputs(graph, input_names)
    if defaults:
        fields: dict[str, Node] = {
            kind: {name: number_text(value) for name, value in options.items()}
            for kind, options in defaults.items()
        }
        lines += entry("defaults", fields, 0)
    for number, outline_block in enumerate(blocks):
        lines += [*(() if number else ("blocks:",)), *_block(outline_block, defaults)]
    lines.append("layers:")
    lines += block(layer_nodes(layers, defaults), 2)
    return "\n".join(lines) + "\n"


def _inputs(graph: LayerGraph, names: tuple[str, ...]) -> list[str]:
    shapes = [shape for _, shape in graph.inputs]
    if len(shapes) == 1:
        return entry("input", _tensor(shapes[0]) | _sizes(graph.sizes), 0)
    inputs: dict[str, Node] = {
        text(name): _tensor(shape) for name, shape in zip(names, shapes, strict=True)
    }
    return entry("inputs", inputs, 0)


def _block(block: OutlineBlock, defaults: Defaults) -> list[str]:
    lines = [f"  {block.name}:"]
    if block.options:
        fields: dict[str, Node] = {
            option: "" if default is None else number_text(default)
            for option, default in block.options
        }
        lines += entry("options", fields, 4)
    if block.input_names:
        lines += entry("inputs", list(map(text, block.input_names)), 4)
    lines += entry("layers", layer_nodes(block.items, defaults), 4)
    if block.outputs:
        lines += entry("outputs", list(map(text, block.outputs)), 4)
    return lines


def _sizes(sizes: AllowedSizes) -> dict[str, Node]:
    node: dict[str, Node] = {"fixed": "true"} if sizes.fixed else {}
    return node | ({"multiple": str(sizes.multiple)} if sizes.multiple > 1 else {})


def _tensor(shape: Shape) -> dict[str, Node]:
    size: Node = [str(n) for n in shape.size]
    if len(shape.size) == 2 and len(set(shape.size)) == 1:  # noqa: PLR2004  a square
        size = str(shape.size[0])
    return {"channels": str(shape.channels), "size": size}


def _note(graph: LayerGraph) -> str:
    """The note that lists the free operators and the number of layers that are not counted."""
    parts = list(graph.notes)
    if graph.free:
        parts.append("free: " + ", ".join(f"{count} {name}" for name, count in graph.free))
    uncounted = sum(layer.uncounted for layer in graph.layers)
    if uncounted:
        parts.append(f"{counted(uncounted, 'layer')} not counted")
    return "; ".join(parts)
