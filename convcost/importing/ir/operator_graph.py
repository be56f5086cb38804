"""The operators of a file that stores a graph of named tensors."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeVar


class OperatorNode(NamedTuple):
    """An operator with its attributes. An input without a name is left out. `meta` has the metadata
    that an exporter wrote for it."""

    op: str
    domain: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Any
    meta: Mapping[str, str] = {}

    @property
    def label(self) -> str:
        """The type and the name of the node, for messages."""
        return f"{self.op} `{self.name or (self.outputs or ('?',))[0]}`"

    def input(self, position: int) -> str:
        """The name of an input; "" if it is left out."""
        return self.inputs[position] if position < len(self.inputs) else ""


Node = TypeVar("Node", bound=OperatorNode)


def readers_of(nodes: Iterable[Node]) -> dict[str, list[Node]]:
    """The operators that read each tensor, once for each of their inputs that is not left out."""
    readers_by_name: dict[str, list[Node]] = {}
    for node in nodes:
        for name in filter(None, node.inputs):
            readers_by_name.setdefault(name, []).append(node)
    return readers_by_name
