"""Activations and other functions of one element. Free."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from convcost.importing.from_onnx.graph import Node
from convcost.importing.from_onnx.operators import operator
from convcost.importing.from_onnx.sheet import Sheet, get
from convcost.importing.from_onnx.unknown import uncounted
from convcost.importing.parts.pointwise import by_channel, pointwise
from convcost.importing.value import Value

KINDS = {
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Softplus": "softplus",
    "Selu": "selu",
    "Elu": "elu",
    "Celu": "celu",
    "LeakyRelu": "leaky_relu",
    "Mish": "mish",
    "Softmax": "softmax",
    "LogSoftmax": "log_softmax",
    "HardSwish": "hard_swish",
    "HardSigmoid": "hard_sigmoid",
    "Gelu": "gelu",
    "FastGelu": "gelu",
    "QuickGelu": "silu",
    "Swish": "silu",
    "Silu": "silu",
    "Hardmax": "softmax",
    "QLinearSigmoid": "sigmoid",
    "QLinearLeakyRelu": "leaky_relu",
    "QLinearSoftmax": "softmax",
    "ThresholdedRelu": "relu",
}

# What an operator's `alpha` is called, and its usual value.
FACTORS = {
    "LeakyRelu": ("slope", 0.01),
    "Elu": ("alpha", 1.0),
    "Celu": ("alpha", 1.0),
}

FUNCTIONS = {
    "Abs": "abs",
    "Neg": "negate",
    "Sign": "sign",
    "Reciprocal": "reciprocal",
    "Sqrt": "sqrt",
    "Exp": "exp",
    "Log": "log",
    "Erf": "erf",
    "Sin": "sin",
    "Cos": "cos",
    "Tan": "tan",
    "Round": "round",
    "Floor": "floor",
    "Ceil": "ceil",
}


def applied(sheet: Sheet, node: Node, op: str, x: Value) -> Value:
    """The activation of a fused operator, as a layer of its own."""
    return pointwise(sheet.easel, KINDS[op], x, (*sheet.path(node), KINDS[op]))


@operator(*KINDS)
def activation(sheet: Sheet, node: Node) -> Value:
    return _alone(sheet, node, KINDS[node.op], _factor(node))


def _factor(node: Node) -> dict[str, Any]:
    """The slope or alpha of an operator, where it is not the usual one."""
    name, usual = FACTORS.get(node.op, ("", 0.0))
    given = node.attributes.get("alpha")
    if not name or not isinstance(given, float):
        return {}
    import numpy as np

    shortest = str(np.float32(given))  # as it was written before it became 32 bits
    exact = Fraction(shortest) if np.isfinite(given) else None
    if exact is None or shortest == str(usual):
        return {}
    return {name: int(exact) if exact.denominator == 1 else exact}


@operator(*FUNCTIONS)
def function(sheet: Sheet, node: Node) -> Value:
    return _alone(sheet, node, "elementwise", {"function": FUNCTIONS[node.op]})


def _alone(sheet: Sheet, node: Node, kind: str, options: Mapping[str, Any] | None = None) -> Value:
    return pointwise(sheet.easel, kind, sheet.value(node), sheet.path(node), options)


@operator("Clip")
def clip(sheet: Sheet, node: Node) -> Value:
    low = get(node, "min", sheet.number(node, 1))
    high = get(node, "max", sheet.number(node, 2))
    if low == 0 and high == 6:  # noqa: PLR2004  relu6
        return _alone(sheet, node, "relu6")
    if low == 0 and (high is None or high > 1e30):  # noqa: PLR2004  no upper bound at all
        return _alone(sheet, node, "relu")
    return _alone(sheet, node, "elementwise", {"function": "clip"})


@operator("PRelu")
def prelu(sheet: Sheet, node: Node) -> Value | tuple[Value, ...]:
    slopes = sheet.constant(node, 1)
    if slopes is None:
        return uncounted(sheet, node)
    x = sheet.value(node)
    tensors = sheet.tensors(node, 1, kinds=("prelu",))
    if slopes.elements == 1:
        return pointwise_with(sheet, node, x, tensors)
    full = (1,) * (len(x.dims) - len(slopes.dims)) + slopes.dims
    long = [axis for axis, n in enumerate(full) if n != 1]
    if len(long) != 1:
        return uncounted(sheet, node)
    return by_channel(sheet.easel, "prelu", x, sheet.path(node), long[0], tensors=tensors)


def pointwise_with(sheet: Sheet, node: Node, x: Value, tensors: Mapping[str, int]) -> Value:
    """A PReLU with one slope for all."""
    options = {"shared": True}
    return by_channel(
        sheet.easel, "prelu", x, sheet.path(node), x.channel, options, tensors=tensors
    )


@operator("Dropout")
def dropout(sheet: Sheet, node: Node) -> Value:
    return _alone(sheet, node, "dropout")


@operator("Identity", "Cast", "CastLike", "QuantizeLinear", "DequantizeLinear", "StopGradient")
def nothing(sheet: Sheet, node: Node) -> Value:
    return sheet.free(node, sheet.value(node))


@operator("DynamicQuantizeLinear")
def dynamic(sheet: Sheet, node: Node) -> tuple[Value, ...]:
    from convcost.importing.from_onnx.constants import Constant

    for output in node.outputs[1:]:
        sheet.constants[output] = Constant((), real=True)
    return (sheet.free(node, sheet.value(node)),)
