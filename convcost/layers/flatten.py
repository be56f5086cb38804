"""Flattening, [c, *n] to [c · n…]."""

from convcost.model.kind import Example, Layer, kind
from convcost.model.receptive_field import ReceptiveField, window_field
from convcost.model.shape import Shape


@kind("flatten")
class Flatten(Layer):
    """Turns all elements into one vector, which `linear` needs. No params and no macs."""

    operation = "move"
    memory = "input"
    examples = (Example("flatten", Shape(512, (7, 7)), Shape(512 * 7 * 7)),)

    def output(self, x: Shape) -> Shape:
        return Shape(x.elements)

    def receptive_field(self, x: Shape) -> tuple[ReceptiveField, ...] | None:
        return tuple(window_field(0, n - 1, 1) for n in x.size) or None
