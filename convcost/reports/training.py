"""The memory of training a network, and the work of its backward pass."""

from collections.abc import Iterator

from convcost.model.costs import Costs
from convcost.model.measures import CONVENTION, Count, Measure
from convcost.model.number_format import format_count
from convcost.model.record import NamedTuple
from convcost.model.training import training
from convcost.reports.device import dtypes_of
from convcost.reports.notes import uncounted_note
from convcost.reports.table import Rounded, cell_text, count_cell

TRAINING = (
    "a lower bound: a framework also keeps indices, masks and statistics, and often more tensors; "
    "recomputing tensors needs fewer"
)


class TrainingRecord(NamedTuple):
    """The memory of training in bytes, and the multiply-adds of the backward pass, None if nothing
    is known of them."""

    optimizer: str
    at_least: int
    saved: int
    gradients: int
    state: int
    backward_macs: int | None


def training_record(costs: Costs, optimizer: str, flash: int) -> TrainingRecord:
    """Adds the lower bound of the memory of training; `flash` are the bytes of all params and
    buffers.

    The gradients of all params exist at the end, when no saved tensor is needed.
    """
    found = training(costs, optimizer, dtypes_of(costs))
    at_least = flash + found.state + max(found.saved, found.gradients)
    macs = Count(found.backward_macs, costs.totals.uncounted).shown
    return TrainingRecord(found.optimizer, at_least, *found[1:-1], macs)


def training_notes(costs: Costs, found: TrainingRecord) -> Iterator[str]:
    """The memory of training, and the work of the backward pass."""
    yield (
        f"training with {found.optimizer}: at least {format_count(found.at_least)} bytes: "
        f"the params and buffers, the state of the optimizer ({format_count(found.state)}), and "
        f"the larger of the saved tensors ({format_count(found.saved)}) and the gradients "
        f"({format_count(found.gradients)})"
    )
    macs, forward = found.backward_macs, costs.totals.of(Measure.MACS).whole
    times = ""
    if macs is not None and forward:
        times = f", {Rounded.of(macs, forward, 2).text} times those of the forward pass"
    yield f"backward pass: {cell_text(count_cell(macs))} macs{times}"
    yield TRAINING
    yield CONVENTION
    yield from uncounted_note(costs.network.name, costs.layers)
