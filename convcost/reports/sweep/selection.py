"""Which points of a sweep are shown: filtered, sorted, and the first of them."""

import re
from collections.abc import Callable, Collection, Sequence
from fractions import Fraction

from convcost.language.expressions import Expression, Lookup, parse
from convcost.model.costs import Costs
from convcost.model.errors import UsageError, usage_errors
from convcost.model.figures import BINARY_SUFFIXES, SUFFIXES, parse_figure
from convcost.model.options import show
from convcost.model.record import NamedTuple
from convcost.model.suggestions import did_you_mean
from convcost.reports.row_order import RowsLeftOut, first_rows, sort_keys
from convcost.reports.sweep.points import Axis, Point, PointCosts
from convcost.reports.table import Layout

UNITS = "|".join(name for name in (*BINARY_SUFFIXES, *SUFFIXES) if name)


class PointFilter(NamedTuple):
    """A condition of points or networks, as written: `macs <= 100M`."""

    text: str
    expression: Expression

    def matches(self, lookup: Lookup) -> bool:
        """Whether the condition is true with these numbers. Raises UsageError if it is neither true
        nor false."""
        with usage_errors(f"--where {self.text}: "):
            value = self.expression.evaluate(lookup)
        if type(value) is not bool:
            raise UsageError(f"--where {self.text} is {show(value)}, neither true nor false")
        return value


def parse_filter(text: str, number_names: Collection[str]) -> PointFilter:
    """A condition over the known numbers. Raises UsageError."""

    def exact(match: re.Match[str]) -> str:
        number = Fraction(*parse_figure(match[1] + match[2]).value())
        return f"({number})" if number.denominator > 1 else str(number)

    with usage_errors("--where: ", "write a comparison, such as `macs <= 100M`"):
        expression = parse(re.sub(rf"\b(\d[\d.]*) ?({UNITS})B?\b", exact, text))
    for name in sorted(expression.names):
        if name not in number_names:
            from convcost.conventions import suggest_count

            hint = suggest_count(name) or did_you_mean(name, number_names, 99)
            raise UsageError(f"--where: there is no number `{name}`; {hint}")
    return PointFilter(text, expression)


class SweepView(NamedTuple):
    """The points and columns to show; by default the columns that have something to show.

    `sort` has names of NUMBERS or variables, the largest first; with a `-` the smallest.
    """

    columns: tuple[str, ...] | None = None
    sort: str | None = None
    top: int | None = None
    layout: Layout = "hwc"
    where: tuple[PointFilter, ...] = ()

    @property
    def sorted_or_filtered_by(self) -> set[str]:
        """The numbers that sort or filter the points."""
        keys = {key.removeprefix("-") for key in sort_keys(self.sort)}
        return keys.union(*(condition.expression.names for condition in self.where))

    def decides(self, point: PointCosts) -> bool:
        """Whether all numbers of the conditions are known."""
        return all(
            point.knows(name) for condition in self.where for name in condition.expression.names
        )

    def matches(self, point: PointCosts) -> bool:
        return all(condition.matches(point.value) for condition in self.where)


class SweptNetwork(NamedTuple):
    """One network of a sweep: the selected points, of which there are `matching` before `top`, and
    `total` in all. `recount` gives the costs of a point with its layers. The conditions do not
    decide `undecided` points, whose counts are known in part."""

    name: str
    source: str
    axes: tuple[Axis, ...]
    points: tuple[PointCosts, ...]
    matching: int
    total: int
    recount: Callable[[Point], Costs]
    left_out: RowsLeftOut
    undecided: int


def select_points(
    points: Sequence[PointCosts], view: SweepView, recount: Callable[[Point], Costs]
) -> SweptNetwork:
    """What a view selects of all points of one network. Raises UsageError if a condition is neither
    true nor false for a point."""
    network, axes = points[0].costs.network, points[0].point.axes
    decided = [point for point in points if view.decides(point)]
    matching = [point for point in decided if view.matches(point)]
    first, left_out = first_rows(matching, view.top, view.sort, PointCosts.count_or_value)
    return SweptNetwork(
        name=network.name,
        source=network.source,
        axes=axes,
        points=tuple(first),
        matching=len(matching),
        total=len(points),
        recount=recount,
        left_out=left_out,
        undecided=len(points) - len(decided),
    )
