"""Searches a space: evaluates chunks of it, and keeps the best points and the Pareto front."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from convcost.design_space.network_function import NetworkFunction
from convcost.design_space.pareto import pareto_front
from convcost.design_space.space import Space
from convcost.design_space.traced_function import TracedFunction, Variable
from convcost.design_space.vectors import Array, VariableColumn
from convcost.language.load import Documents
from convcost.language.network_inputs import Settings
from convcost.model.errors import Source, UsageError
from convcost.model.record import NamedTuple
from convcost.model.roofline import Device
from convcost.reports.row_order import sort_keys
from convcost.reports.search import uncounted_column
from convcost.reports.sweep.points import setting_column
from convcost.reports.sweep.selection import PointFilter, parse_filter

CHUNK = 1 << 14  # points; their arrays fit a cache
SAMPLE = 1000  # matching points, for a chart
SCRAMBLE = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: spreads numbers evenly


class SearchRequest(NamedTuple):
    """What is searched. `sort` are measures, the largest first, with a `-` the smallest. In
    `pareto`, less is better, with a `+` more. `score` is `module:function`. `partial_measures`
    may lack layers."""

    source: Source
    pick: str
    space: Space
    measures: tuple[str, ...]
    where: tuple[str, ...] = ()
    sort: str = ""
    top: int = 20
    pareto: tuple[str, ...] = ()
    settings: Settings = Settings()
    dtypes: tuple[str, ...] = ()
    score: str = ""
    keeps_all: bool = False
    device: Device | None = None
    deployed: bool = False
    partial_measures: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The measures, and the score."""
        return (*self.measures, *self._score)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of points: the measures, how many layers are not in them, and the score."""
        return (*self.measures, *map(uncounted_column, self.partial_measures), *self._score)

    def function(self) -> NetworkFunction:
        """The measures of a point."""
        return NetworkFunction(
            Documents(self.source),
            self.pick,
            self.measures,
            self.settings,
            self.dtypes,
            self.device,
            self.deployed,
            required_measures=self._compared_measures,
            partial_measures=self.partial_measures,
        )

    @property
    def filters(self) -> list[PointFilter]:
        names = (*self.measures, *self.space.names)
        return [parse_filter(text, names) for text in self.where]

    def unknown(self, name: str, points: "Points") -> Array:
        """Which points have a measure of which nothing is known: all that is counted is 0."""
        if name not in self.partial_measures:
            return np.zeros(points.index.shape, dtype=bool)
        uncounted = points.columns[self.columns.index(uncounted_column(name))]
        return (points.columns[self.columns.index(name)] == 0) & (uncounted > 0)

    @property
    def _score(self) -> tuple[str, ...]:
        return ("score",) if self.score else ()

    @property
    def _compared_measures(self) -> set[str]:
        """The measures that conditions and the front compare."""
        names = {name.removeprefix("+") for name in self.pareto}
        return names.union(
            *(condition.expression.names.intersection(self.measures) for condition in self.filters)
        )


class Points(NamedTuple):
    """Some points: their numbers in the space, and the columns of a request."""

    index: Array
    columns: tuple[Array, ...]

    def at(self, chosen: Any) -> "Points":
        return Points(self.index[chosen], tuple(column[chosen] for column in self.columns))

    def plus(self, other: "Points") -> "Points":
        pairs = zip(self.columns, other.columns, strict=True)
        columns = tuple(np.concatenate(pair) for pair in pairs)
        return Points(np.concatenate((self.index, other.index)), columns)


class ChunkResult(NamedTuple):
    """The result of a part of the space: how many points it has, how many of them failed and how
    many match the conditions, and the best ones. `first_failed` is the number of a point, or −1.
    `sample` are some of the matching points; `all` are all of them, if the request keeps them.
    `tied` other matching points have the sort keys of the last of the best ones."""

    points: int
    failed: int
    matching: int
    first_failed: int
    best: Points
    front: Points
    sample: Points
    tied: int = 0
    all: Points | None = None


class Search:
    """Evaluates chunks of the space of a request. The order of chunks does not matter."""

    def __init__(self, request: SearchRequest) -> None:
        self.request = request
        variables = request.space.variables
        results = len(request.measures) + len(request.partial_measures)
        self._costs = TracedFunction(request.function(), variables, results)
        self._score = _load_score(request.score) if request.score else None
        filters = request.filters

        def matches(values: Mapping[str, Any]) -> list[int]:
            return [int(all(condition.matches(values.__getitem__) for condition in filters))]

        # In a condition, a measure comes before a variable of the same name.
        names = request.measures
        numbers = [
            *filter(lambda variable: variable.name not in names, variables),
            *map(Variable, names),
        ]
        self._matches = TracedFunction(matches, tuple(numbers), 1)
        self.no_points = Points(np.arange(0), tuple(np.arange(0) for _ in request.columns))
        self._keys = [(key, key.removeprefix("-")) for key in sort_keys(request.sort)]
        # A sort key with uncounted layers is a lower bound, so nobody knows which keys are equal.
        partial_keys = [name for _, name in self._keys if name in request.partial_measures]
        self._uncounted = [*map(uncounted_column, partial_keys)]

    def chunk(self, start: int, stop: int) -> ChunkResult:
        """The result of the points from `start` up to, but not including, `stop`."""
        request = self.request
        columns = self._costs.columns(request.space.positions(start, stop))
        values = self._costs.evaluate(columns)
        index = np.arange(start, stop)
        failed = index[values.failed]
        points = Points(index, tuple(values.results))
        if len(failed):
            valid = ~values.failed
            points = points.at(valid)
            columns = {name: column.at(valid) for name, column in columns.items()}
        if request.where and len(points.index):
            measures = zip(request.measures, points.columns, strict=False)
            inputs = {**columns, **{name: VariableColumn(values) for name, values in measures}}
            chosen = self._matches.evaluate(inputs).results[0] == 1
            points = points.at(chosen)
            columns = {name: column.at(chosen) for name, column in columns.items()}
        if self._score is not None:
            points = points._replace(columns=(*points.columns, self._scores(points, columns)))
        best, tied = self.best(points)
        return ChunkResult(
            points=stop - start,
            failed=len(failed),
            matching=len(points.index),
            first_failed=int(failed[0]) if len(failed) else -1,
            best=best,
            front=self.front(points),
            sample=self.sample(points),
            tied=tied,
            all=points if request.keeps_all else None,
        )

    def merge(self, first: ChunkResult, second: ChunkResult) -> ChunkResult:
        """The result of two parts of the space together, without `all`."""
        failed = [number for number in (first.first_failed, second.first_failed) if number >= 0]
        best, tied = self.best(first.best.plus(second.best))
        for part in (first, second):
            if part.tied and self._last_keys(part.best) == self._last_keys(best):
                tied += part.tied
        return ChunkResult(
            points=first.points + second.points,
            failed=first.failed + second.failed,
            matching=first.matching + second.matching,
            first_failed=min(failed, default=-1),
            best=best,
            front=self.front(first.front.plus(second.front)),
            sample=self.sample(first.sample.plus(second.sample)),
            tied=tied,
        )

    def empty(self) -> ChunkResult:
        return ChunkResult(
            points=0,
            failed=0,
            matching=0,
            first_failed=-1,
            best=self.no_points,
            front=self.no_points,
            sample=self.no_points,
        )

    def best(self, points: Points) -> tuple[Points, int]:
        """The first `top` points in the order of the request; of equal ones, those that come first
        in the space. Points of which nothing is known are last. Also how many of the others have
        the keys of the last one, 0 if these are known in part."""
        keys = [points.index]
        for key, name in reversed(self._keys):
            column = self._column(points, name)
            keys.append(column if key[0] == "-" else -column)
            if name in self.request.partial_measures:
                keys.append(self.request.unknown(name, points))
        order = np.lexsort(keys)
        best, others = (points.at(part) for part in np.split(order, [self.request.top]))
        if not self.request.sort or not len(others.index):
            return best, 0
        last = self._last_keys(best)
        if any(last[name] for name in self._uncounted):
            return best, 0
        equal = [self._column(others, name) == value for name, value in last.items()]
        return best, int(np.count_nonzero(np.logical_and.reduce(equal)))

    def _column(self, points: Points, name: str) -> Array:
        return points.columns[self.request.columns.index(name)]

    def _last_keys(self, points: Points) -> dict[str, Any]:
        """The values of the keys of the last point, and how many layers are not in them."""
        names = (*(name for _, name in self._keys), *self._uncounted)
        return {name: self._column(points, name)[-1] for name in names}

    def front(self, points: Points) -> Points:
        """The Pareto front of the points, the least first; nothing if none is asked for."""
        if not self.request.pareto:
            return self.no_points
        points = points.at(np.argsort(points.index))
        costs = []
        for name in self.request.pareto:
            column = self._column(points, name.removeprefix("+"))
            costs.append(-column if name[0] == "+" else column)
        front = pareto_front(costs)
        return points.at(front[np.lexsort([cost[front] for cost in reversed(costs)])])

    def sample(self, points: Points) -> Points:
        """At most SAMPLE of the points, spread over the space; the same ones for any chunks."""
        if not self.request.pareto:
            return self.no_points
        scrambled = points.index.astype(np.uint64) * SCRAMBLE
        return points.at(np.argsort(scrambled)[:SAMPLE])

    def _scores(self, points: Points, columns: dict[str, VariableColumn]) -> Array:
        assert self._score is not None
        request = self.request
        table: dict[str, Array] = dict(zip(request.columns, points.columns, strict=False))
        for variable in request.space.variables:
            column = columns[variable.name]
            table[setting_column(variable.name, variable.name, request.columns).key] = (
                column.numerators / column.denominator
                if variable.is_number
                else (np.array(variable.values)[column.numerators])
            )
        try:
            scores = np.asarray(self._score(table))
        except Exception as error:  # noqa: BLE001  of the user's function
            message = f"--score {request.score} failed: {type(error).__name__}: {error}"
            raise UsageError(message) from None
        if scores.dtype.kind not in "biuf":
            raise UsageError(f"--score {request.score} must return numbers, not {scores.dtype}")
        if scores.shape != points.index.shape:
            requirement = f"an array of {len(points.index)} numbers"
            raise UsageError(
                f"--score {request.score} must return {requirement}, not shape {scores.shape}"
            )
        return scores


def _load_score(name: str) -> Callable[[dict[str, Array]], Sequence[Any]]:
    """The function of `module:function`. Raises UsageError."""
    from importlib import import_module

    module, _, function = name.partition(":")
    try:
        score: Callable[[dict[str, Array]], Sequence[Any]] = getattr(
            import_module(module), function
        )
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise UsageError(f"--score must be module:function; {name}: {error}") from None
    if not callable(score):
        raise UsageError(f"--score must be module:function; `{name}` is not a function")
    return score
