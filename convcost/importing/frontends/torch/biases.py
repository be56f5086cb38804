"""Finds layers that share weights but have different biases, before they are lowered."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from convcost.importing.frontends.torch.constant_value import Parameter
from convcost.importing.frontends.torch.registry import known
from convcost.importing.passes.lower import biases


def weights_with_several_biases(
    nodes: Iterable[Any], leaves: Mapping[str, Parameter]
) -> frozenset[str]:
    """The keys of weights that layers with different biases share. `leaves` are the registered
    tensors by their names in the graph."""
    return frozenset(biases.weights_with_several_biases(_uses(nodes, leaves)))


def _uses(nodes: Iterable[Any], leaves: Mapping[str, Parameter]) -> Iterator[biases.Use]:
    for node in nodes:
        row = known(str(node.target).rpartition(".")[0])
        own = None if row.weights is None else _leaf(node, row.weights, leaves)
        if own is not None:
            other = None if row.bias is None else _leaf(node, row.bias, leaves)
            yield biases.Use(own.key, row.family, "" if other is None else other.key)


def _leaf(node: Any, at: int, leaves: Mapping[str, Parameter]) -> Parameter | None:
    """The registered tensor behind an argument, also if it is reshaped or transposed."""
    given: Any = node.args[at] if at < len(node.args) else None
    while getattr(given, "op", "") == "call_function" and len(given.all_input_nodes) == 1:
        given = given.all_input_nodes[0]
    leaf = leaves.get(getattr(given, "name", ""))
    return leaf if leaf is not None and leaf.learned else None
