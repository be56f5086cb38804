"""Several operators that are one operator, where numbers or positions of the file decide that. The
layer graph does not have these; `passes/fusions.py` finds the other patterns.

A pattern is found from its last operator, which is replaced. The other operators stay only if
something else reads them.
"""

import ast
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias

from convcost.importing.frontends.onnx.graph import OnnxGraph, OnnxNode, alive
from convcost.importing.frontends.onnx.open_dims import Dims
from convcost.importing.ir.constant import Constant
from convcost.importing.ir.tensor import MATRIX_RANK

TOLERANCE = 1e-3  # relative error of a constant such as 1/6 in a file
MAX_STEPS = 8  # operators to follow
COMMUTATIVE = ("Add", "Mul", "Min", "Max")
VIEWS = ("Reshape", "Transpose", "Expand", "Unsqueeze", "Concat", "Identity", "Cast")
IM2COL = (0, 1, 2, 4, 3, 5)

# A pattern, the operator that replaces it and its attributes. `x` is a tensor that depends on the
# inputs, `a` and `b` are numbers, and `scaled(x)` may be multiplied or divided by a number. Above
# the threshold of a softplus, x and softplus(x) are practically equal.
TABLE: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("Min(Clip(x, a, None), b)", "Clip", {"min": "a", "max": "b"}),
    ("Max(Clip(x, None, b), a)", "Clip", {"min": "a", "max": "b"}),
    ("Min(x, b)", "Clip", {"max": "b"}),
    ("Max(x, a)", "Clip", {"min": "a"}),
    ("Div(Clip(Add(x, 3), 0, 6), 6)", "HardSigmoid", {}),
    ("Mul(Clip(Add(x, 3), 0, 6), 0.166667)", "HardSigmoid", {}),
    ("Where(Greater(scaled(x), a), x, scaled(Softplus(scaled(x))))", "Softplus", {}),
    ("Where(GreaterOrEqual(scaled(x), a), x, scaled(Softplus(scaled(x))))", "Softplus", {}),
    ("Where(LessOrEqual(x, a), b, x)", "Threshold", {"alpha": "a"}),
    ("Where(LessOrEqual(Abs(x), a), b, x)", "HardShrink", {}),
    ("Where(Greater(Abs(x), a), Sub(x, Mul(Sign(x), a)), scaled(x))", "SoftShrink", {}),
)

Argument: TypeAlias = str | float | None  # a tensor, a number of the code, or nothing


class PatternGraph:
    """A graph that finds the node that produces a tensor."""

    def __init__(
        self, graph: OnnxGraph, constants: Mapping[str, Constant], shapes: Mapping[str, Dims]
    ) -> None:
        self.constants = constants
        self.shapes = shapes
        self.producers = {name: node for node in graph.nodes for name in node.outputs}

    def producer(self, name: str, *ops: str) -> OnnxNode | None:
        """The node that produces a tensor, if its operator is one of `ops`."""
        node = self.producers.get(name)
        return node if node is not None and node.op in ops else None

    def number(self, argument: Argument) -> float | None:
        """The value of a number, or of a constant whose elements are equal; None if it is a single
        learned number."""
        if not isinstance(argument, str):
            return argument
        constant = self.constants.get(argument)
        if constant is None or (constant.elements == 1 and constant.is_weight):
            return None
        return constant.number

    def source_before(self, name: str, *ops: str) -> str:
        """The tensor before operators that have it as their first input."""
        for _ in range(MAX_STEPS):
            node = self.producer(name, *ops)
            if node is None:
                break
            name = node.inputs[0]
        return name

    def unscaled(self, name: str) -> str:
        node = self.producer(name, "Mul", "Div")
        return name if node is None or self.number(node.inputs[1]) is None else node.inputs[0]

    def match(self, tensor: Argument, form: ast.expr, values: dict[str, Any]) -> bool:
        """Whether a tensor has the form of a pattern. Adds the values of names to `values`."""
        match form:
            case ast.Call(ast.Name("scaled"), [inner]):
                return isinstance(tensor, str) and self.match(self.unscaled(tensor), inner, values)
            case ast.Call(ast.Name(op), inner):
                node = self.producer(tensor, op) if isinstance(tensor, str) else None
                return node is not None and self.match_inputs(node, inner, values)
            case ast.Constant(None):
                return tensor in (None, "")
            case ast.Constant(float() | int() as number):
                value = self.number(tensor)
                return value is not None and abs(value - number) <= TOLERANCE * max(1, number)
            case ast.Name("x"):
                return tensor not in self.constants and values.setdefault("x", tensor) == tensor
        value = self.number(tensor)
        return value is not None and values.setdefault(ast.unparse(form), value) == value

    def match_inputs(self, node: OnnxNode, forms: list[ast.expr], values: dict[str, Any]) -> bool:
        inputs: tuple[Argument, ...] = node.inputs
        if node.op == "Clip":  # its bounds are attributes or inputs
            bounds = enumerate(("min", "max"), 1)
            inputs = inputs[0], *(node.attributes.get(name, node.input(n)) for n, name in bounds)
        orders = (inputs, inputs[::-1]) if node.op in COMMUTATIVE else (inputs,)
        for order in orders if len(inputs) == len(forms) else ():
            tried = dict(values)
            if all(self.match(*pair, tried) for pair in zip(order, forms, strict=True)):
                values.update(tried)
                return True
        return False


Pattern: TypeAlias = Callable[[PatternGraph, OnnxNode], OnnxNode | None]


def replace_patterns(
    graph: OnnxGraph, constants: Mapping[str, Constant], shapes: Mapping[str, Dims]
) -> OnnxGraph:
    """The graph with one node in place of each pattern."""
    net = PatternGraph(graph, constants, shapes)
    nodes = []
    for node in graph.nodes:
        try:
            new = next(_replacements(net, node), node)
        except (LookupError, ValueError, TypeError, AttributeError):
            new = node  # a malformed operator: its lowering reports the error
        net.producers.update(dict.fromkeys(new.outputs, new))
        nodes.append(new)
    return graph._replace(nodes=alive(nodes, graph.outputs))


def _replacements(net: PatternGraph, node: OnnxNode) -> Iterator[OnnxNode]:
    for forms, op, attributes in _table().get(node.op, ()):
        value_by_name: dict[str, Any] = {}
        if net.match_inputs(node, forms, value_by_name):
            numbers = {name: value_by_name[value] for name, value in attributes.items()}
            yield replacement(node, op, value_by_name["x"], **numbers)
    finders = {"Reshape": (_unpooled, _windows), "SequenceAt": (_split_part,)}.get(node.op, ())
    yield from filter(None, (find(net, node) for find in finders))


@cache
def _table() -> dict[str, list[tuple[list[ast.expr], str, dict[str, str]]]]:
    """The table by the last operator of each pattern."""
    patterns_by_op: dict[str, list[tuple[list[ast.expr], str, dict[str, str]]]] = {}
    for pattern, op, attributes in TABLE:
        last = pattern.partition("(")[0]
        call = ast.parse(pattern, mode="eval").body
        assert isinstance(call, ast.Call)
        patterns_by_op.setdefault(last, []).append((call.args, op, attributes))
    return patterns_by_op


def replacement(node: OnnxNode, op: str, *inputs: str, **attributes: Any) -> OnnxNode:
    """The node that replaces a pattern. It keeps the name of the last node."""
    return node._replace(op=op, domain="convcost", inputs=inputs, attributes=attributes)


def _unpooled(net: PatternGraph, node: OnnxNode) -> OnnxNode | None:
    """The elements of a max pool that are scattered into zeros by the indices of that pool."""
    scatter = net.producer(net.source_before(node.inputs[0], *VIEWS), "ScatterND")
    if scatter is None or net.number(scatter.inputs[0]) != 0:
        return None
    indices = net.source_before(scatter.inputs[1], *VIEWS, "Add", "Sub")
    pool = net.producer(indices, "MaxPool")
    x, size = net.source_before(scatter.inputs[2], *VIEWS), net.shapes.get(node.outputs[0])
    if pool is None or size is None or net.shapes.get(x) != net.shapes.get(pool.outputs[0]):
        return None
    names = {"kernel_shape", "strides", "pads"} & pool.attributes.keys()
    window = {name: pool.attributes[name] for name in names}
    return replacement(node, "MaxUnpool", x, indices, size=size, **window)


def _windows(net: PatternGraph, node: OnnxNode) -> OnnxNode | None:
    """The elements of each sliding window, gathered by a table of positions: first along the rows,
    then along the columns."""
    turned = net.producer(node.inputs[0], "Transpose")
    columns = net.producer(turned.inputs[0], "Gather") if turned is not None else None
    rows = net.producer(columns.inputs[0], "Gather") if columns is not None else None
    if turned is None or columns is None or rows is None or turned.attributes["perm"] != IM2COL:
        return None
    if (rows.attributes.get("axis"), columns.attributes.get("axis")) != (2, 4):
        return None
    tables = [net.constants.get(gather.inputs[1]) for gather in (rows, columns)]
    if any(table is None or len(table.dims) != MATRIX_RANK for table in tables):
        return None
    pad = net.producer(rows.inputs[0], "Pad")
    return replacement(node, "Im2Col", rows.inputs[0] if pad is None else pad.inputs[0])


def _split_part(net: PatternGraph, node: OnnxNode) -> OnnxNode | None:
    """The n-th part of a tensor along an axis: PyTorch's newer exporter writes a split as a
    sequence."""
    split = net.producer(node.inputs[0], "SplitToSequence")
    number = net.number(node.inputs[1])
    if split is None or number is None:
        return None
    stored = net.constants.get(split.inputs[0])
    dims = net.shapes.get(split.inputs[0]) if stored is None else stored.dims
    constant = net.constants.get(split.input(1))
    if dims is None or (split.input(1) and (constant is None or constant.data is None)):
        return None
    axis = split.attributes.get("axis", 0) % len(dims)
    lengths = constant.data.ravel().tolist() if constant is not None else [1]
    if constant is None or not constant.dims:  # parts of equal length; the last part has the rest
        share = int(lengths[0])
        lengths = [min(share, dims[axis] - start) for start in range(0, dims[axis], share)]
    place = int(number) % len(lengths)
    start, length = int(sum(lengths[:place])), int(lengths[place])
    keep = bool(split.attributes.get("keepdims", 1)) or constant is not None
    x = split.inputs[0]
    return replacement(node, "Piece", x, axis=axis, start=start, length=length, keep=keep)
