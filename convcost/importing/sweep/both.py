"""A layer of a model that was drawn at two sizes."""

from typing import Any, NamedTuple

from convcost.importing.drawing import Drawing, Drawn
from convcost.importing.sweep.numbers import Pair, entering
from convcost.kind import KINDS
from convcost.shapes import Shape


class Both(NamedTuple):
    """A layer in both drawings, with where it stands."""

    drawings: tuple[Drawing, Drawing]
    number: int

    @property
    def layers(self) -> tuple[Drawn, Drawn]:
        one, other = self.drawings
        return one.layers[self.number], other.layers[self.number]

    def shapes(self, source: int) -> tuple[Shape, Shape]:
        one, other = (
            drawing.layers[source].output if source >= 0 else drawing.inputs[-1 - source][1]
            for drawing in self.drawings
        )
        return one, other

    @property
    def known(self) -> dict[str, Pair]:
        source = self.layers[0].inputs[0]
        return entering(*self.shapes(source))

    def values(self, name: str) -> tuple[Any, Any]:
        """An option, as it is or by default."""
        kind = KINDS.get(self.layers[0].kind)
        assert kind is not None
        one, other = (
            dict(layer.options).get(name, kind.options[name].default) for layer in self.layers
        )
        return one, other
