from math import floor
from typing import Any

from convcost.errors import Refusal
from convcost.field import Sight, scaling
from convcost.kind import Example, Layer, Like, kind, option
from convcost.options import Extent, Factor, Mode
from convcost.shapes import Shape
from convcost.window import needs_axes, spread


@kind("upsample", principal="scale")
class Upsample(Layer):
    """Enlarges by a factor or to a size. Interpolation is counted as 0 macs."""

    scale: Factor = option("factor of the size; ⌊n·scale⌋ elements come out", None)
    size: Extent = option("output size, instead of a scale", None)
    either = ("scale", "size")
    mode: Mode = option("`linear` sees 2 elements an axis, `cubic` 4", "nearest")

    examples = (
        Example("{upsample: 2}", Shape(256, (13, 13)), Shape(256, (26, 26))),
        Example("{upsample: , size: [65, 97]}", Shape(21, (9, 13)), Shape(21, (65, 97))),
        Example("{upsample: 1.5, mode: linear}", Shape(3, (5, 5)), Shape(3, (7, 7))),
    )

    def check(self) -> None:
        if (self.scale is None) == (self.size is None):
            raise Refusal("CC103", "upsample takes either a scale or a size")

    def output(self, x: Shape) -> Shape:
        needs_axes(x.size, "upsample")
        if self.size is not None:
            return Shape(x.channels, spread(self.size, len(x.size), "size"))
        scale: Any = (
            spread(self.scale, len(x.size), "scale")
            if isinstance(self.scale, tuple)
            else (self.scale,) * len(x.size)
        )
        size = tuple(floor(n * s) for n, s in zip(x.size, scale, strict=True))
        if min(size) < 1:
            raise Refusal("CC301", f"nothing is left of {x.text} at this scale")
        return Shape(x.channels, size)

    def sight(self, x: Shape) -> tuple[Sight, ...]:
        return _seen(self.mode, x.size, self.output(x).size)


@kind("upsample_like", principal="branches")
class UpsampleLike(Like):
    """The first of two branches, at the size of the second: a feature pyramid's way down, a map
    of classes at the size of the image. Interpolation is counted as 0 macs."""

    mode: Mode = option("`linear` sees 2 elements an axis, `cubic` 4", "nearest")

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

    def output(self, x: tuple[Shape, ...]) -> Shape:
        for shape in x:
            needs_axes(shape.size, self.name)
        self.same_axes(x)
        return Shape(x[0].channels, x[1].size)

    def sight(self, x: tuple[Shape, ...]) -> tuple[Sight, ...]:
        return _seen(self.mode, x[0].size, x[1].size)


def _seen(mode: str, before: tuple[int, ...], after: tuple[int, ...]) -> tuple[Sight, ...]:
    back, on = {"nearest": (0, 0), "linear": (0, 1), "cubic": (1, 2)}[mode]
    return tuple(scaling(n, o, back, on) for n, o in zip(before, after, strict=True))
