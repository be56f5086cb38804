"""Does a spec still describe a model, at its own size and at others?"""

from collections.abc import Callable
from typing import NamedTuple

from convcost.costs import Costs
from convcost.errors import Refusal, SpecError
from convcost.importing.describes import Describes
from convcost.importing.fronts import Asked, Imported, read
from convcost.importing.sweep.hold import at
from convcost.importing.sweep.sizes import Size, probes
from convcost.shapes import size_text

SpecAt = Callable[[Size | None], Costs]  # raises SpecError


class Checked(NamedTuple):
    """The answer, which is that at the size `at` if only there they differ; `notes` are of sizes
    that one of them takes alone."""

    imported: Imported
    answer: Describes
    at: Size | None = None
    notes: tuple[str, ...] = ()


def checked(asked: Asked, spec_at: SpecAt) -> Checked:
    """A model, imported anew, held against a spec. Raises Refusal and SpecError."""
    own = spec_at(None)
    imported = _read(asked, own)
    answer = Describes(imported.costs, own)
    if not answer.same or asked.fixed or imported.again is None:
        return Checked(imported, answer)
    notes = []
    for size, _ in probes(own.network.inputs[0][1].size):
        theirs = _spec(spec_at, size)
        mine = at(imported.text, size)
        if theirs is None:
            if not isinstance(mine, str):
                notes.append(f"the spec refuses {size_text(size)}, which the model takes")
            continue
        if isinstance(mine, str):
            mine = imported.anew(size)
        if isinstance(mine, str):
            continue
        elsewhere = Describes(mine, theirs)
        if not elsewhere.same:
            return Checked(imported, elsewhere, size)
        break
    return Checked(imported, answer, None, tuple(notes))


def _read(asked: Asked, own: Costs) -> Imported:
    """The model; what a file leaves open is as in the spec."""
    try:
        return read(asked)
    except Refusal as refusal:
        sizes = [shape.size for _, shape in own.network.inputs if shape.size]
        if refusal.code != "CC405" or asked.size or asked.inputs or len(sizes) != 1:
            raise
        try:
            return read(asked._replace(size=sizes[0]))
        except Refusal:
            raise refusal from None


def _spec(spec_at: SpecAt, size: Size) -> Costs | None:
    try:
        return spec_at(size)
    except SpecError:
        return None
