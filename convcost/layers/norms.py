"""Normalizations: a learned scale (a weight) and shift (a bias), 0 macs."""

from convcost.kind import Example, Layer, kind, option
from convcost.options import Count, Flag, Number, Span
from convcost.shapes import Shape
from convcost.window import require_divides
from convcost.work import NOTHING, Work, product


class _Norm(Layer):
    scale: Flag = option("learn a factor for each channel", True)
    shift: Flag = option("learn a summand for each channel", True)

    def weights(self, x: Shape) -> Work:
        return product(channels=x.channels) if self.scale else NOTHING

    def biases(self, x: Shape) -> Work:
        return product(channels=x.channels) if self.shift else NOTHING


@kind("batch_norm")
class BatchNorm(_Norm):
    """Normalizes each channel over the batch; the running mean and variance are buffers."""

    examples = (
        Example(
            "batch_norm", Shape(64, (56, 56)), Shape(64, (56, 56)), params=64 + 64, buffers=64 + 64
        ),
        Example(
            "{batch_norm: , scale: false}",
            Shape(32, (149, 149)),
            Shape(32, (149, 149)),
            params=32,
            buffers=32 + 32,
        ),
    )

    def buffers(self, x: Shape) -> Work:
        return product(channels=x.channels).plus(product(channels=x.channels))


@kind("group_norm", principal="groups")
class GroupNorm(_Norm):
    """Normalizes groups of channels of one sample."""

    groups: Count = option("parts that the channels are split into")

    examples = (
        Example("{group_norm: 32}", Shape(64, (56, 56)), Shape(64, (56, 56)), params=64 + 64),
    )

    def output(self, x: Shape) -> Shape:
        require_divides(x.channels, self.groups, "input channels", "groups")
        return x


@kind("instance_norm")
class InstanceNorm(_Norm):
    """Normalizes every channel of one sample."""

    examples = (Example("instance_norm", Shape(32, (64, 64)), Shape(32, (64, 64)), params=32 + 32),)


class _NormOver(_Norm):
    over: Span = option("`channels` learns one pair a channel, `all` one an element", "channels")

    def weights(self, x: Shape) -> Work:
        return super().weights(x).times(size=self._size(x))

    def biases(self, x: Shape) -> Work:
        return super().biases(x).times(size=self._size(x))

    def _size(self, x: Shape) -> tuple[int, ...]:
        return x.size if self.over == "all" else ()


@kind("layer_norm")
class LayerNorm(_NormOver):
    """Normalizes one sample, over its channels at each position or over all of it."""

    examples = (
        Example("layer_norm", Shape(96, (56, 56)), Shape(96, (56, 56)), params=96 + 96),
        Example(
            "{layer_norm: , over: all}",
            Shape(8, (4, 4)),
            Shape(8, (4, 4)),
            params=8 * 4 * 4 + 8 * 4 * 4,
        ),
    )


@kind("rms_norm")
class RmsNorm(_NormOver):
    """Divides by the root mean square, over the channels at each position or over all."""

    shift: Flag = option("learn a summand for each channel", False)

    examples = (
        Example("rms_norm", Shape(512, (128,)), Shape(512, (128,)), params=512),
        Example("{rms_norm: , over: all}", Shape(8, (4, 4)), Shape(8, (4, 4)), params=8 * 4 * 4),
    )


@kind("global_response_norm")
class GlobalResponseNorm(_Norm):
    """Weighs each channel by its energy among all, as ConvNeXt V2 does."""

    examples = (
        Example(
            "global_response_norm", Shape(384, (56, 56)), Shape(384, (56, 56)), params=384 + 384
        ),
    )


@kind("l2_norm")
class L2Norm(Layer):
    """Divides by the length of the vector of the channels. Learns nothing."""

    examples = (Example("l2_norm", Shape(512, (38, 38)), Shape(512, (38, 38))),)


@kind("local_response_norm", principal="neighbours")
class LocalResponseNorm(Layer):
    """Divides by the energy of neighbouring channels, as AlexNet does. Learns nothing."""

    neighbours: Count = option("channels that are summed over", 5)
    alpha: Number = option("factor of the sum; no cost depends on it", None)
    beta: Number = option("exponent; no cost depends on it", None)

    examples = (Example("local_response_norm", Shape(96, (27, 27)), Shape(96, (27, 27))),)
