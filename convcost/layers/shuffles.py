"""Layers that only move elements. No multiply-adds."""

from convcost.field import Sight, scaling, sliding
from convcost.kind import Example, Layer, kind, option
from convcost.options import Count, Number
from convcost.shapes import Shape
from convcost.window import needs_axes, require_divides


@kind("pixel_shuffle", principal="factor")
class PixelShuffle(Layer):
    """Moves channels into space: C·r² × H × W becomes C × H·r × W·r."""

    factor: Count = option("how much every axis grows")

    examples = (Example("{pixel_shuffle: 2}", Shape(256, (32, 32)), Shape(64, (64, 64))),)

    def output(self, x: Shape) -> Shape:
        needs_axes(x.size, "pixel_shuffle")
        cells = self.factor ** len(x.size)
        require_divides(x.channels, cells, "input channels", f"factor^{len(x.size)} =")
        return Shape(x.channels // cells, tuple(n * self.factor for n in x.size))

    def sight(self, x: Shape) -> tuple[Sight, ...]:
        return tuple(scaling(n, n * self.factor) for n in x.size)


@kind("pixel_unshuffle", principal="factor")
class PixelUnshuffle(Layer):
    """Moves space into channels: C × H × W becomes C·r² × H/r × W/r."""

    factor: Count = option("how much every axis shrinks")

    examples = (Example("{pixel_unshuffle: 2}", Shape(3, (64, 64)), Shape(12, (32, 32))),)

    def output(self, x: Shape) -> Shape:
        needs_axes(x.size, "pixel_unshuffle")
        for n in x.size:
            require_divides(n, self.factor, "input size", "factor")
        channels = x.channels * self.factor ** len(x.size)
        return Shape(channels, tuple(n // self.factor for n in x.size))

    def sight(self, x: Shape) -> tuple[Sight, ...]:
        return (sliding(0, self.factor - 1, self.factor),) * len(x.size)


@kind("channel_shuffle", principal="groups")
class ChannelShuffle(Layer):
    """Deals the channels of groups out in turn, as ShuffleNet does."""

    groups: Count = option("parts that the channels are split into")

    examples = (Example("{channel_shuffle: 2}", Shape(116, (28, 28)), Shape(116, (28, 28))),)

    def output(self, x: Shape) -> Shape:
        require_divides(x.channels, self.groups, "input channels", "groups")
        return x


@kind("roll", principal="places")
class Roll(Layer):
    """Moves all elements along the axes of the size; what leaves at one end comes in at the other,
    as the shifted windows of Swin do. Free."""

    places: Number = option("how far; no cost depends on it", None)

    examples = (Example("{roll: 3}", Shape(96, (56, 56)), Shape(96, (56, 56))),)
