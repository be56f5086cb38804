"""Tensors side by side, and pieces of them."""

from typing import Any

from convcost.importing.from_torch.held import Held
from convcost.importing.from_torch.materials import flowing
from convcost.importing.from_torch.registry import Call, operator
from convcost.importing.parts.joins import side_by_side
from convcost.importing.parts.pieces import piece, split
from convcost.importing.value import Value, reshaped


@operator("aten.cat", "aten.concat", "aten.concatenate")
def cat(call: Call) -> Any:
    values = [flowing(call.easel, one) for one in call.given["tensors"] if _long(one)]
    return values[0] if len(values) == 1 else _beside(call, values, call.given["dim"])


@operator("aten.stack")
def stack(call: Call) -> Any:
    values = [flowing(call.easel, one) for one in call.given["tensors"]]
    rank = len(call.dims)
    dim = call.given["dim"] % rank
    longer = [_longer(x, dim) for x in values]
    return _beside(call, longer, dim)


def _longer(x: Value, dim: int) -> Value:
    """With an axis of 1 more, that is not the samples'."""
    batch = x.batch if x.batch is None or x.batch < dim else x.batch + 1
    return reshaped(x, (*x.dims[:dim], 1, *x.dims[dim:]))._replace(batch=batch)


def _beside(call: Call, values: list[Value], dim: int) -> Value:
    dim %= len(values[0].dims)
    ready = [x._replace(batch=None) if x.batch == dim else x for x in values]
    return side_by_side(call.easel, ready, dim, call.path)


def _long(x: Any) -> bool:
    """Legacy: an empty vector beside anything is nothing."""
    return 0 not in x.dims


@operator("aten.split", "aten.split_with_sizes", "aten.chunk", "aten.tensor_split")
def pieces(call: Call) -> Any:
    x, dim = _x(call), call.given["dim"]
    lengths = [dims[dim] for dims in call.dims]
    found = iter(split(call.easel, x, dim, [n for n in lengths if n], call.path))
    return tuple(
        next(found) if length else _nothing(dims)
        for length, dims in zip(lengths, call.dims, strict=True)
    )


@operator("aten.unbind")
def unbind(call: Call) -> Any:
    x = _x(call)
    dim = call.given["dim"] % len(x.dims)
    parts = split(call.easel, x, dim, [1] * x.dims[dim], call.path)
    return tuple(_without(part, dim) for part in parts)


@operator("aten.slice")
def slice_(call: Call) -> Any:
    x, given = _x(call), call.given
    dim = given["dim"] % len(x.dims)
    if 0 in call.dims:
        return _nothing(call.dims)
    start = _index(given["start"] or 0, x.dims[dim])
    return piece(call.easel, x, dim, start, call.dims[dim], call.path, given["step"] or 1)


@operator("aten.narrow")
def narrow(call: Call) -> Any:
    x, given = _x(call), call.given
    dim = given["dim"] % len(x.dims)
    if 0 in call.dims:
        return _nothing(call.dims)
    start = _index(given["start"], x.dims[dim])
    return piece(call.easel, x, dim, start, given["length"], call.path)


@operator("aten.select")
def select(call: Call) -> Any:
    x, given = _x(call), call.given
    dim = given["dim"] % len(x.dims)
    at = _index(given["index"], x.dims[dim])
    return _without(piece(call.easel, x, dim, at, 1, call.path), dim)


def _x(call: Call) -> Value:
    return flowing(call.easel, call.given["self"])


def _nothing(dims: tuple[int, ...]) -> Held:
    """A piece without elements, as a model cuts off tokens that it has none of."""
    return Held(dims, (), object())


def _index(at: int, extent: int) -> int:
    return min(max(at + extent if at < 0 else at, 0), extent)


def _without(x: Value, dim: int) -> Value:
    return reshaped(x, (*x.dims[:dim], *x.dims[dim + 1 :]))
