"""What the page of an analysis says: of each network its sums, pictures, layers and their work."""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any

from convcost.costs import Costs, LayerCost, inputs_of, summed
from convcost.costs import costs as counted
from convcost.errors import Refusal
from convcost.pages import Chapter, Fact, Page, Part, Section, Stage, Staged
from convcost.questions.analyze import Analysis, footer, grouped
from convcost.questions.columns import COLUMNS, SHOWN, View, shape_of, work_of
from convcost.questions.judge import Held, Judged, exact, judged
from convcost.questions.pictures.bars import by_block, by_layer
from convcost.questions.pictures.boxes import graph
from convcost.questions.pictures.memory import memory
from convcost.questions.pictures.tiles import treemap
from convcost.report import Cell, Column, Table
from convcost.units import grouped as digits

FULL = (*SHOWN, "activations", "receptive_field")
OPEN = 48  # layers: what a reader takes in without folds
MOST_NAMES = 3
MOST_DRAWN = 5_000  # layers
FIGURES = (
    Column("layer", "layer", "left", folds=True),
    Column("measure", "measure", "left"),
    Column("published", "published"),
    Column("exact", "exact"),
    Column("verdict", "verdict", "left", folds=True),
    Column("source", "source", "left", folds=True),
    Column("note", "note", "left", folds=True),
)


def page(report: Analysis) -> Page:
    """A chapter for each network."""
    names = [costs.network.name for costs in report.networks]
    more = len(names) - MOST_NAMES
    title = ", ".join(names[:MOST_NAMES]) + f" and {digits(more)} more" * (more > 0)
    return Page("analyze", title, tuple(_chapter(costs, report.view) for costs in report.networks))


def _chapter(costs: Costs, view: View) -> Chapter:
    return Chapter(
        costs.network.name,
        costs.network.source,
        tuple(_facts(costs, view)),
        footer(costs)[1:],  # its first line, input and batch, stands among the facts
        tuple(_sections(costs, view)),
    )


def _facts(costs: Costs, view: View) -> Iterator[Fact]:
    totals = costs.totals
    batched = "of the whole batch" if costs.batch > 1 else ""
    parts = f"{digits(totals.weights)} weights, {digits(totals.biases)} biases"
    yield Fact("params", totals.params, parts if totals.biases else "")
    yield Fact("macs", totals.macs, batched)
    yield Fact("activations", totals.activations, batched)
    if totals.buffers:
        yield Fact("buffers", totals.buffers)
    yield Fact("layers", len(costs.layers))
    for name, shape in costs.network.inputs:
        yield Fact("input" if name == "input" else f"input {name}", shape_of(shape, view.layout))
    yield Fact("output", shape_of(costs.network.output, view.layout))
    yield Fact("batch", costs.batch)


def _sections(costs: Costs, view: View) -> Iterator[Section]:
    yield from _drawn(costs)
    yield Section("Layers", (_layers(costs, view),))
    yield from _work(costs)
    yield from _published(costs)


def _drawn(costs: Costs) -> Iterator[Section]:
    """Of very many layers there is neither graph nor treemap: nobody could read them, and they
    would take longer than all else."""
    few = len(costs.layers) <= MOST_DRAWN
    if few:
        yield Section("The network", (graph(costs),))
    shares: list[Part] = [by_layer(costs, "params", "params"), by_layer(costs, "macs", "macs")]
    shares += (*by_block(costs, "params", "blocks_params"), *by_block(costs, "macs", "blocks"))
    if few:
        shares += treemap(costs, "params", "treemap")
        shares += treemap(costs, "macs", "treemap_macs")
    yield Section("Where the cost is", tuple(shares))
    yield Section("Along the depth", (memory(costs),))


# Layers


def _layers(costs: Costs, view: View) -> Staged | Table:
    """Every layer, by stages; where rows or columns were chosen, the table that was asked for."""
    if view != View(layout=view.layout):
        (table,) = Analysis((costs,), view).tables()
        return table._replace(title="Layers", notes=_only_left_out(table))
    shown = view._replace(columns=FULL)
    (table,) = Analysis((costs,), shown).tables()
    cells = [known.cell for name in FULL if (known := COLUMNS[name])]

    def sums(row: LayerCost) -> tuple[Cell, ...]:
        return tuple(cell(row, costs, shown) for cell in cells)

    stages = _stages(costs, list(costs.layers), sums)
    return Staged(table._replace(title="Layers", notes=()), stages, len(table.rows) <= OPEN)


def _only_left_out(table: Table) -> tuple[str, ...]:
    """What the chapter has not said already: how many rows are not shown."""
    return tuple(note for note in table.notes[:1] if note.endswith("counted in the total"))


def _stages(
    costs: Costs, rows: list[LayerCost], sums: Callable[[LayerCost], tuple[Cell, ...]]
) -> tuple[Stage, ...]:
    """A stage for each block at the top; layers outside of any stand open, if they are few."""
    blocks: dict[str, LayerCost] = {}
    runs: Iterable[tuple[str, Iterable[LayerCost]]] = [("", rows)]
    if any("/" in row.path for row in rows):
        blocks = {row.path: row for row in grouped(costs, 1)}
        runs = groupby(rows, key=_top)
    stages = []
    start = 0
    for top, some in runs:
        members = list(some)
        stop = start + len(members)
        if top in blocks:
            stages.append(Stage(start, stop, sums(blocks[top])))
        elif len(members) > OPEN:
            stages.append(Stage(start, stop, sums(_run(members))))
        else:
            stages.append(Stage(start, stop))
        start = stop
    return tuple(stages)


def _top(row: LayerCost) -> str:
    """The block at the top that a layer is in; nothing for a layer that is in none."""
    head, slash, _ = row.path.partition("/")
    return head if slash else ""


def _run(layers: list[LayerCost]) -> LayerCost:
    """Layers in a row as one; its output and receptive field are those of the last."""
    first, last = layers[0], layers[-1]
    total = summed(layers)
    return last._replace(
        path=f"{first.path} to {last.path}",
        kind=f"{digits(len(layers))} layers",
        weights=total.weights,
        biases=total.biases,
        buffers=total.buffers,
        macs=total.macs,
        activations=total.activations,
        stated=any(layer.stated for layer in layers),
        uncounted=any(layer.uncounted for layer in layers),
    )


# The work


def _work(costs: Costs) -> Iterator[Section]:
    """The products behind the counts, of the layers that have any."""
    rows = [row for row in costs.layers if row.macs or row.params]
    if not rows:
        return
    worded = _worder(costs)

    def sums(row: LayerCost) -> tuple[Cell, ...]:
        return row.path, row.params, None, row.macs, None

    cells = []
    for row in rows:
        params, macs = worded(row)
        cells.append((row.path, row.params, params, row.macs, macs))
    table = Table(
        name=costs.network.name,
        title="The work",
        columns=(
            Column("path", "layer", "left", folds=True),
            Column("params", "params", scales=True),
            Column("params_work", "params =", "left", folds=True),
            Column("macs", "macs", scales=True),
            Column("macs_work", "macs =", "left", folds=True),
        ),
        rows=tuple(cells),
        total=("total", costs.totals.params, None, costs.totals.macs, None),
    )
    yield Section("The work", (Staged(table, _stages(costs, rows, sums), len(rows) <= OPEN),))


def _worder(costs: Costs) -> Callable[[LayerCost], tuple[str | None, str | None]]:
    """The products behind params and macs; the same layer on the same input is worked out once."""
    known: dict[tuple[Any, ...], tuple[str, str]] = {}
    steps = costs.network.steps

    def worded(row: LayerCost) -> tuple[str | None, str | None]:
        step = steps[row.step]
        key = (step.layer, inputs_of(costs.network, step))
        texts = known.get(key)
        if texts is None:
            params, macs = (work_of(costs, step, measure).text for measure in ("params", "macs"))
            texts = known[key] = (params, macs)
        return texts[0] if row.params else None, texts[1] if row.macs else None

    return worded


# Published figures


def _published(costs: Costs) -> Iterator[Section]:
    if not costs.network.published:
        return
    rows, notes = figures(costs)
    table = Table(
        name=costs.network.name,
        title="Published figures",
        columns=FIGURES,
        rows=tuple(figure_cells(row) for row in rows),
        notes=notes,
    )
    yield Section("Published figures", (table,))


def figures(costs: Costs) -> tuple[list[Judged], tuple[str, ...]]:
    """The figures printed for the network as it stands, judged for one sample, as figures are; and
    what is to be said of the others."""
    network = costs.network
    one = costs if costs.batch == 1 else counted(network)
    notes = ["held against 1 sample"] if costs.batch > 1 else []
    rows: list[Judged] = []
    others = 0
    for entry in network.published:
        if not network.stands_as(entry):
            others += len(entry.figures)
            continue
        try:
            exact(one, entry.layer)
        except Refusal as refusal:
            notes.append(f"not held: {refusal.message}")
            continue
        rows += judged(network.name, network.file, (Held(entry, one),))
    if others:
        figures = "1 more is" if others == 1 else f"{digits(others)} more are"
        notes.append(f"{figures} printed for other settings: convcost verify holds them all")
    return rows, tuple(notes)


def figure_cells(row: Judged) -> tuple[Cell, ...]:
    record = row.record
    return (
        record.layer or "the whole network",
        record.measure,
        record.published,
        record.exact,
        row.text,
        record.source,
        record.note,
    )
