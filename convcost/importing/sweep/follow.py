"""What a framework works out from the size while it hands over its graph, told from two drawings:
numbers that differ become expressions, a resize to the size of another tensor says which."""

from convcost.importing.drawing import Drawing
from convcost.importing.sweep.both import Both
from convcost.importing.sweep.laws import LAWS, numbers
from convcost.importing.sweep.same import pads


def sames(one: Drawing, other: Drawing) -> frozenset[int]:
    """The pads that go into their windows as `same`: all that can, if one of them has another
    border at another size."""
    if len(one.layers) != len(other.layers):
        return frozenset()
    both = pads(one).keys() & pads(other).keys()
    differ = any(one.layers[n].options != other.layers[n].options for n in both)
    return frozenset(both) if differ else frozenset()


def followed(one: Drawing, other: Drawing) -> Drawing | None:
    """The first drawing, saying what goes with the size; `other` is the model at another one.

    None if they are not the same layers, or differ in what no expression gives.
    """
    if len(one.layers) != len(other.layers):
        return None
    layers = []
    for index, (mine, theirs) in enumerate(zip(one.layers, other.layers, strict=True)):
        if mine.kind != theirs.kind or mine.inputs != theirs.inputs:
            return None
        law = LAWS.get(mine.kind, numbers)
        told = law(Both((one, other), index))
        if told is None:
            return None
        layers.append(told)
    return one._replace(layers=tuple(layers))
