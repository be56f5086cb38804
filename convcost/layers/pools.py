from convcost.field import Sight
from convcost.kind import Example, Layer, kind, option
from convcost.options import Extent, Flag, Padding
from convcost.shapes import Shape
from convcost.window import SLIDE, needs_axes, window, window_sight


class _Pool(Layer):
    size_rule = SLIDE
    kernel: Extent = option("window size")
    stride: Extent | None = option("step of the window; the kernel if left out", None)
    padding: Padding = option("elements around the input", 0)
    dilation: Extent = option("distance between the elements of a window", 1)
    ceil: Flag = option("round the output size up, not down", False)

    def output(self, x: Shape) -> Shape:
        needs_axes(x.size, self.name)
        size = window(x.size, self.kernel, self._step, self.padding, self.dilation, ceil=self.ceil)
        return Shape(x.channels, size)

    def sight(self, x: Shape) -> tuple[Sight, ...] | None:
        return window_sight(x.size, self.kernel, self._step, self.padding, self.dilation)

    @property
    def _step(self) -> Extent:
        return self.kernel if self.stride is None else self.stride


@kind("max_pool", principal="kernel")
class MaxPool(_Pool):
    """The largest element of every window. No multiply-adds."""

    examples = (
        Example("{max_pool: 2}", Shape(64, (224, 224)), Shape(64, (112, 112))),
        Example("{max_pool: 3, stride: 2, ceil: true}", Shape(64, (112, 112)), Shape(64, (56, 56))),
        Example("{max_pool: 3, stride: 1, padding: 1}", Shape(192, (28, 28)), Shape(192, (28, 28))),
    )


@kind("avg_pool", principal="kernel")
class AvgPool(_Pool):
    """The mean of every window. No multiply-adds."""

    examples = (
        Example("{avg_pool: 5, stride: 3}", Shape(512, (14, 14)), Shape(512, (4, 4))),
        Example("{avg_pool: 2}", Shape(128, (56, 56)), Shape(128, (28, 28))),
    )
