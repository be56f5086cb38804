"""Fourier transform along axes of the size, [c, *n] to [c, *n]; half of it for real numbers."""

from math import prod

from convcost.model.axes import reduced_axes, require_divisible
from convcost.model.cost_product import NOTHING, CostProduct, product
from convcost.model.errors import ConstraintError
from convcost.model.kind import Example, Layer, kind, option
from convcost.model.options import Axes, Flag, PositiveInt
from convcost.model.receptive_field import ReceptiveField, whole_axis
from convcost.model.shape import Shape


@kind("fft", principal="over")
class Fft(Layer):
    """Fast Fourier transform along axes of the size. A complex number is two channels. Of N complex
    points it has 2·N·⌈log2 N⌉ multiply-adds, of N real points half as many."""

    operation = "fft"
    mixes_channels = True
    over: Axes = option("the axes that are transformed; the last one is halved if real", "size")
    real: Flag = option("the numbers are real on the side of the positions", False)
    inverse: Flag = option("the inverse transform", False)
    length: PositiveInt | None = option(
        "of a real inverse, the size of the last axis; by default 2·(n − 1)", None
    )

    # Cooley and Tukey, An Algorithm for the Machine Calculation of Complex Fourier Series, 1965:
    # ⌈log2 N⌉ stages of N/2 butterflies, each with one complex product of 4 multiply-adds
    examples = (
        Example("fft", Shape(2 * 8, (64,)), Shape(2 * 8, (64,)), macs=8 * 2 * 64 * 6),
        Example(
            "{fft: size, real: true}",
            Shape(64, (14, 14)),
            Shape(2 * 64, (14, 8)),
            macs=64 * 14 * 14 * 4 + 64 * 8 * 2 * 14 * 4,
        ),
        Example(
            "{fft: [1, 2], real: true, inverse: true, length: 15}",
            Shape(2 * 64, (14, 8)),
            Shape(64, (14, 15)),
            macs=64 * 14 * 15 * 4 + 64 * 8 * 2 * 14 * 4,
        ),
        Example("{fft: 2}", Shape(2, (4, 100, 3)), Shape(2, (4, 100, 3)), macs=4 * 3 * 2 * 100 * 7),
    )

    def check(self) -> None:
        if self.over in ("channels", "all"):
            raise ConstraintError("CC104", f"fft needs axes of the size, not `{self.over}`")
        if self.length is not None and not (self.real and self.inverse):
            raise ConstraintError(
                "CC104", "fft has a length only with `real: true` and `inverse: true`"
            )

    @property
    def macs_note(self) -> str:
        return "2·N·⌈log2 N⌉ macs for N complex points, N·⌈log2 N⌉ for N real points"

    def output(self, x: Shape) -> Shape:
        last = self._axes(x)[-1] - 1
        if not self.real:
            require_divisible(x.channels, 2, "channels", "the parts of a complex number,")
            return x
        if not self.inverse:
            return Shape(2 * x.channels, self._size_with(x, last, x.size[last] // 2 + 1))
        require_divisible(x.channels, 2, "channels", "the parts of a complex number,")
        halved = x.size[last]
        length = 2 * (halved - 1) if self.length is None else self.length
        if length // 2 + 1 != halved:
            raise ConstraintError(
                "CC304",
                f"fft has {length // 2 + 1} complex points for a length of {length}, and axis "
                f"{last + 1} has {halved}",
                f"a `length` of {2 * halved - 1}, or of {max(2 * halved - 2, 1)}, fits",
            )
        return Shape(x.channels // 2, self._size_with(x, last, length))

    def macs(self, x: Shape) -> CostProduct:
        y = self.output(x)
        whole, halved = (y, x) if self.inverse else (x, y)
        maps = whole.channels if self.real else x.channels // 2
        *others, last = self._axes(x)
        work = self._macs_along(last, maps, whole.size, 1 if self.real else 2)
        for axis in others:
            work = work.plus(self._macs_along(axis, maps, halved.size, 2))
        return work

    def receptive_field(self, x: Shape) -> tuple[ReceptiveField, ...]:
        axes = self._axes(x)
        return tuple(
            whole_axis(n) if axis in axes else ReceptiveField() for axis, n in enumerate(x.size, 1)
        )

    @staticmethod
    def _macs_along(axis: int, maps: int, size: tuple[int, ...], each: int) -> CostProduct:
        """The multiply-adds of all transforms along an axis, `each` for a point in a stage."""
        points = size[axis - 1]
        transforms = maps * prod(size) // points
        stages = (points - 1).bit_length()
        if not stages:
            return NOTHING
        return product(transforms=transforms, points=points, stages=stages, multiply_adds=each)

    def _axes(self, x: Shape) -> tuple[int, ...]:
        if not x.size:
            raise ConstraintError("CC304", "fft needs an input with a size, and this input is flat")
        return reduced_axes(self.over, x.size, "fft")

    @staticmethod
    def _size_with(x: Shape, axis: int, n: int) -> tuple[int, ...]:
        if n < 1:
            raise ConstraintError(
                "CC301", f"fft has no elements along axis {axis + 1}", "give its `length`"
            )
        return (*x.size[:axis], n, *x.size[axis + 1 :])
