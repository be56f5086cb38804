"""Slices and concatenations."""

from convcost.importing.frontends.onnx.call import OnnxCall
from convcost.importing.frontends.onnx.constant_views import regular_entries, sliced_entries
from convcost.importing.frontends.onnx.registry import operator, row
from convcost.importing.ir.constant import Constant
from convcost.importing.ir.tensor import MATRIX_RANK, Tensor, reshaped
from convcost.importing.passes.lower.slices import split_axis
from convcost.importing.passes.lower.stored_tensors import learned_tensor


@operator("Split", op="split")
def split(call: OnnxCall) -> tuple[Tensor, ...]:
    x = call.value()
    axis = call.axis(0, len(x.dims))
    lengths = call.numbers("split", 1)
    if lengths is None:
        parts = call.get("num_outputs", len(call.outputs))
        share = -(-x.dims[axis] // parts)
        lengths = (*(share for _ in range(parts - 1)), x.dims[axis] - share * (parts - 1))
    return tuple(split_axis(call.builder, x, axis, lengths, call.path()))


# One part of a sequence, found as a pattern.
row(
    "slice",
    "Piece",
    axis="axis",
    remove_axis=lambda call: not call.get("keep"),
    entries=lambda call: range(call.get("start"), call.get("start") + call.get("length")),
)


@operator("Slice", op="slice")
def slice_(call: OnnxCall) -> Tensor:
    x = call.value()
    starts, ends = call.numbers("starts", 1), call.numbers("ends", 2)
    assert starts is not None
    assert ends is not None
    axes_and_steps = [
        call.numbers(name, position) or () for position, name in ((3, "axes"), (4, "steps"))
    ]
    for axis, entries in sliced_entries(x.dims, starts, ends, *axes_and_steps):
        x = call.lower("slice", x, axis=axis, entries=entries)
    return x


@operator("Gather", op="embedding", weights=0)
def gather(call: OnnxCall) -> Tensor:
    table, indices = call.constant(0), call.constant(1)
    if table is not None and call.depends_on_input(1):
        return _looked_up(call)
    if call.get("axis", 0) == 0 and (rows := rows_at_stored_indices(call)) is not None:
        return rows
    x = call.value()
    axis = call.axis(0, len(x.dims))
    if indices is None or indices.data is None:
        return call.custom(what="gather")
    entries = regular_entries(indices.data, x.dims[axis]) if indices.elements else range(0)
    rest = (*x.dims[:axis], *indices.dims, *x.dims[axis + 1 :])
    if not entries or entries.step < 0:
        return call.custom(rest, "gather")
    return reshaped(call.lower("slice", x, axis=axis, entries=entries), rest)


def rows_at_stored_indices(call: OnnxCall) -> Tensor | None:
    """Rows of a learned table at indices that the model stores, such as a bias of relative
    positions; None if the node is something else."""
    table, indices = call.constant(0), call.constant(1)
    if (
        table is None
        or not (table.learned and table.has_whole_source)
        or len(table.dims) != MATRIX_RANK
    ):
        return None
    key = "" if indices is None or call.depends_on_input(0) else call.context.origin(indices)
    if key not in call.context.buffers or indices is None:
        return None
    numbers = learned_tensor(
        call.builder, key, (indices.elements,), call.path("table"),
        neighbour=call.neighbour, buffer=True,
    )._replace(batch=None)  # fmt: skip
    outer = indices.dims[:-1] if call.op == "GatherND" else indices.dims
    return reshaped(_embedding(call, numbers, table), (*outer, table.dims[1]))


def _looked_up(call: OnnxCall) -> Tensor:
    """An embedding: one row of a table for each index."""
    table = call.constant(0)
    assert table is not None
    x = call.value(1)
    if len(table.dims) != MATRIX_RANK or call.get("axis", 0) != 0 or not table.learned:
        call.value(0)
        return call.custom()
    return _embedding(call, x, table)._replace(batch=x.batch)


def _embedding(call: OnnxCall, numbers: Tensor, table: Constant) -> Tensor:
    rows, channels = table.dims
    tensors = call.tensors(0)
    return call.lower("embedding", numbers, rows=rows, channels=channels, weights=tensors)


@operator("Concat", "ConcatFromSequence", "QLinearConcat", op="concat")
def concat(call: OnnxCall) -> Tensor:
    """Inputs of `QLinearConcat`: scale and zero point of the output, then tensors, each with its
    scale and zero point. Constants without elements are left out."""
    first, step = (2, 3) if call.op == "QLinearConcat" else (0, 1)
    positions = range(first, len(call.inputs), step)
    constants = [(position, call.constant(position)) for position in positions]
    places = [position for position, constant in constants if constant is None or constant.elements]
    if len(places) == 1:
        return call.free(call.value(places[0]))
    values = [call.value(position) for position in places]
    axis = call.axis(1, len(values[0].dims))
    return call.lower("concat", *values, axis=axis)
