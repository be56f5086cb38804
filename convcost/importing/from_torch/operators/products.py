"""Matrix products: of learned weights a linear layer, of what flows a `matmul`."""

from math import prod
from typing import Any, TypeGuard

from convcost.importing.from_torch.held import Held
from convcost.importing.from_torch.materials import flowing, main, weights
from convcost.importing.from_torch.names import parted
from convcost.importing.from_torch.registry import Call, operator
from convcost.importing.from_torch.unknown import stated
from convcost.importing.parts.joins import elementwise, product
from convcost.importing.parts.linear import connected
from convcost.importing.parts.pointwise import by_channel
from convcost.importing.parts.tensors import met
from convcost.importing.value import Value, arranged, permuted

MATRIX = 2


@operator("aten.linear")
def linear(call: Call) -> Any:
    """`weight` is [features, inputs]."""
    given = call.given
    x, weight, bias = given["input"], given["weight"], given["bias"]
    if _learned(weight):
        return _connected(call, flowing(call.easel, x), weight.dims[0], weight, bias)
    if isinstance(weight, Held):
        own, others = main(weight)
        whole = sum(own.values()) == prod(weight.dims)
        if whole and sum(others.values()) in (0, weight.dims[0]):
            return _factored(call, flowing(call.easel, x), weight, own, others)
    turned = _turned(flowing(call.easel, weight))
    return _plus(call, multiplied(call, flowing(call.easel, x), turned), bias)


def _factored(
    call: Call, x: Value, weight: Held, own: dict[str, int], others: dict[str, int]
) -> Value:
    """Weights that are worked out of a matrix and of a factor for each feature: weight norm."""
    bias, features = call.given["bias"], weight.dims[0]
    y = connected(call.easel, x, call.path, features=features, tensors=own, bias=False)
    if others:
        path = parted(next(iter(others)))
        y = by_channel(call.easel, "scale", y, path, len(y.dims) - 1, tensors=others)
    return _plus(call, y, bias)


@operator("aten.matmul", "aten.mm", "aten.bmm")
def matmul(call: Call) -> Any:
    return _product(call, call.given["self"], call.given.get("other", call.given.get("mat2")))


@operator("aten.addmm")
def addmm(call: Call) -> Any:
    given = call.given
    a, b, bias = given["mat1"], given["mat2"], given["self"]
    if isinstance(a, Value) and _learned(b) and _vector(bias):
        return _connected(call, a, b.dims[-1], b, bias)
    return _plus(call, _product(call, a, b), bias)


@operator("aten.baddbmm")
def baddbmm(call: Call) -> Any:
    given = call.given
    return _plus(call, _product(call, given["batch1"], given["batch2"]), given["self"])


@operator("aten.bilinear")
def bilinear(call: Call) -> Any:
    """For each feature a row times a matrix, and that times a column.

    `weight` is [features, rows, columns].
    """
    features, rows, columns = call.given["weight"].dims
    positions = prod(call.dims) // features
    return stated(call, "bilinear", positions * features * (rows * columns + columns))


def _product(call: Call, a: Value | Held, b: Value | Held) -> Any:
    if isinstance(a, Value) and _learned(b) and len(b.dims) == MATRIX:
        return _connected(call, a, b.dims[-1], b, None)
    if isinstance(b, Value) and _learned(a) and len(a.dims) == MATRIX and len(b.dims) >= MATRIX:
        return _turned(_connected(call, _turned(b), a.dims[0], a, None))
    return multiplied(call, flowing(call.easel, a), flowing(call.easel, b))


def _learned(x: Any) -> TypeGuard[Held]:
    """Whether these are weights: one learned tensor, each element once."""
    return isinstance(x, Held) and x.leaf is not None and x.leaf.learned


def _vector(x: Any) -> bool:
    return _learned(x) and len(x.dims) == 1


def _connected(
    call: Call, x: Value, features: int, weight: Held, bias: Value | Held | None
) -> Value:
    if len(x.dims) == 1:
        x = x._replace(batch=None)
    # A bias put together of learned and of fixed numbers is a tensor of its own.
    alone = not weights(weight).keys() & call.apart
    learned = isinstance(bias, Held) and sum(weights(bias).values()) == features
    held = learned and alone
    y = connected(
        call.easel, x, call.path, features=features,
        tensors=weights(weight, bias if isinstance(bias, Held) and held else None), bias=held,
    )  # fmt: skip
    return y if held else _plus(call, y, bias)


def multiplied(call: Call, a: Value, b: Value) -> Any:
    """[…, n, k] times […, k, m]; told as a product with transposed keys where `b` is a turned
    tensor."""
    if min(len(a.dims), len(b.dims)) < MATRIX:
        return stated(call, "product with a vector", max(a.elements, b.elements))
    a, b = _rows(a), _rows(b)
    turned = _turned(b)
    transposed = arranged(turned, -1)[1] or (not arranged(b, -1)[1] and _was_turned(b))
    transposed = transposed and not arranged(b, -1)[1]
    second = turned if transposed else b
    options = {"transpose": True} if transposed else {}
    return product(call.easel, "matmul", [a, second], call.path, options)


def _rows(x: Value) -> Value:
    """A matrix has rows, be it a single one."""
    rank = len(x.dims)
    return x._replace(batch=None) if rank == MATRIX or x.batch in (rank - 1, rank - 2) else x


def _turned(x: Value) -> Value:
    rank = len(x.dims)
    return permuted(x, (*range(rank - 2), rank - 1, rank - 2))


def _was_turned(x: Value) -> bool:
    return bool(x.moves) and x.moves[-1].by[-2:] == (len(x.dims) - 1, len(x.dims) - 2)


def _plus(call: Call, y: Value, bias: Value | Held | None) -> Value:
    if bias is None or (isinstance(bias, Held) and not bias.leaves):
        return y
    if isinstance(bias, Held) and bias.leaf is not None and bias.leaf.learned:
        return met(call.easel, "add", y, bias.leaf.key, bias.dims, parted(bias.leaf.key))
    return elementwise(call.easel, "add", [y, flowing(call.easel, bias)], call.path)
