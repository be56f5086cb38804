"""Normalizations that exporters write as means, squares and roots."""

from convcost.importing.frontends.onnx.graph import OnnxNode
from convcost.importing.frontends.onnx.patterns import PatternGraph, pattern, replacement

LONGEST = 3  # the rank of a tensor that is reshaped for a group norm


@pattern("Div", "Mul")
def centred(net: PatternGraph, node: OnnxNode) -> OnnxNode | None:
    """(x − mean)/√(var + ε) is a layer norm; x/√(mean(x²) + ε) is an RMS norm."""
    for top, bottom in _ratio(net, node):
        add = net.producer(bottom, "Add")
        squares = [name for name in add.inputs if net.number(name) is None] if add else [bottom]
        mean = net.producer(squares[0], "ReduceMean") if len(squares) == 1 else None
        if mean is None:
            continue
        axes = _axes(net, mean)
        squared = _squared(net, mean.inputs[0])
        if axes is None or squared is None:
            continue
        if squared == top and not _is_centred(net, top):
            return replacement(node, "NormalizedOver", (top,), axes=axes, kind="rms_norm")
        x = _centre(net, squared, axes)
        if x is not None and (top == squared or _centre(net, top, axes) == x):
            return replacement(node, "NormalizedOver", (x,), axes=axes, kind="layer_norm")
    return None


def _ratio(net: PatternGraph, node: OnnxNode) -> list[tuple[str, str]]:
    """(a, b) of a/√b and a·(1/√b)."""
    if node.op == "Div":
        root = net.producer(node.inputs[1], "Sqrt")
        return [(node.inputs[0], root.inputs[0])] if root is not None else []
    found = []
    for position in (0, 1):
        over = net.producer(node.inputs[position], "Reciprocal", "Div")
        if over is not None and (over.op == "Reciprocal" or net.near(over.inputs[0], 1)):
            root = net.producer(over.inputs[-1], "Sqrt")
            if root is not None:
                found.append((node.inputs[1 - position], root.inputs[0]))
    return found


def _squared(net: PatternGraph, name: str) -> str | None:
    """x of x² or x·x."""
    producer = net.producer(name, "Pow", "Mul")
    if producer is None:
        return None
    if producer.op == "Pow":
        return producer.inputs[0] if net.near(producer.inputs[1], 2) else None
    return producer.inputs[0] if producer.inputs[0] == producer.inputs[1] else None


def _is_centred(net: PatternGraph, name: str) -> bool:
    less = net.producer(name, "Sub")
    return less is not None and net.producer(less.inputs[1], "ReduceMean") is not None


def _centre(net: PatternGraph, name: str, axes: tuple[int, ...]) -> str | None:
    """x of x − mean(x)."""
    less = net.producer(name, "Sub")
    mean = net.producer(less.inputs[1], "ReduceMean") if less is not None else None
    if less is None or mean is None or mean.inputs[0] != less.inputs[0]:
        return None
    return less.inputs[0] if _axes(net, mean) == axes else None


def _axes(net: PatternGraph, node: OnnxNode) -> tuple[int, ...] | None:
    if "axes" in node.attributes:
        return tuple(node.attributes["axes"])
    constant = net.constants.get(node.input(1))
    if constant is None or constant.data is None:
        return None
    return tuple(int(n) for n in constant.data.reshape(-1))


@pattern("Reshape")
def grouped(net: PatternGraph, node: OnnxNode) -> OnnxNode | None:
    """A reshape of the channels to groups, an instance norm without params, and a reshape back: a
    group norm."""
    norm = net.producer(node.inputs[0], "InstanceNormalization")
    reshape_node = net.producer(norm.inputs[0], "Reshape") if norm is not None else None
    if norm is None or reshape_node is None:
        return None
    if net.number(norm.inputs[1]) != 1 or net.number(norm.inputs[2]) != 0:
        return None
    before, within = net.shapes.get(reshape_node.inputs[0]), net.shapes.get(reshape_node.outputs[0])
    after = net.shapes.get(node.outputs[0])
    if before is None or before != after or within is None or len(within) < LONGEST:
        return None
    return replacement(node, "NormalizedGroups", (reshape_node.inputs[0],), groups=within[1])


@pattern("Div")
def shares(net: PatternGraph, node: OnnxNode) -> OnnxNode | None:
    """exp(x − max)/sum: softmax."""
    total = net.producer(node.inputs[1], "ReduceSum")
    top = net.producer(node.inputs[0], "Exp")
    if total is None or top is None or total.inputs[0] != node.inputs[0]:
        return None
    less = net.producer(top.inputs[0], "Sub")
    largest = net.producer(less.inputs[1], "ReduceMax") if less is not None else None
    if less is not None and largest is not None and largest.inputs[0] == less.inputs[0]:
        return replacement(node, "Softmax", (less.inputs[0],))
    return replacement(node, "Softmax", (top.inputs[0],))
