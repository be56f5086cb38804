"""Slices and concatenations."""

from itertools import pairwise

from convcost.importing.frontends.onnx.context import LoweringContext, axis_of, get
from convcost.importing.frontends.onnx.evaluate import np_flat
from convcost.importing.frontends.onnx.graph import OnnxNode
from convcost.importing.frontends.onnx.registry import operator
from convcost.importing.frontends.onnx.unknown import custom_layer
from convcost.importing.ir.tensor import Tensor, reshaped
from convcost.importing.passes.lower.stored_tensors import learned_tensor

MATRIX = 2


@operator("Split", op="split")
def split(context: LoweringContext, node: OnnxNode) -> tuple[Tensor, ...]:
    x = context.value(node)
    axis = axis_of(node, 0, len(x.dims))
    lengths = context.numbers(node, "split", 1)
    if lengths is None:
        parts = get(node, "num_outputs", len(node.outputs))
        share = -(-x.dims[axis] // parts)
        lengths = (*(share for _ in range(parts - 1)), x.dims[axis] - share * (parts - 1))
    found, start = [], 0
    for at, length in enumerate(lengths):
        if context.is_output_used(node, at):
            kept = range(start, start + length)
            found.append(context.lower(node, "slice", x, axis=axis, kept=kept))
        else:
            found.append(x._replace(dims=(*x.dims[:axis], length, *x.dims[axis + 1 :])))
        start += length
    return tuple(found)


@operator("Piece", op="slice")
def piece(context: LoweringContext, node: OnnxNode) -> Tensor:
    """One part of a sequence, found as a pattern."""
    axis, start, length = (node.attributes[name] for name in ("axis", "start", "length"))
    kept = range(start, start + length)
    return context.lower(node, "slice", axis=axis, kept=kept, drop=not node.attributes["keep"])


@operator("Slice", op="slice")
def slice_(context: LoweringContext, node: OnnxNode) -> Tensor:
    x = context.value(node)
    starts, ends = context.numbers(node, "starts", 1), context.numbers(node, "ends", 2)
    assert starts is not None
    assert ends is not None
    axes = context.numbers(node, "axes", 3) or tuple(range(len(starts)))
    steps = context.numbers(node, "steps", 4) or (1,) * len(starts)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        stop = end if step > 0 or end >= -x.dims[axis] else None
        kept = range(x.dims[axis])[slice(start, stop, step)]
        x = context.lower(node, "slice", x, axis=axis, kept=kept)
    return x


@operator("Gather", op="embedding", weights=0)
def gather(context: LoweringContext, node: OnnxNode) -> Tensor:
    table, at = context.constant(node, 0), context.constant(node, 1)
    if table is not None and context.depends_on_input(node, 1):
        return _looked_up(context, node)
    if get(node, "axis", 0) == 0 and (found := by_buffer(context, node)) is not None:
        return found
    x = context.value(node)
    axis = axis_of(node, 0, len(x.dims))
    if at is None or at.data is None:
        return custom_layer(context, node, what="gather")
    indices = [int(n) % x.dims[axis] for n in np_flat(at.data)]
    steps = {b - a for a, b in pairwise(indices)}
    rest = (*x.dims[:axis], *at.dims, *x.dims[axis + 1 :])
    if len(steps) > 1 or min(steps, default=1) < 1:
        return custom_layer(context, node, rest, "gather")
    kept = range(indices[0], indices[-1] + 1, min(steps, default=1))
    return reshaped(context.lower(node, "slice", x, axis=axis, kept=kept), rest)


def by_buffer(context: LoweringContext, node: OnnxNode) -> Tensor | None:
    """Rows of a learned table at indices that the model stores, such as a bias of relative
    positions; None if the node is something else."""
    table, at = context.constant(node, 0), context.constant(node, 1)
    key = context.origin(at) if at is not None and not context.depends_on_input(node, 0) else ""
    if table is None or not (table.learned and table.whole) or len(table.dims) != MATRIX:
        return None
    if key not in context.buffers or at is None:
        return None
    path = context.path(node)
    names = (*path, "table")
    numbers = learned_tensor(
        context.builder, key, (at.elements,), names, beside=context.beside(node), buffer=True
    )._replace(batch=None)
    outer = at.dims[:-1] if node.op == "GatherND" else at.dims
    tensors = context.tensors(node, 0, kinds=("embedding", "linear"))
    rows, channels = table.dims
    y = context.lower(node, "embedding", numbers, rows=rows, channels=channels, weights=tensors)
    return reshaped(y, (*outer, channels))


def _looked_up(context: LoweringContext, node: OnnxNode) -> Tensor:
    """An embedding: one row of a table for each index."""
    table = context.constant(node, 0)
    assert table is not None
    x = context.value(node, 1)
    if len(table.dims) != 2 or get(node, "axis", 0) != 0 or not table.learned:  # noqa: PLR2004
        context.value(node, 0)
        return custom_layer(context, node)
    tensors = context.tensors(node, 0, kinds=("embedding", "linear"))
    rows, channels = table.dims
    y = context.lower(node, "embedding", x, rows=rows, channels=channels, weights=tensors)
    return y._replace(batch=x.batch)


@operator("Concat", "ConcatFromSequence", op="concat")
def concat(context: LoweringContext, node: OnnxNode) -> Tensor:
    return _concat(context, node, list(range(len(node.inputs))))


@operator("QLinearConcat", op="concat")
def quantized_concat(context: LoweringContext, node: OnnxNode) -> Tensor:
    return _concat(context, node, list(range(2, len(node.inputs), 3)))


def _concat(context: LoweringContext, node: OnnxNode, at: list[int]) -> Tensor:
    kept = []
    for one in at:
        constant = context.constant(node, one)
        if constant is None or constant.elements:
            kept.append(one)
    if len(kept) == 1:
        return context.free(node, context.value(node, kept[0]))
    values = [context.value(node, one) for one in kept]
    axis = axis_of(node, 1, len(values[0].dims))
    return context.lower(node, "concat", *values, axis=axis)
