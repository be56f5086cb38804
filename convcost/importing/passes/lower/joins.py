"""Operators of several tensors: elementwise with NumPy's broadcasting, concatenation, products."""

from collections.abc import Mapping, Sequence
from typing import Any

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.layer_graph import Path
from convcost.importing.ir.ops import OPS, Node, Trait
from convcost.importing.ir.tensor import Tensor, output_tensor, reshaped, transposed, with_rank
from convcost.importing.passes.lower.pointwise import pointwise
from convcost.importing.passes.lowering import lowering
from convcost.model.errors import ConstraintError


@lowering(*(op.name for op in OPS.values() if Trait.JOINS in op.traits))
def join(builder: GraphBuilder, node: Node) -> Tensor:
    """A tensor times itself is its square. A single tensor, such as in `x + 1`, adds
    no layer."""
    if len(node.inputs) == 1:
        builder.free[node.op] += 1
        return node.x
    if node.op == "multiply" and node.inputs == node.inputs[:1] * 2:
        return pointwise(builder, "elementwise", node.x, node.path, {"function": "square"})
    return elementwise(builder, node.op, node.inputs, node.path)


def elementwise(builder: GraphBuilder, kind: str, values: Sequence[Tensor], path: Path) -> Tensor:
    """`add` or `multiply`. All other elementwise joins have the same cost, which is nothing."""
    rank = max(len(value.dims) for value in values)
    full = [with_rank(value, rank) for value in values]
    sides, first = _align_batch(full)
    sources = [builder.materialize(value, first.channel, path) for value in sides]
    index = builder.emit(kind, path, sources)
    return output_tensor(index, builder.shape(index), rank, first.channel, first.batch)


@lowering("concat")
def concat(builder: GraphBuilder, node: Node) -> Tensor:
    """Concatenates along `axis`; with `new`, that is an axis that the inputs do not have. If it
    seemed to be the batch, it is steps instead."""
    values, new = node.inputs, node.attributes.get("new", False)
    axis = node.attributes["axis"] % (len(node.x.dims) + new)
    if new:
        values = tuple(_with_axis(x, axis) for x in values)
    if len(values) == 1:
        builder.free[node.op] += 1
        return values[0]
    if any(x.batch == axis for x in values):
        extents = enumerate(zip(*(x.dims for x in values), strict=True))
        batch = next((other for other, dims in extents if other != axis and set(dims) == {1}), None)
        values = tuple(x._replace(batch=batch) for x in values)
    sides, first = _align_batch(values)
    channel = first.channel
    sources = [builder.materialize(value, channel, node.path) for value in sides]
    index = builder.emit("concat", node.path, sources, first.along(axis, channel))
    return output_tensor(index, builder.shape(index), len(first.dims), channel, first.batch)


def _with_axis(x: Tensor, axis: int) -> Tensor:
    """The tensor with one more axis of extent 1, which is not the batch."""
    batch = x.batch if x.batch is None or x.batch < axis else x.batch + 1
    return reshaped(x, (*x.dims[:axis], 1, *x.dims[axis:]))._replace(batch=batch)


@lowering("matmul")
def matmul(builder: GraphBuilder, node: Node) -> Tensor:
    """[..., n, k] times [..., k, m] like in NumPy: a vector is a row on the left, and a column on
    the right."""
    left, right = node.inputs
    if not left.dims or not right.dims:
        raise ConstraintError("CC404", "a matrix product needs tensors, not scalars")
    first, second = len(left.dims) == 1, len(right.dims) == 1
    a = reshaped(left, (1, *left.dims)) if first else left
    b = reshaped(right, (*right.dims, 1)) if second else right
    rank = max(len(a.dims), len(b.dims))
    sides = [with_rank(x, rank) for x in (a, b)]
    y = product(builder, "matmul", sides, node.path)
    dims = [*y.dims[:-2], *(() if first else y.dims[-2:-1]), *(() if second else y.dims[-1:])]
    return reshaped(y, dims)


@lowering("attention")
def attention(builder: GraphBuilder, node: Node) -> Tensor:
    """Inputs [.., n, d], [.., m, d] and [.., m, e]; output [.., n, e]. The layer states `heads` if
    they are known. `passes/fusions.py` finds heads that channels are split into before."""
    return product(builder, "attention", node.inputs, node.path, node.attributes)


def product(
    builder: GraphBuilder,
    kind: str,
    values: Sequence[Tensor],
    path: Path,
    options: Mapping[str, Any] | None = None,
) -> Tensor:
    """`matmul` or `attention`. The rows are the second-to-last axis, the columns the last axis."""
    values = [without_matrix_batch(value) for value in values]
    if kind == "matmul" and not options:
        values, options = _with_transpose_option(values)
    sources = [builder.materialize(value, -1, path) for value in values]
    index = builder.emit(kind, path, sources, options)
    first = max(values, key=lambda value: len(value.dims))
    rank, batch = len(first.dims), first.batch
    if batch is not None and any(x.dims[batch] != 1 for x in values if len(x.dims) == rank):
        batch = None  # the other tensor has several matrices there
    return output_tensor(index, builder.shape(index), rank, rank - 1, batch)


def without_matrix_batch(value: Tensor) -> Tensor:
    """The tensor without its batch axis if that is the axis of the rows or columns."""
    inner = value.batch is not None and value.batch >= len(value.dims) - 2
    return value._replace(batch=None) if inner else value


def _with_transpose_option(values: Sequence[Tensor]) -> tuple[Sequence[Tensor], dict[str, Any]]:
    """The inputs of a product with the option `transpose`, if the second input is the transpose of
    a tensor."""
    first, second = values
    turned = without_matrix_batch(transposed(second))
    if not _keeps_inner_axis(second) and _keeps_inner_axis(turned):
        return (first, turned), {"transpose": True}
    return values, {}


def _keeps_inner_axis(value: Tensor) -> bool:
    """Whether the innermost axis is the same as before the rearrangement."""
    if value.axes is not None:
        return value.axes[-1] == 0
    order = value.moves[-1].order
    return not order or order[-1] == max(axis for axis in order if value.moves[-2].dims[axis] != 1)


def _align_batch(values: Sequence[Tensor]) -> tuple[Sequence[Tensor], Tensor]:
    """All tensors with the same batch axis, if that axis has extent 1 in each; and the tensor whose
    layout the others get: the largest tensor with a layout."""
    first = max(values, key=lambda x: (x.axes is not None, x.elements, x.batch is not None))
    batch = first.batch
    batch = batch if batch is not None and all(x.dims[batch] == 1 for x in values) else None
    return [x._replace(batch=batch) for x in values], first._replace(batch=batch)
