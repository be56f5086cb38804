"""The table of one network: rows of layers, or of groups down to a depth."""

from collections import Counter
from collections.abc import Iterable, Iterator

from convcost.model.costs import Costs, Field, LayerCost, layer_input, total_counts
from convcost.model.measures import MEASURES, Count, Measure
from convcost.model.number_format import counted, format_count
from convcost.model.receptive_field import ReceptiveField
from convcost.model.record import NamedTuple
from convcost.model.shape import Shape
from convcost.reports.analyze.columns import (
    COLUMNS,
    DEFAULT_COLUMNS,
    SHARES,
    AnalysisView,
    CellColumn,
    convention_columns,
    option_columns,
)
from convcost.reports.notes import costs_notes, framework_notes
from convcost.reports.row_order import RowsLeftOut, first_rows
from convcost.reports.table import Cell, Share, Table, count_cell


def analysis_table(costs: Costs, view: AnalysisView) -> Table:
    """The table of the rows that the view selects, with its notes."""
    selection = select_rows(costs, view)
    table = table_of_rows(costs, view, selection.rows)
    notes = (
        *selection_notes(selection, view),
        *sum_notes(costs, view, selection.rows),
        *costs_notes((costs,)),
        *framework_notes(costs),
    )
    return table._replace(source=costs.network.source, notes=notes)


def table_of_rows(costs: Costs, view: AnalysisView, rows: list[LayerCost]) -> Table:
    """A table of these rows, and of the totals of the network."""
    columns: dict[str, CellColumn] = {}
    counts = convention_columns(costs)
    chosen = {name for name in view.columns if name in counts}
    others = {name: column for name, column in counts.items() if name not in chosen}
    for name in view.columns:
        column = counts.get(name) or COLUMNS[name]
        columns |= others if name in SHARES else {}
        columns |= {name: column} if column else option_columns(costs, rows)
    columns |= others
    if "share" in columns and costs.totals.uncounted:
        share = columns["share"]
        known = share.column._replace(title="share of known macs")
        columns["share"] = share._replace(column=known)
    cells = [[cell(row, costs, view) for row in rows] for _, cell in columns.values()]
    total = tuple(_total_cell(costs, name) for name in columns)
    return Table(
        name=costs.network.name,
        title=costs.network.name,
        columns=tuple(column for column, _ in columns.values())
        if view.columns == DEFAULT_COLUMNS
        else tuple(column._replace(drop=n) for n, (column, _) in enumerate(columns.values())),
        rows=tuple(zip(*cells, strict=True)),
        total=total if any(cell is not None for cell in total[1:]) else (),
    )


def _total_cell(costs: Costs, column: str) -> Cell:
    if column == "layer":
        return "total"
    if column.startswith("count "):
        return count_cell(costs.counts_by(column.removeprefix("count ")).total_count)
    if column in SHARES:
        total = costs.totals.count_of(SHARES[column]).shown
        return None if total is None else Share(total, total)
    return count_cell(costs.totals.count_of(Measure(column))) if column in MEASURES else None


# Rows


class Selection(NamedTuple):
    """The rows in their order, how many more `top` leaves out, and the layers without a row."""

    rows: list[LayerCost]
    left_out: RowsLeftOut
    folded: tuple[LayerCost, ...]


def select_rows(costs: Costs, view: AnalysisView) -> Selection:
    """The rows that the view shows. Layers are folded first, so `top` counts rows that remain."""
    rows = list(costs.layers) if view.depth is None else group_layers(costs, view.depth)
    folded = tuple(row for row in rows if _is_minor(costs, row)) if view.folds else ()
    if folded and len(folded) < len(rows):
        paths = {row.path for row in folded}
        rows = [row for row in rows if row.path not in paths]
    else:
        folded = ()
    counts = convention_columns(costs) if view.sort else {}

    def sort_value(row: LayerCost, key: str) -> Count | int | str | None:
        if key in MEASURES:
            return row.counts.count_of(Measure(key))
        if key == "path":
            return row.path
        number = counts[f"count {key}"].cell(row, costs, view)
        return number if isinstance(number, int) else None

    return Selection(*first_rows(rows, view.top, view.sort, sort_value), folded)


def _is_minor(costs: Costs, row: LayerCost) -> bool:
    """Whether a row is an elementwise layer that costs nothing, by convcost and by each convention
    that was asked for. A group is never minor, and neither is a layer without a known count."""
    if _is_group(costs, row) or row.uncounted:
        return False
    step = costs.network.steps[row.step]
    if not step.layer.is_free or step.layer.takes_several:
        return False
    x = layer_input(costs.network, step)
    return step.layer.overwrites(x) and all(
        counts.layers[row.step] == 0 for counts in costs.by_convention
    )


def _is_group(costs: Costs, row: LayerCost) -> bool:
    return row.step < 0 or costs.layers[row.step] is not row


def group_layers(costs: Costs, depth: int) -> list[LayerCost]:
    """One row for each path truncated to `depth` names, in the order of their first layers.

    The output and receptive field of a group are those of its output layer.
    """
    groups = {group.path: group for group in costs.network.groups}
    members: dict[str, list[LayerCost]] = {}
    for row in costs.layers:
        members.setdefault("/".join(row.path.split("/")[:depth]), []).append(row)
    rows = []
    for path, layers in members.items():
        if len(layers) == 1 and layers[0].path == path:
            rows.append(layers[0])
            continue
        group = groups.get(path)
        output, field, step = group_output(
            costs, layers[-1].step if group is None else group.output
        )
        rows.append(
            LayerCost(
                path,
                group.kind if group else layers[-1].kind,
                output,
                total_counts(layers),
                field,
                any(layer.stated for layer in layers),
                step,
            )
        )
    return rows


def group_output(costs: Costs, output: int) -> tuple[Shape, Field, int]:
    """The shape, receptive field and index of the layer `output`; below 0 it is an input."""
    if output < 0:
        shape = costs.network.shape_of(output)
        return shape, (ReceptiveField(),) * len(shape.size), output
    layer = costs.layers[output]
    return layer.output, layer.field, output


def selection_notes(selection: Selection, view: AnalysisView) -> Iterator[str]:
    """Notes on the rows that `top` leaves out, and on the layers without a row."""
    yield from selection.left_out.notes(more=", counted in the total")
    if selection.folded:
        kinds = Counter(row.kind for row in selection.folded).most_common()
        listed = ", ".join(f"{format_count(number)} {kind}" for kind, number in kinds)
        number = counted(len(selection.folded), "elementwise layer")
        yield f"not listed: {number} without cost ({listed}); `--all` lists all layers"
        if Measure.ACTIVATIONS in view.columns:
            yield "the total of activations includes layers that are not listed"


def sum_notes(costs: Costs, view: AnalysisView, rows: Iterable[LayerCost]) -> Iterator[str]:
    """A note on activations of blocks, if one is beside those of single layers."""
    if Measure.ACTIVATIONS in view.columns and any(_is_group(costs, row) for row in rows):
        yield "activations of a block: the sum over all of its layers, not only its output"
