"""Interpolation to another size, [c, *n] to [c, *o]."""

from math import floor, prod
from typing import Any

from convcost.model.axes import per_axis, require_size
from convcost.model.errors import ConstraintError
from convcost.model.kind import Example, Layer, SizeLike, kind, option
from convcost.model.options import INTERPOLATION_TAPS, Factor, Mode, PerAxisInt
from convcost.model.receptive_field import ReceptiveField, resize_field, whole_axis
from convcost.model.shape import Shape


@kind("upsample", principal="scale")
class Upsample(Layer):
    """Enlarges by a factor or to a size. Interpolation has no macs by convention."""

    operation = "resize"
    scale: Factor = option("factor of the size: ⌊n·scale⌋", None)
    size: PerAxisInt = option("output size, instead of a scale", None)
    required_one_of = ("scale", "size")
    mode: Mode = option("`linear` uses 2 elements of each axis, `cubic` 4", "nearest")

    examples = (
        Example("{upsample: 2}", Shape(256, (13, 13)), Shape(256, (26, 26))),
        Example("{upsample: , size: [65, 97]}", Shape(21, (9, 13)), Shape(21, (65, 97))),
        Example("{upsample: 1.5, mode: linear}", Shape(3, (5, 5)), Shape(3, (7, 7))),
    )

    @property
    def macs_note(self) -> str:
        return _macs_note(self.mode)

    def check(self) -> None:
        if (self.scale is None) == (self.size is None):
            raise ConstraintError("CC103", "upsample needs exactly one of `scale` and `size`")

    def output(self, x: Shape) -> Shape:
        require_size(x.size, "upsample")
        if self.size is not None:
            return Shape(x.channels, per_axis(self.size, len(x.size), "size"))
        scale: Any = (
            per_axis(self.scale, len(x.size), "scale")
            if isinstance(self.scale, tuple)
            else (self.scale,) * len(x.size)
        )
        size = tuple(floor(n * s) for n, s in zip(x.size, scale, strict=True))
        if min(size) < 1:
            message = f"upsample needs a scale that leaves elements of the input {x.text}"
            raise ConstraintError("CC301", message)
        return Shape(x.channels, size)

    def most_read(self, x: Shape) -> tuple[int, ...]:
        return _most_read(self.mode, x, self.output(x).size)

    def receptive_field(self, x: Shape) -> tuple[ReceptiveField, ...]:
        return _interpolation_field(self.mode, x.size, self.output(x).size)


@kind("upsample_like", principal="branches")
class UpsampleLike(SizeLike):
    """Enlarges the first of two branches to the size of the second, as in a feature pyramid.
    Interpolation has no macs by convention."""

    operation = "resize"
    mode: Mode = option("`linear` uses 2 elements of each axis, `cubic` 4", "nearest")

    examples = (
        Example("{upsample_like: [input, input]}", Shape(64, (13, 17)), Shape(64, (13, 17))),
        Example(
            "{upsample_like: {x: [{conv: 21, kernel: 1, stride: 8}], like: []}, mode: linear}",
            Shape(3, (261, 275)),
            Shape(21, (261, 275)),
            params=21 * 3,
            macs=21 * 3 * 33 * 35,
        ),
    )

    @property
    def macs_note(self) -> str:
        return _macs_note(self.mode)

    def output(self, x: tuple[Shape, ...]) -> Shape:
        for shape in x:
            require_size(shape.size, self.name)
        self.require_same_axes(x)
        return Shape(x[0].channels, x[1].size)

    def most_read(self, x: tuple[Shape, ...]) -> tuple[int, ...]:
        return _most_read(self.mode, x[0], x[1].size)

    def receptive_field(self, x: tuple[Shape, ...]) -> tuple[ReceptiveField, ...]:
        return _interpolation_field(self.mode, x[0].size, x[1].size)


def _macs_note(mode: str) -> str:
    return "" if mode == "nearest" else "interpolation is not counted"


def _most_read(mode: str, x: Shape, after: tuple[int, ...]) -> tuple[int, ...]:
    """Of a map that shrinks, few elements may be read."""
    taps = INTERPOLATION_TAPS[mode]
    return (x.channels * prod(min(n, taps * o) for n, o in zip(x.size, after, strict=True)),)


def _interpolation_field(
    mode: str, before: tuple[int, ...], after: tuple[int, ...]
) -> tuple[ReceptiveField, ...]:
    on = INTERPOLATION_TAPS[mode] // 2
    back = max(on - 1, 0)
    return tuple(
        whole_axis(1) if n == 1 else resize_field(n, o, back, on)  # one element broadcasts
        for n, o in zip(before, after, strict=True)
    )
