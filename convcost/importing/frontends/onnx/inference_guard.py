"""Limits the integers that shape inference computes. A damaged file of few bytes can make inference
use all memory, for example with a list that is concatenated with itself thirty times."""

from collections.abc import Iterable
from math import prod

from onnx import GraphProto, NodeProto, ValueInfoProto

from convcost.importing.frontends.onnx.graph import subgraphs
from convcost.model.errors import ConstraintError

MOST = 1 << 20
MOST_READ = 1 << 22  # numbers that operators read from lists, such as the biases of a large model
# Operators that inference computes for lists. The output of `Concat` has all numbers of its
# inputs; the outputs of the others have as many as one input.
WORKED = frozenset(
    ("Add", "Cast", "Concat", "Gather", "Identity", "Mul", "Slice", "Squeeze", "Sub", "Unsqueeze")
)
AXES = 64  # the longest output of `Shape`


def check_list_sizes(graph: GraphProto) -> None:
    """Raises ConstraintError if a list is longer than any shape could need."""
    _check_graph(graph, {})


def _check_graph(graph: GraphProto, lengths: dict[str, int]) -> None:
    """Checks one graph. `lengths` includes the lists of the graph around it, which the inner graph
    can read by name."""
    for tensor in graph.initializer:
        if tensor.data_type in (tensor.INT64, tensor.INT32):
            lengths[tensor.name] = prod(tensor.dims)
    for node in graph.node:
        length = _length(node, lengths)
        if length > MOST:
            raise ConstraintError(
                "CC404",
                f"{node.op_type} `{node.name or node.output[0]}` makes a list of up to {length:,} "
                "whole numbers, which shape inference would compute one by one",
                "is the file damaged? no valid model has a list like this",
            )
        for name in node.output:
            lengths[name] = length
        for body in subgraphs(node):
            _check_graph(body, dict(lengths))


def has_long_lists(graph: GraphProto) -> bool:
    """Whether the lists of a graph have too many numbers for shape inference, which allocates
    memory for each number, known or not."""
    return _numbers((*graph.value_info, *graph.output)) > MOST or _read_numbers(graph) > MOST_READ


def _numbers(entries: Iterable[ValueInfoProto]) -> int:
    shapes = [one.type.tensor_type.shape.dim for one in entries]
    return sum(dims[0].dim_value for dims in shapes if len(dims) == 1)


def _read_numbers(graph: GraphProto) -> int:
    """The number of integers that operators read from the lists of other operators, such as
    biases."""
    lengths = {one.name: _numbers((one,)) for one in graph.input}
    nodes = [node for node in graph.node if node.op_type in WORKED]
    return sum(lengths.get(name, 0) for node in nodes for name in node.input)


def _length(node: NodeProto, lengths: dict[str, int]) -> int:
    given = [lengths.get(name, 0) for name in node.input]
    if node.op_type not in WORKED or not given:
        return AXES if node.op_type == "Shape" else 0
    return sum(given) if node.op_type == "Concat" else max(given)
