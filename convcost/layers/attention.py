"""Attention of [c, *outer, q] queries to [c, *outer, k] keys; projections are separate layers."""

from convcost.model.axes import require_divisible, require_size
from convcost.model.cost_product import CostProduct, product
from convcost.model.errors import ConstraintError
from convcost.model.kind import Example, Join, kind, option
from convcost.model.number_format import counted
from convcost.model.options import Flag, Layers, PositiveInt
from convcost.model.receptive_field import ReceptiveField, resize_field, whole_axis, window_field
from convcost.model.record import NamedTuple
from convcost.model.shape import Shape


class _Sides(NamedTuple):
    """The sizes of the two matrix products: [queries, width] times [width, keys], then
    [queries, keys] times [keys, depth]. `batch` are the axes of separate matrices: windows, heads.
    """

    batch: tuple[int, ...]
    queries: int
    keys: int
    width: int
    depth: int


@kind("attention", principal="branches")
class Attention(Join):
    """Mean of the values, weighted by the similarity of a query to each key: two matrix products.
    The projections to query, key and value are separate layers."""

    operation = "attention"
    mixes_channels = True
    branches: Layers = option("query, key and value: lists of layers, or names of layers", None)
    heads: PositiveInt | None = option(
        "parts that the channels are split into; by default the outer axes of the size", None
    )
    causal: Flag = option("a query is compared only with keys up to its own position", False)
    window: PositiveInt | None = option(
        "the most keys that a query is compared with: with `causal`, its own and those before it; "
        "otherwise half as many on each side of its own",
        None,
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
        Example(
            "{attention: [input, input, input], causal: true, window: 512}",
            Shape(64, (8, 2048)),
            Shape(64, (8, 2048)),
            macs=2 * 8 * 64 * (512 * 513 // 2 + (2048 - 512) * 512),
        ),
    )

    def output(self, x: tuple[Shape, ...]) -> Shape:
        sides = self._sides(x)
        if self.heads is None:
            return Shape(sides.depth, (*sides.batch, sides.queries))
        return Shape(self.heads * sides.depth, (*sides.batch[:-1], sides.queries))

    def macs(self, x: tuple[Shape, ...]) -> CostProduct:
        batch, queries, keys, width, depth = self._sides(x)
        matrix_axes = len(batch) - (self.heads is not None)
        matrices = product(matrices=batch[:matrix_axes], heads=batch[matrix_axes:])
        reach = self._reach(queries, keys)
        if reach is None:
            compared = matrices.times(queries=queries, keys=keys)
        else:
            compared = matrices.times(pairs=_pairs(queries, keys, *reach))
        return compared.times(query_channels=width).plus(compared.times(value_channels=depth))

    def most_read(self, x: tuple[Shape, ...]) -> tuple[int, ...]:
        """Keys and values that no query is compared with are not read."""
        query, *others = x
        queries, keys = query.size[-1], others[0].size[-1]
        reach = self._reach(queries, keys)
        if reach is None:
            return ()
        compared = min(keys, queries + reach[0])
        return query.elements, *(shape.elements // keys * compared for shape in others)

    def branch_fields(self, x: tuple[Shape, ...]) -> tuple[tuple[ReceptiveField, ...], ...]:
        """An output depends on its own query, and on the keys and values that its query is compared
        with."""
        queries, keys = x[0].size[-1], x[1].size[-1]
        before, after = self._reach(queries, keys) or (keys, keys)
        # The last query belongs to the last key. A query sees no position without a key.
        compared = window_field(before - (keys - queries), before + after, 1)
        if before + after >= keys - 1:
            all_see_all = before >= keys - 1 and after >= queries - 1
            sees_all = min(before, keys - 1) - (keys - queries)
            compared = whole_axis(keys, None if all_see_all else sees_all)
        outer = self.output(x).size[:-1]
        query, *others = (_outer_fields(shape.size[:-1], outer) for shape in x)
        return (*query, ReceptiveField()), *((*axes, compared) for axes in others)

    def _reach(self, queries: int, keys: int) -> tuple[int, int] | None:
        """The numbers of keys before and after a query that it is compared with; None means all."""
        if self.window is None:
            return (keys - 1, 0) if self.causal else None
        if self.causal:
            return min(self.window, keys) - 1, 0
        half = self.window // 2
        return min(half, keys - 1), min(half, queries - 1)

    def _sides(self, x: tuple[Shape, ...]) -> _Sides:
        if len(x) != 3:  # noqa: PLR2004  query, key, value
            message = f"attention needs query, key and value, not {counted(len(x), 'input')}"
            raise ConstraintError("CC303", message)
        for shape in x:
            require_size(shape.size, "attention")
        queries, keys, values = (shape.size[-1] for shape in x)
        if keys != values:
            message = f"attention needs one value for each key, not {keys} keys and {values} values"
            raise ConstraintError("CC303", message)
        if queries > keys and (self.causal or self.window is not None):
            raise ConstraintError(
                "CC303",
                "attention with `causal` or `window` needs a key for every query, not "
                f"{queries} queries and {keys} keys",
                "remove `causal` and `window`, or give at least as many keys as queries",
            )
        query, key, value = x if self.heads is None else self._split(x, self.heads)
        if query.channels != key.channels:
            requirement = "queries and keys with the same number of channels"
            message = f"attention needs {requirement}, not {query.channels} and {key.channels}"
            raise ConstraintError("CC303", message)
        batch = _common_size(query.size[:-1], key.size[:-1], value.size[:-1])
        if batch is None:
            listed = ", ".join(shape.text for shape in x)
            raise ConstraintError(
                "CC303",
                f"attention needs inputs with the same outer axes, not {listed}",
                "an outer axis of the keys and values may be smaller only if it divides that of "
                "the queries",
            )
        return _Sides(batch, queries, keys, query.channels, value.channels)

    def _split(self, x: tuple[Shape, ...], heads: int) -> list[Shape]:
        """Splits [c, *outer, n] to [c / heads, *outer, heads, n]. Keys and values may have fewer
        heads."""
        query, key, value = x
        require_divisible(query.channels, heads, "query channels", "heads")
        width = query.channels // heads
        require_divisible(key.channels, width, "key channels", "the channels of a head,")
        groups = key.channels // width
        require_divisible(heads, groups, "heads", "those of the keys,")
        require_divisible(value.channels, groups, "value channels", "the heads of the keys,")
        return [
            Shape(shape.channels // n, (*shape.size[:-1], n, shape.size[-1]))
            for shape, n in ((query, heads), (key, groups), (value, groups))
        ]


def _pairs(queries: int, keys: int, before: int, after: int) -> int:
    """The number of pairs of a query i and a key j with −before ≤ j − i ≤ after. The positions are
    aligned at the end: the last query is at the position of the last key."""
    missing = _falling_sum(before - (keys - queries), queries) + _falling_sum(after, queries)
    return queries * (before + 1 + after) - missing


def _falling_sum(first: int, count: int) -> int:
    """first + (first − 1) + … of `count` summands; those below 0 count as 0."""
    n = max(min(first, count), 0)
    return n * (2 * first - n + 1) // 2


def _outer_fields(sizes: tuple[int, ...], common: tuple[int, ...]) -> tuple[ReceptiveField, ...]:
    """The fields of the outer axes of an input: one position of a smaller axis is for several
    neighbouring ones of the common axis. An axis of size 1 broadcasts, as in any join."""
    pairs = zip(sizes, common[len(common) - len(sizes) :], strict=True)
    return tuple(ReceptiveField() if n == 1 else resize_field(n, m) for n, m in pairs)


def _common_size(*sizes: tuple[int, ...]) -> tuple[int, ...] | None:
    """The common outer axes: of each axis the largest, which the others must divide. A missing axis
    is 1. None if there are none."""
    rank = max(map(len, sizes))
    axes = list(zip(*((1,) * (rank - len(size)) + size for size in sizes), strict=True))
    if any(max(axis) % n for axis in axes for n in axis):
        return None
    return tuple(map(max, axes))
