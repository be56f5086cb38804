"""Layers that add to or take from the edge or the channels. No multiply-adds."""

from convcost.errors import Refusal
from convcost.field import Sight, sliding
from convcost.kind import Example, Layer, Like, kind, option
from convcost.options import Along, Border, Count, Natural
from convcost.shapes import Shape
from convcost.window import needs_axes, needs_axis, spread_border


@kind("pad", principal="border")
class Pad(Layer):
    """Adds elements around every channel."""

    border: Border = option("elements on each side")

    examples = (
        Example("{pad: 3}", Shape(3, (224, 224)), Shape(3, (230, 230))),
        Example("{pad: [0, 0, 1, 1]}", Shape(64, (56, 56)), Shape(64, (57, 57))),
    )

    def output(self, x: Shape) -> Shape:
        needs_axes(x.size, "pad")
        borders = spread_border(self.border, len(x.size), "border")
        return Shape(
            x.channels, tuple(n + a + b for n, (a, b) in zip(x.size, borders, strict=True))
        )


@kind("crop", principal="border")
class Crop(Layer):
    """Takes elements from around every channel."""

    border: Border = option("elements on each side")

    examples = (
        Example("{crop: 4}", Shape(512, (64, 64)), Shape(512, (56, 56))),
        Example("{crop: [0, 1, 0, 0]}", Shape(64, (8, 9)), Shape(64, (8, 8))),
    )

    def output(self, x: Shape) -> Shape:
        needs_axes(x.size, "crop")
        borders = spread_border(self.border, len(x.size), "border")
        for n, (begin, end) in zip(x.size, borders, strict=True):
            if begin + end >= n:
                raise Refusal("CC301", f"crop takes {begin} + {end} of an axis of {n}")
        return Shape(
            x.channels, tuple(n - a - b for n, (a, b) in zip(x.size, borders, strict=True))
        )


@kind("slice", principal="length")
class Slice(Layer):
    """Keeps a range of the channels, or of an axis of the size."""

    length: Count = option("how many are kept")
    start: Natural = option("the first that is kept, counted from 0", 0)
    step: Count = option("how far apart those are that are kept", 1)
    along: Along = option("what it is a range of", "channels")

    examples = (
        Example("{slice: in_channels/2}", Shape(116, (28, 28)), Shape(58, (28, 28))),
        Example("{slice: 58, start: 58}", Shape(116, (28, 28)), Shape(58, (28, 28))),
        Example("{slice: 1, along: 1}", Shape(768, (197,)), Shape(768, (1,))),
        Example(
            "{slice: in_width/2, start: 1, step: 2, along: 2}",
            Shape(3, (640, 640)),
            Shape(3, (640, 320)),
        ),
    )

    def output(self, x: Shape) -> Shape:
        along = self.along
        if isinstance(along, int):
            needs_axis(along, x.size, "slice")
            self._fits(x.size[along - 1], f"{self._range} of axis {along}")
            return Shape(x.channels, (*x.size[: along - 1], self.length, *x.size[along:]))
        self._fits(x.channels, f"channels {self._range}")
        return Shape(self.length, x.size)

    @property
    def _last(self) -> int:
        return self.start + (self.length - 1) * self.step

    @property
    def _range(self) -> str:
        return f"{self.start} to {self._last}"

    def _fits(self, there: int, kept: str) -> None:
        if self._last >= there:
            raise Refusal("CC304", f"slice keeps {kept}, the input has {there}")

    def sight(self, x: Shape) -> tuple[Sight, ...] | None:
        if not isinstance(self.along, int):
            return None
        still = [Sight()] * len(x.size)
        still[self.along - 1] = sliding(-self.start, 0, self.step)
        return tuple(still)


@kind("pad_like", principal="branches")
class PadLike(Like):
    """The first of two branches with zeros around it, the odd one behind, or elements taken away,
    so that it has the size of the second: what came up again beside what it came from."""

    examples = (
        Example("{pad_like: [input, input]}", Shape(64, (28, 28)), Shape(64, (28, 28))),
        Example(
            "{pad_like: {x: [{max_pool: 2}, {upsample: 2}], like: []}}",
            Shape(64, (29, 31)),
            Shape(64, (29, 31)),
        ),
    )

    def output(self, x: tuple[Shape, ...]) -> Shape:
        self.same_axes(x)
        return Shape(x[0].channels, x[1].size)
