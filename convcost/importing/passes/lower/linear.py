"""Layers whose weights are matrices: fully connected layers over the last axis, rows of a learned
table, and recurrent layers over whole sequences."""

from collections.abc import Mapping
from math import prod

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.layer_graph import Path
from convcost.importing.ir.ops import Node
from convcost.importing.ir.tensor import Tensor, output_tensor, permuted, reshaped, transposed
from convcost.importing.passes.lower.joins import without_matrix_batch
from convcost.importing.passes.lower.windows import windowed_layer
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
    rows = transposed(without_matrix_batch(x))
    return transposed(lower(builder, "linear", path, rows, features=features, weights=weights))


@lowering("embedding")
def embedding(builder: GraphBuilder, node: Node) -> Tensor:
    """[...] becomes [..., channels], one row for each index; all positions use the same table."""
    rows, channels = node.attributes["rows"], node.attributes["channels"]
    dims = node.x.dims
    numbers = reshaped(node.x, (*dims, 1) if node.x.shape.size else (prod(dims),))
    numbers = numbers if node.x.shape.size else numbers._replace(batch=None)
    source = builder.materialize(numbers, -1, node.path)
    options = {"channels": channels, "rows": rows}
    index = builder.emit("embedding", node.path, [source], options, tensors=node.weights)
    rank = 1 + len(builder.shape(index).size)
    y = output_tensor(index, builder.shape(index), rank, rank - 1, None)
    return reshaped(y, (*dims, channels))


@lowering("lstm", "gru", "rnn")
def recurrent(builder: GraphBuilder, node: Node) -> Tensor:
    """[n, t, c] becomes [n, t, h], or [n, h] with `last`; with `steps_first`, n and t are
    exchanged. If n is above 1, each of the n is a separate sequence. The other attributes are
    options of the kind."""
    options, rank = dict(node.attributes), len(node.x.dims)
    turned = options.pop("steps_first", False)
    x = permuted(node.x._replace(batch=None), (1, 0, 2)) if turned else node.x
    x = x._replace(batch=0 if x.dims[0] == 1 else None)
    y = windowed_layer(builder, node, options, x, channel=rank - 1)
    if options.get("last"):
        return reshaped(y, (y.dims[0], y.dims[-1]))
    return permuted(y, (1, 0, 2)) if turned else y
