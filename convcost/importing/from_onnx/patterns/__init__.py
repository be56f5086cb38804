"""Several operators that are one thing: found from the last of them, which is put in their place.

What else reads the others keeps them alive, and the rest falls away.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, NamedTuple, TypeAlias, TypeVar

from convcost.importing.from_onnx.constants import Constant
from convcost.importing.from_onnx.graph import Graph, Node, alive
from convcost.importing.from_onnx.shapes import Dims

CLOSE = 1e-3  # how exact an exporter writes √2


class Net:
    """A graph that can be asked who makes a tensor."""

    def __init__(
        self, graph: Graph, constants: Mapping[str, Constant], shapes: Mapping[str, Dims]
    ) -> None:
        self.constants = constants
        self.shapes = shapes
        self.uses = graph.uses()
        self.makers = {name: node for node in graph.nodes for name in node.outputs}

    def maker(self, name: str, *ops: str) -> Node | None:
        """The node that makes a tensor, if it is one of these operators."""
        node = self.makers.get(name)
        return node if node is not None and (not ops or node.op in ops) else None

    def number(self, name: str) -> float | None:
        """The number of a constant that has one, and does not learn it."""
        constant = self.constants.get(name)
        if constant is None or (constant.elements == 1 and constant.learned and constant.real):
            return None
        return constant.number

    def near(self, name: str, number: float) -> bool:
        found = self.number(name)
        return found is not None and abs(found - number) <= CLOSE * max(1, abs(number))

    def beside(self, node: Node, number: float) -> str | None:
        """The other input of a node of two, where one is that number."""
        if len(node.inputs) == 2:  # noqa: PLR2004
            for at in (0, 1):
                if self.near(node.inputs[at], number):
                    return node.inputs[1 - at]
        return None


Pattern: TypeAlias = Callable[[Net, Node], Node | None]
P = TypeVar("P", bound=Pattern)


class _Entry(NamedTuple):
    rank: int
    find: Pattern


_PATTERNS: dict[str, list[_Entry]] = {}
_walked: list[bool] = []


def pattern(*last: str, rank: int = 1) -> Callable[[P], P]:
    """Registers a pattern by the operators that it can end in; lower ranks are tried first. It
    gives the node that stands for all, or None."""

    def register(find: P) -> P:
        for name in last:
            _PATTERNS.setdefault(name, []).append(_Entry(rank, find))
            _PATTERNS[name].sort(key=lambda entry: entry.rank)
        return find

    return register


def one(node: Node, op: str, inputs: tuple[str, ...], **attributes: Any) -> Node:
    """The node that stands for a pattern: it keeps the name of the last."""
    return node._replace(op=op, domain="convcost", inputs=inputs, attributes=attributes)


def simplified(
    graph: Graph, constants: Mapping[str, Constant], shapes: Mapping[str, Dims]
) -> Graph:
    """The graph with one node for each pattern."""
    if not _walked:
        _walked.append(True)
        for module in iter_modules(__path__):
            import_module(f"{__name__}.{module.name}")
    net = Net(graph, constants, shapes)
    nodes = []
    for node in graph.nodes:
        new = node
        for entry in _PATTERNS.get(node.op, ()):
            try:
                found = entry.find(net, node)
            except (LookupError, ValueError, TypeError, AttributeError):
                continue  # an operator that is not as ONNX has it: told where it is drawn
            if found is not None:
                new = found
                break
        net.makers.update(dict.fromkeys(new.outputs, new))
        nodes.append(new)
    return graph._replace(nodes=alive(nodes, graph.outputs))
