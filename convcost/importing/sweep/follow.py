"""What a framework works out from the size while it hands over its graph, told from drawings at
several sizes: numbers that differ become expressions, a resize to the size of another tensor says
which."""

from convcost.importing.drawing import Drawing
from convcost.importing.sweep.align import aligned
from convcost.importing.sweep.at_sizes import AtSizes
from convcost.importing.sweep.laws import LAWS, still
from convcost.importing.sweep.same import pads


def sames(one: Drawing, *others: Drawing) -> frozenset[int]:
    """The pads that go into their windows as `same`: all that can, if one of them has another
    border at another size."""
    if any(len(other.layers) != len(one.layers) for other in others):
        return frozenset()
    all_of = set(pads(one)).intersection(*map(pads, others))
    differ = any(one.layers[n].options != o.layers[n].options for o in others for n in all_of)
    return frozenset(all_of) if differ else frozenset()


def followed(one: Drawing, *others: Drawing) -> Drawing | None:
    """The first drawing, saying what goes with the size; the others are the model at other sizes.

    None if they are not the same layers, or differ in what no expression gives.
    """
    longest = max(others, key=lambda other: len(other.layers))
    drawings = tuple(aligned(drawing, longest) for drawing in (one, *others))
    if len({len(drawing.layers) for drawing in drawings}) > 1:
        return None
    layers = []
    for number, mine in enumerate(drawings[0].layers):
        at = AtSizes(drawings, number)
        if any((one.kind, one.inputs) != (mine.kind, mine.inputs) for one in at.layers):
            return None
        told = LAWS.get(mine.kind, still)(at)
        if told is None:
            return None
        layers.append(told)
    return drawings[0]._replace(layers=tuple(layers))
