"""Layers that add to or take from the edge or the channels. No multiply-adds."""

from convcost.errors import Refusal
from convcost.kind import Example, Layer, kind, option
from convcost.options import Border, Count, Natural
from convcost.shapes import Shape
from convcost.window import needs_axes, spread_border


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


@kind("slice", principal="channels")
class Slice(Layer):
    """Keeps some of the channels."""

    channels: Count = option("how many are kept")
    start: Natural = option("the first that is kept, counted from 0", 0)

    examples = (
        Example("{slice: in_channels/2}", Shape(116, (28, 28)), Shape(58, (28, 28))),
        Example("{slice: 58, start: 58}", Shape(116, (28, 28)), Shape(58, (28, 28))),
    )

    def output(self, x: Shape) -> Shape:
        if self.start + self.channels > x.channels:
            raise Refusal(
                "CC304",
                f"slice keeps channels {self.start} to {self.start + self.channels - 1}, "
                f"the input has {x.channels}",
            )
        return Shape(self.channels, x.size)
