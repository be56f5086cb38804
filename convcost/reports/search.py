"""`search`: the best points of a space, its Pareto front, and how many points there are."""

from collections.abc import Iterator
from typing import Any

from convcost.model.measures import CONVENTION
from convcost.model.number_format import counted, format_count
from convcost.model.record import NamedTuple
from convcost.reports.chart_model import Chart, Scatter, ScatterPoint
from convcost.reports.page_model import Page, page_of_tables
from convcost.reports.report import Report, versioned
from convcost.reports.row_order import RowsLeftOut, sort_keys
from convcost.reports.sweep.points import setting_column
from convcost.reports.table import UNKNOWN, Cell, Column, Table

SCHEMA = "convcost.search/1"
MAX_SHOWN = 50  # points of a front


class PointRecord(NamedTuple):
    """A point: the values of the variables as text, and its numbers, both by name. A number is None
    if layers are not counted and the others count 0."""

    values: dict[str, str]
    numbers: dict[str, Any]

    @property
    def label(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.values.items())


class FailedPoints(NamedTuple):
    """How many points have an error, and the first of them with its message."""

    points: int
    first: dict[str, str]
    message: str


def uncounted_column(measure: str) -> str:
    """The column with the number of layers that are not in a measure."""
    return f"{measure}_uncounted"


class SearchResult(Report):
    """The result of a search of one network. All numbers are exact, except a score."""

    name = "search"
    name_of_network: str
    file: str
    source: str
    points: int
    evaluated: int
    matching: int
    failed: FailedPoints | None
    where: tuple[str, ...]
    sort: str
    pareto: tuple[str, ...]
    variables: tuple[str, ...]
    measures: tuple[str, ...]  # also the score, and how many layers are not in a measure
    best: tuple[PointRecord, ...]
    front: tuple[PointRecord, ...]
    sample: tuple[PointRecord, ...] = ()  # some matching points, for the chart
    measure_notes: tuple[str, ...] = ()
    continue_with: str = ""  # how an interrupted search continues
    tied: int = 0  # matching points that are not in `best`, and have the keys of the last of it

    def tables(self) -> Iterator[Table]:
        if self.pareto:
            measures = " and ".join(self.pareto)
            left = len(self.front) - MAX_SHOWN
            notes = (f"{counted(left, 'more point')}, in JSON and CSV",) if left > 0 else ()
            yield self._table(f"Pareto front of {measures}", self.front[:MAX_SHOWN], notes)
        keys = (
            f"the {'smallest' if key[0] == '-' else 'largest'} {key.removeprefix('-')}"
            for key in sort_keys(self.sort)
        )
        title = f"points with {', then '.join(keys)}"
        yield self._table(title, self.best, tuple(self._notes()))

    def charts(self) -> Iterator[Chart]:
        """The first two measures of the front, for a sample of all points that match."""
        x, y = (*(name.removeprefix("+") for name in self.pareto), "", "")[:2]
        if not y or "score" in (x, y):
            return
        front = {tuple(point.values.values()) for point in self.front}
        others = [p for p in self.sample if tuple(p.values.values()) not in front]
        points = [(point, True) for point in self.front] + [(point, False) for point in others]
        yield Scatter(
            "front",
            f"{self.name_of_network}: {y} against {x}",
            x,
            y,
            tuple(
                ScatterPoint(point.label, point.numbers[x], point.numbers[y], is_front)
                for point, is_front in points
            ),
        )

    def page(self) -> Page:
        title = f"{self.name_of_network}: search"
        return page_of_tables(title, tuple(self.tables()), tuple(self.charts()))

    def records(self) -> Table:
        return self._table(self.name_of_network, self.front if self.pareto else self.best, ())

    def tree(self) -> dict[str, Any]:
        return versioned(
            SCHEMA,
            name=self.name_of_network,
            file=self.file,
            points=self.points,
            evaluated=self.evaluated,
            matching=self.matching,
            failed=self.failed,
            where=list(self.where),
            sort=self.sort,
            pareto=list(self.pareto),
            best=list(self.best),
            front=list(self.front),
            notes=[CONVENTION, *self.measure_notes],
        )

    def _table(self, title: str, points: tuple[PointRecord, ...], notes: tuple[str, ...]) -> Table:
        columns = [setting_column(name, name, self.measures) for name in self.variables]
        numbers_of_layers = {uncounted_column(name) for name in self.measures}
        columns += [
            Column(name, name, scales=name not in numbers_of_layers) for name in self.measures
        ]
        rows: list[tuple[Cell, ...]] = [
            (*point.values.values(), *map(_cell, point.numbers.values())) for point in points
        ]
        return Table(
            name=self.name_of_network,
            title=f"{self.name_of_network}: {title}",
            columns=tuple(columns),
            rows=tuple(rows),
            notes=notes,
            source=self.source,
        )

    def _notes(self) -> Iterator[str]:
        keys = " and ".join(key.removeprefix("-") for key in sort_keys(self.sort))
        left_out = RowsLeftOut(self.matching - len(self.best), self.tied, keys)
        yield from left_out.notes("point")
        if self.evaluated < self.points:
            ahead = f"interrupted after {format_count(self.evaluated)} of "
            yield f"{ahead}{counted(self.points, 'point')}; {self.continue_with}"
        shown = counted(self.evaluated, "point")
        if self.where:
            conditions = " and ".join(self.where)
            yield f"{format_count(self.matching)} of {shown} with {conditions}"
        else:
            yield shown
        if self.failed is not None:
            values = " ".join(f"{name}={value}" for name, value in self.failed.first.items())
            verb = "has an error" if self.failed.points == 1 else "have an error"
            yield f"{counted(self.failed.points, 'point')} {verb}; the first is {values}:"
            yield self.failed.message
        yield CONVENTION
        yield from self.measure_notes


def _cell(value: Any) -> Cell:
    if value is None:
        return UNKNOWN
    return value if isinstance(value, int) else f"{value:.6g}"
