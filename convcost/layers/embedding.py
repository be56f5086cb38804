from convcost.errors import Refusal
from convcost.kind import Example, Layer, kind, option
from convcost.options import Count
from convcost.shapes import Shape
from convcost.work import Work, product


@kind("embedding", principal="channels")
class Embedding(Layer):
    """A row of a learned table for every number that comes in. A look-up: no multiply-adds."""

    channels: Count = option("numbers in a row")
    rows: Count = option("rows of the table")

    examples = (
        Example(
            "{embedding: 768, rows: 1000}", Shape(1, (128,)), Shape(768, (128,)), params=1000 * 768
        ),
        Example("{embedding: 768, rows: 1000}", Shape(128), Shape(768, (128,)), params=1000 * 768),
    )

    def output(self, x: Shape) -> Shape:
        if x.size and x.channels != 1:
            raise Refusal(
                "CC304",
                f"embedding takes one number at each position, not {x.channels}",
                "the input is flat, or has one channel",
            )
        return Shape(self.channels, x.size or (x.channels,))

    def weights(self, x: Shape) -> Work:
        return product(rows=self.rows, channels=self.channels)
