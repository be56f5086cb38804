"""Pools whose windows follow from the size of their input."""

from convcost.field import Sight, scaling, sliding
from convcost.kind import Example, Layer, kind, option
from convcost.options import Extent
from convcost.shapes import Shape
from convcost.window import needs_axes, spread


class _GlobalPool(Layer):
    def output(self, x: Shape) -> Shape:
        needs_axes(x.size, self.name)
        return Shape(x.channels, (1,) * len(x.size))

    def sight(self, x: Shape) -> tuple[Sight, ...]:
        return tuple(sliding(0, n - 1, 1) for n in x.size)


@kind("global_avg_pool")
class GlobalAvgPool(_GlobalPool):
    """The mean of every channel. No multiply-adds."""

    examples = (Example("global_avg_pool", Shape(1024, (7, 7)), Shape(1024, (1, 1))),)


@kind("global_max_pool")
class GlobalMaxPool(_GlobalPool):
    """The largest element of every channel. No multiply-adds."""

    examples = (Example("global_max_pool", Shape(512, (7, 7)), Shape(512, (1, 1))),)


class _AdaptivePool(Layer):
    size: Extent = option("output size")

    def output(self, x: Shape) -> Shape:
        needs_axes(x.size, self.name)
        return Shape(x.channels, spread(self.size, len(x.size), "size"))

    # The i-th window runs from ⌊i·n/o⌋ to ⌈(i+1)·n/o⌉; the windows repeat after o/gcd(n, o).
    def sight(self, x: Shape) -> tuple[Sight, ...]:
        found = []
        for n, o in zip(x.size, spread(self.size, len(x.size), "size"), strict=True):
            place = scaling(n, o)
            last = (-(-(i + 1) * n // o) - 1 for i in range(len(place.first)))
            found.append(place._replace(last=tuple(last)))
        return tuple(found)


@kind("adaptive_avg_pool", principal="size")
class AdaptiveAvgPool(_AdaptivePool):
    """The mean of windows chosen so that the output has the given size. No multiply-adds."""

    examples = (
        Example("{adaptive_avg_pool: 7}", Shape(512, (13, 13)), Shape(512, (7, 7))),
        Example("{adaptive_avg_pool: [1, 4]}", Shape(64, (8, 8)), Shape(64, (1, 4))),
    )


@kind("adaptive_max_pool", principal="size")
class AdaptiveMaxPool(_AdaptivePool):
    """The largest element of windows chosen so that the output has the given size. No
    multiply-adds."""

    examples = (Example("{adaptive_max_pool: 6}", Shape(256, (13, 13)), Shape(256, (6, 6))),)
