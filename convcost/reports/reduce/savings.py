"""What a 1x1 before each larger convolution saves, the most saved macs first by default."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from convcost.model.costs import Costs, LayerCost
from convcost.model.errors import UsageError
from convcost.model.measures import CONVENTION
from convcost.model.number_format import format_change, format_count
from convcost.model.record import NamedTuple
from convcost.reports.notes import input_note
from convcost.reports.reduce.candidates import BreakEven, ReducibleConv, Width, find_candidates
from convcost.reports.reduce.dataflow import is_under
from convcost.reports.row_order import first_rows, sort_rows
from convcost.reports.table import Cell, Column, Size, Table

SORT_KEYS = ("saved_macs", "saved_params")  # by the width of a layer that saves most
WIDTHS = (Width(1, 2), Width(1, 4), Width(1, 8))
RULE = "r* = k²·Cin·Cout / (Cin + k²·Cout)"
RULE_EXPANDED = "k²·r*² + (Cin + Cout)·r* = k²·Cin·Cout"
COLUMNS = (
    Column("path", "layer", "left", folds=True),
    Column("kernel", "kernel", "right", 4),
    Column("channels", "channels", "right", 3),
    Column("filters", "filters", "right", 3),
    Column("break_even_weights", "r* (weights)", "right", 8),
    Column("break_even_macs", "r* (macs)", "right", 1),
    Column("reduced", "1x1 channels", "right"),
    Column("params", "params", "right", 6, scales=True),
    Column("macs", "macs", "right", 5, scales=True),
    Column("saved_params", "params saved", scales=True),
    Column("saved_macs", "macs saved", scales=True),
    Column("share", "macs saved %", "right", 2),
)


class ReducedRecord(NamedTuple):
    """One width of `convcost.reduce/1`; savings are negative if the 1x1 costs more."""

    channels: int
    weights: int
    params: int
    macs: int
    saved_params: int
    saved_macs: int
    work: str


class ReductionSavings(NamedTuple):
    """A convolution and its costs after an inserted 1x1, for each width that fits its input."""

    candidate: ReducibleConv
    row: LayerCost
    widths: tuple[Width, ...]
    break_even: list[BreakEven]  # one for weights, one for macs
    reduced: list[ReducedRecord]

    def tree(self) -> dict[str, Any]:
        weights, macs = [{"exact": even.exact, "most": even.most} for even in self.break_even]
        return {
            "path": self.row.path,
            "kernel": self.candidate.kernel,
            "channels": self.candidate.x.channels,
            "filters": self.candidate.layer.filters,
            "params": self.row.params,
            "macs": self.row.macs,
            "break_even_weights": weights,
            "break_even_macs": macs,
            "reduced": self.reduced,
        }

    def rows(self) -> Iterator[tuple[Cell, ...]]:
        """A row for each width of the 1x1."""
        channels, filters = self.candidate.x.channels, self.candidate.layer.filters
        shared = self.row.path, Size(self.candidate.kernel), channels, filters
        break_even = [width.text for width in self.break_even]
        for reduced in self.reduced:
            saved = reduced.saved_params, reduced.saved_macs
            percent = format_change(reduced.saved_macs, self.row.macs).removeprefix("+")
            costs = reduced.channels, reduced.params, reduced.macs
            yield *shared, *break_even, *costs, *saved, percent


class NetworkSavings(NamedTuple):
    """What one network can save. `left` has (path, reason) of convolutions that cannot get a 1x1.
    `savings` are in the order of `sort`. The table has the first `top`, with all widths."""

    costs: Costs
    savings: tuple[ReductionSavings, ...]
    expand: bool
    left: tuple[tuple[str, str], ...]
    sort: str = SORT_KEYS[0]
    top: int | None = None

    def tree(self) -> dict[str, Any]:
        return {
            "expand": self.expand,
            "convolutions": [saving.tree() for saving in self.savings],
            "left": dict(self.left),
        }

    def table(self) -> Table:
        """One row for each convolution and width."""
        shown, left_out = first_rows(self.savings, self.top, self.sort, _value)
        name = self.costs.network.name
        second = ", and a second 1x1 after it" if self.expand else ""
        return Table(
            name=name,
            title=f"{name}: each convolution with a 1x1 before it{second}",
            columns=COLUMNS,
            rows=tuple(row for saving in shown for row in saving.rows()),
            notes=(*left_out.notes("layer"), *self._notes()),
        )

    def _notes(self) -> Iterator[str]:
        rule = RULE_EXPANDED if self.expand else RULE
        yield f"a 1x1 with fewer than r* output channels saves costs (biases not counted): {rule}"
        yield "r* (macs) counts each weight once for each output position of its layer"
        yield "a norm or an activation after the 1x1 is not counted"
        for reason, count in Counter(reason for _, reason in self.left).items():
            yield f"no 1x1 where the convolution {reason}: {format_count(count)}"
        if not self.savings:
            yield "no convolution of this network can get a 1x1"
        yield input_note((self.costs,))
        yield CONVENTION


def _value(saving: ReductionSavings, key: str) -> int | str:
    """What `key` sorts by: the path, or the most that a width saves."""
    if key not in SORT_KEYS:
        return saving.row.path
    field = ReducedRecord._fields.index(key)
    return max(int(reduced[field]) for reduced in saving.reduced)


def find_savings(
    costs: Costs,
    requests: tuple[tuple[str, Width | None], ...] = (),
    widths: tuple[Width, ...] = WIDTHS,
    *,
    expand: bool,
    sort: str = SORT_KEYS[0],
) -> NetworkSavings:
    """What each convolution costs after a 1x1, or only those at and under the requested paths, each
    with a width of its own or all `widths`. `sort` has SORT_KEYS or `path`.

    Raises UsageError if a request has no convolution, or more channels than its input.
    """
    candidates, left = find_candidates(costs.network)
    chosen = {} if requests else dict.fromkeys(candidates, widths)
    for path, width in requests:
        meant = [candidate for candidate in candidates if is_under(candidate.path, path)]
        if not meant:
            reason = dict(left).get(path, "has no convolution larger than 1x1")
            raise UsageError(f"`{path}` {reason}: a 1x1 cannot reduce it")
        chosen.update(dict.fromkeys(meant, (width,) if width else widths))
    savings = []
    for candidate, choices in chosen.items():
        channels = candidate.x.channels
        fitting = {width.width_for(channels): width for width in choices if width.fits(channels)}
        too_wide = [
            width.width_for(channels) for width in choices if width.width_for(channels) > channels
        ]
        if requests and too_wide:
            raise UsageError(
                f"a 1x1 cannot reduce `{candidate.path}` to {too_wide[0]} "
                f"channels: its input has {channels}"
            )
        if fitting:
            row = costs.layers[candidate.step]
            even = [candidate.break_even(macs=macs, expand=expand) for macs in (False, True)]
            reduced = [_reduced(candidate, row, n, costs.batch, expand=expand) for n in fitting]
            widths_that_fit = tuple(fitting.values())
            savings.append(ReductionSavings(candidate, row, widths_that_fit, even, reduced))
    ordered = tuple(sort_rows(savings, sort, _value))
    return NetworkSavings(costs, ordered, expand, () if requests else left, sort)


def _reduced(
    candidate: ReducibleConv, row: LayerCost, channels: int, batch: int, *, expand: bool
) -> ReducedRecord:
    weights, macs, biases = candidate.reduced_costs(channels, expand=expand)
    params, all_macs = weights.value + biases, macs.value * batch
    saved = row.params - params, row.macs - all_macs
    return ReducedRecord(channels, weights.value, params, all_macs, *saved, weights.text)
