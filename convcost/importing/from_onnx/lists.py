"""How many whole numbers shape inference writes out: a few bytes may ask it for all memory there
is, a list laid beside itself thirty times."""

from math import prod
from typing import TYPE_CHECKING

from convcost.errors import Refusal

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

MOST = 1 << 20
# What inference works out of lists: a `Concat` gives all of them, the others as many as one.
WORKED = frozenset(
    ("Add", "Cast", "Concat", "Gather", "Identity", "Mul", "Slice", "Squeeze", "Sub", "Unsqueeze")
)
AXES = 64  # numbers that a `Shape` gives at most


def few(graph: "GraphProto") -> None:
    """Raises Refusal where lists grow beyond what any shape needs."""
    _few(graph, {})


def _few(graph: "GraphProto", lengths: dict[str, int]) -> None:
    """`lengths` are those of the graph around it, too: a body takes what is outside by name."""
    for tensor in graph.initializer:
        if tensor.data_type in (tensor.INT64, tensor.INT32):
            lengths[tensor.name] = prod(tensor.dims)
    for node in graph.node:
        length = _length(node, lengths)
        if length > MOST:
            raise Refusal(
                "CC404",
                f"{node.op_type} `{node.name or node.output[0]}` makes a list of up to {length:,} "
                "whole numbers, to be worked out one by one",
                "is the file damaged? no sound model has such",
            )
        for name in node.output:
            lengths[name] = length
        for one in node.attribute:
            for body in (one.g, *one.graphs):
                _few(body, dict(lengths))


def _length(node: "NodeProto", lengths: dict[str, int]) -> int:
    given = [lengths.get(name, 0) for name in node.input]
    if node.op_type not in WORKED or not given:
        return AXES if node.op_type == "Shape" else 0
    return sum(given) if node.op_type == "Concat" else max(given)
