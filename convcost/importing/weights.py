"""What layers learn: as much as the model holds, and whose weights one may use again."""

from collections.abc import Mapping
from typing import Any

from convcost.errors import Refusal
from convcost.kind import Kind

MATRIX = 2


def held(
    layer: Kind[Any], x: Any, tensors: Mapping[str, int], buffers: Mapping[str, int] | None
) -> tuple[int, int]:
    """Params and buffers of a layer, as many as the model holds. Raises Refusal if they are not."""
    params = layer.weights(x).value + layer.biases(x).value
    held = sum(tensors.values())
    if params != held:
        raise Refusal(
            "CC403",
            f"{layer.name} counts {params:,} params, the model holds {held:,} for it",
            ", ".join(f"{key}: {n:,}" for key, n in tensors.items()),
        )
    kept = layer.buffers(x).value
    if buffers is not None and kept != sum(buffers.values()):
        held = sum(buffers.values())
        raise Refusal("CC403", f"{layer.name} counts {kept:,} buffers, the model holds {held:,}")
    return params, kept


def shareable(layer: Kind[Any], x: Any, other: Kind[Any], y: Any) -> bool:
    """Whether a layer that takes `x` may have the weights of another one that takes `y`: of its
    kind, in the same form; or of another kind the same matrix, perhaps turned."""
    if type(layer) is not type(other):
        return _extents(layer, x) == _extents(other, y) is not None
    return (layer.weights(x), layer.biases(x)) == (other.weights(y), other.biases(y))


def _extents(layer: Kind[Any], x: Any) -> list[int] | None:
    """The extents of a matrix, whichever is its rows; None if it is none or has a bias."""
    terms = layer.weights(x).terms
    found = sorted(factor.value for factor in terms[0]) if len(terms) == 1 else []
    return found if len(found) == MATRIX and not layer.biases(x).value else None
