"""Whether a layer can use the weights of another: `weights: other_layer`."""

from typing import Any

from convcost.model.kind import Kind
from convcost.model.shape import Shape


def weights_difference(
    layer: Kind[Any],
    shapes: tuple[Shape, ...],
    owner: Kind[Any] | None,
    owner_shapes: tuple[Shape, ...],
) -> tuple[str, str] | None:
    """What a layer needs, and what the owner of the weights has instead; None if they fit.

    They fit if both layers have the same kind, and weights and biases of the same shapes. They also
    fit if the weights of both are one matrix with the same two sizes: an embedding and a linear
    layer can share a matrix.
    """
    x = layer.select_inputs(shapes)
    needs = f"weights {layer.weights(x).text}"
    if owner is None:
        return needs, "is an input"
    owner_x = owner.select_inputs(owner_shapes)
    if type(owner) is not type(layer):
        if _matrix_sizes(layer, x) == _matrix_sizes(owner, owner_x) is not None:
            return None
        return needs, "is a layer of another kind"
    for measure in ("weights", "biases", "buffers"):
        layer_product, owner_product = getattr(layer, measure)(x), getattr(owner, measure)(owner_x)
        if layer_product != owner_product:
            return f"{measure} {layer_product.text}", f"has {measure} {owner_product.text}"
    return None


def _matrix_sizes(layer: Kind[Any], x: Any) -> list[int] | None:
    """The two sizes of a weight matrix, smaller first; None if the layer has other weights too."""
    terms = layer.weights(x).terms
    sizes = sorted(factor.value for factor in terms[0]) if len(terms) == 1 else []
    return sizes if len(sizes) == 2 and not layer.biases(x).value else None  # noqa: PLR2004
