"""Compares networks, each with the first network or with a chosen baseline."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from convcost.model.cost_product import CostProduct, Factor
from convcost.model.costs import Costs, layer_input
from convcost.model.errors import UsageError, printable
from convcost.model.measures import Measure
from convcost.model.number_format import counted, format_count, group_digits
from convcost.model.record import NamedTuple
from convcost.model.suggestions import did_you_mean
from convcost.reports.analyze import convention_totals
from convcost.reports.layer_changes import LayerChange, pair_layers, size_of_change
from convcost.reports.report import Report, versioned
from convcost.reports.sweep.points import PointCosts
from convcost.reports.table import Cell, Column, Difference, Table, count_cell
from convcost.reports.totals import TotalsView, network_names, totals_table
from convcost.reports.verify.figure_check import ONE_SAMPLE, current_figures

if TYPE_CHECKING:
    from convcost.reports.chart_model import Chart
    from convcost.reports.page_model import Page

SCHEMA = "convcost.compare/1"
COMPARED = tuple(measure for measure in Measure if measure is not Measure.BUFFERS)
CHANGES = (Measure.MACS, Measure.PARAMS, Measure.TRAINABLE)  # compared layer by layer


class LayerChangeRecord(NamedTuple):
    """A changed layer in JSON. `path_before` is the path in the baseline, None for an added layer.
    `macs_change` is None if the macs are not known."""

    path: str
    path_before: str | None
    state: str
    macs_change: int | None
    params_change: int | None
    trainable_change: int | None


class Comparison(Report):
    """The totals of all networks, compared with the one at the index `baseline`.

    `layers` adds the layers in which each network differs, `work` its weights as one sum of
    products, and `published` all of its published figures. In a sweep, each network is one of the
    `points`. `notes` say which settings apply to some networks only.
    """

    name = "compare"
    networks: tuple[Costs, ...]
    baseline: int = 0
    view: TotalsView = TotalsView()
    layers: bool = False
    work: bool = False
    published: bool = False
    points: tuple[PointCosts, ...] = ()
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """A short text, for interpreters and failed assertions."""
        names = ", ".join(costs.network.name for costs in self.networks)
        return printable(f"<Comparison of {names} with {self.base.network.name}>")

    @property
    def base(self) -> Costs:
        """The costs of the baseline."""
        return self.networks[self.baseline]

    @property
    def swept(self) -> str:
        """The name of the network if all are settings of one network; otherwise empty."""
        names = {point.costs.network.name for point in self.points}
        return names.pop() if len(names) == 1 else ""

    @property
    def names(self) -> list[str]:
        """The names in tables. The points of one network are named by their settings only."""
        if self.swept:
            return [point.point.label for point in self.points]
        return network_names(self.networks)

    @property
    def title(self) -> str:
        """The compared networks: `reduced compared with naive`."""
        names = self.names
        base = names.pop(self.baseline)
        title = f"{', '.join(names)} compared with {base}"
        return f"{self.swept}: {title}" if self.swept else title

    @property
    def others(self) -> Iterator[tuple[str, Costs]]:
        """All networks but the baseline, with their names."""
        for n, named in enumerate(zip(self.names, self.networks, strict=True)):
            if n != self.baseline:
                yield named

    def tables(self) -> Iterator[Table]:
        yield self.totals()
        if self.layers:
            yield from self.layer_changes()

    def totals(self) -> Table:
        """A row for each network: the requested measures, ratios and changes."""
        table = totals_table(self.networks, self.view, self.baseline, self.names)
        figures = list(self._figure_notes())
        if figures and self.base.batch > 1:
            figures.append(ONE_SAMPLE)
        own_notes = (*self._work_notes(), *figures, *self.notes)
        return table._replace(
            title=f"{self.swept}: {table.title}" if self.swept else table.title,
            notes=(*own_notes, *table.notes),
        )

    def _work_notes(self) -> Iterator[str]:
        if not self.work:
            return
        for name, costs in zip(network_names(self.networks), self.networks, strict=True):
            product = weights_product(costs)
            text = group_digits(f"{product.text} = {product.value}")
            yield f"weights of {name}: {text}"

    def _figure_notes(self) -> Iterator[str]:
        """The published figures of whole networks; by default only those that are off, unless they
        are rounded and noted as off."""
        for name, costs in zip(network_names(self.networks), self.networks, strict=True):
            current = current_figures(costs)
            for figure in current.records:
                digits = figure.published.replace(",", "").replace("_", "")
                in_full = digits.isdecimal()
                is_off = figure.verdict == "off" and (in_full or not figure.expected)
                if not figure.layer and (self.published or is_off):
                    printed = format_count(int(digits)) if in_full else figure.published
                    verdict = "equal" if figure.verdict == "exact" else figure.text
                    yield (
                        f"{figure.measure} of {name}: {printed} published "
                        f"({figure.source}), {format_count(figure.exact)} exact, {verdict}"
                    )
            for missing in current.unchecked if self.published else ():
                if not missing.layer:
                    yield (
                        f"{missing.measure} of {name}: {missing.published} published "
                        f"({missing.source}), not checked: {missing.reason}"
                    )

    def layer_changes(self) -> Iterator[Table]:
        """For each network the layers that differ from the baseline, the largest change first."""
        before = self.names[self.baseline]
        for after, costs in self.others:
            changes = pair_layers(self.base.layers, costs.layers)
            differing = [change for change in changes if change.state != "unchanged"]
            differing.sort(key=lambda change: -size_of_change(change.counts(Measure.MACS)))
            frozen = any(
                change.difference(Measure.PARAMS) != change.difference(Measure.TRAINABLE)
                for change in differing
            )
            unchanged = [change for change in changes if change.state == "unchanged"]
            renumbered = sum(change.label != change.path for change in unchanged)
            note = (
                f", {format_count(renumbered)} of them with another number in the path"
                if renumbered
                else ""
            )
            yield Table(
                name=f"{before} {after}",
                title=f"Layers: {before} to {after}",
                columns=(
                    Column("path", "layer", "left", folds=True),
                    Column("state", "state", "left", 1),
                    Column("macs_before", f"macs of {before}", "right", 3, scales=True),
                    Column("macs_after", f"macs of {after}", "right", 2, scales=True),
                    Column("macs_change", "change in macs", scales=True),
                    Column("params_change", "change in params", scales=True),
                    Column("trainable_change", "change in trainable params", scales=True),
                )[: None if frozen else -1],
                rows=tuple(_change_cells(change)[: None if frozen else -1] for change in differing),
                notes=(counted(len(unchanged), "unchanged layer") + note,),
            )

    def page(self) -> "Page":
        from convcost.reports.compare.page import comparison_page

        return comparison_page(self)

    def charts(self) -> "Iterator[Chart]":
        from convcost.reports.charts import comparison_charts

        return comparison_charts(self.networks)

    def tree(self) -> dict[str, Any]:
        networks = [
            self._network(costs) | (self.points[n].tree() if self.points else {})
            for n, costs in enumerate(self.networks)
        ]
        return versioned(SCHEMA, baseline=self.base.network.name, networks=networks)

    def _network(self, costs: Costs) -> dict[str, Any]:
        layers = map(_layer_record, pair_layers(self.base.layers, costs.layers))
        return {
            "name": costs.network.name,
            "file": costs.network.file,
            "inputs": dict(costs.network.inputs),
            "batch": costs.batch,
            "convention": "macs",
            "output": costs.network.output,
            "layer_count": len(costs.layers),
            "totals": costs.totals.by_measure(),
            "uncounted": costs.uncounted,
            "work": {"weights": weights_product(costs).text},
            "changes": change_records(self.base, costs),
            **({"counts": convention_totals(costs)} if costs.by_convention else {}),
            **({"layers": list(layers)} if self.layers else {}),
        }


def change_records(before: Costs, after: Costs) -> list[dict[str, Any]]:
    """The change of each measure. `difference` is null for macs that are known in part."""
    return [
        {"measure": measure, "before": old.known, "after": new.known, "difference": new - old}
        for measure in COMPARED
        for old, new in [(before.totals.count_of(measure), after.totals.count_of(measure))]
    ]


def _layer_record(change: LayerChange) -> LayerChangeRecord:
    before = change.before.path if change.before else None
    differences = map(change.difference, CHANGES)
    return LayerChangeRecord(change.path, before, change.state, *differences)


def _change_cells(change: LayerChange) -> tuple[Cell, ...]:
    before, after = change.counts(Measure.MACS)
    return (
        change.label,
        change.state,
        count_cell(before) if change.before else None,
        count_cell(after) if change.after else None,
        *(Difference.of(*change.counts(measure), with_percentage=False) for measure in CHANGES),
    )


def weights_product(costs: Costs) -> CostProduct:
    """The weights of a network as one sum. Weights that layers share are in it once."""
    terms: list[tuple[Factor, ...]] = []
    for step in costs.network.steps:
        x = layer_input(costs.network, step)
        terms += step.product(Measure.WEIGHTS, x).terms
    return CostProduct(tuple(terms))


# Networks and points


def compare_networks(networks: Sequence[Costs], baseline: str | None) -> Comparison:
    """A comparison of the networks.

    Raises UsageError for fewer than two networks and for an unknown baseline."""
    if len(networks) < 2:  # noqa: PLR2004  a comparison
        amount = "only one" if networks else "none"
        raise UsageError(f"compare needs two networks or more, but there is {amount}")
    names = [costs.network.name for costs in networks]
    return Comparison(tuple(networks), _baseline_index(network_names(networks), baseline, names))


def compare_points(points: tuple[PointCosts, ...], baseline: str | None) -> Comparison:
    """The points of a sweep, each as a network that is named after its settings.

    Raises UsageError for an unknown baseline.
    """
    long_names = [f"{point.costs.network.name} {point.point.label}".rstrip() for point in points]
    networks = tuple(
        point.costs._replace(network=point.costs.network._replace(name=name))
        for point, name in zip(points, long_names, strict=True)
    )
    report = Comparison(networks, points=points)
    return report._replace(baseline=_baseline_index(report.names, baseline, long_names))


def _baseline_index(names: Sequence[str], name: str | None, long_names: Sequence[str] = ()) -> int:
    """The index of the baseline, 0 by default. `name` may also be one of `long_names`, which
    are longer names of the same networks.

    Raises UsageError for an unknown name.
    """
    if name is None:
        return 0
    if name in long_names:
        return long_names.index(name)
    if name not in names:
        suggestion = did_you_mean(name, names)
        hint = f"; {suggestion}" if suggestion else ""
        raise UsageError(f"there is no network `{name}` among these{hint}")
    return names.index(name)
