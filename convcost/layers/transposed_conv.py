"""Transposed convolution, [c, *n] to [f, *o]."""

from convcost.model.axes import per_axis, require_divisible, require_size
from convcost.model.cost_product import NOTHING, CostProduct, product
from convcost.model.kind import Example, Layer, kind, option
from convcost.model.options import Border, Flag, Padding, PerAxisInt, PositiveInt
from convcost.model.shape import Shape
from convcost.model.window import AxisWindow, transposed_windows


@kind("transposed_conv", principal="filters")
class TransposedConv(Layer):
    """Transposed convolution: adds each input element times a filter to a window of the output."""

    operation = "transposed_conv"
    mixes_channels = True
    folds_norms = True
    filters: PositiveInt = option("output channels")
    kernel: PerAxisInt = option("window size")
    stride: PerAxisInt = option("distance between the windows of neighbouring input elements", 1)
    padding: Padding = option("elements removed from the output; `same` gives size × stride", 0)
    output_padding: Border = option("elements added at the end of the output", 0)
    dilation: PerAxisInt = option("distance between the elements of a window", 1)
    groups: PositiveInt = option("parts that channels and filters are split into", 1)
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
        require_size(x.size, "transposed_conv")
        require_divisible(x.channels, self.groups, "input channels", "groups")
        require_divisible(self.filters, self.groups, "filters", "groups")
        size = tuple(window.output for window in self.windows(x))
        return Shape(self.filters, size)

    def weights(self, x: Shape) -> CostProduct:
        """[c, f / groups, *k]: each input channel has a filter for each filter of its group."""
        kernel = per_axis(self.kernel, len(x.size), "kernel")
        share = self.filters // self.groups
        return product(filters_per_groups=share, kernel=kernel, channels=x.channels)

    def biases(self, x: Shape) -> CostProduct:
        return product(filters=self.filters) if self.bias else NOTHING

    def macs(self, x: Shape) -> CostProduct:
        """[c, *n] to [f, *o]: each input element is multiplied once by its filters."""
        return self.weights(x).times(input=x.size)

    def windows(self, x: Shape) -> tuple[AxisWindow, ...]:
        return transposed_windows(
            x.size, self.kernel, self.stride, self.padding, self.dilation, self.output_padding
        )
