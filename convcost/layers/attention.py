from typing import NamedTuple

from convcost.errors import Refusal
from convcost.field import Sight, all_of
from convcost.kind import Example, Join, kind, option
from convcost.options import Count, Layers
from convcost.shapes import Shape
from convcost.window import needs_axes, require_divides
from convcost.work import Work, product


class _Sides(NamedTuple):
    """`batch` are matrices of their own: windows, heads. One query has `width` numbers, one value
    `depth`."""

    batch: tuple[int, ...]
    queries: int
    keys: int
    width: int
    depth: int


@kind("attention", principal="branches")
class Attention(Join):
    """Every query takes the mean of the values, weighed by how well their keys fit it: two matrix
    products. What makes query, key and value are layers of their own."""

    branches: Layers = option("query, key and value: lists of layers, or names of layers", None)
    heads: Count | None = option(
        "parts of the channels; the outer axes of the size if left out", None
    )

    examples = (
        Example(
            "{attention: [input, input, input], heads: 12}",
            Shape(768, (197,)),
            Shape(768, (197,)),
            macs=12 * (197 * 197 * 64 + 197 * 197 * 64),
        ),
        Example(
            "{attention: [input, input, input]}",
            Shape(32, (64, 3, 49)),
            Shape(32, (64, 3, 49)),
            macs=64 * 3 * (49 * 49 * 32 + 49 * 49 * 32),
        ),
        Example(
            "{attention: {query: [], "
            "key: [{linear: 4 * 64, each_position: true, bias: false}], "
            "value: [{linear: 4 * 64, each_position: true, bias: false}]}, heads: 32}",
            Shape(32 * 64, (10,)),
            Shape(32 * 64, (10,)),
            params=2 * (4 * 64 * 32 * 64),
            macs=2 * (4 * 64 * 32 * 64 * 10) + 32 * (10 * 10 * 64 + 10 * 10 * 64),
        ),
    )

    def output(self, x: tuple[Shape, ...]) -> Shape:
        sides = self._sides(x)
        if self.heads is None:
            return Shape(sides.depth, (*sides.batch, sides.queries))
        return Shape(self.heads * sides.depth, (*sides.batch[:-1], sides.queries))

    def macs(self, x: tuple[Shape, ...]) -> Work:
        batch, queries, keys, width, depth = self._sides(x)
        own = len(batch) - (self.heads is not None)
        compared = product(matrices=batch[:own], heads=batch[own:], queries=queries, keys=keys)
        return compared.times(query_channels=width).plus(compared.times(value_channels=depth))

    def sight(self, x: tuple[Shape, ...]) -> tuple[Sight, ...]:
        still = (Sight(),) * (len(self.output(x).size) - 1)
        return (*still, all_of(x[1].size[-1]))

    def _sides(self, x: tuple[Shape, ...]) -> _Sides:
        if len(x) != 3:  # noqa: PLR2004  query, key, value
            inputs = "one input" if len(x) == 1 else f"{len(x)} inputs"
            raise Refusal("CC303", f"attention takes query, key and value, not {inputs}")
        for shape in x:
            needs_axes(shape.size, "attention")
        if x[1].size[-1] != x[2].size[-1]:
            raise Refusal(
                "CC303",
                f"attention needs a value for every key, not {x[1].size[-1]} keys and "
                f"{x[2].size[-1]} values",
            )
        query, key, value = x if self.heads is None else self._split(x, self.heads)
        if query.channels != key.channels:
            raise Refusal(
                "CC303",
                f"attention compares queries with keys, not of {query.channels} and of "
                f"{key.channels} channels",
            )
        batch = _shared(query.size[:-1], key.size[:-1], value.size[:-1])
        if batch is None:
            listed = ", ".join(shape.text for shape in x)
            raise Refusal(
                "CC303",
                f"attention needs the same outer axes, not those of {listed}",
                "an axis of key and value may have fewer if they divide it: heads in groups",
            )
        return _Sides(batch, query.size[-1], key.size[-1], query.channels, value.channels)

    def _split(self, x: tuple[Shape, ...], heads: int) -> list[Shape]:
        """Channels to heads, an axis of the size; keys and values may have fewer heads."""
        query, key, value = x
        require_divides(query.channels, heads, "query channels", "heads")
        width = query.channels // heads
        require_divides(key.channels, width, "key channels", "the channels of a head,")
        groups = key.channels // width
        require_divides(heads, groups, "heads", "those of the keys,")
        require_divides(value.channels, groups, "value channels", "the heads of the keys,")
        return [
            Shape(shape.channels // n, (*shape.size[:-1], n, shape.size[-1]))
            for shape, n in ((query, heads), (key, groups), (value, groups))
        ]


def _shared(*sizes: tuple[int, ...]) -> tuple[int, ...] | None:
    """The outer axes: missing ones are 1, each number divides the largest."""
    rank = max(map(len, sizes))
    axes = list(zip(*((1,) * (rank - len(size)) + size for size in sizes), strict=True))
    if any(max(axis) % n for axis in axes for n in axis):
        return None
    return tuple(map(max, axes))
