"""A spec at another size against the model at that size."""

from typing import NamedTuple

from convcost.costs import Costs, costs
from convcost.errors import Source, SpecError
from convcost.importing.describes import Describes
from convcost.importing.drawing import Drawing
from convcost.importing.spec import plainly
from convcost.spec.entry import Settings
from convcost.spec.load import load

SAME = "same"
DIFFERS = "differs"  # both take the size, and come to different layers
NARROW = "narrow"  # the model takes it, the spec refuses
LAX = "lax"  # the spec takes it, the model refuses
NEITHER = "neither"


class Verdict(NamedTuple):
    """How a spec does at a size; `why` is of what differs, or why one of them refuses."""

    outcome: str
    size: tuple[int, ...]
    why: str = ""


def held(text: str, size: tuple[int, ...], model: Drawing | str) -> Verdict:
    """`model` is the model at that size, or why it refuses."""
    spec = at(text, size)
    theirs = model if isinstance(model, str) else at(plainly(model), None)
    if isinstance(theirs, str):
        return Verdict(NEITHER if isinstance(spec, str) else LAX, size, theirs)
    if isinstance(spec, str):
        return Verdict(NARROW, size, spec)
    answer = Describes(theirs, spec, loose=True)
    if answer.same:
        return Verdict(SAME, size)
    return Verdict(DIFFERS, size, _first(answer))


def at(text: str, size: tuple[int, ...] | None) -> Costs | str:
    """The costs of a spec at a size, or why it refuses."""
    try:
        (network,) = load(Source("the imported spec", text), Settings((), size))
    except SpecError as error:
        return error.problems[0].message
    return costs(network)


def _first(answer: Describes) -> str:
    """What differs first, in words."""
    alone = answer.alone()
    if alone is None:
        return f"`{answer.moved()}` takes other layers"
    where, row = alone
    return f"only the {where} has `{row.path}`, {row.kind} to {row.output.text}"
