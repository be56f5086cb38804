"""Where would a 1x1 pay? Every larger convolution behind a 1x1, most saved first."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from convcost import __version__
from convcost.costs import Costs
from convcost.errors import UsageError
from convcost.names import did_you_mean
from convcost.questions.explain import paths
from convcost.questions.reduce.find import under
from convcost.questions.reduce.narrow import Candidate, Form, Width, break_even, candidates, form
from convcost.questions.reduce.outcome import Outcome
from convcost.report import Cell, Column, Size, Table, printable
from convcost.units import CONVENTION, grouped, percent

SCHEMA = "convcost.reduce/1"
WIDTHS = (Width(1, 2), Width(1, 4), Width(1, 8))
RULE = "r* = k²·Cin·Cout / (Cin + k²·Cout)"
RULE_EXPANDED = "k²·r*² + (Cin + Cout)·r* = k²·Cin·Cout"


class Wish(NamedTuple):
    """A layer, or all in a group, and the width it is to be reduced to if that is said."""

    path: str
    width: Width | None = None


class Offer(NamedTuple):
    """A convolution and what it would cost behind a 1x1, for each width asked for that it has."""

    candidate: Candidate
    params: int
    macs: int
    widths: tuple[Width, ...]
    forms: tuple[Form, ...]

    @property
    def saving(self) -> int:
        return max((self.macs - form.macs.value for form in self.forms), default=0)


class Offers(NamedTuple):
    """What one network could save. `left` has (path, reason) of convolutions that are no matter
    for a 1x1; `narrow` counts those with too few channels for any width asked for."""

    costs: Costs
    offers: tuple[Offer, ...]
    expand: bool
    left: tuple[tuple[str, str], ...]
    narrow: int


class FormRecord(NamedTuple):
    """One width of `convcost.reduce/1`; what is saved is negative where a 1x1 costs more."""

    channels: int
    weights: int
    params: int
    macs: int
    saved_params: int
    saved_macs: int
    work: str


class EvenRecord(NamedTuple):
    """The width at which a 1x1 saves nothing: exact, and the largest whole one that saves."""

    exact: str
    most: int


class OfferRecord(NamedTuple):
    """A convolution of `convcost.reduce/1`: names and order are a promise."""

    path: str
    kernel: tuple[int, ...]
    channels: int
    filters: int
    params: int
    macs: int
    break_even_weights: EvenRecord
    break_even_macs: EvenRecord
    reduced: list[FormRecord]


COLUMNS = (
    Column("path", "layer", "left", folds=True),
    Column("kernel", "kernel", "right", 4),
    Column("channels", "channels", "right", 3),
    Column("filters", "filters", "right", 3),
    Column("break_even_weights", "r* of weights", "right", 8),
    Column("break_even_macs", "r* of macs", "right", 1),
    Column("reduced", "1x1 to", "right"),
    Column("params", "params", "right", 6, scales=True),
    Column("macs", "macs", "right", 5, scales=True),
    Column("saved_params", "saved params", scales=True),
    Column("saved_macs", "saved macs", scales=True),
    Column("share", "macs saved", "right", 2),
)


class Reductions(NamedTuple):
    """The report; `outcome` is there if a reduced spec was written."""

    networks: tuple[Offers, ...]
    top: int | None = None
    outcome: Outcome | None = None

    def tables(self) -> Iterator[Table]:
        for network in self.networks:
            yield self._table(network)
        if self.outcome is not None:
            yield from self.outcome.tables()

    def _table(self, network: Offers) -> Table:
        rows = [_cells(offer, form, network) for offer in network.offers for form in offer.forms]
        shown = rows if self.top is None else rows[: self.top]
        notes = _notes(network)
        if len(shown) < len(rows):
            notes = (f"{len(rows) - len(shown)} more rows", *notes)
        behind = "behind a 1x1, and with one back to its filters" if network.expand else ""
        return Table(
            name=network.costs.network.name,
            title=f"{network.costs.network.name}: each convolution {behind or 'behind a 1x1'}",
            columns=COLUMNS,
            rows=tuple(shown),
            notes=notes,
        )

    def tree(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "version": __version__,
            "networks": [
                {
                    "name": network.costs.network.name,
                    "file": network.costs.network.file,
                    "batch": network.costs.batch,
                    "convention": "macs",
                    "expand": network.expand,
                    "convolutions": [_record(offer, network) for offer in network.offers],
                    "left": dict(network.left),
                }
                for network in self.networks
            ],
            **({"written": self.outcome.tree()} if self.outcome else {}),
        }


def offers(
    costs: Costs, wishes: tuple[Wish, ...] = (), widths: tuple[Width, ...] = WIDTHS, *, expand: bool
) -> Offers:
    """What each convolution, or each that is wished for, would cost.

    Raises UsageError if a wish names no convolution, or more channels than come in.
    """
    found, left = candidates(costs)
    chosen = dict.fromkeys(found) if not wishes else _chosen(costs, found, left, wishes)
    made, narrow = [], 0
    for candidate, own in chosen.items():
        asked = (own,) if own else widths
        if wishes:
            _check(candidate, asked)
        channels = candidate.x.channels
        fit = {width.of(channels): width for width in asked if 0 < width.of(channels) <= channels}
        narrow += not fit
        row = costs.layers[candidate.step]
        forms = tuple(_of_batch(form(candidate, count, expand=expand), costs) for count in fit)
        if forms:
            made.append(Offer(candidate, row.params, row.macs, tuple(fit.values()), forms))
    made.sort(key=lambda offer: -offer.saving)
    return Offers(costs, tuple(made), expand, () if wishes else left, narrow)


def _of_batch(form: Form, costs: Costs) -> Form:
    if costs.batch == 1:
        return form
    return form._replace(macs=form.macs.times(batch=costs.batch))


def _chosen(
    costs: Costs,
    found: tuple[Candidate, ...],
    left: tuple[tuple[str, str], ...],
    wishes: Iterable[Wish],
) -> dict[Candidate, Width | None]:
    chosen: dict[Candidate, Width | None] = {}
    for wish in wishes:
        meant = [candidate for candidate in found if under(candidate.path, wish.path)]
        if not meant:
            raise UsageError(_lost(costs, left, wish.path))
        for candidate in meant:
            before = chosen.get(candidate)
            if before and wish.width and before != wish.width:
                raise UsageError(
                    f"`{printable(candidate.path)}` is asked to {before.asked} and to "
                    f"{wish.width.asked} channels"
                )
            chosen[candidate] = wish.width or before
    return chosen


def _lost(costs: Costs, left: tuple[tuple[str, str], ...], path: str) -> str:
    shown = printable(path)
    for name, reason in left:
        if name == path:
            return f"`{shown}` {reason}: there is nothing for a 1x1 to reduce"
    kinds = {step.path: step.layer.name for step in costs.network.steps}
    known = paths(costs.network)
    if path in known:
        if path in kinds and not any(under(name, f"{path}/") for name in known):
            return f"`{shown}` is a {kinds[path]}, not a convolution"
        return f"there is no convolution larger than 1x1 in `{shown}`"
    hint = printable(did_you_mean(path, known))
    return f"there is no layer `{shown}` in {printable(costs.network.name)}" + (
        f"; {hint}" if hint else ""
    )


def _check(candidate: Candidate, widths: Iterable[Width]) -> None:
    channels = candidate.x.channels
    for width in widths:
        if width.of(channels) > channels:
            raise UsageError(
                f"a 1x1 cannot reduce `{printable(candidate.path)}` to {width.of(channels)} "
                f"channels: {channels} come in"
            )


def _cells(offer: Offer, form: Form, network: Offers) -> tuple[Cell, ...]:
    candidate = offer.candidate
    saved = offer.macs - form.macs.value
    return (
        candidate.path,
        Size(candidate.kernel),
        candidate.x.channels,
        candidate.layer.filters,
        break_even(candidate, macs=False, expand=network.expand).text,
        break_even(candidate, macs=True, expand=network.expand).text,
        form.channels,
        form.params,
        form.macs.value,
        offer.params - form.params,
        saved,
        percent(saved, offer.macs),
    )


def _notes(network: Offers) -> tuple[str, ...]:
    rule = RULE_EXPANDED if network.expand else RULE
    notes = [
        f"it pays below r*, biases left aside: {rule}, for macs each with its positions",
        "a 1x1 alone is counted, no norm and no activation with it",
    ]
    for reason in dict.fromkeys(reason for _, reason in network.left):
        count = sum(1 for _, other in network.left if other == reason)
        notes.append(f"left aside: {_counted(count, reason)}")
    if network.narrow:
        notes.append(f"left aside: {_counted(network.narrow, 'has too few channels')}")
    if not network.offers and not network.narrow:
        notes.append("there is no convolution that a 1x1 could stand before")
    costs = network.costs
    samples = "1 sample" if costs.batch == 1 else f"a batch of {grouped(costs.batch)} samples"
    inputs = ", ".join(shape.text for _, shape in costs.network.inputs)
    return (*notes, f"input {inputs}; {samples}", CONVENTION)


def _counted(count: int, reason: str) -> str:
    """`1 that is a 1x1`, `3 that are 1x1`."""
    if count == 1:
        return f"1 convolution that {reason}"
    plural = reason.replace("is a ", "are ").replace("has ", "have ").replace("shares", "share")
    return f"{grouped(count)} convolutions that {plural}"


def _record(offer: Offer, network: Offers) -> OfferRecord:
    candidate = offer.candidate
    weights, macs = (
        break_even(candidate, macs=of_macs, expand=network.expand) for of_macs in (False, True)
    )
    return OfferRecord(
        candidate.path,
        candidate.kernel,
        candidate.x.channels,
        candidate.layer.filters,
        offer.params,
        offer.macs,
        EvenRecord(weights.exact, weights.most),
        EvenRecord(macs.exact, macs.most),
        [
            FormRecord(
                form.channels,
                form.weights.value,
                form.params,
                form.macs.value,
                offer.params - form.params,
                offer.macs - form.macs.value,
                form.weights.text,
            )
            for form in offer.forms
        ],
    )
