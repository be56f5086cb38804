"""Rows of tables, looked up."""

from math import prod
from typing import Any

from convcost.importing.from_torch.held import Held
from convcost.importing.from_torch.materials import flowing, weights
from convcost.importing.from_torch.registry import Call, operator
from convcost.importing.from_torch.unknown import stated
from convcost.importing.parts.reductions import reduced
from convcost.importing.value import Value, made, permuted, reshaped

MATRIX = 2
BAGS = ("sum", "mean", "max")  # by PyTorch's numbers


@operator("aten.embedding")
def embedding(call: Call) -> Any:
    table, indices = call.given["weight"], call.given["indices"]
    if not isinstance(table, Held) or not isinstance(indices, Value):
        return stated(call, "look-up")
    if indices.shape.size:  # the table is the same at every position
        return _looked_up(call, table, reshaped(indices, (*indices.dims, 1)), call.dims)
    flat = reshaped(indices, (prod(indices.dims),))._replace(batch=None)
    return _looked_up(call, table, flat, call.dims)


@operator("aten.embedding_bag")
def embedding_bag(call: Call) -> Any:
    """Rows of a table, and one number for all of them; of several bags only that they are looked
    up is told."""
    given = call.given
    table, indices = given["weight"], given["indices"]
    first = call._replace(dims=call.dims[0])
    single = isinstance(table, Held) and isinstance(indices, Value) and first.dims[0] == 1
    if not single or given["per_sample_weights"] is not None:
        return stated(call, "look-up of bags")
    rows = embedding(first._replace(dims=(1, *indices.dims, first.dims[1])))
    y = reduced(call.easel, BAGS[given["mode"]], rows, [1], keep=False, path=call.path)
    return (y, *(None for _ in call.dims[1:]))


@operator("aten.index")
def index(call: Call) -> Any:
    """A learned table gathered by numbers that the model keeps is an embedding of them; what
    flows is only moved."""
    table, at = call.given["self"], call.given["indices"]
    numbers = [one for one in at if one is not None]
    if not isinstance(table, Held) or table.leaf is None or len(numbers) != 1:
        return stated(call, "gather")
    kept = numbers[0]
    if len(table.dims) != MATRIX or not isinstance(kept, Held) or kept.leaf is None:
        return stated(call, "gather")
    axis = at.index(kept)
    flat = flowing(call.easel, kept._replace(dims=(prod(kept.dims),), node=(kept.node, "flat")))
    flat = flat._replace(batch=None)
    rows, channels = (table.dims[axis], table.dims[1 - axis])
    dims = (*kept.dims, channels)
    found = _looked_up(call, table, flat, dims, rows)
    return found if axis == 0 else permuted(found, (len(dims) - 1, *range(len(dims) - 1)))


def _looked_up(
    call: Call, table: Held, numbers: Value, dims: tuple[int, ...], rows: int | None = None
) -> Value:
    options = {"channels": dims[-1], "rows": rows or table.dims[0]}
    source = call.easel.demand(numbers, -1, call.path)
    place = call.easel.emit("embedding", call.path, [source], options, tensors=weights(table))
    shape = call.easel.shape(place)
    rank = 1 + len(shape.size)
    return reshaped(made(place, shape, rank, rank - 1, None), dims)
