"""The points of a sweep: every combination of values of the variables and the input size."""

from collections.abc import Collection, Iterator
from itertools import product
from math import prod
from re import sub
from typing import Any

from convcost.language.network_inputs import Settings
from convcost.model.costs import Costs, LayerCost
from convcost.model.measures import MEASURES, Count, Measure
from convcost.model.network import Network
from convcost.model.number_format import counted
from convcost.model.options import json_number, value_text
from convcost.model.record import NamedTuple
from convcost.reports.analyze.table import group_output
from convcost.reports.notes import has_note
from convcost.reports.table import Column
from convcost.reports.verify.figure_check import FigureRecord, UncheckedFigure, current_figures

NUMBERS = (*MEASURES, "channels", "receptive_field")  # numbers that sort and filter points
MAX_LISTED = 8  # points that a message lists one by one


class Axis(NamedTuple):
    """A variable and its values; with `size` those of the input of that name, or of all inputs if
    the name is empty."""

    name: str
    values: tuple[Any, ...]
    size: bool = False

    @property
    def varies(self) -> bool:
        """Whether the axis has several values."""
        return len(self.values) > 1

    @property
    def title(self) -> str:
        """The name in tables: `width`, `size`, or `size mask` for one of several inputs."""
        return f"size {self.name}".rstrip() if self.size else self.name

    def text(self, *positions: int) -> str:
        """The values at these positions as on the command line: `0.25,0.5` or `128x160`."""
        return ",".join(value_text(self.values[position]) for position in positions)


class Point(NamedTuple):
    """One combination: the index of its value on each axis."""

    axes: tuple[Axis, ...]
    positions: tuple[int, ...]

    @property
    def values(self) -> Iterator[tuple[Axis, Any]]:
        """Each axis with its value at this point."""
        for axis, position in zip(self.axes, self.positions, strict=True):
            yield axis, axis.values[position]

    @property
    def settings(self) -> Settings:
        """The variables and sizes of this point."""
        variables = tuple((axis.name, value) for axis, value in self.values if not axis.size)
        sizes = {axis.name: value for axis, value in self.values if axis.size}
        size = sizes.pop("", None)
        return Settings(variables, size, sizes=tuple(sizes.items()))

    def on_axes_of(self, network: Network) -> "Point | None":
        """The point on the axes whose variable or input the network has; None if that point is the
        same as one with the first values of the other axes."""
        names = {name for name, _ in network.variables}, {name for name, _ in network.inputs}
        has = [axis.name in (*names[axis.size], *[""] * axis.size) for axis in self.axes]
        at = zip(has, self.axes, self.positions, strict=True)
        pairs = [(axis, position) for has_axis, axis, position in at if has_axis]
        if any(
            position and not has_axis
            for has_axis, position in zip(has, self.positions, strict=True)
        ):
            return None
        return Point(tuple(axis for axis, _ in pairs), tuple(position for _, position in pairs))

    @property
    def label(self) -> str:
        """The values that differ between points: `width=0.25 128`."""
        return " ".join(
            f"{axis.name}={value_text(value)}".removeprefix("=")
            for axis, value in self.values
            if axis.varies
        )


class PointCosts(NamedTuple):
    """One network at one point, and the figures published for its settings and size. `row` is the
    whole network as a row of an analysis."""

    point: Point
    costs: Costs
    figures: tuple[FigureRecord, ...]
    row: LayerCost
    unchecked: tuple[UncheckedFigure, ...] = ()

    def without_layers(self) -> "PointCosts":
        """The point with only the layers and steps that notes are about, because a sweep keeps many
        points."""
        steps = (step for step in self.costs.network.steps if has_note(step))
        noted_steps = tuple({step.layer: step for step in steps}.values())
        network = self.costs.network._replace(
            steps=noted_steps, groups=(), published=(), budget=None
        )
        named = tuple(layer for layer in self.costs.layers if layer.stated or layer.uncounted)
        return self._replace(costs=self.costs._replace(network=network, layers=named))

    def value(self, name: str) -> Any:
        """The value of `name`; of a count that is not fully known, the known part."""
        value = self.count_or_value(name)
        return value.known if isinstance(value, Count) else value

    def count_or_value(self, name: str) -> Any:
        """A measure or a count by a convention as a Count; `channels` or `receptive_field`; else
        the value of a variable. The first that has the name counts."""
        if name in MEASURES:
            return self.costs.totals.count_of(Measure(name))
        if name == "channels":
            return self.row.output.channels
        if name == "receptive_field":
            return max((axis.extent for axis in self.row.field), default=1)
        if name in [count.name for count in self.costs.by_convention]:
            return self.costs.counts_by(name).total_count
        return next(value for axis, value in self.point.values if axis.title == name)

    def knows(self, name: str) -> bool:
        """Whether all layers have a count of a measure, or by a convention."""
        value = self.count_or_value(name)
        return not (isinstance(value, Count) and value.uncounted)

    def tree(self) -> dict[str, Any]:
        """The keys that the JSON of a sweep adds to those of a network."""
        settings = self.point.settings
        # 224 is written as [224, 224].
        inputs = self.costs.network.inputs
        sizes = {name: list(shape.size) for name, shape in inputs if shape.size}
        if settings.size is None:
            sizes = {name: sizes[name] for name, _ in settings.sizes}
        size = sizes if settings.sizes else next(iter(sizes.values()), None)
        return {
            "set": {name: json_number(value) for name, value in settings.variables},
            "size": size,
            "published": list(self.figures),
            "unchecked": list(self.unchecked),
        }


def setting_column(name: str, title: str, others: Collection[str]) -> Column:
    """The column of the values of a variable. Its title is `set params` if a number that sorts and
    filters points, or another column, has the name of the variable; that of a variable `set_params`
    is then `set set_params`."""
    plain = sub("^(set_)+", "", name)
    head = f"set {name}" if not {name, plain}.isdisjoint((*NUMBERS, *others)) else title
    return Column(head.replace(" ", "_"), head)


def points(axes: tuple[Axis, ...]) -> Iterator[Point]:
    """Every combination in order; the last axis varies fastest."""
    for positions in product(*(range(len(axis.values)) for axis in axes)):
        yield Point(axes, positions)


def cost_point(point: Point, costs: Costs) -> PointCosts:
    """The costs of one point, with the published figures of whole networks, which are for one
    sample."""
    current = current_figures(costs)
    figures = tuple(figure for figure in current.records if not figure.layer)
    unchecked = tuple(figure for figure in current.unchecked if not figure.layer)
    output, field, _ = group_output(costs, costs.network.last)
    row = LayerCost(point.label, "network", output, costs.totals, field, False, -1)
    return PointCosts(point, costs, figures, row, unchecked)


def points_text(axes: tuple[Axis, ...], affected: list[Point]) -> str:
    """Some points as on the command line, `width=0.3 size=16,32`; empty if they are all points.

    If the points are not a combination of lists, the text has the first of them.
    """
    by_axis = [sorted({point.positions[n] for point in affected}) for n, _ in enumerate(axes)]
    if prod(map(len, by_axis)) != len(affected):
        first = "; ".join(points_text(axes, [point]) for point in affected[:MAX_LISTED])
        more = len(affected) - MAX_LISTED
        return f"{first}; {counted(more, 'more point')}" if more > 0 else first
    return " ".join(
        f"{axis.title}={axis.text(*positions)}"
        for axis, positions in zip(axes, by_axis, strict=True)
        if len(positions) < len(axis.values)
    )
