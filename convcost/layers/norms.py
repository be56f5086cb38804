"""Normalizations: a learned scale (a weight) and shift (a bias), 0 macs."""

from convcost.model.axes import require_divisible
from convcost.model.cost_product import NOTHING, CostProduct, product
from convcost.model.kind import Example, Layer, kind, option
from convcost.model.options import ChannelsOrAll, Flag, Number, PositiveInt
from convcost.model.shape import Shape


class _Norm(Layer):
    operation = "norm"
    is_norm = True
    scale: Flag = option("learn a factor for each channel", True)
    shift: Flag = option("learn a summand for each channel", True)

    def weights(self, x: Shape) -> CostProduct:
        return product(channels=x.channels) if self.scale else NOTHING

    def biases(self, x: Shape) -> CostProduct:
        return product(channels=x.channels) if self.shift else NOTHING


@kind("batch_norm")
class BatchNorm(_Norm):
    """Normalizes each channel over the batch; the running mean and variance are buffers."""

    buffer: Flag = option("the factor and summand are buffers too, as in FrozenBatchNorm2d", False)

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
        Example(
            "{batch_norm: , buffer: true}",
            Shape(64, (56, 56)),
            Shape(64, (56, 56)),
            buffers=64 + 64 + 64 + 64,
        ),
    )

    def weights(self, x: Shape) -> CostProduct:
        return NOTHING if self.buffer else super().weights(x)

    def biases(self, x: Shape) -> CostProduct:
        return NOTHING if self.buffer else super().biases(x)

    def buffers(self, x: Shape) -> CostProduct:
        statistics = product(channels=x.channels).plus(product(channels=x.channels))
        if not self.buffer:
            return statistics
        return statistics.plus(super().weights(x)).plus(super().biases(x))


@kind("group_norm", principal="groups")
class GroupNorm(_Norm):
    """Normalizes groups of channels of one sample."""

    mixes_channels = True
    groups: PositiveInt = option("parts that the channels are split into")

    examples = (
        Example("{group_norm: 32}", Shape(64, (56, 56)), Shape(64, (56, 56)), params=64 + 64),
    )

    def output(self, x: Shape) -> Shape:
        require_divisible(x.channels, self.groups, "input channels", "groups")
        return x


@kind("instance_norm")
class InstanceNorm(_Norm):
    """Normalizes each channel of each sample separately."""

    examples = (Example("instance_norm", Shape(32, (64, 64)), Shape(32, (64, 64)), params=32 + 32),)

    def overwrites(self, x: Shape) -> bool:
        return False  # the mean and the variance are those of all positions


class _NormOver(_Norm):
    mixes_channels = True
    over: ChannelsOrAll = option(
        "`channels`: one factor and summand for each channel; `all`: for each element", "channels"
    )

    def weights(self, x: Shape) -> CostProduct:
        return super().weights(x).times(size=self._size(x))

    def biases(self, x: Shape) -> CostProduct:
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
    """Scales each channel by its share of the energy of all channels, as in ConvNeXt V2."""

    mixes_channels = True
    examples = (
        Example(
            "global_response_norm", Shape(384, (56, 56)), Shape(384, (56, 56)), params=384 + 384
        ),
    )


@kind("l2_norm")
class L2Norm(Layer):
    """Divides by the L2 norm over the channels. No params and no macs."""

    operation = "norm"
    mixes_channels = True
    examples = (Example("l2_norm", Shape(512, (38, 38)), Shape(512, (38, 38))),)


@kind("local_response_norm", principal="neighbours")
class LocalResponseNorm(Layer):
    """Divides by the energy of neighbouring channels, as in AlexNet. No params and no macs."""

    operation = "norm"
    is_norm = True
    mixes_channels = True
    neighbours: PositiveInt = option("channels that are summed over", 5)
    alpha: Number = option("factor of the sum; no cost depends on it", None)
    beta: Number = option("exponent; no cost depends on it", None)

    examples = (Example("local_response_norm", Shape(96, (27, 27)), Shape(96, (27, 27))),)
