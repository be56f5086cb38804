"""The reverse of max pooling, [c, *n] to [c, *o]."""

from convcost.model.axes import require_size
from convcost.model.kind import Example, Layer, kind, option
from convcost.model.options import Border, Padding, PerAxisInt
from convcost.model.shape import Shape
from convcost.model.window import AxisWindow, transposed_windows


@kind("max_unpool", principal="kernel")
class MaxUnpool(Layer):
    """Puts each element at the position where a max pool found it, and 0 elsewhere, as in SegNet.
    The pool has the same window. No params and no macs."""

    operation = "move"
    kernel: PerAxisInt = option("window size of the max pool")
    stride: PerAxisInt | None = option("step of that window; by default the kernel", None)
    padding: Padding = option("elements removed from the output", 0)
    output_padding: Border = option("elements added at the end of the output", 0)

    # Badrinarayanan and others, SegNet, 2017
    examples = (
        Example("{max_unpool: 2}", Shape(512, (14, 14)), Shape(512, (28, 28))),
        Example(
            "{max_unpool: 3, stride: 2, padding: 1, output_padding: 1}",
            Shape(64, (28, 28)),
            Shape(64, (56, 56)),
        ),
    )

    def output(self, x: Shape) -> Shape:
        require_size(x.size, "max_unpool")
        return Shape(x.channels, tuple(window.output for window in self.windows(x)))

    def windows(self, x: Shape) -> tuple[AxisWindow, ...]:
        stride = self.kernel if self.stride is None else self.stride
        return transposed_windows(x.size, self.kernel, stride, self.padding, 1, self.output_padding)
