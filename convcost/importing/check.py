"""Does a spec still describe a model, at its own size and at others?"""

from collections.abc import Callable
from itertools import chain
from typing import NamedTuple

from convcost.costs import Costs
from convcost.errors import Refusal, SpecError
from convcost.importing.describes import Describes
from convcost.importing.fronts import Asked, Imported, is_callable, read
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
    notes: list[str] = []
    for size in chain.from_iterable(probes(own.network.inputs[0][1].size)):
        theirs = _spec(spec_at, size)
        mine = at(imported.text, size)
        if theirs is None:
            if not isinstance(mine, str) and not notes:
                notes.append(f"the spec refuses {size_text(size)}, which the model takes")
            continue
        if isinstance(mine, str):
            mine = imported.anew(size)
        if isinstance(mine, str):
            continue
        elsewhere = Describes(mine, theirs, loose=True)
        if not elsewhere.same:
            return Checked(imported, elsewhere, size)
    return Checked(imported, answer, None, tuple(notes))


def _read(asked: Asked, own: Costs) -> Imported:
    """The model. What it takes is what the spec takes, if nobody says: channels first, or last as
    tokens have them; what a file leaves open is the size of the spec."""
    shapes = [shape for _, shape in own.network.inputs]
    if is_callable(asked.model) and not asked.inputs:
        first = tuple((shape.channels, *shape.size) for shape in shapes)
        last = tuple((*shape.size, shape.channels) for shape in shapes)
        tries = [asked._replace(inputs=first), asked._replace(inputs=last)]
    else:
        sizes = [shape.size for shape in shapes if shape.size]
        tries = [asked]
        if len(sizes) == 1 and asked.size is None and not asked.inputs:
            tries.append(asked._replace(size=sizes[0]))
    refused: Refusal | None = None
    for one in tries:
        try:
            return read(one)
        except Refusal as refusal:
            refused = refused or refusal
            if not is_callable(asked.model) and refusal.code != "CC405":
                break
    assert refused is not None
    raise refused


def _spec(spec_at: SpecAt, size: Size) -> Costs | None:
    try:
        return spec_at(size)
    except SpecError:
        return None
