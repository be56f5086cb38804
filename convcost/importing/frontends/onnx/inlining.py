"""Replaces operators that run other graphs: calls of the model's functions, an `If` by the branch
that runs, and a `Loop` by its steps, if constants determine them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, checker, helper, inliner, numpy_helper

from convcost.importing.frontends.onnx.graph import STANDARD, subgraphs
from convcost.importing.ir.constant import Constant
from convcost.model.errors import ConstraintError

MAX_ADDED_NODES = 20_000  # nodes that all loops, or all calls of functions, add to a model
FREE_NAMES = 4  # names of inputs and outputs of a node; further ones take time for themselves
NAMES_PER_NODE = 2  # further names that count as one more node
AXES_AS_INPUT = 13  # the opset in which the axes of Unsqueeze became an input


def count_nodes(nodes: Iterable[NodeProto]) -> int:
    """The number of nodes, also of those in nested graphs; a node with many names counts more."""
    return sum(_count_names(node) + sum(map(_count_step, subgraphs(node))) for node in nodes)


def _count_names(node: NodeProto) -> int:
    """The number of nodes that a node counts as, without its nested graphs."""
    return 1 + _further_nodes(len(node.input) + len(node.output))


def _further_nodes(names: int) -> int:
    """The number of nodes that the names of a node, or the outputs of a step, count as."""
    return max(0, names - FREE_NAMES) // NAMES_PER_NODE


def _count_step(graph: GraphProto) -> int:
    """The number of nodes of a nested graph; at least 1, because a step takes time."""
    return max(1, count_nodes(graph.node) + _further_nodes(len(graph.output)))


def resolve_control_flow(
    model: ModelProto, constants: Mapping[str, Constant], max_nodes: int
) -> bool:
    """Replaces each `If` and `Loop` of the model's own graph whose condition or number of steps is
    constant, as long as the model has at most `max_nodes` nodes. Returns whether there was one; the
    operators in its place may contain others."""
    resolver = _Resolver(model, constants, max_nodes)
    nodes = [new for node in model.graph.node for new in resolver.resolve(node)]
    if not resolver.changed:
        return False
    aliases = resolver.aliases
    outputs = [entry.name for entry in model.graph.output if entry.name in aliases]
    nodes = [_rename_tensors(node, aliases) for node in (*resolver.constant_nodes, *nodes)]
    nodes += [helper.make_node("Identity", [aliases[name]], [name]) for name in outputs]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return True


def _steps(
    inputs: Sequence[str], body: GraphProto, constants: Mapping[str, Constant]
) -> int | None:
    """The number of steps of a `Loop` with the inputs (limit, condition, …), both optional; None if
    it is not known, or if the loop never ends."""
    limit = _number(constants, inputs[0]) if inputs[0] else None
    condition = _number(constants, inputs[1]) if inputs[1:] and inputs[1] else 1
    if condition == 0 or (limit is not None and limit < 1):
        return 0
    continues = _continues(body, constants)
    if condition is None or continues is None or (inputs[0] and limit is None):
        return None
    return limit if continues else 1


def _continues(body: GraphProto, constants: Mapping[str, Constant]) -> bool | None:
    """Whether another step follows each step of a loop, by the condition that the step computes,
    the first output of `body`; None if it is not known."""
    producers = {name: node for node in body.node for name in node.output}
    name = body.output[0].name
    while name in producers and producers[name].op_type in ("Identity", "Cast"):
        name = producers[name].input[0]
    if name == body.input[1].name:
        return True  # the condition of this step, which was true
    stored = [tensor for tensor in body.initializer if tensor.name == name]
    if name in producers and producers[name].op_type == "Constant":
        stored = [entry.t for entry in producers[name].attribute if entry.name == "value"]
    if stored:
        return bool(numpy_helper.to_array(stored[0]).item())
    number = None if name in producers else _number(constants, name)
    return None if number is None else bool(number)


def _number(constants: Mapping[str, Constant], name: str) -> int | None:
    """The number of a tensor with one element; None if the tensor is not constant."""
    constant = constants.get(name)
    if constant is None or constant.data is None or constant.data.size != 1:
        return None
    return int(constant.data.item())


def branch_name(constants: Mapping[str, Constant], condition: str) -> str | None:
    """The attribute with the branch of an `If` that runs; None if its condition is not known."""
    number = _number(constants, condition)
    return None if number is None else "then_branch" if number else "else_branch"


def branch_nodes(graph: GraphProto, place: str, outputs: Sequence[str]) -> list[NodeProto]:
    """The operators of a branch and, for each of its `outputs`, a copy under this name. Names that
    the branch defines end with `place`."""
    inner = (entry.name for entry in graph.initializer), *(node.output for node in graph.node)
    names = {name: f"{name}, in {place}" for each in inner for name in each if name}
    constants = [
        helper.make_node("Constant", [], [tensor.name], value=tensor)
        for tensor in graph.initializer
    ]
    nodes = [_rename_tensors(node, names) for node in (*constants, *graph.node)]
    for node, before in zip(nodes, (*constants, *graph.node), strict=True):
        node.name = before.name or next(iter(before.output), "")  # errors have the file's names
    copies = zip(_output_names(graph, names), outputs, strict=False)
    identities = [
        helper.make_node("Identity", [name], [output]) for name, output in copies if output
    ]
    return nodes + identities


class _Resolver:
    """Moves the operators of nested graphs to the graph around them. `aliases` has the names of the
    tensors that replace outputs; `constant_nodes` have the numbers of all steps, once."""

    def __init__(
        self, model: ModelProto, constants: Mapping[str, Constant], max_nodes: int
    ) -> None:
        self.graph, self.constants = model.graph, constants
        self.unused_nodes = max_nodes - count_nodes(model.graph.node)
        self.changed = False  # whether a branch or steps replaced an operator
        self.opset = max(entry.version for entry in model.opset_import if entry.domain in STANDARD)
        self.aliases: dict[str, str] = {}
        self.constant_nodes: list[NodeProto] = []
        self.taken = {entry.name for entry in (*self.graph.input, *self.graph.initializer)}
        self.taken |= {name for node in self.graph.node for name in node.output}
        # Graphs nested in different nodes may use one name. In how many nodes each name is.
        self.nested = Counter(name for node in self.graph.node for name in _nested_names(node))
        self.last_numbers: dict[str, int] = {}  # of the new names, by the name before

    def resolve(self, node: NodeProto) -> list[NodeProto]:
        """The operators in place of a node: those of a branch, or of all steps of a loop; the node
        itself if it stays."""
        graphs = {entry.name: entry.g for entry in node.attribute if entry.HasField("g")}
        if node.domain in STANDARD and node.op_type == "If":
            name = branch_name(self.constants, node.input[0])
            if name is not None:
                return self._branch(node, graphs, name)
        if node.domain in STANDARD and node.op_type == "Loop":
            body = graphs["body"]
            steps = _steps(node.input, body, self.constants)
            added = (steps or 0) * _count_step(body) - count_nodes([node])
            # Without steps there is nothing to concatenate to an output of all steps.
            has_outputs = steps or len(body.output) < len(body.input)
            if steps is not None and added <= self.unused_nodes and has_outputs:
                self.unused_nodes -= added
                return self._loop(node, body, steps)
        return [node]

    def _branch(
        self, node: NodeProto, graphs: Mapping[str, GraphProto], name: str
    ) -> list[NodeProto]:
        """The operators of the branch `name`. The graph keeps the stored tensors of both."""
        self.changed = True
        stored = {branch: self._move_stored(graph) for branch, graph in graphs.items()}
        nodes, names = self._step(graphs[name], stored[name])
        self._add_aliases(node.output, _output_names(graphs[name], names))
        return nodes

    def _loop(self, node: NodeProto, body: GraphProto, steps: int) -> list[NodeProto]:
        """The operators of all steps. `body` has the inputs (number of the step, condition, *state)
        and the outputs (condition, *state, *collected): each step gets the state of the step before
        it, and the collected outputs of all steps are stacked."""
        self.changed = True
        (number, condition, *state), loop_nodes = (
            (entry.name for entry in body.input),
            list[NodeProto](),
        )
        stored = self._move_stored(body) | {
            condition: self._add_constant(condition, np.array(1, bool))
        }
        values, collected = [*node.input[2:]], list[list[str]]()
        for step in range(steps):
            inputs = {number: self._add_constant(number, np.array(step))}
            inputs |= zip(state, values, strict=True)
            nodes, names = self._step(body, stored | inputs)
            loop_nodes += nodes
            _, *outputs = _output_names(body, names)
            values, collected = outputs[: len(state)], [*collected, outputs[len(state) :]]
        self._add_aliases(node.output, values)
        for output, parts in zip(node.output[len(state) :], zip(*collected)):  # noqa: B905
            loop_nodes += self._stack(output, parts)
        return loop_nodes

    def _move_stored(self, graph: GraphProto) -> dict[str, str]:
        """Moves the stored tensors of a nested graph. Returns their new names."""
        names: dict[str, str] = {}
        for tensor in graph.initializer:
            names[tensor.name] = self._unused_name(tensor.name)
            self.graph.initializer.add().CopyFrom(tensor)
            self.graph.initializer[-1].name = names[tensor.name]
        for sparse in graph.sparse_initializer:
            names[sparse.values.name] = self._unused_name(sparse.values.name)
            self.graph.sparse_initializer.add().CopyFrom(sparse)
            self.graph.sparse_initializer[-1].values.name = names[sparse.values.name]
        for node in graph.node:
            if node.op_type == "Constant":
                names |= {name: self._unused_name(name) for name in node.output}
                self.constant_nodes.append(_rename_tensors(node, names))
        return names

    def _step(
        self, graph: GraphProto, names: Mapping[str, str]
    ) -> tuple[list[NodeProto], dict[str, str]]:
        """The operators of a nested graph, and the new names of its tensors. `names` are those of
        tensors that it reads."""
        nodes = [node for node in graph.node if node.op_type != "Constant"]
        outputs = (name for node in nodes for name in node.output if name)
        names = {**names, **{name: self._unused_name(name) for name in outputs}}
        for entry in {entry.name: entry for entry in graph.value_info}.values():
            if entry.name in names:
                self.graph.value_info.add().CopyFrom(entry)
                self.graph.value_info[-1].name = names[entry.name]
        return [_rename_tensors(node, names) for node in nodes], names

    def _add_aliases(self, outputs: Sequence[str], names: Sequence[str]) -> None:
        """Records that `names` replace the first outputs of an operator."""
        for output, name in zip(outputs, names, strict=False):
            self.aliases[output] = self.aliases.get(name, name)

    def _stack(self, output: str, parts: Sequence[str]) -> Iterator[NodeProto]:
        """Operators that stack the tensors of all steps along a new axis."""
        rows = [self._unused_name(f"{output}.{number}") for number in range(len(parts))]
        for part, row in zip(parts, rows, strict=True):
            if self.opset < AXES_AS_INPUT:
                yield helper.make_node("Unsqueeze", [part], [row], axes=[0])
            else:
                axes = self._add_constant("axes", np.array([0]))
                yield helper.make_node("Unsqueeze", [part, axes], [row])
        yield helper.make_node("Concat", rows, [output], axis=0)

    def _add_constant(self, name: str, numbers: np.ndarray) -> str:
        """Adds a stored tensor and returns its name."""
        name = self._unused_name(name)
        self.graph.initializer.append(numpy_helper.from_array(numbers, name))
        return name

    def _unused_name(self, name: str) -> str:
        """A name that no tensor has: the name itself if possible."""
        candidate, number = name, self.last_numbers.get(name, 1)
        # A name in several nodes, or a new name that a node has, could replace another tensor.
        while candidate in self.taken or self.nested[candidate] > (candidate == name):
            number += 1
            candidate = f"{name}, {number}"
        self.last_numbers[name] = number
        self.taken.add(candidate)
        return candidate


def _nested_names(node: NodeProto) -> set[str]:
    """The names of the tensors that the graphs nested in a node define, at any depth."""
    names = set[str]()
    for graph in subgraphs(node):
        names |= {entry.name for entry in (*graph.input, *graph.initializer)}
        names.update(*(inner.output for inner in graph.node), *map(_nested_names, graph.node))
    return names


def _output_names(graph: GraphProto, names: Mapping[str, str]) -> list[str]:
    """The names of the outputs of a nested graph, after its tensors got new `names`."""
    return [names.get(entry.name, entry.name) for entry in graph.output]


def _rename_tensors(node: NodeProto, names: Mapping[str, str]) -> NodeProto:
    """A node with other names for some tensors, also in the graphs nested in it."""
    copy = NodeProto()
    copy.CopyFrom(node)
    copy.input[:] = [names.get(name, name) for name in node.input]
    copy.output[:] = [names.get(name, name) for name in node.output]
    for graph in subgraphs(copy):
        local_names = {entry.name for entry in (*graph.input, *graph.initializer)}
        local_names |= {name for inner in graph.node for name in inner.output}
        others = {name: new for name, new in names.items() if name not in local_names}
        nodes = [_rename_tensors(inner, others) for inner in graph.node]
        del graph.node[:]
        graph.node.extend(nodes)
        for entry in graph.output:
            entry.name = others.get(entry.name, entry.name)
    return copy


COPY_OF = "convcost.copy_of"  # metadata of a `Constant`: the node of a function that it copies
MAX_CALL_DEPTH = 100  # calls in each other; `onnx` refuses more


def inline_functions(model: ModelProto) -> ModelProto:
    """The model with its functions inlined. Raises ConstraintError CC404 if functions call each
    other in a cycle, CC401 if the functions have too many nodes."""
    if not model.functions:
        return model

    try:
        if _inlined_nodes(model) - count_nodes(model.graph.node) > MAX_ADDED_NODES:
            message = f"the calls of functions add more than {MAX_ADDED_NODES:,} nodes to the model"
            raise ConstraintError("CC401", message, "export the model without functions")
        for number, function in enumerate(model.functions):
            _mark_constants(function.node, str(number))
        return inliner.inline_local_functions(model)
    except (RuntimeError, ValueError, checker.ValidationError) as error:
        text = str(error).strip().splitlines() or ["no reason given"]
        raise ConstraintError(
            "CC404", f"the model's functions cannot be inlined: {text[-1][:300]}"
        ) from None


def _mark_constants(nodes: Iterable[NodeProto], place: str) -> None:
    """Marks each `Constant` of a function: all calls of the function have the same tensor."""
    for number, node in enumerate(nodes):
        if node.op_type == "Constant":
            node.metadata_props.add(key=COPY_OF, value=f"{place}, {number}")
        for graph in subgraphs(node):
            _mark_constants(graph.node, f"{place}, {number}")


def _inlined_nodes(model: ModelProto) -> int:
    """The nodes of the model with its functions inlined. A call that is too deep is one node."""
    functions = {(entry.domain, entry.name, entry.overload): entry for entry in model.functions}
    count_by_function: dict[tuple[str, str, str], int] = {}

    def count(nodes: Iterable[NodeProto], depth: int) -> int:
        total = 0
        for node in nodes:
            key = (node.domain, node.op_type, node.overload)
            if key in functions and key not in count_by_function:
                count_by_function[key] = 1  # a call of the function in itself is one node
                if depth < MAX_CALL_DEPTH:
                    count_by_function[key] = count(functions[key].node, depth + 1)
            total += count_by_function.get(key, _count_names(node))
            for attribute in node.attribute:
                for graph in (attribute.g, *attribute.graphs):
                    total += count(graph.node, depth)
        return total

    return count(model.graph.node, 0)
