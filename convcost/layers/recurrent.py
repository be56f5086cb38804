"""Recurrent layers: the innermost axis is the steps; outer axes are separate sequences.

Macs are those of the matrix products: each weight once for every step.
"""

from convcost.model.axes import require_size
from convcost.model.cost_product import NOTHING, CostProduct, product
from convcost.model.errors import ConstraintError
from convcost.model.kind import Example, Layer, kind, option
from convcost.model.options import Flag, PositiveInt
from convcost.model.receptive_field import ReceptiveField, whole_axis
from convcost.model.shape import Shape


class _Recurrent(Layer):
    """A layer that computes a hidden state at each step, from the input and the state before. A
    subclass sets `gates`, the number of its pairs of matrices: for the input and for the state."""

    operation = "recurrent"
    mixes_channels = True
    hidden: PositiveInt = option("elements of the hidden state")
    layers: PositiveInt = option("number of stacked layers", 1)
    bidirectional: Flag = option("run from both ends and concatenate the two outputs", False)
    bias: Flag = option("add biases to each gate, for the input and for the state", True)
    one_bias: Flag = option("add one bias to each gate instead of two, as in Keras", False)
    last: Flag = option("output only the last step", False)

    gates = 1

    def check(self) -> None:
        if self.one_bias and not self.bias:
            raise ConstraintError("CC104", f"{self.name} needs `bias: true` for `one_bias`")

    def output(self, x: Shape) -> Shape:
        require_size(x.size, self.name)
        return Shape(self._directions * self._output_width, x.size[:-1] if self.last else x.size)

    def weights(self, x: Shape) -> CostProduct:
        work = self._layer(x.channels)
        if self.layers > 1:
            upper = self._layer(self._directions * self._output_width)
            work = work.plus(upper if self.layers == 2 else upper.times(layers=self.layers - 1))  # noqa: PLR2004
        return work

    def biases(self, x: Shape) -> CostProduct:
        if not self.bias:
            return NOTHING
        vectors = () if self.one_bias else (2,)
        return self._in_directions(
            product(gates=self._gates, hidden=self.hidden).times(vectors=vectors)
        ).times(layers=(self.layers,) if self.layers > 1 else ())

    def macs(self, x: Shape) -> CostProduct:
        return self.weights(x).times(steps=x.size)

    def input_macs(self, x: Shape) -> CostProduct:
        step_macs = product(gates=self._gates, hidden=self.hidden, inputs=x.channels)
        return self._in_directions(step_macs).times(steps=x.size)

    def receptive_field(self, x: Shape) -> tuple[ReceptiveField, ...]:
        *outer, steps = x.size
        from_start = not (self.bidirectional or self.last)  # then the last step alone has all
        return (
            *(ReceptiveField(),) * len(outer),
            whole_axis(steps, longest=steps - 1 if from_start else None),
        )

    def _layer(self, inputs: int) -> CostProduct:
        gate_units = product(gates=self._gates, hidden=self.hidden)
        work = gate_units.times(inputs=inputs).plus(gate_units.times(state=self._output_width))
        return self._in_directions(work.plus(self._projection_weights))

    def _in_directions(self, work: CostProduct) -> CostProduct:
        """A product of one direction, times the number of directions."""
        return work.times(directions=2) if self.bidirectional else work

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def _gates(self) -> tuple[int, ...]:
        return (self.gates,) if self.gates > 1 else ()

    @property
    def _output_width(self) -> int:
        """The number of elements in the output of a step."""
        return self.hidden

    @property
    def _projection_weights(self) -> CostProduct:
        return NOTHING


X = Shape(64, (50,))


@kind("rnn", principal="hidden")
class Rnn(_Recurrent):
    """Recurrent layer: the state is a function of the input and the state before."""

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
    """Gated recurrent unit: three gates for each step."""

    gates = 3
    examples = (
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
    """Long short-term memory: four gates for each step."""

    projection: PositiveInt | None = option("width of the state after a projection", None)

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
    def _output_width(self) -> int:
        return self.hidden if self.projection is None else self.projection

    @property
    def _projection_weights(self) -> CostProduct:
        if self.projection is None:
            return NOTHING
        return product(projection=self.projection, hidden=self.hidden)
