"""Lookup in a learned table, [1, *n] to [c, *n], or [n] to [c, n]."""

from convcost.model.cost_product import CostProduct, product
from convcost.model.errors import ConstraintError
from convcost.model.kind import Example, Layer, kind, option
from convcost.model.options import PositiveInt
from convcost.model.shape import Shape


@kind("embedding", principal="channels")
class Embedding(Layer):
    """Replaces every index by a row of a learned table. A look-up has no macs."""

    operation = "lookup"
    mixes_channels = True
    channels: PositiveInt = option("elements of a row")
    rows: PositiveInt = option("rows of the table")

    examples = (
        Example(
            "{embedding: 768, rows: 1000}", Shape(1, (128,)), Shape(768, (128,)), params=1000 * 768
        ),
        Example("{embedding: 768, rows: 1000}", Shape(128), Shape(768, (128,)), params=1000 * 768),
    )

    def output(self, x: Shape) -> Shape:
        if x.size and x.channels != 1:
            raise ConstraintError(
                "CC304",
                f"embedding needs one number at each position, not {x.channels}",
                "give it a flat input, or an input with one channel",
            )
        return Shape(self.channels, x.size or (x.channels,))

    def weights(self, x: Shape) -> CostProduct:
        return product(rows=self.rows, channels=self.channels)
