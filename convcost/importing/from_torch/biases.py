"""Layers that share weights, each with a bias of its own: found before they are drawn."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from convcost.importing.from_torch.held import Leaf
from convcost.importing.parts import biases

# Operators of weights: where these are, where the bias is, and which of them can share weights.
PLACES = {
    **{f"aten.conv{n}d": (1, 2, "conv") for n in (1, 2, 3)},
    **{f"aten.conv_transpose{n}d": (1, 2, "transposed") for n in (1, 2, 3)},
    "aten.linear": (1, 2, "linear"),
    "aten.addmm": (2, 0, "linear"),
    "aten.mm": (1, None, "linear"),
    "aten.matmul": (1, None, "linear"),
    "aten.embedding": (0, None, "linear"),  # its table
}


def apart(nodes: Iterable[Any], leaves: Mapping[str, Leaf]) -> frozenset[str]:
    """Keys of weights that layers with different biases use. `leaves` are by the names that they
    have in the graph."""
    return frozenset(biases.apart(_uses(nodes, leaves)))


def _uses(nodes: Iterable[Any], leaves: Mapping[str, Leaf]) -> Iterator[biases.Use]:
    for node in nodes:
        at = PLACES.get(str(node.target).rpartition(".")[0])
        if at is None:
            continue
        weights, bias, family = at
        own = _leaf(node, weights, leaves)
        if own is not None:
            other = None if bias is None else _leaf(node, bias, leaves)
            yield biases.Use(own.key, family, "" if other is None else other.key)


def _leaf(node: Any, at: int, leaves: Mapping[str, Leaf]) -> Leaf | None:
    """The registered tensor that an argument is, be it turned or in another form."""
    given: Any = node.args[at] if at < len(node.args) else None
    while getattr(given, "op", "") == "call_function" and len(given.all_input_nodes) == 1:
        given = given.all_input_nodes[0]
    leaf = leaves.get(getattr(given, "name", ""))
    return leaf if leaf is not None and leaf.learned else None
