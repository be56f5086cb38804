"""Convolution with filters of its own at each position, [c, *n] to [f, *o]."""

from convcost.model.axes import per_axis, require_size
from convcost.model.cost_product import NOTHING, CostProduct, product
from convcost.model.kind import Example, Layer, kind, option
from convcost.model.options import Flag, Padding, PerAxisInt, PositiveInt
from convcost.model.shape import Shape
from convcost.model.window import AxisWindow, conv_windows


@kind("locally_connected", principal="filters")
class LocallyConnected(Layer):
    """Convolution whose weights are not shared: every position of the output has its own filters
    and biases."""

    mixes_channels = True
    folds_norms = True
    filters: PositiveInt = option("output channels")
    kernel: PerAxisInt = option("window size")
    stride: PerAxisInt = option("step of the window", 1)
    padding: Padding = option("zeros around the input", 0)
    bias: Flag = option("one number added for each element of the output", False)

    examples = (
        Example(
            "{locally_connected: 16, kernel: 3, bias: true}",
            Shape(3, (32, 32)),
            Shape(16, (30, 30)),
            params=30 * 30 * 16 * (3 * 3 * 3 + 1),
            macs=30 * 30 * 16 * 3 * 3 * 3,
        ),
        # L4 of DeepFace (Taigman and others, 2014)
        Example(
            "{locally_connected: 16, kernel: 9}",
            Shape(16, (63, 63)),
            Shape(16, (55, 55)),
            params=55 * 55 * 16 * 9 * 9 * 16,
            macs=55 * 55 * 16 * 9 * 9 * 16,
        ),
    )

    def output(self, x: Shape) -> Shape:
        require_size(x.size, "locally_connected")
        return Shape(self.filters, tuple(window.output for window in self.windows(x)))

    def weights(self, x: Shape) -> CostProduct:
        """[*o, f, c, *k]: each output element has its own weights, and is a sum over them."""
        kernel = per_axis(self.kernel, len(x.size), "kernel")
        return product(
            positions=self.output(x).size, filters=self.filters, kernel=kernel, channels=x.channels
        )

    def biases(self, x: Shape) -> CostProduct:
        if not self.bias:
            return NOTHING
        return product(positions=self.output(x).size, filters=self.filters)

    def macs(self, x: Shape) -> CostProduct:
        return self.weights(x)

    def windows(self, x: Shape) -> tuple[AxisWindow, ...]:
        return conv_windows(x.size, self.kernel, self.stride, self.padding)
