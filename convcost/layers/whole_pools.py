"""Pools whose windows depend on the input size."""

from convcost.model.axes import per_axis, require_size
from convcost.model.kind import Example, Layer, kind, option
from convcost.model.options import PerAxisInt
from convcost.model.receptive_field import ReceptiveField, resize_field, window_field
from convcost.model.shape import Shape


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
        found = []
        for n, o in zip(x.size, per_axis(self.size, len(x.size), "size"), strict=True):
            place = resize_field(n, o, after=-(-n // o))
            if place.exact:
                last = (-(-(i + 1) * n // o) - 1 for i in range(place.period))
                place = place._replace(last=tuple(last))
            found.append(place)
        return tuple(found)


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
