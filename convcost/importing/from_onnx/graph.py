"""A model's graph as plain values, in an order in which it can be run."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.errors import Refusal

if TYPE_CHECKING:
    from onnx import AttributeProto, GraphProto, ModelProto, NodeProto

STANDARD = ("", "ai.onnx")


class Node(NamedTuple):
    """An operator with its attributes; `meta` is what an exporter noted about it."""

    op: str
    domain: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    meta: Mapping[str, str] = {}

    @property
    def label(self) -> str:
        """As messages call it."""
        return f"{self.op} `{self.name or (self.outputs or ('?',))[0]}`"

    @property
    def known(self) -> bool:
        return self.domain in (*STANDARD, "com.microsoft", "convcost")

    def input(self, at: int) -> str:
        """The name of an input, empty where it is left out."""
        return self.inputs[at] if at < len(self.inputs) else ""


class Graph(NamedTuple):
    """Nodes in order; `outputs` are names of tensors. `opset` is that of the standard operators."""

    opset: int
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]

    def uses(self) -> Counter[str]:
        """How often each tensor is read."""
        counted = Counter(name for node in self.nodes for name in node.inputs if name)
        counted.update(self.outputs)
        return counted


def graph_of(model: "ModelProto") -> Graph:
    """Raises Refusal CC404 for a graph that cannot be run: circles, names made twice or never."""
    nodes = [_node(node, at) for at, node in enumerate(model.graph.node)]
    versions = {entry.domain: entry.version for entry in model.opset_import}
    opset = max((versions.get(domain, 0) for domain in STANDARD), default=0)
    given = {entry.name for entry in model.graph.input}
    given |= {tensor.name for tensor in model.graph.initializer}
    given |= {tensor.values.name for tensor in model.graph.sparse_initializer}
    outputs = tuple(entry.name for entry in model.graph.output)
    ordered = _ordered(nodes, given)
    made = given | {name for node in nodes for name in node.outputs}
    for name in outputs:
        if name not in made:
            raise Refusal("CC404", f"the output `{name}` is made by no operator")
    return Graph(opset or 1, alive(ordered, outputs), outputs)


def alive(nodes: Iterable[Node], outputs: Iterable[str]) -> tuple[Node, ...]:
    """Those nodes that outputs depend on, in the same order."""
    needed = set(outputs)
    kept = []
    for node in reversed(tuple(nodes)):
        if needed.intersection(node.outputs):
            kept.append(node)
            needed.update(node.inputs)
    return tuple(reversed(kept))


def _node(node: "NodeProto", at: int) -> Node:
    # Of an LSTM the first output may be left out; a node is known by it all the same.
    outputs = tuple(node.output)
    if not outputs or not outputs[0]:
        outputs = (f"{node.name or node.op_type}, {at + 1}", *outputs[1:])
    # What a cast is like is its type, and no type costs anything.
    inputs = tuple(node.input[:1] if node.op_type == "CastLike" else node.input)
    inputs = (*inputs, *captured(node))
    return Node(
        node.op_type,
        node.domain,
        node.name,
        inputs,
        outputs,
        {attribute.name: _decoded(attribute) for attribute in node.attribute},
        {entry.key: entry.value for entry in node.metadata_props},
    )


def captured(node: "NodeProto") -> tuple[str, ...]:
    """What the graphs within a node read from outside of them, each name once."""
    found: dict[str, None] = {}
    for attribute in node.attribute:
        if attribute.HasField("g"):
            found.update(dict.fromkeys(_read_outside(attribute.g)))
    return tuple(name for name in found if name not in node.input)


def _read_outside(graph: "GraphProto") -> list[str]:
    """How deep graphs go is bounded where the file is opened."""
    own = {entry.name for entry in graph.input}
    own |= {tensor.name for tensor in graph.initializer}
    own |= {tensor.values.name for tensor in graph.sparse_initializer}
    own |= {name for node in graph.node for name in node.output}
    read = [name for node in graph.node for name in (*node.input, *captured(node))]
    read += [entry.name for entry in graph.output]
    return [name for name in read if name and name not in own]


def _decoded(attribute: "AttributeProto") -> Any:
    kinds = type(attribute)
    if attribute.type == kinds.STRING:
        return attribute.s.decode("utf-8", "replace")
    if attribute.type == kinds.STRINGS:
        return tuple(one.decode("utf-8", "replace") for one in attribute.strings)
    if attribute.type == kinds.INTS:
        return tuple(attribute.ints)
    if attribute.type == kinds.FLOATS:
        return tuple(attribute.floats)
    single = {kinds.INT: "i", kinds.FLOAT: "f", kinds.TENSOR: "t", kinds.GRAPH: "g"}
    return getattr(attribute, single[attribute.type]) if attribute.type in single else None


def _ordered(nodes: list[Node], given: set[str]) -> list[Node]:
    """By what they read; files of a sound exporter are in such an order already."""
    makers = _makers(nodes, given)
    order: list[int] = []
    done, begun = set[int](), set[int]()
    for start in range(len(nodes)):
        stack = [start]
        while stack:
            number = stack[-1]
            begun.add(number)
            read = (makers[name] for name in nodes[number].inputs if name in makers)
            waiting = [] if number in done else [maker for maker in read if maker not in done]
            circle = [maker for maker in waiting if maker in begun and maker in stack]
            if circle:
                raise Refusal(
                    "CC404",
                    f"the graph runs in a circle: {nodes[number].label} reads what "
                    f"{nodes[circle[0]].label} makes of it",
                )
            stack.extend(waiting)
            if not waiting:
                stack.pop()
                if number not in done:
                    done.add(number)
                    order.append(number)
    return [nodes[number] for number in order]


def _makers(nodes: list[Node], given: set[str]) -> dict[str, int]:
    """Which node makes a tensor. Raises Refusal for one that is made twice, or never."""
    makers: dict[str, int] = {}
    for number, node in enumerate(nodes):
        for name in filter(None, node.outputs):
            if name in makers or name in given:
                first = nodes[makers[name]].label if name in makers else "the model's own"
                raise Refusal(
                    "CC404", f"the tensor `{name}` is made twice: by {node.label} and {first}"
                )
            makers[name] = number
    for node in nodes:
        for name in filter(None, node.inputs):
            if name not in makers and name not in given:
                raise Refusal("CC404", f"{node.label} reads `{name}`, which nothing makes")
    return makers
