from convcost.field import Sight
from convcost.kind import Example, Layer, kind, option
from convcost.options import Count, Extent, Flag, Padding
from convcost.shapes import Shape
from convcost.window import SLIDE, needs_axes, spread, window, window_sight
from convcost.work import NOTHING, Work, product


@kind("depthwise", principal="kernel")
class Depthwise(Layer):
    """Depthwise convolution: every channel has its own filters and sees no other channel."""

    size_rule = SLIDE
    kernel: Extent = option("window size")
    multiplier: Count = option("filters for each input channel", 1)
    stride: Extent = option("step of the window", 1)
    padding: Padding = option("zeros around the input", 0)
    dilation: Extent = option("distance between the elements of a window", 1)
    bias: Flag = option("one number added for each output channel", False)
    buffer: Flag = option("its weights are kept, not learned: buffers, no params", False)

    examples = (
        Example(
            "{depthwise: 3, padding: 1}",
            Shape(32, (112, 112)),
            Shape(32, (112, 112)),
            params=32 * 3 * 3,
            macs=32 * 3 * 3 * 112 * 112,
        ),
        Example(
            "{depthwise: 7, multiplier: 8, stride: 2, padding: 3}",
            Shape(3, (224, 224)),
            Shape(24, (112, 112)),
            params=3 * 8 * 7 * 7,
            macs=3 * 8 * 7 * 7 * 112 * 112,
        ),
        Example(
            "{depthwise: 3, stride: 2, padding: 1, buffer: true}",
            Shape(64, (56, 56)),
            Shape(64, (28, 28)),
            buffers=64 * 3 * 3,
            macs=64 * 3 * 3 * 28 * 28,
        ),
    )

    def output(self, x: Shape) -> Shape:
        needs_axes(x.size, "depthwise")
        size = window(x.size, self.kernel, self.stride, self.padding, self.dilation)
        return Shape(x.channels * self.multiplier, size)

    # [c·m, 1, k…] filters
    def _filters(self, x: Shape) -> Work:
        kernel = spread(self.kernel, len(x.size), "kernel")
        if self.multiplier == 1:
            return product(channels=x.channels, kernel=kernel)
        return product(channels=x.channels, multiplier=self.multiplier, kernel=kernel)

    def weights(self, x: Shape) -> Work:
        return NOTHING if self.buffer else self._filters(x)

    def buffers(self, x: Shape) -> Work:
        return self._filters(x) if self.buffer else NOTHING

    def biases(self, x: Shape) -> Work:
        return product(channels=x.channels * self.multiplier) if self.bias else NOTHING

    # [c·m, o…] from [c, n…]: every output element sums one window of one channel
    def macs(self, x: Shape) -> Work:
        return self._filters(x).times(output=self.output(x).size)

    def sight(self, x: Shape) -> tuple[Sight, ...] | None:
        return window_sight(x.size, self.kernel, self.stride, self.padding, self.dilation)
