"""A space: every combination of values of some variables, or random samples of them."""

import warnings
from math import prod
from typing import Any

import numpy as np

from convcost.design_space.traced_function import Variable
from convcost.design_space.vectors import Array
from convcost.language.scalars import parse_extents, parse_variable
from convcost.model.errors import UsageError, usage_errors
from convcost.model.number_format import format_count
from convcost.model.ratio import fraction
from convcost.model.record import NamedTuple

MAX_VALUES = 1_000_000  # values of one variable
MAX_POINTS = 10**18  # their numbers fit 64 bits
MAX_SOBOL_POINTS = 2**30  # the sequence of scipy repeats after these


class Space(NamedTuple):
    """The points are numbered from 0. In a grid, the last variable varies fastest. `samples` are
    drawn with replacement, each independently of all others, or with `sobol` so that any number of
    them covers the space evenly: I. M. Sobol', USSR Comput. Math. Math. Phys. 7(4), 1967."""

    variables: tuple[Variable, ...]
    samples: int = 0
    seed: int = 0
    sobol: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(variable.name for variable in self.variables)

    @property
    def size(self) -> int:
        return self.samples or prod(len(variable.values) for variable in self.variables)

    def positions(self, start: int, stop: int) -> dict[str, Array]:
        """For each axis, the positions of the points from `start` up to, but not including,
        `stop`."""
        if not self.samples:
            left = np.arange(start, stop)
            positions_by_name = {}
            for variable in reversed(self.variables):
                left, positions_by_name[variable.name] = np.divmod(left, len(variable.values))
            return positions_by_name
        draw = _sobol if self.sobol else _independent
        drawn = draw(start, stop, len(self.variables), self.seed)
        return {
            variable.name: (drawn[:, number] * len(variable.values)).astype(np.int64)
            for number, variable in enumerate(self.variables)
        }

    def point(self, index: int) -> dict[str, Any]:
        """The values of one point."""
        positions = self.positions(index, index + 1)
        return {
            variable.name: variable.values[int(positions[variable.name][0])]
            for variable in self.variables
        }


def _independent(start: int, stop: int, axes: int, seed: int) -> Array:
    """Random numbers from 0 to before 1, a row for each point."""
    # Each point takes a fixed count of random numbers, so that every chunk can begin anywhere.
    generator = np.random.PCG64(seed)
    generator.advance(start * axes)
    return np.random.Generator(generator).random((stop - start, axes))


def _sobol(start: int, stop: int, axes: int, seed: int) -> Array:
    """Points `start` to before `stop` of a scrambled Sobol' sequence, a row for each."""
    from scipy.stats.qmc import Sobol

    sequence = Sobol(axes, rng=seed)
    if start:
        sequence.fast_forward(start)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy warns that only powers of two are balanced
        points: Array = sequence.random(stop - start)
    return points


def parse_vary(text: str) -> Variable:
    """Parses `width=0.25:1.5:0.05` (first, last, step), `depth=1:6` or `kernel=3,5,7`; parts with a
    comma between them may be of both forms. Raises UsageError."""
    name, equals, listed = (part.strip() for part in text.partition("="))
    if not equals or not name or not listed:
        raise UsageError(f"--vary must be like width=0.25:1.5:0.05 or kernel=3,5,7, not `{text}`")
    values: list[Any] = []
    for part in listed.split(","):
        values += _range(text, part) if ":" in part else [_value(name, text, part)]
        if len(values) > MAX_VALUES:
            raise UsageError(f"--vary {text} has more than {format_count(MAX_VALUES)} values")
    distinct = {(type(value) is bool, value): value for value in values}
    if len(distinct) < len(values):
        raise UsageError(f"--vary {text} has a value twice")
    return Variable(name, tuple(values))


def _range(text: str, part: str) -> list[Any]:
    ends = part.split(":")
    if len(ends) > 3:  # noqa: PLR2004  first, last, step
        raise UsageError(f"--vary {text}: a range is first:last:step, not `{part}`")
    first, last, *steps = (_number(text, end) for end in ends)
    step = steps[0] if steps else 1
    count = (last - first) // step + 1 if step > 0 else 0
    if not 0 < count <= MAX_VALUES:
        requirement = f"1 to {format_count(MAX_VALUES)} values, and a step above 0"
        raise UsageError(f"--vary {text}: the range `{part}` must have {requirement}")
    values = (first + number * step for number in range(count))
    return [value.numerator if value.denominator == 1 else value for value in values]


def _number(text: str, part: str) -> Any:
    value = _parse(text, part)
    if type(value) is bool:
        raise UsageError(f"--vary {text}: a range needs numbers, not `{part}`")
    return fraction(value)


def _value(name: str, text: str, part: str) -> Any:
    size = parse_extents(part)
    return size if name == "size" and len(size) > 1 else fraction(_parse(text, part))


def _parse(text: str, part: str) -> Any:
    with usage_errors(f"--vary {text}: "):
        return parse_variable(part.strip())
