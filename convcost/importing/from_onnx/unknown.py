"""Operators without a kind: free ones that only state their shape, and ones nobody counts."""

from typing import Any

from convcost.errors import Refusal
from convcost.importing.from_onnx.graph import STANDARD, Node
from convcost.importing.from_onnx.shapes import Dims
from convcost.importing.from_onnx.sheet import Sheet
from convcost.importing.parts.stated import bounded
from convcost.importing.value import Value, made
from convcost.shapes import Shape


def stated(sheet: Sheet, node: Node, dims: Dims | None = None, what: str = "") -> Value:
    """A `custom` layer for an operator known to cost no multiply-adds, with the shape it gives:
    `dims`, or what inference knows."""
    return _custom(sheet, node, 0, dims, what or node.op.lower(), {"macs": 0})


def uncounted(sheet: Sheet, node: Node) -> tuple[Value, ...]:
    """`custom` layers that say that nobody counts them. Raises Refusal where their shape is not
    known."""
    wanted = [at for at in range(len(node.outputs)) if sheet.wanted(node, at)]
    if any(sheet.dims(node, at) is None for at in wanted):
        raise _shapeless(node)
    what = node.op if node.domain in ("", "ai.onnx") else f"{node.domain}::{node.op}"
    tensors = sheet.tensors(
        node,
        *(
            at
            for at in range(len(node.inputs))
            if (constant := sheet.constant(node, at)) is not None
            and constant.learned
            and constant.real
            and constant.elements > 1
        ),
    )
    found = []
    for at in range(max(wanted, default=0) + 1):
        dims = sheet.dims(node, at) or (1,)
        label = what if at == 0 else f"{what}, output {at + 1}"
        held = tensors if at == 0 else {}
        found.append(_custom(sheet, node, at, dims, label, {"macs": "uncounted"}, held))
    return tuple(found)


def _shapeless(node: Node) -> Refusal:
    domain = node.domain or STANDARD[-1]
    return Refusal(
        "CC401",
        f"nobody knows what {node.op} of the domain `{domain}` is, nor the shape it gives",
        "add its shape to the file's value_info",
    )


def _custom(
    sheet: Sheet,
    node: Node,
    at: int,
    dims: Dims | None,
    what: str,
    options: dict[str, Any],
    tensors: dict[str, int] | None = None,
) -> Value:
    dims = sheet.dims(node, at) if dims is None else dims
    if dims is None:
        raise Refusal("CC401", "the shape of what it gives is not known beforehand")
    if any(extent < 1 for extent in dims):
        raise Refusal("CC401", f"it gives a tensor of no elements: {list(dims)}")
    values = [sheet.values[name] for name in node.inputs if name in sheet.values]
    if not values:
        values = [sheet.value(node, 0)]
    first = max(values, key=lambda value: value.elements)
    rank = len(dims)
    batch = 0 if rank > 1 and dims[0] == 1 else None
    same = rank == len(first.dims) and first.axes is not None
    channel = first.channel if same and first.channel != batch else rank - 1
    sources = [sheet.easel.demand(value, value.channel, sheet.path(node)) for value in values]
    size = tuple(n for axis, n in enumerate(dims) if axis not in (channel, batch))
    shape = Shape(dims[channel], size) if dims else Shape(1)
    params = sum((tensors or {}).values())
    inputs, bound = bounded(sheet.easel, list(dict.fromkeys(sources)), shape)
    full = {"what": what, "params": params, **bound, **options}
    index = sheet.easel.emit("custom", sheet.path(node), inputs, full, tensors=tensors)
    if not dims:
        return made(index, shape, 1, 0, None)._replace(dims=(), axes=())
    return made(index, shape, rank, channel, batch)
