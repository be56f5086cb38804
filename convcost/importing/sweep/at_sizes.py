"""A layer of a model that was drawn at several sizes."""

from typing import Any, NamedTuple

from convcost.importing.drawing import Drawing, Drawn
from convcost.importing.sweep.numbers import Numbers, entering
from convcost.kind import KINDS
from convcost.shapes import Shape


class AtSizes(NamedTuple):
    """A layer in all drawings, with where it stands. The first of them is that of the spec."""

    drawings: tuple[Drawing, ...]
    number: int

    @property
    def layers(self) -> tuple[Drawn, ...]:
        return tuple(drawing.layers[self.number] for drawing in self.drawings)

    @property
    def own(self) -> Drawn:
        """The layer as it is at the spec's own size."""
        return self.drawings[0].layers[self.number]

    @property
    def alike(self) -> bool:
        """Whether its options are the same at all sizes."""
        return all(layer.options == self.own.options for layer in self.layers)

    def shapes(self, source: int) -> tuple[Shape, ...]:
        return tuple(
            drawing.layers[source].output if source >= 0 else drawing.inputs[-1 - source][1]
            for drawing in self.drawings
        )

    @property
    def known(self) -> dict[str, Numbers]:
        return entering(self.shapes(self.own.inputs[0]))

    def values(self, name: str) -> tuple[Any, ...]:
        """An option, as it is or by default."""
        kind = KINDS.get(self.own.kind)
        assert kind is not None
        default = kind.options[name].default
        return tuple(dict(layer.options).get(name, default) for layer in self.layers)
