"""Layers under one name. The language expands them; they have no costs of their own."""

from convcost.model.kind import Example, Layer, kind, option
from convcost.model.options import Layers
from convcost.model.shape import Shape

X = Shape(3, (32, 32))


@kind("sequence", principal="layers")
class SequenceKind(Layer):
    """Groups layers under a name, for subtotals."""

    role = "sequence"
    layers: Layers = option("a list of layers")
    examples = (
        Example(
            "{sequence: [{conv: 8, kernel: 3, padding: 1}, relu], name: stem}",
            X,
            Shape(8, (32, 32)),
            params=8 * 3 * 3 * 3,
            macs=8 * 3 * 3 * 3 * 32 * 32,
        ),
    )


@kind("side", principal="layers")
class SideKind(Layer):
    """Runs layers beside the main path, such as an auxiliary head. The output is the input."""

    role = "side"
    layers: Layers = option("a list of layers")
    examples = (
        Example(
            "{side: [flatten, {linear: 10}], name: aux}",
            X,
            X,
            params=10 * 3 * 32 * 32 + 10,
            macs=10 * 3 * 32 * 32,
        ),
    )
