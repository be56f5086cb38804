"""The columns of an analysis, each with the cell of a layer or group."""

from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from typing import Any

from convcost.model.costs import ConventionCounts, Costs, LayerCost, inputs_of
from convcost.model.measures import HEADLINE, Count, Counts, Measure
from convcost.model.network import path_prefixes
from convcost.model.options import show
from convcost.model.record import NamedTuple
from convcost.reports.table import Cell, Column, Layout, Share, Size, count_cell, shape_size

DEFAULT_COLUMNS = ("layer", "kind", "output", "params", "macs", "params_share", "share")
SHARES = {"params_share": Measure.PARAMS, "share": Measure.MACS}  # shares of the total


class AnalysisView(NamedTuple):
    """The rows and columns to show. With `folds`, layers that cost nothing and leave the tensor's
    shape as it is have no row; None leaves that to the format."""

    columns: tuple[str, ...] = DEFAULT_COLUMNS
    depth: int | None = None
    sort: str | None = None
    top: int | None = None
    layout: Layout = "hwc"
    folds: bool | None = None


class CellColumn(NamedTuple):
    """A column, and the function that makes its cell for a row."""

    column: Column
    cell: Callable[[LayerCost, Costs, AnalysisView], Cell]


def _measure(measure: Measure) -> CellColumn:
    count_getter: Callable[[Counts], int] = attrgetter(measure)

    def cell(row: LayerCost, _costs: Costs, _view: AnalysisView) -> Cell:
        counts = row.counts
        return count_cell(counts.count_of(measure)) if counts.uncounted else count_getter(counts)

    return CellColumn(Column(measure, measure, "right", scales=True), cell)


# Many layers are equal.
MAX_TEXTS = 1024
_part = lru_cache(MAX_TEXTS)(Share)
_size = lru_cache(MAX_TEXTS)(shape_size)


def _share(row: LayerCost, costs: Costs, _view: AnalysisView) -> Cell:
    counts = row.counts
    if counts.uncounted and counts.count_of(Measure.MACS).shown is None:
        return None
    return _part(counts.macs, costs.totals.macs)


def _kind(row: LayerCost) -> str:
    if row.counts.uncounted:
        return f"{row.kind} (uncounted)"
    return f"{row.kind} (stated)" if row.stated else row.kind


def _work_column(measure: Measure) -> CellColumn:
    """The product that a count is computed from; a group has none."""
    text_by_key: dict[Any, str] = {}

    def cell(row: LayerCost, costs: Costs, _view: AnalysisView) -> Cell:
        step = costs.network.steps[row.step] if row.step >= 0 else None
        if step is None or step.path != row.path or not row.counts.count_of(measure).known:
            return None
        inputs = inputs_of(costs.network, step)
        key = (step.layer, inputs, step.shared is None, step.copies[:2], step.density, costs.batch)
        if key not in text_by_key:
            if len(text_by_key) >= MAX_TEXTS:
                text_by_key.clear()
            product = step.product(measure, step.layer.select_inputs(inputs))
            batched = measure.per_sample and costs.batch > 1
            text_by_key[key] = (product.times(batch=costs.batch) if batched else product).text
        return text_by_key[key]

    return CellColumn(Column(f"{measure}_work", f"{measure} =", "left", folds=True), cell)


def option_columns(costs: Costs, rows: list[LayerCost]) -> dict[str, CellColumn]:
    """A column for each option that a block among the rows has, in order of appearance."""
    options = {group.path: dict(group.options) for group in costs.network.groups if group.options}

    def column(name: str) -> CellColumn:
        def cell(row: LayerCost, _costs: Costs, _view: AnalysisView) -> Cell:
            value = options.get(row.path, {}).get(name)
            return value if type(value) is int or value is None else show(value).strip("`")

        return CellColumn(Column(f"option_{name}", name), cell)

    names = dict.fromkeys(name for row in rows for name in options.get(row.path, ()))
    return {f"option {name}": column(name) for name in names}


def convention_columns(costs: Costs) -> dict[str, CellColumn]:
    """A column for each requested convention. A group has the sum of its layers that are counted;
    it is not known if it is 0 and others are not counted."""

    def column(counts: ConventionCounts) -> CellColumn:
        sums: Counter[str] = Counter()
        uncounted: Counter[str] = Counter()
        for layer, number in zip(costs.layers, counts.layers, strict=True):
            for path in path_prefixes(layer.path):
                sums[path] += number or 0
                uncounted[path] += number is None

        def cell(row: LayerCost, costs: Costs, _view: AnalysisView) -> Cell:
            if row.step >= 0 and costs.layers[row.step] is row:
                return count_cell(counts.layers[row.step])
            return count_cell(Count(sums[row.path], uncounted[row.path]))

        return CellColumn(Column(f"count_{counts.name}", counts.title, scales=True), cell)

    return {f"count {counts.name}": column(counts) for counts in costs.by_convention}


# None: `option_columns` has a column for each option.
COLUMNS: dict[str, CellColumn | None] = {
    "layer": CellColumn(
        Column("path", "layer", "left", folds=True, least=22), lambda row, _costs, _view: row.path
    ),
    "kind": CellColumn(Column("kind", "kind", "left", 4), lambda row, _costs, _view: _kind(row)),
    "output": CellColumn(
        Column("output", "output", "right", 1),
        lambda row, _costs, view: _size(row.output, view.layout),
    ),
    **{measure: _measure(measure) for measure in HEADLINE},
    "params_share": CellColumn(
        Column("params_share", "share of params", drop=3),
        lambda row, costs, _view: _part(row.params, costs.totals.params),
    ),
    "share": CellColumn(Column("share", "share of macs", drop=2), _share),
    **{measure: _measure(measure) for measure in Measure if measure not in HEADLINE},
    "receptive_field": CellColumn(
        Column("receptive_field", "receptive field", "right"),
        lambda row, _costs, _view: Size(
            tuple(axis.extent if axis.exact else f"≤{axis.extent}" for axis in row.field)
        ),
    ),
    "params_work": _work_column(Measure.PARAMS),
    "macs_work": _work_column(Measure.MACS),
    "step": CellColumn(
        Column("step", "step", "right"),
        lambda row, _costs, _view: Size(tuple(axis.step for axis in row.field)),
    ),
    "options": None,
}
