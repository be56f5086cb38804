"""Depthwise convolution, [c, *n] to [c · multiplier, *o]."""

from convcost.model.axes import per_axis, require_size
from convcost.model.cost_product import NOTHING, CostProduct, product
from convcost.model.kind import Example, Layer, kind, option
from convcost.model.options import Flag, Padding, PerAxisInt, PositiveInt
from convcost.model.shape import Shape
from convcost.model.window import AxisWindow, conv_windows


@kind("depthwise", principal="kernel")
class Depthwise(Layer):
    """Depthwise convolution: every channel has its own filters."""

    operation = "conv"
    folds_norms = True
    kernel: PerAxisInt = option("window size")
    multiplier: PositiveInt = option("filters for each input channel", 1)
    stride: PerAxisInt = option("step of the window", 1)
    padding: Padding = option("zeros around the input", 0)
    dilation: PerAxisInt = option("distance between the elements of a window", 1)
    bias: Flag = option("one number added for each output channel", False)
    buffer: Flag = option("the weights are buffers, not params: they are not learned", False)

    examples = (
        Example(
            "{depthwise: 3, padding: 1}",
            Shape(32, (112, 112)),
            Shape(32, (112, 112)),
            params=32 * 3 * 3,
            macs=32 * 3 * 3 * 112 * 112,
        ),
        Example(
            "{depthwise: 7, multiplier: 8, stride: 2, padding: 3, buffer: true}",
            Shape(3, (224, 224)),
            Shape(24, (112, 112)),
            buffers=3 * 8 * 7 * 7,
            macs=3 * 8 * 7 * 7 * 112 * 112,
        ),
    )

    def output(self, x: Shape) -> Shape:
        require_size(x.size, "depthwise")
        size = tuple(window.output for window in self.windows(x))
        return Shape(x.channels * self.multiplier, size)

    def _filters(self, x: Shape) -> CostProduct:
        """[c · multiplier, 1, *k]: each filter reads one channel."""
        kernel = per_axis(self.kernel, len(x.size), "kernel")
        if self.multiplier == 1:
            return product(channels=x.channels, kernel=kernel)
        return product(channels=x.channels, multiplier=self.multiplier, kernel=kernel)

    def weights(self, x: Shape) -> CostProduct:
        return NOTHING if self.buffer else self._filters(x)

    def buffers(self, x: Shape) -> CostProduct:
        return self._filters(x) if self.buffer else NOTHING

    def biases(self, x: Shape) -> CostProduct:
        return product(channels=x.channels * self.multiplier) if self.bias else NOTHING

    def macs(self, x: Shape) -> CostProduct:
        """[c, *n] to [c · multiplier, *o]: each output element is a sum over one filter."""
        return self._filters(x).times(output=self.output(x).size)

    def windows(self, x: Shape) -> tuple[AxisWindow, ...]:
        return conv_windows(x.size, self.kernel, self.stride, self.padding, self.dilation)
