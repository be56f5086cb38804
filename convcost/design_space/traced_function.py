"""A function of the variables of a space: traced at a few points, evaluated at all others."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import lcm
from typing import Any, TypeAlias

import numpy as np

from convcost.design_space.polynomial import Number, Polynomial, number
from convcost.design_space.symbol import Symbol, expression
from convcost.design_space.trace import Guard, Trace, TraceLimitError, check_trace
from convcost.design_space.vectors import INT64, Array, VariableColumn, Vectors, exact_array
from convcost.model.errors import SpecError
from convcost.model.ratio import fraction
from convcost.model.record import NamedTuple

MAX_OUTCOMES = 4096  # outcomes that are stored; further points are computed one by one
MAX_BITS = 120  # bits of a variable without values: a product of two does not overflow
Function: TypeAlias = Callable[[Mapping[str, Any]], Sequence[Number]]


class Variable(NamedTuple):
    """A variable and its values; without values, it can be any integer of MAX_BITS.

    Numbers are traced; any other values get a trace each.
    """

    name: str
    values: tuple[Any, ...] = ()

    @property
    def is_number(self) -> bool:
        return all(
            type(value) is not bool and hasattr(type(value), "denominator") for value in self.values
        )

    @property
    def column(self) -> VariableColumn:
        """All values, in order; if they are not numbers, their indices."""
        if not self.is_number:
            return VariableColumn(np.arange(len(self.values)))
        values = [fraction(value) for value in self.values]
        shared = lcm(*(value.denominator for value in values))
        return VariableColumn(exact_array([int(value * shared) for value in values]), shared)

    def symbol(self, trace: Trace, value: int, column: VariableColumn) -> Any:
        """A symbol of the variable at a value of its column; the value itself if it is not a
        number, or the only value."""
        low, high = -(2**MAX_BITS), 2**MAX_BITS
        if self.values:
            ends = column.numerators.min(), column.numerators.max()
            low, high = (number(Fraction(int(end), column.denominator)) for end in ends)
        exact = number(Fraction(value, column.denominator))
        polynomial = trace.variable(self.name, exact, (low, high), column.denominator)
        if self.is_number:
            return Symbol(trace, polynomial, exact) if low != high else exact
        trace.pin(polynomial, exact)
        return self.values[value]

    def plain(self, value: int, column: VariableColumn) -> Any:
        """A value of the variable, from that of its column."""
        exact = number(Fraction(value, column.denominator))
        return exact if self.is_number else self.values[value]


class Outcome(NamedTuple):
    """The result of one trace, valid where its guards are true: the numbers, or an error."""

    guards: tuple[Guard, ...]
    results: tuple[Polynomial, ...]
    error: SpecError | None = None


class Values(NamedTuple):
    """The results at some points: one array for each result, and which points have an error."""

    results: list[Array]
    failed: Array


class TracedFunction:
    """A function of variables as polynomials that are exact under guards. `function` returns
    `results` integers for values of the variables, or raises SpecError."""

    def __init__(self, function: Function, variables: tuple[Variable, ...], results: int) -> None:
        self.function = function
        self.variables = variables
        self.results = results
        self.outcomes: list[Outcome] = []
        self._is_too_large = False
        self._columns = {
            variable.name: variable.column if variable.values else VariableColumn(np.empty(0))
            for variable in variables
        }

    def columns(self, positions: Mapping[str, Array]) -> dict[str, VariableColumn]:
        """The values of the variables, from the positions of each point on each axis."""
        return {name: self._columns[name].at(index) for name, index in positions.items()}

    def evaluate(self, columns: dict[str, VariableColumn]) -> Values:
        """The results at points, which have a column for each variable."""
        length = len(next(iter(columns.values())).numerators)
        values = Values(
            [np.zeros(length, dtype=np.int64) for _ in range(self.results)],
            np.zeros(length, dtype=bool),
        )
        left = np.arange(length)
        outcomes = iter(tuple(self.outcomes))
        single = 0  # the traces since the last one that gave several points
        while len(left):
            outcome = next(outcomes, None)
            is_new = outcome is None
            if outcome is None:
                outcome = self._next_outcome(columns)
                if outcome is None:
                    self._assign_plain(values, left, columns)
                    break
            meets, vectors = _points_where(outcome.guards, columns)
            if meets is not None:
                _assign(values, left[meets], outcome, vectors)
                rest = np.ones(len(left), dtype=bool)
                rest[meets] = False
                if is_new:
                    single = single + 1 if np.count_nonzero(rest) == len(left) - 1 else 0
                left = left[rest]
                columns = {name: column.at(rest) for name, column in columns.items()}
                # Neighbouring points usually have the same outcome.
                self.outcomes.remove(outcome)
                self.outcomes.insert(0, outcome)
                if is_new and single:
                    # A trace takes longer than a point: the next points probably need one each.
                    self._assign_plain(values, left[:single], columns)
                    left = left[single:]
                    columns = {name: c.at(slice(single, None)) for name, c in columns.items()}
        return values

    def _next_outcome(self, columns: dict[str, VariableColumn]) -> Outcome | None:
        """The outcome at the first point; None if there are too many or too large ones."""
        if self._is_too_large or len(self.outcomes) >= MAX_OUTCOMES:
            return None
        point = {name: int(column.numerators[0]) for name, column in columns.items()}
        try:
            self.outcomes.append(self.trace(point))
        except TraceLimitError:
            self._is_too_large = True
            return None
        return self.outcomes[-1]

    def _assign_plain(
        self, values: Values, left: Array, columns: dict[str, VariableColumn]
    ) -> None:
        """Computes the points with the numbers `left` one by one, with plain numbers."""
        for n, point in enumerate(left):
            value_by_variable = {
                variable.name: variable.plain(
                    int(columns[variable.name].numerators[n]), self._columns[variable.name]
                )
                for variable in self.variables
            }
            try:
                results = self.function(value_by_variable)
            except SpecError:
                values.failed[point] = True
                continue
            for column, value in enumerate(results):
                if abs(value) > INT64:
                    values.results[column] = values.results[column].astype(object)
                values.results[column][point] = value

    def trace(self, point: Mapping[str, int]) -> Outcome:
        """Traces the function at one point, given by the values of its columns.

        Also computes the function there with plain numbers, because the code of a plug-in may
        treat a symbol as no number. Raises UsageError if the two differ, and TraceLimitError.
        """
        trace = Trace()
        inputs = [
            (variable, point[variable.name], self._columns[variable.name])
            for variable in self.variables
        ]
        plain = {variable.name: variable.plain(value, column) for variable, value, column in inputs}
        results: Sequence[Any] = ()
        error: SpecError | None = None
        try:
            results = self.function(
                {
                    variable.name: variable.symbol(trace, value, column)
                    for variable, value, column in inputs
                }
            )
        except SpecError as raised:
            error = raised
        trace.finish(failed=error is not None)
        try:
            expected = self.function(plain)
        except SpecError:
            expected = ()
        polynomials, values = (), ()
        if results:
            polynomials, values = zip(*map(expression, results), strict=True)
        check_trace(values, expected, plain)
        return Outcome(tuple(trace.guards), polynomials, error)


def _points_where(
    guards: tuple[Guard, ...], columns: dict[str, VariableColumn]
) -> tuple[Array | slice | None, Vectors]:
    """The indices of the points where all guards are true, or None, and the columns at them."""
    indices: Array | slice = slice(None)
    vectors = Vectors(columns)
    for guard in guards:
        holds = vectors.holds(guard)
        if not holds.any():
            return None, vectors
        if not holds.all():
            indices = np.flatnonzero(holds) if isinstance(indices, slice) else indices[holds]
            vectors = Vectors({name: column.at(indices) for name, column in columns.items()})
    return indices, vectors


def _assign(values: Values, indices: Array, outcome: Outcome, vectors: Vectors) -> None:
    """Writes an outcome to `values` at the points `indices`; `vectors` has the columns of these
    points."""
    if outcome.error is not None:
        values.failed[indices] = True
        return
    for n, polynomial in enumerate(outcome.results):
        column = vectors.integers(polynomial)
        if column.dtype == object:
            values.results[n] = values.results[n].astype(object)
        values.results[n][indices] = column
