from convcost.kind import Example, Layer, Reach, kind
from convcost.shapes import Shape


@kind("flatten")
class Flatten(Layer):
    """All elements in one row, as `linear` takes them."""

    examples = (Example("flatten", Shape(512, (7, 7)), Shape(512 * 7 * 7)),)

    def output(self, x: Shape) -> Shape:
        return Shape(x.elements)

    def reach(self, x: Shape) -> Reach | None:
        return Reach(tuple(n - 1 for n in x.size)) if x.size else None
