"""Sampling at the positions of a grid, [c, *n] and [axes, *m] to [c, *m]."""

from math import prod

from convcost.model.axes import require_size
from convcost.model.errors import ConstraintError
from convcost.model.kind import Example, Join, kind, option
from convcost.model.number_format import counted
from convcost.model.options import INTERPOLATION_TAPS, Layers, Mode
from convcost.model.receptive_field import ANY_POSITION, ReceptiveField
from convcost.model.shape import Shape


@kind("grid_sample", principal="branches")
class GridSample(Join):
    """Samples the first branch at the positions that the second one gives, as in a spatial
    transformer or in optical flow. Interpolation has no macs by convention."""

    operation = "sampling"
    branches: Layers = option(
        "features, and a grid with one channel for each axis of the features", None
    )
    mode: Mode = option("`linear` uses 2 elements of each axis, `cubic` 4", "linear")

    # Jaderberg and others, Spatial Transformer Networks, 2015
    examples = (
        Example(
            "{grid_sample: {features: [], grid: [{conv: 2, kernel: 3, padding: 1}]}}",
            Shape(64, (28, 28)),
            Shape(64, (28, 28)),
            params=2 * 3 * 3 * 64,
            macs=2 * 3 * 3 * 64 * 28 * 28,
        ),
        Example(
            "{grid_sample: {features: [], grid: [{conv: 3, kernel: 2, stride: 2}]}, mode: nearest}",
            Shape(16, (8, 28, 28)),
            Shape(16, (4, 14, 14)),
            params=3 * 2 * 2 * 2 * 16,
            macs=3 * 2 * 2 * 2 * 16 * 4 * 14 * 14,
        ),
    )

    @property
    def macs_note(self) -> str:
        return "interpolation is not counted" if self.mode != "nearest" else ""

    def output(self, x: tuple[Shape, ...]) -> Shape:
        if len(x) != 2:  # noqa: PLR2004  features and grid
            message = f"grid_sample needs features and a grid, not {counted(len(x), 'input')}"
            raise ConstraintError("CC303", message)
        features, grid = x
        require_size(features.size, "grid_sample")
        axes = len(features.size)
        if grid.channels != axes or len(grid.size) != axes:
            message = (
                f"grid_sample needs a grid of {counted(axes, 'channel')} and "
                f"{counted(axes, 'axis')}, not {grid.text}"
            )
            raise ConstraintError(
                "CC303", message, "the grid needs one channel for each axis of the features"
            )
        return Shape(features.channels, grid.size)

    def most_read(self, x: tuple[Shape, ...]) -> tuple[int, ...]:
        features, grid = x
        taps = INTERPOLATION_TAPS[self.mode]
        return (features.channels * prod(taps * n for n in grid.size),)

    def receptive_field(self, x: tuple[Shape, ...]) -> tuple[ReceptiveField, ...]:
        return ANY_POSITION
