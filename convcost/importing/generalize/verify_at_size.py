"""Compares a spec with the model at another size."""

from typing import NamedTuple

from convcost.importing.ir.layer_graph import LayerGraph
from convcost.importing.spec import flat_text
from convcost.importing.verify.equivalence import Equivalence
from convcost.language.load import load
from convcost.language.network_inputs import Settings
from convcost.model.costs import Costs, costs
from convcost.model.errors import Source, SpecError

SAME = "same"
DIFFERS = "differs"  # both accept the size, but their layers differ
SPEC_REFUSES = "spec refuses"  # the model accepts the size
MODEL_REFUSES = "model refuses"  # the spec accepts the size
BOTH_REFUSE = "both refuse"


class Verdict(NamedTuple):
    """The result of a comparison at a size; `reason` is the first difference, or the reason of a
    refusal."""

    outcome: str
    size: tuple[int, ...]
    reason: str = ""


def verify_at_size(text: str, size: tuple[int, ...], model: LayerGraph | str) -> Verdict:
    """The verdict of a spec at a size; `model` is the model at that size, or the reason why it
    refuses the size."""
    spec = costs_at_size(text, size)
    model_costs = model if isinstance(model, str) else costs_at_size(flat_text(model), None)
    if isinstance(model_costs, str):
        return Verdict(BOTH_REFUSE if isinstance(spec, str) else MODEL_REFUSES, size, model_costs)
    if isinstance(spec, str):
        return Verdict(SPEC_REFUSES, size, spec)
    answer = Equivalence(model_costs, spec, ignore_pool_fields=True)
    if answer.is_same:
        return Verdict(SAME, size)
    return Verdict(DIFFERS, size, answer.first_difference())


def costs_at_size(text: str, size: tuple[int, ...] | None) -> Costs | str:
    """The costs of a spec at a size, or the reason why it refuses the size."""
    try:
        (network,) = load(Source("the imported spec", text), Settings((), size))
    except SpecError as error:
        return error.problems[0].message
    return costs(network)
