"""Joins: where branches meet. No multiply-adds."""

from convcost.errors import Refusal
from convcost.kind import Example, Join, kind, option
from convcost.options import Layers
from convcost.shapes import Shape, size_text


@kind("concat", principal="branches")
class Concat(Join):
    """Lays branches side by side: channels add up, sizes must agree."""

    branches: Layers = option("named lists of layers, or names of layers", None)

    examples = (
        Example(
            "{concat: {a: [{conv: 64, kernel: 1}], b: [{conv: 32, kernel: 5, padding: 2}]}}",
            Shape(192, (28, 28)),
            Shape(64 + 32, (28, 28)),
            params=64 * 192 + 32 * 5 * 5 * 192,
            macs=(64 * 192 + 32 * 5 * 5 * 192) * 28 * 28,
        ),
        Example("{concat: [input, input]}", Shape(64, (28, 28)), Shape(64 + 64, (28, 28))),
    )

    def output(self, x: tuple[Shape, ...]) -> Shape:
        if len({shape.size for shape in x}) > 1:
            sizes = " and ".join(dict.fromkeys(size_text(shape.size) for shape in x))
            raise Refusal("CC303", f"concat needs branches of one size, not {sizes}")
        return Shape(sum(shape.channels for shape in x), x[0].size)


class _Elementwise(Join):
    branches: Layers = option("named lists of layers, or names of layers", None)

    # A [c, 1…] gate goes with a [c, h, w] map; anything else must be equal.
    def output(self, x: tuple[Shape, ...]) -> Shape:
        largest = max(x, key=lambda shape: shape.elements)
        for shape in x:
            gate = shape.channels == largest.channels and shape.size == (1,) * len(largest.size)
            if shape != largest and not gate:
                raise Refusal(
                    "CC303",
                    f"{self.name} needs branches of one shape, not {largest.text} and {shape.text}",
                    "only a gate of one element a channel may be smaller",
                )
        return largest


@kind("add", principal="branches")
class Add(_Elementwise):
    """Adds branches element by element; a C×1×1 branch goes with every position."""

    examples = (
        Example(
            "{add: {main: [{conv: 64, kernel: 3, padding: 1}], shortcut: []}}",
            Shape(64, (56, 56)),
            Shape(64, (56, 56)),
            params=64 * 3 * 3 * 64,
            macs=64 * 3 * 3 * 64 * 56 * 56,
        ),
    )


@kind("multiply", principal="branches")
class Multiply(_Elementwise):
    """Multiplies branches element by element; a C×1×1 branch gates every position."""

    examples = (
        Example(
            "{multiply: {map: [], gate: [global_avg_pool, {conv: 64, kernel: 1}, sigmoid]}}",
            Shape(64, (56, 56)),
            Shape(64, (56, 56)),
            params=64 * 64,
            macs=64 * 64,
        ),
    )
