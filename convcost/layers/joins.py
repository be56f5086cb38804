"""Joins of branches, element by element or end to end. No params."""

from typing import ClassVar

from convcost.model.axes import reduced_axes, reduced_shape, require_axis
from convcost.model.cost_product import CostProduct, product
from convcost.model.errors import ConstraintError
from convcost.model.kind import Example, Join, Operation, kind, option
from convcost.model.options import Along, Axes, Flag, Layers
from convcost.model.receptive_field import ReceptiveField, whole_axis, window_field
from convcost.model.shape import Shape, broadcast, size_text

MAX_SIZES = 4  # in the message that branches differ


@kind("concat", principal="branches")
class Concat(Join):
    """Concatenates branches along the channels, or along an axis of the size. All other axes must
    be equal. No params and no macs."""

    operation = "move"
    branches: Layers = option("named lists of layers, or names of layers", None)
    along: Along = option("the axis that is concatenated", "channels")

    examples = (
        Example(
            "{concat: {a: [{conv: 64, kernel: 1}], b: [{conv: 32, kernel: 5, padding: 2}]}}",
            Shape(192, (28, 28)),
            Shape(64 + 32, (28, 28)),
            params=64 * 192 + 32 * 5 * 5 * 192,
            macs=(64 * 192 + 32 * 5 * 5 * 192) * 28 * 28,
        ),
        Example("{concat: [input, input]}", Shape(64, (28, 28)), Shape(64 + 64, (28, 28))),
        Example(
            "{concat: {class: [{learned: {channels: 768, size: [1]}}], patches: []}, along: 1}",
            Shape(768, (196,)),
            Shape(768, (1 + 196,)),
            params=768,
        ),
    )

    def output(self, x: tuple[Shape, ...]) -> Shape:
        if isinstance(self.along, int):
            return self._output_along(x, self.along)
        if any(shape.size != x[0].size for shape in x):
            distinct = tuple(dict.fromkeys(size_text(shape.size) for shape in x))
            ellipsis = ", …" if len(distinct) > MAX_SIZES else ""
            sizes = f"{' and '.join(distinct[:MAX_SIZES])}{ellipsis}"
            raise ConstraintError("CC303", f"concat needs branches with the same size, not {sizes}")
        return Shape(sum(shape.channels for shape in x), x[0].size)

    def reads_one_branch(self) -> bool:
        return isinstance(self.along, int)

    def branch_fields(self, x: tuple[Shape, ...]) -> tuple[tuple[ReceptiveField, ...], ...] | None:
        if not isinstance(self.along, int):
            return None
        fields, start = [], 0
        for shape in x:
            axis_fields = [ReceptiveField()] * len(shape.size)
            axis_fields[self.along - 1] = window_field(start, 0, 1)
            fields.append(tuple(axis_fields))
            start += shape.size[self.along - 1]
        return tuple(fields)

    def _output_along(self, x: tuple[Shape, ...], axis: int) -> Shape:
        require_axis(axis, min((shape.size for shape in x), key=len), "concat")
        before, after = x[0].size[: axis - 1], x[0].size[axis:]
        for shape in x:
            if shape != Shape(x[0].channels, (*before, *shape.size[axis - 1 : axis], *after)):
                raise ConstraintError(
                    "CC303",
                    f"concat along axis {axis} needs branches with equal other axes, "
                    f"not {x[0].text} and {shape.text}",
                )
        return Shape(x[0].channels, (*before, sum(shape.size[axis - 1] for shape in x), *after))


class _Elementwise(Join):
    """A join that computes each element from one element of each branch. Branches broadcast."""

    operation: ClassVar[Operation] = "join"
    branches: Layers = option("named lists of layers, or names of layers", None)

    def output(self, x: tuple[Shape, ...]) -> Shape:
        return self._broadcast(x)

    # As in NumPy, channels first: [c, 1, 1], [1, h, w] and [c] broadcast to [c, h, w].
    def _broadcast(self, x: tuple[Shape, ...]) -> Shape:
        size = broadcast(*(shape.size for shape in x))
        channels = broadcast(*((shape.channels,) for shape in x))
        if size is None or channels is None:
            raise self._broadcast_error(x)
        return Shape(channels[0], size)

    def overwrites(self, x: tuple[Shape, ...]) -> bool:
        return True

    def _broadcast_error(self, x: tuple[Shape, ...]) -> ConstraintError:
        """The error that names the first two branches that do not broadcast, the larger first."""
        shapes = tuple(
            {shape.text: shape for shape in x}.values()
        )  # few broadcast with each other, so few are compared
        pairs = (
            (first, second) for number, second in enumerate(shapes) for first in shapes[:number]
        )
        first, second = next(pair for pair in pairs if _differences(*pair))
        small, large = sorted((first, second), key=lambda shape: shape.elements)
        return ConstraintError(
            "CC303",
            f"{self.name} needs branches of one shape, not {large.text} and {small.text}",
            f"their {_differences(first, second)} differ, and only an axis of size 1 broadcasts",
        )


def _differences(first: Shape, second: Shape) -> str:
    """The parts that do not broadcast: `channels`, `sizes`, both or none."""
    parts = [] if broadcast((first.channels,), (second.channels,)) else ["channels"]
    if broadcast(first.size, second.size) is None:
        parts.append("sizes")
    return " and ".join(parts)


@kind("add", principal="branches")
class Add(_Elementwise):
    """Adds branches element by element; an axis of size 1 broadcasts. No params and no macs."""

    examples = (
        Example(
            "{add: {main: [{conv: 64, kernel: 3, padding: 1}], shortcut: []}}",
            Shape(64, (56, 56)),
            Shape(64, (56, 56)),
            params=64 * 3 * 3 * 64,
            macs=64 * 3 * 3 * 64 * 56 * 56,
        ),
    )


@kind("multiply", principal="branches")
class Multiply(_Elementwise):
    """Multiplies branches element by element; an axis of size 1 broadcasts, as in a gate of C×1×1.
    No params and no macs."""

    backward_reads = "factors"
    examples = (
        Example(
            "{multiply: {map: [], gate: [global_avg_pool, {conv: 64, kernel: 1}, sigmoid]}}",
            Shape(64, (56, 56)),
            Shape(64, (56, 56)),
            params=64 * 64,
            macs=64 * 64,
        ),
    )


@kind("contract", principal="branches")
class Contract(_Elementwise):
    """Multiplies branches element by element and sums the products over axes or channels, as in a
    correlation. An axis of size 1 broadcasts. One multiply-add for each product."""

    operation = "contraction"
    mixes_channels = True
    over: Axes = option("the axes that are summed over")
    keep: Flag = option("keep the axes, with size 1; the channels are always kept", True)

    examples = (
        Example(
            "{contract: {a: [], b: [{conv: 32, kernel: 1}]}, over: channels}",
            Shape(32, (64, 64)),
            Shape(1, (64, 64)),
            params=32 * 32,
            macs=32 * 32 * 64 * 64 + 32 * 64 * 64,
        ),
        Example(
            "{contract: [input, input], over: 1, keep: false}",
            Shape(16, (49, 56)),
            Shape(16, (56,)),
            macs=16 * 49 * 56,
        ),
    )

    def output(self, x: tuple[Shape, ...]) -> Shape:
        if len(x) < 2:  # noqa: PLR2004
            raise ConstraintError("CC303", "contract needs two branches or more, not 1")
        return reduced_shape(self.over, self._broadcast(x), self.name, keep=self.keep)

    def overwrites(self, x: tuple[Shape, ...]) -> bool:
        return False

    def macs(self, x: tuple[Shape, ...]) -> CostProduct:
        products = self._broadcast(x)
        factors = product(channels=products.channels, size=products.size)
        return factors.times(products=len(x) - 1) if len(x) > 2 else factors  # noqa: PLR2004

    def branch_fields(self, x: tuple[Shape, ...]) -> tuple[tuple[ReceptiveField, ...], ...] | None:
        axes = len(self._broadcast(x).size)
        reduced = reduced_axes(self.over, self._broadcast(x).size, self.name)
        if not reduced:
            return None
        return tuple(
            tuple(
                whole_axis(n) if axis in reduced else ReceptiveField()
                for axis, n in enumerate(shape.size, axes - len(shape.size) + 1)
            )
            for shape in x
        )


MORE = {
    "subtract": "The first branch minus the others, element by element.",
    "divide": "Divides the first branch by the others, element by element.",
    "maximum": "The largest of the branches, element by element.",
    "minimum": "The smallest of the branches, element by element.",
}

for _name, _meaning in MORE.items():
    kind(_name, principal="branches")(
        type(
            _name,
            (_Elementwise,),
            {
                "__doc__": f"{_meaning} No params and no macs.",
                "backward_reads": "quotient" if _name == "divide" else None,
                "examples": (
                    Example(
                        f"{{{_name}: {{one: [], other: [{{conv: 64, kernel: 1}}]}}}}",
                        Shape(64, (28, 28)),
                        Shape(64, (28, 28)),
                        params=64 * 64,
                        macs=64 * 64 * 28 * 28,
                    ),
                ),
            },
        )
    )
