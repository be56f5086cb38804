from convcost.errors import Refusal
from convcost.field import Sight, all_of
from convcost.kind import Example, Join, kind, option
from convcost.options import Flag, Layers
from convcost.shapes import Shape, broadcast, size_text
from convcost.window import needs_axes
from convcost.work import Work, product


@kind("matmul", principal="branches")
class Matmul(Join):
    """Matrix product of two branches: rows are the innermost axis of the size, columns the
    channels, further axes are matrices of their own."""

    branches: Layers = option("two named lists of layers, or names of layers", None)
    transpose: Flag = option("rows of the second are its columns: query times keys", False)

    examples = (
        Example(
            "{matmul: {query: [], key: []}, transpose: true}",
            Shape(64, (12, 197)),
            Shape(197, (12, 197)),
            macs=12 * 197 * 197 * 64,
        ),
        Example(
            "{matmul: {weights: [{matmul: [input, input], transpose: true}, softmax], values: []}}",
            Shape(64, (12, 197)),
            Shape(64, (12, 197)),
            macs=2 * 12 * 197 * 197 * 64,
        ),
    )

    def output(self, x: tuple[Shape, ...]) -> Shape:
        batch, rows, _, columns = self._sides(x)
        return Shape(columns, (*batch, rows))

    def macs(self, x: tuple[Shape, ...]) -> Work:
        batch, rows, inner, columns = self._sides(x)
        return product(matrices=batch, rows=rows, columns=columns, inner=inner)

    def sight(self, x: tuple[Shape, ...]) -> tuple[Sight, ...]:
        still = (Sight(),) * (len(self.output(x).size) - 1)
        return (*still, all_of(x[1].size[-1]))

    def _sides(self, x: tuple[Shape, ...]) -> tuple[tuple[int, ...], int, int, int]:
        """The matrices, and of each: [rows, inner] times [inner, columns]."""
        if len(x) != 2:  # noqa: PLR2004  a product of two
            raise Refusal("CC303", f"matmul takes two inputs, not {len(x)}")
        a, b = x
        needs_axes(a.size, "matmul")
        needs_axes(b.size, "matmul")
        inner, columns = (b.channels, b.size[-1])[:: 1 if self.transpose else -1]
        if inner != a.channels:
            what = "channels" if self.transpose else "rows"
            raise Refusal(
                "CC303",
                f"matmul sums over the {a.channels} channels of {a.text}, {b.text} has {inner} "
                f"{what}",
            )
        batch = broadcast(a.size[:-1], b.size[:-1])
        if batch is None:
            raise Refusal(
                "CC303",
                f"matmul needs the same matrices on both sides, not {size_text(a.size[:-1])} and "
                f"{size_text(b.size[:-1])}",
            )
        return batch, a.size[-1], inner, columns
