"""What does this network cost? One row a layer, or a name down to a depth."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost import __version__
from convcost.costs import MEASURES, Costs, Field, LayerCost, summed
from convcost.field import Sight
from convcost.network import Network
from convcost.options import show
from convcost.questions.columns import COLUMNS, SHOWN, Shown, View, block_options
from convcost.questions.uncounted import uncounted
from convcost.report import Cell, Share, Table
from convcost.shapes import Shape
from convcost.units import CONVENTION

if TYPE_CHECKING:
    from convcost.pages import Page
    from convcost.pictures import Picture

SCHEMA = "convcost.analyze/1"


class FieldRecord(NamedTuple):
    """A step is a whole number, or text like `1/2` where a layer enlarges beyond the input."""

    size: tuple[int, ...]
    step: tuple[int | str, ...]


class LayerRecord(NamedTuple):
    """A layer of `convcost.analyze/1`: names and order are a promise."""

    path: str
    kind: str
    output: Shape
    weights: int
    biases: int
    params: int
    buffers: int
    macs: int
    activations: int
    receptive_field: FieldRecord
    stated: bool
    uncounted: bool


class Analysis(NamedTuple):
    """The report of one or more networks."""

    networks: tuple[Costs, ...]
    view: View = View()

    def tables(self) -> Iterator[Table]:
        for network in self.networks:
            yield self._table(network)

    def _table(self, costs: Costs) -> Table:
        rows, left_out = self._rows(costs)
        columns = {name: COLUMNS.get(name) for name in self.view.columns}
        named: dict[str, Shown] = {}
        for name, known in columns.items():
            named.update({name: known} if known else block_options(costs, rows))
        shown = list(named.values())
        totals = costs.totals
        total: list[Cell] = []
        for name in named:
            value: Cell = getattr(totals, name) if name in MEASURES else None
            if name == "layer":
                value = "total"
            elif name == "share":
                value = Share(totals.macs, totals.macs)
            total.append(value)
        notes = footer(costs)
        if left_out:
            notes = (f"{left_out} more rows, counted in the total", *notes)
        return Table(
            name=costs.network.name,
            title=title_of(costs.network),
            columns=tuple(column for column, _ in shown)
            if self.view.columns == SHOWN
            else tuple(column._replace(drop=n) for n, (column, _) in enumerate(shown)),
            rows=tuple(
                zip(
                    *([cell(row, costs, self.view) for row in rows] for _, cell in shown),
                    strict=True,
                )
            ),
            total=tuple(total) if any(cell is not None for cell in total[1:]) else (),
            notes=notes,
        )

    def page(self) -> "Page":
        from convcost.questions.analyze_page import page

        return page(self)

    @property
    def lacks_options(self) -> bool:
        """Whether options of blocks are asked for by name, and no row is a block that has some."""
        asked = "options" in self.view.columns and self.view.columns != tuple(COLUMNS)
        return asked and not any(
            block_options(costs, self._rows(costs)[0]) for costs in self.networks
        )

    def _rows(self, costs: Costs) -> tuple[list[LayerCost], int]:
        view = self.view
        rows = list(costs.layers) if view.depth is None else grouped(costs, view.depth)
        if view.sort in MEASURES:
            measure = view.sort
            rows.sort(key=lambda row: -getattr(row, measure))
        elif view.sort is not None:
            rows.sort(key=lambda row: row.path)
        if view.top is None or view.top >= len(rows):
            return rows, 0
        return rows[: view.top], len(rows) - view.top

    def pictures(self) -> "Iterator[Picture]":
        from convcost.questions.pictures import of_networks

        return of_networks(self.networks)

    def tree(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "version": __version__,
            "networks": [self._network(network) for network in self.networks],
        }

    def _network(self, costs: Costs) -> dict[str, Any]:
        network = costs.network
        inputs = dict(network.inputs)
        one = len(inputs) == 1
        return {
            "name": network.name,
            "file": network.file,
            **({"input": next(iter(inputs.values()))} if one else {"inputs": inputs}),
            "batch": costs.batch,
            "convention": "macs",
            "layers": _records(self._rows(costs)[0]),
            "totals": {name: getattr(costs.totals, name) for name in MEASURES},
        }


def grouped(costs: Costs, depth: int) -> list[LayerCost]:
    """One row for each path cut to `depth` names, in the order of their first layers.

    A group's output and receptive field are those of the last layer it hands on.
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
        output, field, step = handed_on(costs, layers[-1] if group is None else group.output)
        total = summed(layers)
        rows.append(
            LayerCost(
                path,
                group.kind if group else layers[-1].kind,
                output,
                total.weights,
                total.biases,
                total.buffers,
                total.macs,
                total.activations,
                field,
                any(layer.stated for layer in layers),
                step,
                any(layer.uncounted for layer in layers),
            )
        )
    return rows


def handed_on(costs: Costs, output: int | LayerCost) -> tuple[Shape, Field, int]:
    """What a group hands on: the output of a layer, or the input that went by it."""
    if type(output) is int and output < 0:
        shape = costs.network.inputs[-1 - output][1]
        return shape, (Sight(),) * len(shape.size), output
    last = costs.layers[output] if type(output) is int else output
    assert isinstance(last, LayerCost)
    return last.output, last.field, last.step


def _records(rows: list[LayerCost]) -> list[LayerRecord]:
    records = []
    seen: Field | None = None
    field = FieldRecord((), ())
    for row in rows:
        if row.field is not seen:
            seen = row.field
            sights = {id(sight): (sight.extent, _step(sight.step)) for sight in seen}
            both = [sights[id(sight)] for sight in seen]
            field = FieldRecord(tuple([e for e, _ in both]), tuple([s for _, s in both]))
        records.append(
            LayerRecord(
                row.path,
                row.kind,
                row.output,
                row.weights,
                row.biases,
                row.weights + row.biases,
                row.buffers,
                row.macs,
                row.activations,
                field,
                row.stated,
                row.uncounted,
            )
        )
    return records


def _step(step: Any) -> int | str:
    return step if type(step) is int else str(step)


def title_of(network: Network) -> str:
    return f"{network.name} ({network.source})" if network.source else network.name


def footer(costs: Costs) -> tuple[str, ...]:
    network = costs.network
    inputs = [
        f"{name} {shape.text}" if name != "input" else f"input {shape.text}"
        for name, shape in network.inputs
    ]
    samples = "1 sample" if costs.batch == 1 else f"a batch of {costs.batch:,} samples"
    notes = [f"{', '.join(inputs)}; {samples}", CONVENTION]
    if network.variables:
        values = (f"{name} {show(value).strip('`')}" for name, value in network.variables)
        notes.insert(1, f"with {', '.join(values)}")
    if any(layer.stated and not layer.uncounted for layer in costs.layers):
        notes.append("stated: given by the spec's author, not derived")
    notes += uncounted((costs,))
    return tuple(notes)
