"""Patterns of several operators that are one operator. Each pattern is found from its last
operator, which is replaced.

The other operators stay only if something else reads them.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, TypeAlias, TypeVar

from convcost.importing.frontends.onnx.constants import OnnxConstant
from convcost.importing.frontends.onnx.graph import OnnxGraph, OnnxNode, alive
from convcost.importing.frontends.onnx.open_dims import Dims

CLOSE = 1e-3  # relative error of a constant such as √2 in a file


class PatternGraph:
    """A graph that finds the node that produces a tensor."""

    def __init__(
        self, graph: OnnxGraph, constants: Mapping[str, OnnxConstant], shapes: Mapping[str, Dims]
    ) -> None:
        self.constants = constants
        self.shapes = shapes
        self.uses = graph.uses()
        self.producers = {name: node for node in graph.nodes for name in node.outputs}

    def producer(self, name: str, *ops: str) -> OnnxNode | None:
        """The node that produces a tensor, if its operator is one of `ops`."""
        node = self.producers.get(name)
        return node if node is not None and (not ops or node.op in ops) else None

    def number(self, name: str) -> float | None:
        """The value of a constant whose elements are equal; None if it is a single learned
        number."""
        constant = self.constants.get(name)
        if constant is None or (constant.elements == 1 and constant.is_weight):
            return None
        return constant.number

    def near(self, name: str, number: float) -> bool:
        found = self.number(name)
        return found is not None and abs(found - number) <= CLOSE * max(1, abs(number))

    def other_input(self, node: OnnxNode, number: float) -> str | None:
        """The other input of a node with two inputs, if one input is that number."""
        if len(node.inputs) == 2:  # noqa: PLR2004
            for position in (0, 1):
                if self.near(node.inputs[position], number):
                    return node.inputs[1 - position]
        return None


Pattern: TypeAlias = Callable[[PatternGraph, OnnxNode], OnnxNode | None]
P = TypeVar("P", bound=Pattern)


_PATTERNS: dict[str, list[Pattern]] = {}


def pattern(*last: str) -> Callable[[P], P]:
    """Registers a pattern by the operators that it can end with. The pattern returns the replacing
    node, or None."""

    def register(find: P) -> P:
        for name in last:
            _PATTERNS.setdefault(name, []).append(find)
        return find

    return register


@cache
def _patterns() -> dict[str, list[Pattern]]:
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return _PATTERNS


def replacement(node: OnnxNode, op: str, inputs: tuple[str, ...], **attributes: Any) -> OnnxNode:
    """The node that replaces a pattern. It keeps the name of the last node."""
    return node._replace(op=op, domain="convcost", inputs=inputs, attributes=attributes)


def replace_patterns(
    graph: OnnxGraph, constants: Mapping[str, OnnxConstant], shapes: Mapping[str, Dims]
) -> OnnxGraph:
    """The graph with one node in place of each pattern."""
    net = PatternGraph(graph, constants, shapes)
    nodes = []
    for node in graph.nodes:
        new = node
        for find in _patterns().get(node.op, ()):
            try:
                found = find(net, node)
            except (LookupError, ValueError, TypeError, AttributeError):
                continue  # a malformed operator: its lowering reports the error
            if found is not None:
                new = found
                break
        net.producers.update(dict.fromkeys(new.outputs, new))
        nodes.append(new)
    return graph._replace(nodes=alive(nodes, graph.outputs))
