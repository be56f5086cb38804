"""The costs of a network under every combination of settings, one row for each point."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from convcost.model.costs import ConventionCounts
from convcost.model.measures import HEADLINE, Count, Measure, largest
from convcost.model.number_format import counted
from convcost.reports.analyze import SCHEMA, Analysis
from convcost.reports.analyze.columns import COLUMNS as ALL
from convcost.reports.analyze.columns import SHARES, AnalysisView
from convcost.reports.chart_model import Chart
from convcost.reports.notes import costs_notes, field_notes
from convcost.reports.report import Report, versioned
from convcost.reports.sweep.points import Axis, PointCosts, setting_column
from convcost.reports.sweep.selection import SweepView, SweptNetwork
from convcost.reports.table import Cell, Column, Layout, Share, Size, Table, count_cell
from convcost.reports.verify.figure_check import summarize

DEFAULT_COLUMNS: tuple[str, ...] = (Measure.PARAMS, Measure.MACS, Measure.ACTIVATIONS)
LAYER_COLUMNS = ("layer", "kind", "params_work", "macs_work", "options")  # only layers have them
COLUMNS: tuple[str, ...] = (*(name for name in ALL if name not in LAYER_COLUMNS), "channels")
FIGURE_WIDTH = 16  # `34M[3] off +12.54 %` then needs two lines

PointColumn: TypeAlias = tuple[Column, Callable[[PointCosts], Cell]]


class Sweep(Report):
    """The selected points of each network."""

    name = "analyze"
    networks: tuple[SweptNetwork, ...]
    view: SweepView = SweepView()

    def tables(self) -> Iterator[Table]:
        every = (point for network in self.networks for point in network.points)
        published = {figure.measure for point in every for figure in point.figures}
        for network in self.networks:
            yield _table(network, published, self.view)

    def charts(self) -> Iterator[Chart]:
        """Charts with a bar for each point."""
        from convcost.reports.charts import sweep_charts

        for network in self.networks:
            named = tuple(
                point.costs._replace(network=point.costs.network._replace(name=point.point.label))
                for point in network.points
            )
            if named:
                yield from sweep_charts(
                    network.name, named, is_only_network=len(self.networks) == 1
                )

    def tree(self) -> dict[str, Any]:
        return versioned(SCHEMA, networks=self._trees())

    def _trees(self) -> Iterator[dict[str, Any]]:
        """The records of the points, one at a time: a point with its layers needs much memory."""
        for network in self.networks:
            for point in network.points:
                costs = network.recount(point.point)
                yield Analysis((costs,)).tree()["networks"][0] | point.tree()


def _table(network: SweptNetwork, published: set[str], view: SweepView) -> Table:
    points = network.points
    names = view.columns
    if names is None:
        others = (name for name in COLUMNS if name in published and name not in DEFAULT_COLUMNS)
        names = (*DEFAULT_COLUMNS, *others)
    sources: dict[str, int] = {}
    columns: list[PointColumn] = []
    totals = [point.costs.totals for point in points]
    most = {m: largest(counts.count_of(m) for counts in totals) for m in SHARES.values()}
    by_convention = points[0].costs.by_convention if points else ()
    counts = {
        f"count {convention.name}": _convention_column(convention) for convention in by_convention
    }
    for drop, name in enumerate(names, 2):
        if name.startswith("count "):
            columns += [counts[name]] if name in counts else []
            continue
        stays = name in (names[0], *HEADLINE)
        columns.append(_column(name, 0 if stays else drop, view.layout, most))
        if name in published:
            columns.append(_published_column(name, 1 if name == Measure.MACS else drop, sources))
    columns += (column for name, column in counts.items() if name not in names)
    if any(counts.uncounted for counts in totals):
        column = Column("uncounted", "uncounted layers")
        columns.append((column, lambda point: point.costs.totals.uncounted))
    used = {"network", "size", *(column.key for column, _ in columns)}
    used.update(convention.name for convention in by_convention)
    used.update(axis.title.replace(" ", "_") for axis in network.axes if axis.size)
    axes = enumerate(network.axes)
    columns[:0] = [_setting_column(n, axis, used) for n, axis in axes if axis.varies]
    rows = tuple(tuple(cell(point) for _, cell in columns) for point in points)
    matching = f"{network.matching:,} of {counted(network.total, 'point')} with "
    undecided_points = counted(network.undecided, "point")
    undecided = f"not decided for {undecided_points}: some counts of their layers are not known"
    return Table(
        name=network.name,
        title=network.name,
        source=network.source,
        columns=tuple(column for column, _ in columns),
        rows=rows,
        notes=(
            *network.left_out.notes("point"),
            *(
                [matching + " and ".join(condition.text for condition in view.where)]
                if view.where
                else []
            ),
            *([undecided] if network.undecided else []),
            *(f"[{number}] {source}" for source, number in sources.items()),
            *_figure_notes(points),
            *_field_notes(points, {*names, *view.sorted_or_filtered_by}),
            *(costs_notes([point.costs for point in points]) if points else ()),
        ),
    )


def _setting_column(number: int, axis: Axis, others: Collection[str]) -> PointColumn:
    name = "" if axis.size else axis.name
    column = setting_column(name, axis.title, others)
    return column, lambda point: Size((axis.text(point.point.positions[number]),))


def _column(name: str, drop: int, layout: Layout, most: Mapping[Measure, Count]) -> PointColumn:
    """A column of an analysis. A share is that of the point with the largest count."""
    if name == "channels":
        return Column(name, name, "right", drop), lambda point: point.row.output.channels
    if name in SHARES:
        measure = SHARES[name]
        column = Column(name, f"share of the most {measure}", drop=drop)
        return column, lambda point: Share.of(point.costs.totals.count_of(measure), most[measure])
    of_layers = ALL[name]
    assert of_layers is not None
    view = AnalysisView(layout=layout)
    column = of_layers.column._replace(drop=drop)
    return column, lambda point: of_layers.cell(point.row, point.costs, view)


def _convention_column(counts: ConventionCounts) -> PointColumn:
    column = Column(f"count_{counts.name}", counts.title, scales=True)
    return column, lambda point: count_cell(point.costs.counts_by(counts.name).total_count)


def _published_column(measure: str, drop: int, sources: dict[str, int]) -> PointColumn:
    """`569M[1,2] agrees, 575M[3] off +1.10 %`: equal figures of several sources are joined. Adds
    each source to `sources`, with its number."""

    def cell(point: PointCosts) -> Cell:
        numbers: dict[tuple[str, str], set[int]] = {}
        for figure in point.figures:
            if figure.measure == measure:
                verdict = " ".join(filter(None, (figure.verdict, figure.percent_off)))
                number = sources.setdefault(figure.source, len(sources) + 1)
                numbers.setdefault((figure.published, verdict), set()).add(number)
        return ", ".join(
            f"{published}[{','.join(map(str, sorted(source_numbers)))}] {verdict}"
            for (published, verdict), source_numbers in numbers.items()
        )

    head = f"published {measure}"
    return Column(f"published_{measure}", head, "left", drop, True, FIGURE_WIDTH), cell


def _field_notes(points: Sequence[PointCosts], columns: Collection[str]) -> Iterator[str]:
    """Whether the receptive field of a point is an upper bound, if it is shown or used."""
    if "receptive_field" in columns:
        yield from dict.fromkeys(note for point in points for note in field_notes(point.row.field))


def _figure_notes(selected: Sequence[PointCosts]) -> Iterator[str]:
    """The summary of all figures, and the figures that are not expected."""
    figures = [(point, figure) for point in selected for figure in point.figures]
    if figures:
        sample = "; the figures are for 1 sample" if selected[0].costs.batch > 1 else ""
        yield f"{summarize(figure for _, figure in figures).text}{sample}"
    for point, figure in figures:
        if not figure.expected:
            printed = f"{figure.measure} {figure.published} ({figure.source})"
            yield f"{point.point.label}: {printed} {figure.text}"
    for point in selected:
        for missing in point.unchecked:
            printed = f"{missing.measure} {missing.published} ({missing.source})"
            yield f"{point.point.label}: {printed} not checked: {missing.reason}"
