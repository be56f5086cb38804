"""A model's graph as plain values, with the nodes in an order in which they can run."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper

from convcost.importing.ir.operator_graph import OperatorNode
from convcost.model.errors import ConstraintError

STANDARD = ("", "ai.onnx")
MAX_SMALL_TENSOR = 1 << 12  # elements of a tensor whose numbers shape inference may need
MAX_NESTING = 20  # levels of nested graphs


class OnnxNode(OperatorNode):
    """An operator of ONNX; its attributes are a mapping."""

    @property
    def known(self) -> bool:
        return self.domain in (*STANDARD, "com.microsoft", "convcost")

    @property
    def graphs(self) -> list[GraphProto]:
        """The graphs nested in the node, at any depth."""
        graphs = [value for value in self.attributes.values() if isinstance(value, GraphProto)]
        return [inner for graph in graphs for inner in nested_graphs(graph)]


class OnnxGraph(NamedTuple):
    """The nodes that the outputs depend on, in order, and all `Constant` nodes; `outputs` are names
    of tensors; `opset` is the version of the standard operators."""

    opset: int
    nodes: tuple[OnnxNode, ...]
    outputs: tuple[str, ...]


def graph_of(model: ModelProto) -> OnnxGraph:
    """The graph of a model. Raises ConstraintError CC404 for a graph that cannot run: it has a
    cycle, or a tensor that two nodes produce or that no node produces."""
    types = _stored_types(model)
    nodes = [node_of(node, number, types) for number, node in enumerate(model.graph.node, 1)]
    versions = {entry.domain: entry.version for entry in model.opset_import}
    opset = max((versions.get(domain, 0) for domain in STANDARD), default=0)
    source_names = {entry.name for entry in model.graph.input}
    source_names |= {tensor.name for tensor in model.graph.initializer}
    source_names |= {tensor.values.name for tensor in model.graph.sparse_initializer}
    outputs = tuple(entry.name for entry in model.graph.output)
    ordered = _sort_nodes(nodes, source_names)
    tensor_names = source_names | {name for node in nodes for name in node.outputs}
    for name in outputs:
        if name not in tensor_names:
            raise ConstraintError("CC404", f"no operator produces the output `{name}`")
    constants = (name for node in nodes if node.op == "Constant" for name in node.outputs)
    return OnnxGraph(opset or 1, alive(ordered, (*outputs, *constants)), outputs)


def alive(nodes: Iterable[OnnxNode], outputs: Iterable[str]) -> tuple[OnnxNode, ...]:
    """The nodes that the outputs depend on, in the same order."""
    needed = set(outputs)
    alive_nodes = []
    for node in reversed(tuple(nodes)):
        if needed.intersection(node.outputs):
            alive_nodes.append(node)
            needed.update(node.inputs)
    return tuple(reversed(alive_nodes))


def _stored_types(model: ModelProto) -> dict[str, int]:
    """The element types that a file states for tensors, by name."""
    graph = model.graph
    entries = (*graph.input, *graph.value_info, *graph.output)
    types = {entry.name: entry.type.tensor_type.elem_type for entry in entries}
    types |= {tensor.name: tensor.data_type for tensor in graph.initializer}
    constants = (node for node in graph.node if node.op_type == "Constant")
    values = ((name, entry.t) for node in constants for entry in node.attribute
              for name in node.output if entry.HasField("t"))  # fmt: skip
    return types | {name: tensor.data_type for name, tensor in values}


def node_of(node: NodeProto, number: int, types: Mapping[str, int]) -> OnnxNode:
    # The first output of an LSTM may be left out, but nodes are identified by it.
    outputs = tuple(node.output)
    if not outputs or not outputs[0]:
        outputs = (f"{node.name or node.op_type}, {number}", *outputs[1:])
    # `CastLike` reads its second input only for the type, and types cost nothing.
    inputs = tuple(node.input[:1] if node.op_type == "CastLike" else node.input)
    inputs = (*inputs, *captured_names(node))
    attributes = {attribute.name: _decode(attribute) for attribute in node.attribute}
    like = types.get(node.input[1], 0) if len(node.input) > 1 else 0
    if node.op_type == "CastLike" and like:
        attributes["to"] = like
    return OnnxNode(
        node.op_type,
        node.domain,
        node.name,
        inputs,
        outputs,
        attributes,
        {entry.key: entry.value for entry in node.metadata_props},
    )


def captured_names(node: NodeProto) -> tuple[str, ...]:
    """The names that the graphs within a node read from outside, each once."""
    names = dict.fromkeys(name for graph in subgraphs(node) for name in _read_outside(graph))
    return tuple(name for name in names if name not in node.input)


def subgraphs(node: NodeProto) -> Iterator[GraphProto]:
    """The graphs that are attributes of a node, such as the body of a loop."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def nested_graphs(graph: GraphProto, depth: int = 0) -> Iterator[GraphProto]:
    """A graph, and all graphs nested in it. Raises ConstraintError if that is too deep."""
    if depth > MAX_NESTING:
        raise ConstraintError(
            "CC404", f"the graphs of the file are nested more than {MAX_NESTING} levels deep"
        )
    yield graph
    for node in graph.node:
        for inner in subgraphs(node):
            yield from nested_graphs(inner, depth + 1)


def stored_tensors(graph: GraphProto) -> Iterator[tuple[str, TensorProto]]:
    """The tensors that a graph stores, by name: initializers, and those in `Constant` nodes."""
    yield from ((tensor.name, tensor) for tensor in graph.initializer)
    for node in graph.node:
        for attribute in node.attribute if node.op_type == "Constant" else ():
            if attribute.HasField("t"):
                yield from ((name, attribute.t) for name in node.output)


def _read_outside(graph: GraphProto) -> list[str]:
    """The names that a graph reads from outside."""
    local_names = {entry.name for entry in graph.input}
    local_names |= {tensor.name for tensor in graph.initializer}
    local_names |= {tensor.values.name for tensor in graph.sparse_initializer}
    local_names |= {name for node in graph.node for name in node.output}
    read = [name for node in graph.node for name in (*node.input, *captured_names(node))]
    read += [entry.name for entry in graph.output]
    return [name for name in read if name and name not in local_names]


def _decode(attribute: AttributeProto) -> Any:
    try:
        value = helper.get_attribute_value(attribute)
    except ValueError:  # it has no type, or refers to an attribute of a function
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if attribute.type == attribute.STRINGS:
        return tuple(text.decode("utf-8", "replace") for text in value)
    return tuple(value) if isinstance(value, Sequence) else value


def _sort_nodes(nodes: list[OnnxNode], source_names: set[str]) -> list[OnnxNode]:
    """The nodes, each after the nodes whose outputs it reads: in the order of the file if that is
    such an order, as in most files."""
    producers = _producers(nodes, source_names)
    before = {
        number: [producers[name] for name in node.inputs if name in producers]
        for number, node in enumerate(nodes)
    }
    if all(other < number for number, others in before.items() for other in others):
        return nodes
    try:
        return [nodes[number] for number in TopologicalSorter(before).static_order()]
    except CycleError as error:
        first, second, *_ = error.args[1]
        raise ConstraintError(
            "CC404",
            f"the graph has a cycle: {nodes[first].label} and {nodes[second].label} depend on each "
            "other",
        ) from None


def _producers(nodes: list[OnnxNode], source_names: set[str]) -> dict[str, int]:
    """The node that produces each tensor. Raises ConstraintError if two nodes produce a tensor, or
    none."""
    producers: dict[str, int] = {}
    for number, node in enumerate(nodes):
        for name in filter(None, node.outputs):
            if name in producers or name in source_names:
                first = nodes[producers[name]].label if name in producers else "the model's own"
                raise ConstraintError(
                    "CC404", f"the tensor `{name}` is produced twice: by {node.label} and {first}"
                )
            producers[name] = number
    for node in nodes:
        for name in filter(None, node.inputs):
            if name not in producers and name not in source_names:
                raise ConstraintError(
                    "CC404", f"{node.label} reads `{name}`, which no operator produces"
                )
    return producers
