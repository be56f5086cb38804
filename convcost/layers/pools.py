"""Pooling, [c, *n] to [c, *o], and the reverse of max pooling."""

from convcost.model.axes import per_axis, require_size
from convcost.model.kind import Example, Layer, kind, option
from convcost.model.options import Border, Flag, Padding, PerAxisInt
from convcost.model.receptive_field import ReceptiveField, resize_field, window_field
from convcost.model.shape import Shape
from convcost.model.window import AxisWindow, conv_windows, transposed_windows


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
        require_size(x.size, self.name)
        return Shape(x.channels, tuple(window.output for window in self.windows(x)))

    def windows(self, x: Shape) -> tuple[AxisWindow, ...]:
        stride = self.kernel if self.stride is None else self.stride
        return transposed_windows(x.size, self.kernel, stride, self.padding, 1, self.output_padding)


class _GlobalPool(Layer):
    operation = "pool"

    def output(self, x: Shape) -> Shape:
        require_size(x.size, self.name)
        return Shape(x.channels, (1,) * len(x.size))

    def receptive_field(self, x: Shape) -> tuple[ReceptiveField, ...]:
        return tuple(window_field(0, n - 1, 1) for n in x.size)


@kind("global_avg_pool")
class GlobalAvgPool(_GlobalPool):
    """The mean of every channel. No params and no macs."""

    examples = (Example("global_avg_pool", Shape(1024, (7, 7)), Shape(1024, (1, 1))),)


@kind("global_max_pool")
class GlobalMaxPool(_GlobalPool):
    """The largest element of every channel. No params and no macs."""

    backward_reads = "output"  # one position for each element
    examples = (Example("global_max_pool", Shape(512, (7, 7)), Shape(512, (1, 1))),)


class _AdaptivePool(Layer):
    operation = "pool"
    size: PerAxisInt = option("output size")

    def output(self, x: Shape) -> Shape:
        require_size(x.size, self.name)
        return Shape(x.channels, per_axis(self.size, len(x.size), "size"))

    # The i-th window runs from ⌊i·n/o⌋ to ⌈(i+1)·n/o⌉; the windows repeat after o/gcd(n, o).
    def receptive_field(self, x: Shape) -> tuple[ReceptiveField, ...]:
        fields = []
        for n, o in zip(x.size, per_axis(self.size, len(x.size), "size"), strict=True):
            place = resize_field(n, o, after=-(-n // o))
            if place.exact:
                last = (-(-(i + 1) * n // o) - 1 for i in range(place.period))
                place = place._replace(last=tuple(last))
            fields.append(place)
        return tuple(fields)


@kind("adaptive_avg_pool", principal="size")
class AdaptiveAvgPool(_AdaptivePool):
    """The mean of windows chosen so that the output has the given size. No params and no macs."""

    examples = (
        Example("{adaptive_avg_pool: 7}", Shape(512, (13, 13)), Shape(512, (7, 7))),
        Example("{adaptive_avg_pool: [1, 4]}", Shape(64, (8, 8)), Shape(64, (1, 4))),
    )


@kind("adaptive_max_pool", principal="size")
class AdaptiveMaxPool(_AdaptivePool):
    """The largest element of windows chosen so that the output has the given size. No params and
    no macs."""

    backward_reads = "output"  # one position for each element
    examples = (Example("{adaptive_max_pool: 6}", Shape(256, (13, 13)), Shape(256, (6, 6))),)
