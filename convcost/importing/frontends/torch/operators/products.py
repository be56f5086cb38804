"""Matrix products, einsum and attention: a linear layer if one input is learned weights."""

from collections.abc import Mapping
from functools import partial
from math import prod
from typing import Any, TypeGuard

from convcost.importing.frontends.torch.constant_value import (
    ConstantValue,
    as_tensor,
    learned_tensors,
    weights,
)
from convcost.importing.frontends.torch.names import split_name
from convcost.importing.frontends.torch.operators.joins import is_unclaimed
from convcost.importing.frontends.torch.registry import TorchCall, operator
from convcost.importing.ir.tensor import MATRIX_RANK, Tensor, transposed
from convcost.importing.passes.lower.einsum import Operand, lower_einsum
from convcost.importing.passes.lower.linear import linear_from_left
from convcost.importing.passes.lower.stored_tensors import join_with_learned


@operator("linear", op="linear")
def linear(call: TorchCall) -> Tensor:
    """`weight` is [features, inputs]."""
    weight, bias = call.given["weight"], call.given["bias"]
    if isinstance(weight, ConstantValue):
        features = weight.dims[0]
        main_tensors, factors = learned_tensors(weight)
        has_all_weights = sum(main_tensors.values()) == prod(weight.dims)
        if has_all_weights and sum(factors.values()) in (0, features):
            return _lower_linear(call, call.x, features, main_tensors, bias, factors)
    y = call.lower("matmul", call.x, transposed(call.tensor(weight)))
    return _add_bias(call, y, bias)


@operator("matmul", "mm", "_int_mm", op="matmul")
@operator("bmm", op="matmul")
def matmul(call: TorchCall) -> Tensor:
    return _product(call, call.given["self"], call.given.get("other", call.given.get("mat2")))


@operator("addmm", op="linear")
def addmm(call: TorchCall) -> Tensor:
    a, b, bias = (call.given[name] for name in ("mat1", "mat2", "self"))
    if isinstance(a, Tensor) and _is_learned(b) and _is_learned(bias) and len(bias.dims) == 1:
        return _lower_linear(call, a, b.dims[-1], weights(b), bias)
    return _add_bias(call, _product(call, a, b), bias)


@operator("baddbmm", op="matmul")
def baddbmm(call: TorchCall) -> Tensor:
    return _add_bias(
        call, _product(call, call.given["batch1"], call.given["batch2"]), call.given["self"]
    )


@operator("bilinear")
def bilinear(call: TorchCall) -> Any:
    """Each feature is a row times a matrix times a column.

    `weight` is [features, rows, columns].
    """
    features, rows, columns = call.given["weight"].dims
    positions = prod(call.dims) // features
    return call.custom("bilinear", positions * features * (rows * columns + columns))


@operator("_grouped_mm", "transformers.grouped_mm_fallback", op="matmul")
def grouped_product(call: TorchCall) -> Any:
    """Multiplies each row with the matrix of its group, as in a mixture of experts. The sizes of
    groups depend on the data; their sum is known if they are the counts of a histogram.

    The inputs are [rows, k], [groups, k, features] and the end of each group.
    """
    a, b, ends = tuple(call.given.values())[:3]
    if (len(a.dims), len(b.dims)) != (MATRIX_RANK, MATRIX_RANK + 1) or not _are_all(
        call, a.dims[0], ends
    ):
        return call.add_uncounted()
    return call.custom("grouped product", prod(call.dims) * a.dims[1])


def _are_all(call: TorchCall, rows: int, ends: Any) -> bool:
    """Whether groups that end at the rows `ends` have all rows: `ends` is the running sum of a
    histogram of as many numbers."""
    layers, source = call.builder.layers, ends.source if isinstance(ends, Tensor) else -1
    for whats in (("cumsum",), ("histc", "bincount")):
        if source < 0 or dict(layers[source].options).get("what") not in whats:
            return False
        source = layers[source].inputs[0]
    return call.builder.shape(source).elements == rows


def _product(call: TorchCall, a: Tensor | ConstantValue, b: Tensor | ConstantValue) -> Tensor:
    if isinstance(a, Tensor) and _is_learned(b) and len(b.dims) == MATRIX_RANK:
        return _lower_linear(call, a, b.dims[-1], weights(b))
    if (
        isinstance(b, Tensor)
        and _is_learned(a)
        and len(a.dims) == MATRIX_RANK
        and len(b.dims) >= MATRIX_RANK
    ):
        return linear_from_left(call.builder, call.path, b, a.dims[0], weights(a))
    return call.lower("matmul", call.tensor(a), call.tensor(b))


def _is_learned(x: Any) -> TypeGuard[ConstantValue]:
    """Whether a value has an element for each element of one learned tensor."""
    return isinstance(x, ConstantValue) and x.leaf is not None and x.leaf.learned


def _lower_linear(
    call: TorchCall,
    x: Tensor,
    features: int,
    main_tensors: Mapping[str, int],
    bias: Tensor | ConstantValue | None = None,
    factors: Mapping[str, int] = {},
) -> Tensor:
    """Adds a linear layer, and after it one factor for each feature, as in weight norm, and its
    bias."""
    x = x._replace(batch=None) if len(x.dims) == 1 else x
    y = call.lower("linear", x, features=features, weights=main_tensors)
    if factors:
        named = call._replace(path=split_name(next(iter(factors))))
        y = named.lower("scale", y, axis=-1, weights=factors)
    return _add_bias(call, y, bias)


def _add_bias(call: TorchCall, y: Tensor, bias: Tensor | ConstantValue | None) -> Tensor:
    if bias is None or (isinstance(bias, ConstantValue) and not bias.leaves):
        return y
    if _is_learned(bias) and bias.leaf is not None:
        return join_with_learned(
            call.builder, "add", y, bias.leaf.key, bias.dims, split_name(bias.leaf.key)
        )
    return call.lower("add", y, call.tensor(bias))


# Einsum


@operator("einsum", op="einsum")
def einsum(call: TorchCall) -> Any:
    operands = [_operand(call, tensor) for tensor in call.given["tensors"]]
    output = lower_einsum(call.builder, call.given["equation"], operands, call.path)
    return call.add_uncounted() if output is None else output


def _operand(call: TorchCall, x: Tensor | ConstantValue) -> Operand:
    value = partial(as_tensor, call.builder, x)
    leaf = x.leaf if isinstance(x, ConstantValue) else None
    if not isinstance(x, ConstantValue) or leaf is None or not leaf.learned:
        return Operand(x.dims, value, depends_on_input=isinstance(x, Tensor))
    key = leaf.key
    factor = (lambda: key) if is_unclaimed(call, key) else None
    return Operand(x.dims, value, False, partial(weights, x), factor)


# Attention


@operator("scaled_dot_product_attention", op="attention")
def attention(call: TorchCall) -> Tensor:
    """One attention layer or, if a learned tensor is added to the scores, its two products."""
    sides = [call.tensor(call.given[name]) for name in ("query", "key", "value")]
    mask = call.given["attn_mask"]
    if mask is None or (isinstance(mask, ConstantValue) and not mask.leaves):
        return call.lower("attention", *sides)
    query, key, value = sides
    scores = call.lower("matmul", query, transposed(key))
    joined = call.lower("add", scores, call.tensor(mask))
    return call.lower("matmul", call.lower("softmax", joined), value)


@operator("flex_attention", op="attention")
def flex_attention(call: TorchCall) -> tuple[Tensor, None, None]:
    """The outputs are the values and two statistics of the scores. As with a mask, each query is
    multiplied with every key, whatever the scores are changed to."""
    sides = [call.tensor(call.given[name]) for name in ("0", "1", "2")]
    return call.lower("attention", *sides), None, None
