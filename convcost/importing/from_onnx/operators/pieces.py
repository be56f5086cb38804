"""Pieces of tensors, and tensors side by side."""

from itertools import pairwise

from convcost.errors import Refusal
from convcost.importing.from_onnx.graph import Node
from convcost.importing.from_onnx.operators import operator
from convcost.importing.from_onnx.sheet import Sheet, axis_of, get
from convcost.importing.from_onnx.unknown import stated
from convcost.importing.from_onnx.work import np_flat
from convcost.importing.parts import pieces
from convcost.importing.parts.joins import side_by_side
from convcost.importing.value import Value, made, reshaped


@operator("Split")
def split(sheet: Sheet, node: Node) -> tuple[Value, ...]:
    x = sheet.value(node)
    axis = axis_of(node, 0, len(x.dims))
    lengths = sheet.numbers(node, "split", 1)
    if lengths is None:
        parts = get(node, "num_outputs", len(node.outputs))
        share = -(-x.dims[axis] // parts)
        lengths = (*(share for _ in range(parts - 1)), x.dims[axis] - share * (parts - 1))
    found, start = [], 0
    for at, length in enumerate(lengths):
        path = sheet.path(node)
        if sheet.wanted(node, at):
            found.append(pieces.piece(sheet.easel, x, axis, start, length, path))
        else:
            found.append(x._replace(dims=(*x.dims[:axis], length, *x.dims[axis + 1 :])))
        start += length
    return tuple(found)


@operator("Piece")
def piece(sheet: Sheet, node: Node) -> Value:
    """One of a sequence of pieces, as a pattern found it."""
    x = sheet.value(node)
    axis, start, length = (node.attributes[name] for name in ("axis", "start", "length"))
    x = pieces.piece(sheet.easel, x, axis, start, length, sheet.path(node))
    if node.attributes["keep"]:
        return x
    return reshaped(x, (*x.dims[:axis], *x.dims[axis + 1 :]))


@operator("Slice")
def slice_(sheet: Sheet, node: Node) -> Value:
    x = sheet.value(node)
    starts, ends = sheet.numbers(node, "starts", 1), sheet.numbers(node, "ends", 2)
    assert starts is not None
    assert ends is not None
    axes = sheet.numbers(node, "axes", 3) or tuple(range(len(starts)))
    steps = sheet.numbers(node, "steps", 4) or (1,) * len(starts)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        there = range(x.dims[axis])[
            slice(start, end if step > 0 or end >= -x.dims[axis] else None, step)
        ]
        if not there:
            raise Refusal("CC401", f"keeps nothing of axis {axis} of {list(x.dims)}")
        first, stride = (there[0], there.step) if there.step > 0 else (there[-1], -there.step)
        x = pieces.piece(sheet.easel, x, axis, first, len(there), sheet.path(node), stride)
    return x


@operator("Gather")
def gather(sheet: Sheet, node: Node) -> Value:
    table, at = sheet.constant(node, 0), sheet.constant(node, 1)
    if table is not None and sheet.flows(node, 1):
        return _looked_up(sheet, node)
    x = sheet.value(node)
    axis = axis_of(node, 0, len(x.dims))
    if at is None or at.data is None:
        return stated(sheet, node)
    indices = [int(n) % x.dims[axis] for n in np_flat(at.data)]
    steps = {b - a for a, b in pairwise(indices)}
    rest = (*x.dims[:axis], *at.dims, *x.dims[axis + 1 :])
    if len(steps) > 1 or min(steps, default=1) < 1:
        return stated(sheet, node, rest)
    step = min(steps, default=1)
    path = sheet.path(node)
    return reshaped(pieces.piece(sheet.easel, x, axis, indices[0], len(indices), path, step), rest)


def _looked_up(sheet: Sheet, node: Node) -> Value:
    """A row of a table for every number that comes in: an embedding."""
    table = sheet.constant(node, 0)
    assert table is not None
    x = sheet.value(node, 1)
    if len(table.dims) != 2 or get(node, "axis", 0) != 0 or not table.learned:  # noqa: PLR2004
        sheet.value(node, 0)
        return stated(sheet, node)
    options = {"channels": table.dims[1], "rows": table.dims[0]}
    tensors = sheet.tensors(node, 0, kinds=("embedding", "linear"))
    flat = x._replace(axes=tuple(-1 if a == x.batch else 0 for a in range(len(x.dims))))
    source = flat.source
    index = sheet.easel.emit("embedding", sheet.path(node), [source], options, tensors=tensors)
    rank = len(x.dims) + 1
    return made(index, sheet.easel.shape(index), rank, rank - 1, x.batch)


@operator("Concat", "ConcatFromSequence")
def concat(sheet: Sheet, node: Node) -> Value:
    return _concat(sheet, node, list(range(len(node.inputs))))


@operator("QLinearConcat")
def quantized_concat(sheet: Sheet, node: Node) -> Value:
    return _concat(sheet, node, list(range(2, len(node.inputs), 3)))


def _concat(sheet: Sheet, node: Node, at: list[int]) -> Value:
    kept = []
    for one in at:
        constant = sheet.constant(node, one)
        if constant is None or constant.elements:
            kept.append(one)
    if len(kept) == 1:
        return sheet.free(node, sheet.value(node, kept[0]))
    values = [sheet.value(node, one) for one in kept]
    axis = axis_of(node, 1, len(values[0].dims))
    if any(x.batch == axis for x in values):  # what looked like samples are steps
        batch = _samples(values, axis)
        values = [x._replace(batch=batch) for x in values]
    return side_by_side(sheet.easel, values, axis, sheet.path(node))


def _samples(values: list[Value], axis: int) -> int | None:
    """The first axis of 1 in all tensors besides that one."""
    extents = enumerate(zip(*(x.dims for x in values), strict=False))
    return next((at for at, found in extents if at != axis and set(found) == {1}), None)
