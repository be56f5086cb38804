"""Rows of a learned table."""

from math import prod

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.ops import Node
from convcost.importing.ir.tensor import Tensor, output_tensor, reshaped
from convcost.importing.passes.lowering import lowering


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
