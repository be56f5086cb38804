"""The columns that an analysis can have: what stands in each, of a layer or of a group."""

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

from convcost.costs import Costs, LayerCost, inputs_of
from convcost.network import Step
from convcost.options import show
from convcost.report import Cell, Column, Share, Size
from convcost.shapes import Shape
from convcost.work import Work

Layout: TypeAlias = Literal["hwc", "chw"]
SHOWN = ("layer", "kind", "output", "params", "macs", "share")


class View(NamedTuple):
    """Which rows and columns are asked for."""

    columns: tuple[str, ...] = SHOWN
    depth: int | None = None
    sort: str | None = None
    top: int | None = None
    layout: Layout = "hwc"


class Shown(NamedTuple):
    column: Column
    cell: Callable[[LayerCost, Costs, View], Cell]


def _measure(name: str, drop: int) -> Shown:
    return Shown(
        Column(name, name, "right", drop, scales=True),
        lambda row, _costs, _view: getattr(row, name),
    )


def _macs(row: LayerCost, _costs: Costs, _view: View) -> Cell:
    return "?" if row.uncounted and not row.macs else row.macs


def _share(row: LayerCost, costs: Costs, _view: View) -> Cell:
    return None if row.uncounted and not row.macs else Share(row.macs, costs.totals.macs)


def shape_of(shape: Shape, layout: Layout) -> Size:
    """A shape as a cell, channels last or first."""
    if layout == "chw":
        return Size((shape.channels, *shape.size))
    return Size((*shape.size, shape.channels))


def _kind(row: LayerCost) -> str:
    if row.uncounted:
        return f"{row.kind} (uncounted)"
    return f"{row.kind} (stated)" if row.stated else row.kind


def _work(measure: str) -> Shown:
    """The product behind a count; of a group there is none but its layers'."""

    def cell(row: LayerCost, costs: Costs, _view: View) -> Cell:
        if row.step < 0 or costs.network.steps[row.step].path != row.path:
            return None
        step = costs.network.steps[row.step]
        return work_of(costs, step, measure).text if getattr(row, measure) else None

    return Shown(Column(f"{measure}_work", f"{measure} =", "left", folds=True), cell)


def block_options(costs: Costs, rows: list[LayerCost]) -> dict[str, Shown]:
    """A column for each option that a block among the rows has, in the order they come up."""
    given = {group.path: dict(group.options) for group in costs.network.groups if group.options}

    def column(name: str) -> Shown:
        def cell(row: LayerCost, _costs: Costs, _view: View) -> Cell:
            value = given.get(row.path, {}).get(name)
            return value if type(value) is int or value is None else show(value).strip("`")

        return Shown(Column(f"option_{name}", name), cell)

    names = dict.fromkeys(name for row in rows for name in given.get(row.path, ()))
    return {f"option {name}": column(name) for name in names}


# A name without a column of its own stands for as many as it takes.
COLUMNS: dict[str, Shown | None] = {
    "layer": Shown(
        Column("path", "layer", "left", folds=True), lambda row, _costs, _view: row.path
    ),
    "kind": Shown(Column("kind", "kind", "left", 3), lambda row, _costs, _view: _kind(row)),
    "output": Shown(
        Column("output", "output", "right", 1),
        lambda row, _costs, view: shape_of(row.output, view.layout),
    ),
    "params": _measure("params", 0),
    "macs": Shown(_measure("macs", 0).column, _macs),
    "share": Shown(
        Column("share", "share of macs", "left", 2),
        _share,
    ),
    "weights": _measure("weights", 4),
    "biases": _measure("biases", 5),
    "buffers": _measure("buffers", 7),
    "activations": _measure("activations", 6),
    "receptive_field": Shown(
        Column("receptive_field", "receptive field", "right", 8),
        lambda row, _costs, _view: Size(tuple(sight.extent for sight in row.field)),
    ),
    "params_work": _work("params"),
    "macs_work": _work("macs"),
    "step": Shown(
        Column("step", "step", "right", 9),
        lambda row, _costs, _view: Size(tuple(sight.step for sight in row.field)),
    ),
    "options": None,
}


def work_of(costs: Costs, step: Step, measure: str) -> Work:
    """The product, or sum of products, that a measure of a step comes from; params are both."""
    x = step.layer.take(inputs_of(costs.network, step))
    if measure == "params":
        return step.layer.weights(x).plus(step.layer.biases(x))
    work: Work = getattr(step.layer, measure)(x)
    return work.times(batch=costs.batch) if measure == "macs" and costs.batch > 1 else work
