"""Pooling with a fixed window, [c, *n] to [c, *o]."""

from convcost.model.axes import require_size
from convcost.model.kind import Example, Layer, kind, option
from convcost.model.options import Flag, Padding, PerAxisInt
from convcost.model.shape import Shape
from convcost.model.window import AxisWindow, conv_windows


class _Pool(Layer):
    operation = "pool"
    kernel: PerAxisInt = option("window size")
    stride: PerAxisInt | None = option("step of the window; by default the kernel", None)
    padding: Padding = option("elements around the input", 0)
    dilation: PerAxisInt = option("distance between the elements of a window", 1)
    ceil: Flag = option("round the output size up, not down", False)

    def output(self, x: Shape) -> Shape:
        require_size(x.size, self.name)
        return Shape(x.channels, tuple(window.output for window in self.windows(x)))

    def windows(self, x: Shape) -> tuple[AxisWindow, ...]:
        stride = self.kernel if self.stride is None else self.stride
        return conv_windows(
            x.size, self.kernel, stride, self.padding, self.dilation, ceil=self.ceil
        )


@kind("max_pool", principal="kernel")
class MaxPool(_Pool):
    """The largest element of every window. No params and no macs."""

    backward_reads = "output"  # one position for each element
    examples = (
        Example("{max_pool: 2}", Shape(64, (224, 224)), Shape(64, (112, 112))),
        Example("{max_pool: 3, stride: 2, ceil: true}", Shape(64, (112, 112)), Shape(64, (56, 56))),
        Example("{max_pool: 3, stride: 1, padding: 1}", Shape(192, (28, 28)), Shape(192, (28, 28))),
    )


@kind("avg_pool", principal="kernel")
class AvgPool(_Pool):
    """The mean of every window. No params and no macs."""

    examples = (Example("{avg_pool: 5, stride: 3}", Shape(512, (14, 14)), Shape(512, (4, 4))),)
