from convcost.field import Sight, sliding
from convcost.kind import Example, Layer, kind
from convcost.shapes import Shape


@kind("flatten")
class Flatten(Layer):
    """All elements in one row, as `linear` takes them."""

    examples = (Example("flatten", Shape(512, (7, 7)), Shape(512 * 7 * 7)),)

    def output(self, x: Shape) -> Shape:
        return Shape(x.elements)

    def sight(self, x: Shape) -> tuple[Sight, ...] | None:
        return tuple(sliding(0, n - 1, 1) for n in x.size) or None
