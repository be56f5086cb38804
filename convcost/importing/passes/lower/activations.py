"""Activations and elementwise functions."""

from fractions import Fraction
from math import isfinite
from typing import Any

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.ops import OPS, Node, Trait
from convcost.importing.ir.tensor import Tensor
from convcost.importing.passes.lower.pointwise import by_channel, pointwise
from convcost.importing.passes.lower.windows import windowed_layer
from convcost.importing.passes.lowering import lower, lowering
from convcost.model.kind import KINDS
from convcost.model.options import FUNCTIONS

DIGITS = 7  # significant digits: enough to restore a number that was stored with 32 bits
UNBOUNDED = 1e30  # models write the largest float for no bound
BOUNDS: dict[Any, str] = {(0, 6): "relu6", (0, None): "relu", (-1, 1): "hard_tanh"}
USUAL = {"leaky_relu": Fraction(1, 100), "elu": Fraction(1), "celu": Fraction(1)}


@lowering(*(op.name for op in OPS.values() if Trait.ACTIVATES in op.traits))
def activation(builder: GraphBuilder, node: Node) -> Tensor:
    """Adds the kind with the operator's name; `number` is its single option, if it has one."""
    kind, number = KINDS[node.op], node.attributes.get("number")
    options: dict[str, Any] = {}
    if kind.principal is not None and number is not None and isfinite(number):
        exact = Fraction(f"{number:.{DIGITS}g}")
        if exact != USUAL.get(node.op):
            options[kind.principal] = int(exact) if exact.denominator == 1 else exact
    return pointwise(builder, node.op, node.x, node.path, options)


@lowering(*(name for name in FUNCTIONS if name != "clip"))
def function(builder: GraphBuilder, node: Node) -> Tensor:
    return pointwise(builder, "elementwise", node.x, node.path, {"function": node.op})


@lowering("clip")
def clip(builder: GraphBuilder, node: Node) -> Tensor:
    """min(max(x, low), high); None means no bound."""
    low, high = node.attributes["low"], node.attributes["high"]
    low = None if low is None or low < -UNBOUNDED else low
    high = None if high is None or high > UNBOUNDED else high
    if (low, high) in BOUNDS:
        return pointwise(builder, BOUNDS[low, high], node.x, node.path)
    return function(builder, node)


@lowering("prelu")
def prelu(builder: GraphBuilder, node: Node) -> Tensor:
    """One slope for each entry of an axis, or one slope in total: `dims` are those of the slopes,
    which broadcast to the input. No kind has slopes for single positions."""
    x, dims, rank = node.x, node.attributes["dims"], len(node.x.dims)
    long_axes = [axis for axis, n in enumerate(dims, rank - len(dims)) if n != 1]
    if len(long_axes) > 1:
        attributes: dict[str, Any] = {"dims": x.dims, "input": builder.shape(x.source)}
        attributes |= {"weights": node.weights, "what": "PReLU"}
        return lower(builder, "custom", node.path, x, **attributes)
    channel = long_axes[0] if long_axes else x.channel
    options = {"shared": not long_axes and x.dims[channel] != 1}
    return by_channel(builder, "prelu", x, node.path, channel, options, tensors=node.weights)


@lowering("glu")
def glu(builder: GraphBuilder, node: Node) -> Tensor:
    x, channel = node.x, node.x.channel
    axis = node.attributes["axis"] % len(x.dims)
    return windowed_layer(builder, node, x.along(axis, channel), channel=channel)
