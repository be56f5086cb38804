"""Bounds and thresholds that exporters write with `Min`, `Max` and `Where`."""

from convcost.importing.frontends.onnx.graph import OnnxNode
from convcost.importing.frontends.onnx.patterns import PatternGraph, pattern, replacement

PAIR = 2
SIX = 6


@pattern("Min", "Max")
def bounded(net: PatternGraph, node: OnnxNode) -> OnnxNode | None:
    """min(max(x, a), b) has two bounds; max(x, a) and min(x, b) have one."""
    found = _bound(net, node)
    if found is None:
        return None
    x, number = found
    bounds = {"min" if node.op == "Max" else "max": number}
    inner = net.producer(x, "Clip")
    both = inner is not None and inner.domain == "convcost" and net.uses[x] == 1
    if inner is None or not both or bounds.keys() & inner.attributes.keys():
        return replacement(node, "Clip", (x,), **bounds)
    return replacement(node, "Clip", inner.inputs, **inner.attributes, **bounds)


def _bound(net: PatternGraph, node: OnnxNode) -> tuple[str, float] | None:
    """The tensor and the number of a `Min` or `Max` with two inputs."""
    if len(node.inputs) != PAIR:
        return None
    for position in (0, 1):
        number = net.number(node.inputs[position])
        if number is not None and node.inputs[1 - position] not in net.constants:
            return node.inputs[1 - position], number
    return None


@pattern("Mul", "Div")
def hard_sigmoid(net: PatternGraph, node: OnnxNode) -> OnnxNode | None:
    """clip(x + 3, 0, 6)/6."""
    scaled = net.other_input(node, 1 / SIX)
    if node.op == "Div":
        scaled = node.inputs[0] if net.near(node.inputs[1], SIX) else None
    clip = net.producer(scaled or "", "Clip")
    shifted = net.producer(clip.inputs[0], "Add") if clip is not None else None
    x = net.other_input(shifted, SIX / 2) if shifted is not None else None
    if clip is None or x is None:
        return None
    low, high = (
        clip.attributes.get(name, net.number(clip.input(position)))
        for position, name in ((1, "min"), (2, "max"))
    )
    return replacement(node, "HardSigmoid", (x,)) if (low, high) == (0, SIX) else None


@pattern("Where")
def softplus(net: PatternGraph, node: OnnxNode) -> OnnxNode | None:
    """where(x > t, x, softplus(x)) is written as one softplus: above t, both are practically
    equal."""
    large = net.producer(node.inputs[0], "Greater", "GreaterOrEqual")
    soft = net.producer(_unscaled(net, node.inputs[2]), "Softplus")
    if large is None or soft is None or net.number(large.inputs[1]) is None:
        return None
    x = node.inputs[1]
    compared, taken = (_unscaled(net, name) for name in (large.inputs[0], soft.inputs[0]))
    return replacement(node, "Softplus", (x,)) if compared == taken == x else None


@pattern("Where")
def threshold(net: PatternGraph, node: OnnxNode) -> OnnxNode | None:
    """x where x, or its magnitude, is above a threshold, and a fixed number elsewhere."""
    small, number, x = net.producer(node.inputs[0], "LessOrEqual"), *node.inputs[1:]
    if small is None or net.number(number) is None or net.number(small.inputs[1]) is None:
        return None
    if small.inputs[0] == x:
        return replacement(node, "Threshold", (x,), alpha=net.number(small.inputs[1]))
    return replacement(node, "HardShrink", (x,)) if _is_magnitude(net, small.inputs[0], x) else None


@pattern("Where")
def shrunk(net: PatternGraph, node: OnnxNode) -> OnnxNode | None:
    """Soft shrink: x moved towards 0 by a number where its magnitude is larger than the number, and
    0 elsewhere."""
    large, less = net.producer(node.inputs[0], "Greater"), net.producer(node.inputs[1], "Sub")
    step = net.producer(less.inputs[1], "Mul") if less is not None else None
    if large is None or less is None or step is None:
        return None
    x = less.inputs[0]
    signs = [net.producer(name, "Sign") for name in step.inputs]
    moved = any(sign is not None and sign.inputs[0] == x for sign in signs)
    fits = moved and _is_magnitude(net, large.inputs[0], x) and _unscaled(net, node.inputs[2]) == x
    return replacement(node, "SoftShrink", (x,)) if fits else None


def _is_magnitude(net: PatternGraph, name: str, x: str) -> bool:
    producer = net.producer(name, "Abs")
    return producer is not None and producer.inputs[0] == x


def _unscaled(net: PatternGraph, name: str) -> str:
    """The tensor before it is multiplied or divided by a number."""
    producer = net.producer(name, "Mul", "Div")
    if producer is None or net.number(producer.inputs[1]) is None:
        return name
    return producer.inputs[0]
