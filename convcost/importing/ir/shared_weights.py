"""The weights of layers: their number, which layers can share them, and own copies of tensors that
a file stores once for several layers."""

from collections.abc import Mapping
from typing import Any

from convcost.importing.ir.tensor import MATRIX_RANK
from convcost.model.errors import ConstraintError
from convcost.model.kind import Kind

COPY_IN = ", again in "  # between the key of a tensor and the layer that has its own copy


def original(key: str) -> str:
    """The key of the stored tensor that a key belongs to."""
    return key.partition(COPY_IN)[0]


def counted_weights(
    layer: Kind[Any], x: Any, tensors: Mapping[str, int], buffers: Mapping[str, int] | None
) -> tuple[int, int]:
    """The params and buffers of a layer. Raises ConstraintError if the model has another number for
    it."""
    params = layer.weights(x).value + layer.biases(x).value
    stored = sum(tensors.values())
    if params != stored:
        raise ConstraintError(
            "CC403",
            f"{layer.name} counts {params:,} params, but the model has {stored:,} for it",
            ", ".join(f"{key}: {n:,}" for key, n in tensors.items()),
        )
    buffer_count = layer.buffers(x).value
    if buffers is not None and buffer_count != sum(buffers.values()):
        stored = sum(buffers.values())
        raise ConstraintError(
            "CC403", f"{layer.name} counts {buffer_count:,} buffers, but the model has {stored:,}"
        )
    return params, buffer_count


def shareable(layer: Kind[Any], x: Any, other: Kind[Any], y: Any) -> bool:
    """Whether a layer with input `x` can share the weights of another layer with input `y`: the
    same kind and the same shape of weights, or two kinds with the same matrix, perhaps
    transposed."""
    if type(layer) is not type(other):
        return _extents(layer, x) == _extents(other, y) is not None
    return (layer.weights(x), layer.biases(x)) == (other.weights(y), other.biases(y))


def may_be_reused(layer: Kind[Any], other: Kind[Any]) -> bool:
    """Whether a model may use the same weights in both layers, such as the weights of a convolution
    and of the transposed convolution that undoes it. Layers of other kinds only have equal
    tensors."""
    matrices = {layer.operation, other.operation} <= {"linear", "lookup"}
    return type(layer) is type(other) or matrices or (layer.folds_norms and other.folds_norms)


def _extents(layer: Kind[Any], x: Any) -> list[int] | None:
    """The extents of a matrix of weights, in any order; None if the weights are not a matrix or
    have a bias."""
    terms = layer.weights(x).terms
    extents = sorted(factor.value for factor in terms[0]) if len(terms) == 1 else []
    return extents if len(extents) == MATRIX_RANK and not layer.biases(x).value else None
