"""Matrix products, [inner, *batch, rows] times [columns, *batch, inner]: channels are columns."""

from convcost.model.axes import require_size
from convcost.model.cost_product import CostProduct, product
from convcost.model.errors import ConstraintError
from convcost.model.kind import Example, Join, kind, option
from convcost.model.options import Flag, Layers
from convcost.model.receptive_field import ReceptiveField, whole_axis
from convcost.model.record import NamedTuple
from convcost.model.shape import Shape, broadcast, size_text


class _Matrices(NamedTuple):
    """The sizes of a product [*batch, rows, inner] times [*batch, inner, columns]."""

    batch: tuple[int, ...]
    rows: int
    inner: int
    columns: int


@kind("matmul", principal="branches")
class Matmul(Join):
    """Matrix product of two branches. Rows are the innermost axis of the size, columns the
    channels; each position of the outer axes has its own matrix."""

    operation = "matmul"
    mixes_channels = True
    branches: Layers = option("two named lists of layers, or names of layers", None)
    transpose: Flag = option("transpose the second branch, as in query times keys", False)

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
        sizes = self._matrices(x)
        return Shape(sizes.columns, (*sizes.batch, sizes.rows))

    def macs(self, x: tuple[Shape, ...]) -> CostProduct:
        batch, rows, inner, columns = self._matrices(x)
        return product(matrices=batch, rows=rows, columns=columns, inner=inner)

    def branch_fields(self, x: tuple[Shape, ...]) -> tuple[tuple[ReceptiveField, ...], ...]:
        *outer, rows = x[1].size
        position_field = (ReceptiveField(),)
        return position_field * len(x[0].size), (*position_field * len(outer), whole_axis(rows))

    def _matrices(self, x: tuple[Shape, ...]) -> _Matrices:
        """Raises ConstraintError if two inputs have no product."""
        if len(x) != 2:  # noqa: PLR2004  a product of two
            raise ConstraintError("CC303", f"matmul needs two inputs, not {len(x)}")
        a, b = x
        require_size(a.size, "matmul")
        require_size(b.size, "matmul")
        inner, columns = (b.channels, b.size[-1])[:: 1 if self.transpose else -1]
        if inner != a.channels:
            entries_name = "channels" if self.transpose else "rows"
            raise ConstraintError(
                "CC303",
                f"matmul sums over the {a.channels} channels of {a.text}, but {b.text} has "
                f"{inner} {entries_name}",
            )
        batch = broadcast(a.size[:-1], b.size[:-1])
        if batch is None:
            raise ConstraintError(
                "CC303",
                f"matmul needs outer axes that broadcast, not {size_text(a.size[:-1])} and "
                f"{size_text(b.size[:-1])}",
            )
        return _Matrices(batch, a.size[-1], inner, columns)
