from convcost.field import Sight
from convcost.kind import Example, Layer, kind, option
from convcost.options import Count, Extent, Flag, Padding
from convcost.shapes import Shape
from convcost.window import SLIDE, needs_axes, require_divides, spread, window, window_sight
from convcost.work import NOTHING, Work, product


@kind("conv", principal="filters")
class Conv(Layer):
    """Convolution: each filter sums a window over all channels of its group."""

    size_rule = SLIDE
    filters: Count = option("output channels")
    kernel: Extent = option("window size")
    stride: Extent = option("step of the window", 1)
    padding: Padding = option("zeros around the input", 0)
    dilation: Extent = option("distance between the elements of a window", 1)
    groups: Count = option("parts that channels and filters are split into", 1)
    bias: Flag = option("one number added for each filter", False)
    buffer: Flag = option("its weights are kept, not learned: buffers, no params", False)

    examples = (
        Example(
            "{conv: 64, kernel: 7, stride: 2, padding: 3}",
            Shape(3, (224, 224)),
            Shape(64, (112, 112)),
            params=64 * 7 * 7 * 3,
            macs=64 * 7 * 7 * 3 * 112 * 112,
        ),
        Example(
            "{conv: 32, kernel: 1, bias: true}",
            Shape(192, (28, 28)),
            Shape(32, (28, 28)),
            params=32 * 192 + 32,
            macs=32 * 192 * 28 * 28,
        ),
        Example(
            "{conv: 256, kernel: 5, padding: 2, groups: 2}",
            Shape(96, (27, 27)),
            Shape(256, (27, 27)),
            params=256 * 5 * 5 * (96 // 2),
            macs=256 * 5 * 5 * (96 // 2) * 27 * 27,
        ),
        Example(
            "{conv: 192, kernel: [1, 7], padding: same}",
            Shape(128, (17, 17)),
            Shape(192, (17, 17)),
            params=192 * 1 * 7 * 128,
            macs=192 * 1 * 7 * 128 * 17 * 17,
        ),
    )

    def output(self, x: Shape) -> Shape:
        needs_axes(x.size, "conv")
        require_divides(x.channels, self.groups, "input channels", "groups")
        require_divides(self.filters, self.groups, "filters", "groups")
        size = window(x.size, self.kernel, self.stride, self.padding, self.dilation)
        return Shape(self.filters, size)

    # [f, c/g, k…] filters
    def _filters(self, x: Shape) -> Work:
        kernel = spread(self.kernel, len(x.size), "kernel")
        share = x.channels // self.groups
        return product(filters=self.filters, kernel=kernel, channels_per_groups=share)

    def weights(self, x: Shape) -> Work:
        return NOTHING if self.buffer else self._filters(x)

    def buffers(self, x: Shape) -> Work:
        return self._filters(x) if self.buffer else NOTHING

    def biases(self, x: Shape) -> Work:
        return product(filters=self.filters) if self.bias else NOTHING

    # [f, o…] from [c, n…]: every output element sums one filter's weights
    def macs(self, x: Shape) -> Work:
        return self._filters(x).times(output=self.output(x).size)

    def sight(self, x: Shape) -> tuple[Sight, ...] | None:
        return window_sight(x.size, self.kernel, self.stride, self.padding, self.dilation)
