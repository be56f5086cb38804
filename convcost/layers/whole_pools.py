"""Pools whose windows follow from the size of their input."""

from math import gcd

from convcost.kind import Example, Layer, Reach, kind, option
from convcost.options import Extent
from convcost.shapes import Shape
from convcost.window import needs_axes, spread


class _GlobalPool(Layer):
    def output(self, x: Shape) -> Shape:
        needs_axes(x.size, self.name)
        return Shape(x.channels, (1,) * len(x.size))

    def reach(self, x: Shape) -> Reach:
        return Reach(tuple(n - 1 for n in x.size))


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

    # The i-th window runs from ⌊i·n/o⌋ to ⌈(i+1)·n/o⌉; where o does not divide n the widest
    # windows cover ⌊n/o⌋ elements and up to two more, which repeat after o/gcd(n, o) of them.
    def reach(self, x: Shape) -> Reach:
        sizes = spread(self.size, len(x.size), "size")
        span = []
        for n, o in zip(x.size, sizes, strict=True):
            windows = min(o // gcd(n, o), 10_000)
            span.append(max(-(-(i + 1) * n // o) - i * n // o for i in range(windows)) - 1)
        return Reach(tuple(span), down=x.size, up=sizes)


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
