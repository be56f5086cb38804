"""Look-ups of table rows."""

from math import prod
from typing import Any

from convcost.importing.frontends.torch.constant_value import ConstantValue, weights
from convcost.importing.frontends.torch.registry import TorchCall, operator
from convcost.importing.ir.tensor import MATRIX_RANK, Tensor, permuted, reshaped

BAGS = ("sum", "mean", "max")  # in the order of PyTorch's numbers


@operator("embedding", op="embedding")
def embedding(call: TorchCall) -> Any:
    table, indices = call.given["weight"], call.given["indices"]
    if not isinstance(table, ConstantValue) or not isinstance(indices, Tensor):
        return call.custom("look-up")
    return _looked_up(call, table, indices)


@operator("embedding_bag")
def embedding_bag(call: TorchCall) -> Any:
    """Rows of a table, and a reduction over them. For several bags, only the look-up is counted."""
    arguments = call.given
    table, indices = arguments["weight"], arguments["indices"]
    first = call._replace(dims=call.dims[0])
    single = isinstance(table, ConstantValue) and isinstance(indices, Tensor) and first.dims[0] == 1
    if not single or arguments["per_sample_weights"] is not None:
        return call.custom("look-up of bags")
    rows = _looked_up(call, table, reshaped(indices, (1, *indices.dims)))
    y = call.lower(BAGS[arguments["mode"]], rows, axes=[1], keep=False)
    return (y, *(None for _ in call.dims[1:]))


@operator("index")
def index(call: TorchCall) -> Any:
    """A learned table indexed by a stored tensor is an embedding of that tensor. Indexing any other
    tensor only moves elements."""
    table, indices = call.given["self"], call.given["indices"]
    numbers = [index_tensor for index_tensor in indices if index_tensor is not None]
    if not isinstance(table, ConstantValue) or table.leaf is None or len(numbers) != 1:
        return call.custom("gather")
    ids = numbers[0]
    if len(table.dims) != MATRIX_RANK or not isinstance(ids, ConstantValue) or ids.leaf is None:
        return call.custom("gather")
    axis = indices.index(ids)
    flat = ids._replace(dims=(prod(ids.dims),), node=(ids.node, "flat"))
    x = call.tensor(flat)._replace(batch=None)
    rows = reshaped(_looked_up(call, table, x, axis), (*ids.dims, table.dims[1 - axis]))
    return rows if axis == 0 else permuted(rows, (len(ids.dims), *range(len(ids.dims))))


def _looked_up(call: TorchCall, table: ConstantValue, numbers: Tensor, axis: int = 0) -> Tensor:
    """The entries of a table along an axis."""
    rows, channels = table.dims[axis], table.dims[1 - axis]
    return call.lower("embedding", numbers, rows=rows, channels=channels, weights=weights(table))
