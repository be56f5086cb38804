"""Joins: where branches meet. No multiply-adds."""

from convcost.errors import Refusal
from convcost.kind import Example, Join, kind, option
from convcost.options import Along, Layers
from convcost.shapes import Shape, broadcast, size_text
from convcost.window import needs_axis


@kind("concat", principal="branches")
class Concat(Join):
    """Lays branches side by side: channels add up, sizes must agree; or one axis of the size does,
    all else must agree."""

    branches: Layers = option("named lists of layers, or names of layers", None)
    along: Along = option("what adds up", "channels")

    examples = (
        Example(
            "{concat: {a: [{conv: 64, kernel: 1}], b: [{conv: 32, kernel: 5, padding: 2}]}}",
            Shape(192, (28, 28)),
            Shape(64 + 32, (28, 28)),
            params=64 * 192 + 32 * 5 * 5 * 192,
            macs=(64 * 192 + 32 * 5 * 5 * 192) * 28 * 28,
        ),
        Example("{concat: [input, input]}", Shape(64, (28, 28)), Shape(64 + 64, (28, 28))),
        Example(
            "{concat: {class: [{learned: {channels: 768, size: [1]}}], patches: []}, along: 1}",
            Shape(768, (196,)),
            Shape(768, (1 + 196,)),
            params=768,
        ),
    )

    def output(self, x: tuple[Shape, ...]) -> Shape:
        if isinstance(self.along, int):
            return self._along(x, self.along)
        if len({shape.size for shape in x}) > 1:
            sizes = " and ".join(dict.fromkeys(size_text(shape.size) for shape in x))
            raise Refusal("CC303", f"concat needs branches of one size, not {sizes}")
        return Shape(sum(shape.channels for shape in x), x[0].size)

    def _along(self, x: tuple[Shape, ...], axis: int) -> Shape:
        needs_axis(axis, min((shape.size for shape in x), key=len), "concat")
        before, after = x[0].size[: axis - 1], x[0].size[axis:]
        for shape in x:
            if shape != Shape(x[0].channels, (*before, *shape.size[axis - 1 : axis], *after)):
                raise Refusal(
                    "CC303",
                    f"concat along axis {axis} needs branches that agree in all else, "
                    f"not {x[0].text} and {shape.text}",
                )
        return Shape(x[0].channels, (*before, sum(shape.size[axis - 1] for shape in x), *after))


class _Elementwise(Join):
    branches: Layers = option("named lists of layers, or names of layers", None)

    # As in NumPy, with the channels as an axis of their own: [c, 1, 1] goes with [c, h, w], and so
    # do [1, h, w] and [c].
    def output(self, x: tuple[Shape, ...]) -> Shape:
        size = broadcast(*(shape.size for shape in x))
        channels = broadcast(*((shape.channels,) for shape in x))
        if size is None or channels is None:
            raise self._refusal(x)
        return Shape(channels[0], size)

    def _refusal(self, x: tuple[Shape, ...]) -> Refusal:
        """Of the first two that do not agree, the larger first."""
        pairs = ((one, other) for number, other in enumerate(x) for one in x[:number])
        one, other = next(pair for pair in pairs if _differing(*pair))
        small, large = sorted((one, other), key=lambda shape: shape.elements)
        return Refusal(
            "CC303",
            f"{self.name} needs branches of one shape, not {large.text} and {small.text}",
            f"their {_differing(one, other)} differ, and only 1 goes with any other number",
        )


def _differing(one: Shape, other: Shape) -> str:
    """What two shapes do not agree in: `channels`, `sizes`, both or nothing."""
    found = [] if broadcast((one.channels,), (other.channels,)) else ["channels"]
    if broadcast(one.size, other.size) is None:
        found.append("sizes")
    return " and ".join(found)


@kind("add", principal="branches")
class Add(_Elementwise):
    """Adds branches element by element; what is 1 in a branch goes with all of the others."""

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
    """Multiplies branches element by element; a branch of C×1×1 gates every position, one of 1×H×W
    every channel."""

    examples = (
        Example(
            "{multiply: {map: [], gate: [global_avg_pool, {conv: 64, kernel: 1}, sigmoid]}}",
            Shape(64, (56, 56)),
            Shape(64, (56, 56)),
            params=64 * 64,
            macs=64 * 64,
        ),
        Example(
            "{multiply: {map: [], gate: [{mean: channels}, sigmoid]}}",
            Shape(64, (56, 56)),
            Shape(64, (56, 56)),
        ),
    )


MORE = {
    "subtract": "The first branch minus the others, element by element.",
    "divide": "Divides the first branch by the others, element by element.",
    "maximum": "The largest of the branches, element by element.",
    "minimum": "The smallest of the branches, element by element.",
}

for _name, _meaning in MORE.items():
    kind(_name, principal="branches")(
        type(
            _name,
            (_Elementwise,),
            {
                "__doc__": _meaning,
                "examples": (
                    Example(
                        f"{{{_name}: {{one: [], other: [{{conv: 64, kernel: 1}}]}}}}",
                        Shape(64, (28, 28)),
                        Shape(64, (28, 28)),
                        params=64 * 64,
                        macs=64 * 64 * 28 * 28,
                    ),
                ),
            },
        )
    )
