from convcost.field import Sight
from convcost.kind import Example, Layer, kind, option
from convcost.options import Border, Count, Extent, Flag, Padding
from convcost.shapes import Shape
from convcost.window import UNSLIDE, needs_axes, require_divides, spread, unslide, unslide_sight
from convcost.work import NOTHING, Work, product


@kind("transposed_conv", principal="filters")
class TransposedConv(Layer):
    """Transposed convolution: every input element is spread over a window of each filter."""

    size_rule = UNSLIDE
    filters: Count = option("output channels")
    kernel: Extent = option("window size")
    stride: Extent = option("distance between the windows of two input elements", 1)
    padding: Padding = option("elements cut from the output; `same` gives size × stride", 0)
    output_padding: Border = option("elements added at the end of the output", 0)
    dilation: Extent = option("distance between the elements of a window", 1)
    groups: Count = option("parts that channels and filters are split into", 1)
    bias: Flag = option("one number added for each filter", False)

    examples = (
        Example(
            "{transposed_conv: 512, kernel: 2, stride: 2}",
            Shape(1024, (28, 28)),
            Shape(512, (56, 56)),
            params=512 * 2 * 2 * 1024,
            macs=512 * 2 * 2 * 1024 * 28 * 28,
        ),
        Example(
            "{transposed_conv: 32, kernel: 3, stride: 2, padding: 1, output_padding: 1, groups: 4}",
            Shape(16, (8, 8)),
            Shape(32, (16, 16)),
            params=(32 // 4) * 3 * 3 * 16,
            macs=(32 // 4) * 3 * 3 * 16 * 8 * 8,
        ),
    )

    def output(self, x: Shape) -> Shape:
        needs_axes(x.size, "transposed_conv")
        require_divides(x.channels, self.groups, "input channels", "groups")
        require_divides(self.filters, self.groups, "filters", "groups")
        extra = self.output_padding
        size = unslide(x.size, self.kernel, self.stride, self.padding, self.dilation, extra)
        return Shape(self.filters, size)

    # [c, f/g, k…] filters
    def weights(self, x: Shape) -> Work:
        kernel = spread(self.kernel, len(x.size), "kernel")
        share = self.filters // self.groups
        return product(filters_per_groups=share, kernel=kernel, channels=x.channels)

    def biases(self, x: Shape) -> Work:
        return product(filters=self.filters) if self.bias else NOTHING

    # [f, o…] from [c, n…]: every input element meets its c-th weights once, whatever the stride
    def macs(self, x: Shape) -> Work:
        return self.weights(x).times(input=x.size)

    def sight(self, x: Shape) -> tuple[Sight, ...]:
        rank = len(x.size)
        return unslide_sight(rank, self.kernel, self.stride, self.padding, self.dilation)
