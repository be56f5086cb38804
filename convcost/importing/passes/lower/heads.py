"""Multi-head attention. If the channels are split into heads before, the layer states the number of
heads."""

from typing import NamedTuple

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.ops import Node
from convcost.importing.ir.tensor import Tensor, output_tensor, permuted, reshaped
from convcost.importing.passes.lower.joins import product
from convcost.importing.passes.lowering import lowering

MOVES = 2  # a reshape that splits the channels, and a transpose of the heads to the front


class Heads(NamedTuple):
    """The tensor [1, n, h·d] before it was split to [.., h, n, d]."""

    flat: Tensor
    heads: int


@lowering("attention")
def attention(builder: GraphBuilder, node: Node) -> Tensor:
    """Inputs [.., n, d], [.., m, d] and [.., m, e]; output [.., n, e]. The layer states `heads` if
    they are known."""
    (query, key, value), path = node.inputs, node.path
    if node.attributes:
        return product(builder, "attention", node.inputs, path, node.attributes)
    sides = [_dealt(side) for side in (query, key, value)]
    known = [side for side in sides if side is not None]
    if (
        len(known) < len(sides)
        or known[1].heads != known[2].heads
        or known[0].heads % known[1].heads
    ):
        return product(builder, "attention", [query, key, value], path)
    heads = known[0].heads
    sources = [builder.materialize(side.flat, -1, path) for side in known]
    index = builder.emit("attention", path, sources, {"heads": heads})
    rows, depth = query.dims[-2], value.dims[-1]
    seen = output_tensor(index, builder.shape(index), 3, 2)
    apart = permuted(reshaped(seen, (1, rows, heads, depth)), (0, 2, 1, 3))
    return reshaped(apart, (*query.dims[:-1], depth))


def _dealt(x: Tensor) -> Heads | None:
    """The tensor before its channels were split into heads; None if they were not."""
    if x.begun is None or len(x.moves) != MOVES or not x.moves[1].by:
        return None
    apart, order = x.moves[0].to, x.moves[1].by
    long = [axis for axis, extent in enumerate(apart) if extent != 1]
    moved = [long.index(axis) for axis in order if apart[axis] != 1]
    if moved != [1, 0, 2] or tuple(x.dims[-3:]) != tuple(apart[long[n]] for n in moved):
        return None
    n, heads, depth = (apart[axis] for axis in long)
    flat = tuple(extent for extent in x.begun.dims if extent != 1)
    if flat == (n, heads * depth) and x.begun.batch is not None:
        return Heads(x.begun, heads)
    return Heads(reshaped(x.begun, (1, n, heads * depth)), heads)
