"""Activations that exporters write as products: x·sigmoid(x), x·(1 + erf(x/√2))/2, …"""

from math import prod
from typing import NamedTuple

from convcost.importing.frontends.onnx.graph import OnnxNode
from convcost.importing.frontends.onnx.patterns import CLOSE, PatternGraph, pattern, replacement

SIXTH = 1 / 6
DEEPEST = 8  # nested products, and operators between x and its gate


class Product(NamedTuple):
    """Tensors that are multiplied with each other and with a number."""

    factors: tuple[str, ...]
    number: float


def _product(net: PatternGraph, node: OnnxNode) -> Product:
    factors, numbers = list[str](), [1.0]

    def take(name: str, depth: int) -> None:
        producer = net.producer(name, "Mul", "Div")
        number = net.number(name)
        if number is not None:
            numbers.append(number)
        elif producer is not None and depth < DEEPEST and _numbered(net, producer):
            over = net.number(producer.inputs[1])
            if producer.op == "Div" and over:
                numbers.append(1 / over)
                take(producer.inputs[0], depth + 1)
            else:
                for part in producer.inputs:
                    take(part, depth + 1)
        else:
            factors.append(name)

    last = net.number(node.inputs[1]) if len(node.inputs) > 1 else None
    if node.op == "Div":
        if last:
            numbers.append(1 / last)
            take(node.inputs[0], 0)
    else:
        for part in node.inputs:
            take(part, 0)
    return Product(tuple(factors), prod(numbers))


def _numbered(net: PatternGraph, node: OnnxNode) -> bool:
    """Whether a product multiplies by a number, or is an x times a gate of the same x."""
    if node.op == "Div":
        return net.number(node.inputs[1]) is not None
    if any(net.number(name) is not None for name in node.inputs):
        return True
    return any(net.producer(name, "Add", "Clip") is not None for name in node.inputs)


@pattern("Mul", "Div")
def gated(net: PatternGraph, node: OnnxNode) -> OnnxNode | None:
    """x times a gate of the same x."""
    factors, number = _product(net, node)
    if len(factors) == 1:
        return _hard_sigmoid(net, node, factors[0], number)
    if len(factors) != 2:  # noqa: PLR2004
        return None
    for x, gate in (factors, factors[::-1]):
        found = _gate(net, x, gate, number)
        if found:
            return replacement(node, found, (x,))
    return None


def _gate(net: PatternGraph, x: str, gate: str, number: float) -> str | None:
    """The activation that is x times that gate and a number."""
    producer = net.producers.get(gate)
    if producer is None or not producer.inputs:
        return None
    y = producer.inputs[0]
    soft = net.producer(y, "Softplus")
    inner = net.beside(producer, 1) if producer.op == "Add" else None
    erf = net.producer(inner, "Erf", "Tanh") if inner else None
    known = {
        "Sigmoid": ("Silu", 1, x in (y, _scaled(net, y))),
        "HardSigmoid": ("HardSwish", 1, y == x),
        "Clip": ("HardSwish", SIXTH, producer.op == "Clip" and _shifted(net, producer) == x),
        "Tanh": ("Mish", 1, soft is not None and soft.inputs[0] == x),
        "Add": ("Gelu", 0.5, erf is not None and _comes_from(net, erf.inputs[0], x)),
    }
    name, factor, fits = known.get(producer.op, ("", 0, False))
    return name if fits and _near(number, factor) else None


def _hard_sigmoid(net: PatternGraph, node: OnnxNode, name: str, number: float) -> OnnxNode | None:
    """clip(x + 3, 0, 6)/6."""
    clip = net.producer(name, "Clip")
    if clip is None or not _near(number, SIXTH):
        return None
    x = _shifted(net, clip)
    return None if x is None else replacement(node, "HardSigmoid", (x,))


def _shifted(net: PatternGraph, clip: OnnxNode) -> str | None:
    """x of clip(x + 3, 0, 6)."""
    bounds = [
        clip.attributes.get(name, net.number(clip.input(at)))
        for at, name in ((1, "min"), (2, "max"))
    ]
    plus = net.producer(clip.inputs[0], "Add")
    if bounds[0] != 0 or bounds[1] != 6 or plus is None:  # noqa: PLR2004
        return None
    return net.beside(plus, 3)


def _scaled(net: PatternGraph, name: str) -> str | None:
    """x of x times a number."""
    times = net.producer(name, "Mul")
    if times is None:
        return None
    for at in (0, 1):
        if net.number(times.inputs[at]) is not None:
            return times.inputs[1 - at]
    return None


def _comes_from(net: PatternGraph, name: str, x: str, depth: int = 0) -> bool:
    """Whether a tensor is computed from x and numbers only."""
    if name == x:
        return True
    producer = net.producer(name, "Mul", "Div", "Add", "Pow")
    if producer is None or depth > DEEPEST:
        return False
    parts = [part for part in producer.inputs if net.number(part) is None]
    return bool(parts) and all(_comes_from(net, part, x, depth + 1) for part in parts)


def _near(number: float, other: float) -> bool:
    return abs(number - other) <= CLOSE * max(1.0, abs(other))
