"""Deformable convolution, [c, *n] to [f, *o], with offsets and a mask from other layers."""

from math import prod

from convcost.model.axes import per_axis, require_divisible, require_size
from convcost.model.cost_product import NOTHING, CostProduct, product
from convcost.model.errors import ConstraintError
from convcost.model.kind import Example, Join, kind, option
from convcost.model.options import Flag, Layers, Padding, PerAxisInt, PositiveInt
from convcost.model.receptive_field import ANY_POSITION, ReceptiveField
from convcost.model.shape import Shape
from convcost.model.window import AxisWindow, conv_windows


@kind("deformable_conv", principal="branches")
class DeformableConv(Join):
    """Convolution whose window elements are moved by offsets that other layers give; a mask, as in
    its second version, weighs them. Sampling and weighing have no macs by convention."""

    mixes_channels = True
    operation = "deformable_conv"
    folds_norms = True
    branches: Layers = option(
        "features, offsets and, if wanted, a mask: lists of layers, or names of layers", None
    )
    filters: PositiveInt = option("output channels")
    kernel: PerAxisInt = option("window size")
    stride: PerAxisInt = option("step of the window", 1)
    padding: Padding = option("zeros around the input", 0)
    dilation: PerAxisInt = option("distance between the elements of a window", 1)
    groups: PositiveInt = option("parts that channels and filters are split into", 1)
    offset_groups: PositiveInt = option("parts of the channels, each with its own offsets", 1)
    bias: Flag = option("one number added for each filter", False)

    # Dai and others, Deformable Convolutional Networks, 2017; Zhu and others, 2018, with a mask
    examples = (
        Example(
            "{deformable_conv: {features: [], offsets: [{conv: 2*3*3, kernel: 3, padding: 1}]}, "
            "filters: 64, kernel: 3, padding: 1}",
            Shape(64, (56, 56)),
            Shape(64, (56, 56)),
            params=(2 * 3 * 3 + 64) * 3 * 3 * 64,
            macs=(2 * 3 * 3 + 64) * 3 * 3 * 64 * 56 * 56,
        ),
        Example(
            "{deformable_conv: {features: [], offsets: [{conv: 4*2*9, kernel: 1, stride: 2}], "
            "mask: [{conv: 4*9, kernel: 1, stride: 2}]}, filters: 32, kernel: 3, stride: 2, "
            "padding: 1, offset_groups: 4, bias: true}",
            Shape(16, (28, 28)),
            Shape(32, (14, 14)),
            params=4 * 2 * 9 * 16 + 4 * 9 * 16 + 32 * 3 * 3 * 16 + 32,
            macs=(4 * 2 * 9 * 16 + 4 * 9 * 16 + 32 * 3 * 3 * 16) * 14 * 14,
        ),
    )

    @property
    def macs_note(self) -> str:
        return "sampling at the offsets is not counted"

    def output(self, x: tuple[Shape, ...]) -> Shape:
        if len(x) not in (2, 3):
            raise ConstraintError(
                "CC303",
                f"deformable_conv needs features, offsets and optionally a mask, not {len(x)} "
                "inputs",
            )
        features, *offsets_and_mask = x
        require_size(features.size, "deformable_conv")
        require_divisible(features.channels, self.groups, "input channels", "groups")
        require_divisible(self.filters, self.groups, "filters", "groups")
        require_divisible(features.channels, self.offset_groups, "input channels", "offset_groups")
        size = tuple(window.output for window in self.windows(x))
        elements = prod(per_axis(self.kernel, len(size), "kernel"))
        coordinates = (("offsets", len(size)), ("a mask", 1))
        for (name, numbers), shape in zip(coordinates, offsets_and_mask, strict=False):
            needed = Shape(numbers * elements * self.offset_groups, size)
            if shape != needed:
                raise ConstraintError(
                    "CC303", f"deformable_conv needs {name} of {needed.text}, not {shape.text}"
                )
        return Shape(self.filters, size)

    def weights(self, x: tuple[Shape, ...]) -> CostProduct:
        """[f, c / groups, *k], as in a convolution."""
        features = x[0]
        kernel = per_axis(self.kernel, len(features.size), "kernel")
        share = features.channels // self.groups
        return product(filters=self.filters, kernel=kernel, channels_per_groups=share)

    def biases(self, x: tuple[Shape, ...]) -> CostProduct:
        return product(filters=self.filters) if self.bias else NOTHING

    def macs(self, x: tuple[Shape, ...]) -> CostProduct:
        return self.weights(x).times(output=self.output(x).size)

    def windows(self, x: tuple[Shape, ...]) -> tuple[AxisWindow, ...]:
        return conv_windows(x[0].size, self.kernel, self.stride, self.padding, self.dilation)

    def receptive_field(self, x: tuple[Shape, ...]) -> tuple[ReceptiveField, ...]:
        return ANY_POSITION
