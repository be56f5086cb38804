"""Recurrent layers: the innermost axis is the steps, further ones are sequences of their own.

Macs are those of the matrix products: every weight once a step.
"""

from convcost.errors import Refusal
from convcost.field import Sight, all_of
from convcost.kind import Example, Layer, kind, option
from convcost.options import Count, Flag
from convcost.shapes import Shape
from convcost.window import needs_axes
from convcost.work import NOTHING, Work, product


class _Recurrent(Layer):
    hidden: Count = option("numbers of the state")
    layers: Count = option("layers on top of each other", 1)
    bidirectional: Flag = option(
        "two of them, one from each end; their outputs lie side by side", False
    )
    bias: Flag = option("numbers added for each gate: of the input and of the state", True)
    one_bias: Flag = option("one number added for each gate, as Keras does, instead of two", False)
    last: Flag = option("only the last step comes out", False)

    gates = 1

    def check(self) -> None:
        if self.one_bias and not self.bias:
            raise Refusal("CC104", f"{self.name} has `one_bias`, and no `bias`")

    def output(self, x: Shape) -> Shape:
        needs_axes(x.size, self.name)
        return Shape(self._directions * self._handed, x.size[:-1] if self.last else x.size)

    def weights(self, x: Shape) -> Work:
        work = self._layer(x.channels)
        if self.layers > 1:
            above = self._layer(self._directions * self._handed)
            work = work.plus(above if self.layers == 2 else above.times(layers=self.layers - 1))  # noqa: PLR2004
        return work

    def biases(self, x: Shape) -> Work:
        if not self.bias:
            return NOTHING
        vectors = () if self.one_bias else (2,)
        return self._each(
            product(gates=self._gates, hidden=self.hidden).times(vectors=vectors)
        ).times(layers=(self.layers,) if self.layers > 1 else ())

    def macs(self, x: Shape) -> Work:
        return self.weights(x).times(steps=x.size)

    def sight(self, x: Shape) -> tuple[Sight, ...]:
        return (*(Sight(),) * (len(x.size) - 1), all_of(x.size[-1]))

    def _layer(self, inputs: int) -> Work:
        own = product(gates=self._gates, hidden=self.hidden)
        work = own.times(inputs=inputs).plus(own.times(state=self._handed))
        return self._each(work.plus(self._projected))

    def _each(self, work: Work) -> Work:
        return work.times(directions=2) if self.bidirectional else work

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def _gates(self) -> tuple[int, ...]:
        return (self.gates,) if self.gates > 1 else ()

    @property
    def _handed(self) -> int:
        """Numbers that a step hands on to the next."""
        return self.hidden

    @property
    def _projected(self) -> Work:
        return NOTHING


X = Shape(64, (50,))


@kind("rnn", principal="hidden")
class Rnn(_Recurrent):
    """Each step sees its input and the state before it."""

    examples = (
        Example(
            "{rnn: 32}",
            X,
            Shape(32, (50,)),
            params=32 * (64 + 32) + 2 * 32,
            macs=32 * (64 + 32) * 50,
        ),
    )


@kind("gru", principal="hidden")
class Gru(_Recurrent):
    """Gated recurrent unit: three gates a step."""

    gates = 3
    examples = (
        Example(
            "{gru: 32, bidirectional: true}",
            X,
            Shape(2 * 32, (50,)),
            params=2 * (3 * 32 * (64 + 32) + 2 * 3 * 32),
            macs=2 * (3 * 32 * (64 + 32)) * 50,
        ),
        Example(
            "{gru: 32, one_bias: true, last: true}",
            X,
            Shape(32),
            params=3 * 32 * (64 + 32) + 3 * 32,
            macs=3 * 32 * (64 + 32) * 50,
        ),
    )


@kind("lstm", principal="hidden")
class Lstm(_Recurrent):
    """Long short-term memory: four gates a step."""

    projection: Count | None = option("numbers that the state is reduced to by a matrix", None)

    gates = 4
    examples = (
        Example(
            "{lstm: 32}",
            X,
            Shape(32, (50,)),
            params=4 * 32 * (64 + 32) + 2 * 4 * 32,
            macs=4 * 32 * (64 + 32) * 50,
        ),
        Example(
            "{lstm: 32, layers: 3, bidirectional: true, bias: false}",
            X,
            Shape(2 * 32, (50,)),
            params=2 * (4 * 32 * (64 + 32) + 2 * (4 * 32 * (2 * 32 + 32))),
            macs=2 * (4 * 32 * (64 + 32) + 2 * (4 * 32 * (2 * 32 + 32))) * 50,
        ),
        Example(
            "{lstm: 32, projection: 8}",
            X,
            Shape(8, (50,)),
            params=4 * 32 * (64 + 8) + 8 * 32 + 2 * 4 * 32,
            macs=(4 * 32 * (64 + 8) + 8 * 32) * 50,
        ),
    )

    @property
    def _handed(self) -> int:
        return self.hidden if self.projection is None else self.projection

    @property
    def _projected(self) -> Work:
        if self.projection is None:
            return NOTHING
        return product(projection=self.projection, hidden=self.hidden)
