"""The costs of networks, one row for each layer, or for each group down to a depth."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from convcost.model.costs import Costs, Field, LayerCost
from convcost.model.measures import Measure, every_count
from convcost.model.record import NamedTuple
from convcost.reports.analyze.columns import (
    COLUMNS,
    AnalysisView,
    convention_columns,
    option_columns,
)
from convcost.reports.analyze.table import analysis_table, select_rows
from convcost.reports.report import Report, versioned
from convcost.reports.table import Table

if TYPE_CHECKING:
    from convcost.reports.chart_model import Chart
    from convcost.reports.page_model import Page
    from convcost.reports.totals import TotalsView

SCHEMA = "convcost.analyze/1"


class FieldRecord(NamedTuple):
    """The receptive field, one entry per axis. A step is an integer, or text such as `1/2` where
    the tensor is larger than the input. A size that is not `exact` is an upper bound."""

    size: tuple[int, ...]
    step: tuple[int | str, ...]
    exact: bool = True


_LAYER_FIELDS = ("path", "kind", "output", *Measure, "receptive_field", "stated", "uncounted")
# A layer of `convcost.analyze/1`, with every measure: field names and order are stable.
_record_class: Any = type(NamedTuple)
LayerRecord: Callable[..., tuple[Any, ...]] = _record_class(
    "LayerRecord", (NamedTuple,), {"__annotations__": dict.fromkeys(_LAYER_FIELDS)}
)


class Analysis(Report):
    """The costs of one or more networks; with `totals`, one row per network and no layers."""

    name = "analyze"
    networks: tuple[Costs, ...]
    view: AnalysisView = AnalysisView()
    totals: "TotalsView | None" = None

    def tables(self) -> Iterator[Table]:
        if self.totals is not None:
            from convcost.reports.totals import totals_table

            yield totals_table(self.networks, self.totals)
            return
        for costs in self.networks:
            yield analysis_table(costs, self.view)

    def for_readers(self) -> "Analysis":
        if self.view.folds is not None:
            return self
        return self._replace(view=self.view._replace(folds=True))

    def page(self) -> "Page":
        from convcost.reports.analyze.page import analysis_page

        return analysis_page(self.networks, self.view)

    def charts(self) -> "Iterator[Chart]":
        from convcost.reports.charts import all_charts

        return all_charts(self.networks)

    @property
    def lacks_options(self) -> bool:
        """Whether the view has the column of options, but no row is a block with options."""
        chosen = "options" in self.view.columns and self.view.columns != tuple(COLUMNS)
        return chosen and not any(
            option_columns(costs, select_rows(costs, self.view).rows) for costs in self.networks
        )

    def tree(self) -> dict[str, Any]:
        return versioned(SCHEMA, networks=[self._network(costs) for costs in self.networks])

    def _network(self, costs: Costs) -> dict[str, Any]:
        network = costs.network
        inputs = dict(network.inputs)
        has_one_input = len(inputs) == 1
        rows = [] if self.totals else select_rows(costs, self.view).rows
        return {
            "name": network.name,
            "file": network.file,
            **({"input": next(iter(inputs.values()))} if has_one_input else {"inputs": inputs}),
            "batch": costs.batch,
            "convention": "macs",
            "layers": layer_records(rows),
            "totals": costs.totals.by_measure(),
            "uncounted": costs.uncounted,
            **({"counts": count_records(costs, rows)} if costs.by_convention else {}),
        }


def convention_totals(costs: Costs) -> list[dict[str, Any]]:
    """The total of a network by each requested convention; `uncounted` are the layers that are not
    in it, by kind."""
    return [
        {"convention": c.name, "word": c.word, "total": c.total, "uncounted": c.uncounted}
        for c in costs.by_convention
    ]


def count_records(costs: Costs, rows: list[LayerCost]) -> list[dict[str, Any]]:
    """The totals by convention, with the counts of the rows; null where a convention does not
    count."""
    view = AnalysisView()
    columns = (
        [cell(row, costs, view) for row in rows] for _, cell in convention_columns(costs).values()
    )
    return [
        {**total, "layers": [n if isinstance(n, int) else None for n in numbers]}
        for total, numbers in zip(convention_totals(costs), columns, strict=True)
    ]


def layer_records(rows: Iterable[LayerCost]) -> list[tuple[Any, ...]]:
    """A record for each row, which is a layer or a group."""
    records = []
    previous_field: Field | None = None
    field = FieldRecord((), ())
    for row in rows:
        if row.field is not previous_field:  # layers in a row often share it
            previous_field, field = row.field, field_record(row.field)
        counts = every_count(row.counts)
        flags = (row.stated, row.counts.uncounted > 0)
        records.append(LayerRecord(row.path, row.kind, row.output, *counts, field, *flags))
    return records


def field_record(field: Field) -> FieldRecord:
    """The size and the step of a receptive field along each axis of the input."""
    return FieldRecord(
        tuple([axis.extent for axis in field]),
        tuple([axis.step if type(axis.step) is int else str(axis.step) for axis in field]),
        all(axis.exact for axis in field),
    )
