"""Recurrent layers over whole sequences."""

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.ops import Node
from convcost.importing.ir.tensor import Tensor, permuted, reshaped
from convcost.importing.passes.lower.windows import windowed_layer
from convcost.importing.passes.lowering import lowering


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
