"""Convolutions, [c, *n] to [f, *o]; o is the output size of the window."""

from math import prod

from convcost.model.axes import per_axis, require_divisible, require_size
from convcost.model.cost_product import NOTHING, CostProduct, product
from convcost.model.errors import ConstraintError
from convcost.model.kind import Example, Layer, kind, option
from convcost.model.options import Border, Connections, Flag, Padding, PerAxisInt, PositiveInt
from convcost.model.shape import Shape
from convcost.model.window import AxisWindow, conv_windows, count_covered, transposed_windows


@kind("conv", principal="filters")
class Conv(Layer):
    """Convolution: each filter is a weighted sum over a window of all channels of its group."""

    operation = "conv"
    mixes_channels = True
    folds_norms = True
    filters: PositiveInt = option("output channels")
    kernel: PerAxisInt = option("window size")
    stride: PerAxisInt = option("step of the window", 1)
    padding: Padding = option("zeros around the input", 0)
    dilation: PerAxisInt = option("distance between the elements of a window", 1)
    groups: PositiveInt = option("parts that channels and filters are split into", 1)
    bias: Flag = option("one number added for each filter", False)
    connections: Connections | None = option(
        "the channels that each filter sees, from 1, as in LeNet-5; by default all of its group",
        None,
    )
    buffer: Flag = option("the weights are buffers, not params: they are not learned", False)

    examples = (
        Example(
            "{conv: 64, kernel: 7, stride: 2, padding: 3}",
            Shape(3, (224, 224)),
            Shape(64, (112, 112)),
            params=64 * 7 * 7 * 3,
            macs=64 * 7 * 7 * 3 * 112 * 112,
        ),
        Example(
            "{conv: 256, kernel: 5, padding: 2, groups: 2, bias: true}",
            Shape(96, (27, 27)),
            Shape(256, (27, 27)),
            params=256 * 5 * 5 * (96 // 2) + 256,
            macs=256 * 5 * 5 * (96 // 2) * 27 * 27,
        ),
        Example(
            "{conv: 3, kernel: 5, bias: true, connections: [[1, 2, 3], [2, 3], [4]]}",
            Shape(4, (14, 14)),
            Shape(3, (10, 10)),
            params=(3 + 2 + 1) * 5 * 5 + 3,
            macs=(3 + 2 + 1) * 5 * 5 * 10 * 10,
        ),
        Example(
            "{conv: 192, kernel: [1, 7], padding: same}",
            Shape(128, (17, 17)),
            Shape(192, (17, 17)),
            params=192 * 1 * 7 * 128,
            macs=192 * 1 * 7 * 128 * 17 * 17,
        ),
    )

    def check(self) -> None:
        if self.connections is None:
            return
        if self.groups > 1:
            raise ConstraintError("CC104", "conv accepts `connections` or `groups`, not both")
        if len(self.connections) != self.filters:
            message = f"conv has {self.filters} filters and connections for {len(self.connections)}"
            raise ConstraintError("CC104", message, "write one list of channels for each filter")

    def output(self, x: Shape) -> Shape:
        require_size(x.size, "conv")
        last = max(map(max, self.connections or ((0,),)))
        if last > x.channels:
            message = f"connections name channel {last}, and the input has {x.channels} channels"
            raise ConstraintError("CC302", message, "channels are numbered from 1")
        require_divisible(x.channels, self.groups, "input channels", "groups")
        require_divisible(self.filters, self.groups, "filters", "groups")
        size = tuple(window.output for window in self.windows(x))
        return Shape(self.filters, size)

    def _filters(self, x: Shape) -> CostProduct:
        """[f, c / groups, *k]: each filter reads the channels of its group, or those that it is
        connected to."""
        kernel = per_axis(self.kernel, len(x.size), "kernel")
        if self.connections is not None:
            return product(connections=sum(map(len, self.connections)), kernel=kernel)
        share = x.channels // self.groups
        return product(filters=self.filters, kernel=kernel, channels_per_groups=share)

    def weights(self, x: Shape) -> CostProduct:
        return NOTHING if self.buffer else self._filters(x)

    def buffers(self, x: Shape) -> CostProduct:
        return self._filters(x) if self.buffer else NOTHING

    def biases(self, x: Shape) -> CostProduct:
        return product(filters=self.filters) if self.bias else NOTHING

    def macs(self, x: Shape) -> CostProduct:
        """[c, *n] to [f, *o]: each output element is a sum over one filter."""
        return self._filters(x).times(output=self.output(x).size)

    def most_read(self, x: Shape) -> tuple[int, ...]:
        """No filter may be connected to some of the channels."""
        if self.connections is None:
            return ()
        channels = {channel for connected in self.connections for channel in connected}
        return (len(channels) * prod(map(count_covered, self.windows(x))),)

    def windows(self, x: Shape) -> tuple[AxisWindow, ...]:
        return conv_windows(x.size, self.kernel, self.stride, self.padding, self.dilation)


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


@kind("locally_connected", principal="filters")
class LocallyConnected(Layer):
    """Convolution whose weights are not shared: every position of the output has its own filters
    and biases."""

    mixes_channels = True
    folds_norms = True
    backward_reads = "linear"
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
