"""Fully connected layers over the last axis."""

from collections.abc import Mapping

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.layer_graph import Path
from convcost.importing.ir.ops import Node
from convcost.importing.ir.tensor import Tensor, output_tensor, transposed
from convcost.importing.passes.lower.joins import of_matrices
from convcost.importing.passes.lowering import lower, lowering


@lowering("linear")
def linear(builder: GraphBuilder, node: Node) -> Tensor:
    """[..., n] becomes [..., features], with the same weights at every position. `weights` are [n,
    features] and, with `bias`, one number for each feature."""
    source = builder.materialize(node.x, -1, node.path)
    options = {
        "features": node.attributes["features"],
        "bias": node.attributes.get("bias", False),
        "each_position": bool(builder.shape(source).size),
    }
    if builder.varies(source)[0]:  # its weights fit this size only
        options["inputs"] = builder.shape(source).channels
    index = builder.emit("linear", node.path, [source], options, tensors=node.weights)
    rank = len(node.x.dims)
    return output_tensor(index, builder.shape(index), rank, rank - 1, node.x.batch)


def linear_from_left(
    builder: GraphBuilder, path: Path, x: Tensor, features: int, weights: Mapping[str, int]
) -> Tensor:
    """Weights [features, n] times matrices [..., n, columns]: A·X is (Xᵀ·Aᵀ)ᵀ."""
    rows = transposed(of_matrices(x))
    return transposed(lower(builder, "linear", path, rows, features=features, weights=weights))
