"""The web page of an analysis: for each network its totals, charts, layers, products, figures."""

from collections.abc import Iterator

from convcost.model.costs import Costs, LayerCost
from convcost.model.measures import HEADLINE, PARTS, Measure
from convcost.model.number_format import format_count
from convcost.reports.analyze.columns import DEFAULT_COLUMNS, AnalysisView
from convcost.reports.analyze.table import (
    group_layers,
    select_rows,
    selection_notes,
    sum_notes,
    table_of_rows,
)
from convcost.reports.charts import memory
from convcost.reports.charts.bars import by_block, by_layer
from convcost.reports.charts.graph import graph
from convcost.reports.charts.treemap import treemap
from convcost.reports.notes import costs_notes, first_texts
from convcost.reports.page_model import OPEN_ROWS, Chapter, Fact, Folded, Page, Part, Section
from convcost.reports.table import count_cell, shape_size
from convcost.reports.verify.figure_check import current_figures, figure_table

FULL_COLUMNS = (*DEFAULT_COLUMNS, "activations", "receptive_field")
PRODUCT_COLUMNS = ("layer", "params", "params_work", "macs", "macs_work")
MAX_DRAWN = 5_000  # layers; a larger graph is not readable


def analysis_page(networks: tuple[Costs, ...], view: AnalysisView) -> Page:
    """A chapter for each network."""
    names = [costs.network.name for costs in networks]
    return Page("analyze", first_texts(names), tuple(_chapter(costs, view) for costs in networks))


def _chapter(costs: Costs, view: AnalysisView) -> Chapter:
    sections = [*_charts(costs), _layers(costs, view)]
    if costs.totals.macs or costs.totals.params:
        costly = [row for row in costs.layers if row.macs or row.params]
        sections.append(_section(costs, "Products", AnalysisView(PRODUCT_COLUMNS), costly))
    if costs.network.published:
        current = current_figures(costs)
        table = figure_table(costs.network.name, current.records, current.table_notes)
        sections.append(Section("Published figures", (table,)))
    facts = tuple(_facts(costs, view))
    name, source = costs.network.name, costs.network.source
    return Chapter(name, source, facts, costs_notes((costs,)), tuple(sections))


def _facts(costs: Costs, view: AnalysisView) -> Iterator[Fact]:
    totals = costs.totals
    batched = "of the whole batch" if costs.batch > 1 else ""
    parts = f"{format_count(totals.weights)} weights, {format_count(totals.biases)} biases"
    yield Fact("params", totals.params, parts if totals.biases else "")
    for part in PARTS:
        if totals.rest(part):
            yield Fact(
                part, totals.count_of(part).known, f"{format_count(totals.rest(part))} {part.rest}"
            )
    yield Fact("macs", count_cell(totals.count_of(Measure.MACS)), batched)
    yield Fact("activations", totals.activations, batched)
    if totals.buffers:
        yield Fact("buffers", totals.buffers)
    yield Fact("layers", len(costs.layers))
    for name, shape in costs.network.inputs:
        yield Fact("input" if name == "input" else f"input {name}", shape_size(shape, view.layout))
    yield Fact("output", shape_size(costs.network.output, view.layout))
    yield Fact("batch", costs.batch)


def _charts(costs: Costs) -> Iterator[Section]:
    """The charts of a network. A very large one has no graph and no treemap, because they would
    take most of the time."""
    is_drawable = len(costs.layers) <= MAX_DRAWN
    if is_drawable:
        yield Section("The network", (graph(costs),))
    shares: list[Part] = [by_layer(costs, measure, measure) for measure in HEADLINE]
    shares += (
        *by_block(costs, Measure.PARAMS, "blocks_params"),
        *by_block(costs, Measure.MACS, "blocks"),
    )
    if is_drawable:
        shares += treemap(costs, Measure.PARAMS, "treemap")
        shares += treemap(costs, Measure.MACS, "treemap_macs")
    yield Section("Where the cost is", tuple(shares))
    yield Section("Along the depth", (memory(costs),))


def _layers(costs: Costs, view: AnalysisView) -> Section:
    """A section with every layer, or with the rows and columns that the user chose."""
    selection = select_rows(costs, view)
    if view == AnalysisView(layout=view.layout, folds=view.folds):
        view = view._replace(columns=FULL_COLUMNS)
        notes = tuple(selection_notes(selection, view))
        return _section(costs, "Layers", view, selection.rows, notes)
    notes = tuple(selection_notes(selection, view))
    notes = (*notes, *sum_notes(costs, view, selection.rows))
    table = table_of_rows(costs, view, selection.rows)._replace(title="Layers", notes=notes)
    return Section(table.title, (table,))


def _section(
    costs: Costs,
    title: str,
    view: AnalysisView,
    layers: list[LayerCost],
    notes: tuple[str, ...] = (),
) -> Section:
    """A table of the layers. A long table is folded below the sums of the top-level
    blocks of the layers."""
    table = table_of_rows(costs, view, layers)._replace(title=title, notes=notes)
    tops = {row.path.partition("/")[0] for row in layers}
    blocks = [row for row in group_layers(costs, 1) if row.path in tops]
    if len(layers) <= OPEN_ROWS or len(layers) == len(blocks):
        return Section(title, (table,))
    sums = table_of_rows(costs, view, blocks)
    sums = sums._replace(title=f"{title} by block", notes=tuple(sum_notes(costs, view, blocks)))
    return Section(title, (Folded(sums, table),))
