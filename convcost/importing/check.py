"""Checks whether a spec still describes a model, at its own size and at others."""

from collections.abc import Callable
from itertools import chain
from typing import NamedTuple

from convcost.importing.driver import Imported, ImportRequest, is_callable, read
from convcost.importing.generalize.probe_sizes import Size, probe_sizes
from convcost.importing.generalize.verify_at_size import costs_at_size
from convcost.importing.verify.equivalence import Equivalence
from convcost.model.costs import Costs
from convcost.model.errors import ConstraintError, SpecError
from convcost.model.shape import size_text

SpecAt = Callable[[Size | None], Costs]  # raises SpecError


class Checked(NamedTuple):
    """The result of a check. `at` is the first size at which spec and model differ, if they are the
    same at the spec's own size; `notes` list sizes that only one of them accepts."""

    imported: Imported
    answer: Equivalence
    at: Size | None = None
    notes: tuple[str, ...] = ()


def check_spec(request: ImportRequest, spec_at: SpecAt) -> Checked:
    """Compares a spec with the model, imported again. Raises ConstraintError and SpecError."""
    costs = spec_at(None)
    imported = _read(request, costs)
    answer = Equivalence(imported.costs, costs)
    if not answer.is_same and imported.read_at is not None:
        # Layers of a spec for one size have no inputs that only provide a size.
        other = Equivalence(_read(request._replace(fixed=not request.fixed), costs).costs, costs)
        if other.is_same:
            return Checked(imported, other)
    if not answer.is_same or request.fixed or imported.read_at is None:
        return Checked(imported, answer)
    notes: list[str] = []
    for size in chain.from_iterable(probe_sizes(costs.network.inputs[0][1].size)):
        spec = _spec_costs(spec_at, size)
        model = costs_at_size(imported.text, size)
        if spec is None:
            if not isinstance(model, str) and not notes:
                notes.append(f"the spec refuses {size_text(size)}, but the model accepts it")
            continue
        if isinstance(model, str):
            model = imported.costs_at(size)
        if isinstance(model, str):
            continue
        at_size = Equivalence(model, spec, ignore_pool_fields=True)
        if not at_size.is_same:
            return Checked(imported, at_size, size)
    return Checked(imported, answer, None, tuple(notes))


def _read(request: ImportRequest, spec_costs: Costs) -> Imported:
    """The layers of the model. If the request has no inputs, they are those of the spec: channels
    first, or last for tokens. Sizes that a file leaves open are those of the spec."""
    shapes = [shape for _, shape in spec_costs.network.inputs]
    if is_callable(request.model) and not request.inputs:
        first = tuple((shape.channels, *shape.size) for shape in shapes)
        last = tuple((*shape.size, shape.channels) for shape in shapes)
        attempts = [request._replace(inputs=first), request._replace(inputs=last)]
    else:
        sizes = [shape.size for shape in shapes if shape.size]
        attempts = [request]
        if len(sizes) == 1 and request.size is None and not request.inputs:
            attempts.append(request._replace(size=sizes[0]))
    refused: ConstraintError | None = None
    for attempt in attempts:
        try:
            return read(attempt)
        except ConstraintError as refusal:
            refused = refused or refusal
            if not is_callable(request.model) and refusal.code != "CC405":
                break
    assert refused is not None
    raise refused


def _spec_costs(spec_at: SpecAt, size: Size) -> Costs | None:
    try:
        return spec_at(size)
    except SpecError:
        return None
