"""Layers that only move elements."""

from convcost.model.axes import require_divisible, require_size
from convcost.model.kind import Example, Layer, kind, option
from convcost.model.options import Number, PositiveInt
from convcost.model.receptive_field import ANY_POSITION, ReceptiveField, resize_field, window_field
from convcost.model.shape import Shape


@kind("pixel_shuffle", principal="factor")
class PixelShuffle(Layer):
    """Moves channels into space: C·r² × H × W becomes C × H·r × W·r. No params and no macs."""

    operation = "move"
    mixes_channels = True
    factor: PositiveInt = option("how much every axis grows")

    examples = (Example("{pixel_shuffle: 2}", Shape(256, (32, 32)), Shape(64, (64, 64))),)

    def output(self, x: Shape) -> Shape:
        require_size(x.size, "pixel_shuffle")
        cells = self.factor ** len(x.size)
        require_divisible(x.channels, cells, "input channels", f"factor^{len(x.size)} =")
        return Shape(x.channels // cells, tuple(n * self.factor for n in x.size))

    def receptive_field(self, x: Shape) -> tuple[ReceptiveField, ...]:
        return tuple(resize_field(n, n * self.factor) for n in x.size)


@kind("pixel_unshuffle", principal="factor")
class PixelUnshuffle(Layer):
    """Moves space into channels: C × H × W becomes C·r² × H/r × W/r. No params and no macs."""

    operation = "move"
    mixes_channels = True
    factor: PositiveInt = option("how much every axis shrinks")

    examples = (Example("{pixel_unshuffle: 2}", Shape(3, (64, 64)), Shape(12, (32, 32))),)

    def output(self, x: Shape) -> Shape:
        require_size(x.size, "pixel_unshuffle")
        for n in x.size:
            require_divisible(n, self.factor, "input size", "factor")
        channels = x.channels * self.factor ** len(x.size)
        return Shape(channels, tuple(n // self.factor for n in x.size))

    def receptive_field(self, x: Shape) -> tuple[ReceptiveField, ...]:
        return (window_field(0, self.factor - 1, self.factor),) * len(x.size)


@kind("channel_shuffle", principal="groups")
class ChannelShuffle(Layer):
    """Interleaves the channels of groups, as in ShuffleNet. No params and no macs."""

    operation = "move"
    mixes_channels = True
    groups: PositiveInt = option("parts that the channels are split into")

    examples = (Example("{channel_shuffle: 2}", Shape(116, (28, 28)), Shape(116, (28, 28))),)

    def output(self, x: Shape) -> Shape:
        require_divisible(x.channels, self.groups, "input channels", "groups")
        return x


@kind("roll", principal="places")
class Roll(Layer):
    """Moves all elements cyclically along the axes of the size, as in the shifted windows of Swin.
    No params and no macs."""

    operation = "move"
    places: Number = option("distance; no cost depends on it", None)

    examples = (Example("{roll: 3}", Shape(96, (56, 56)), Shape(96, (56, 56))),)

    def receptive_field(self, x: Shape) -> tuple[ReceptiveField, ...]:
        return ANY_POSITION
