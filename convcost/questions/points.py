"""The points of a sweep: every combination of the values that variables and the input size take."""

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any, NamedTuple

from convcost.costs import Costs, costs
from convcost.options import show
from convcost.questions.judge import Held, Judged, judged
from convcost.spec.entry import Settings


class Axis(NamedTuple):
    """A variable, or where the name is empty the input size, and the values that it takes."""

    name: str
    values: tuple[Any, ...]

    @property
    def varies(self) -> bool:
        return len(self.values) > 1

    @property
    def title(self) -> str:
        return self.name or "size"

    def text(self, *positions: int) -> str:
        """The values at these positions as a request gives them, `0.25,0.5` or `128x160`."""
        return ",".join(_text(self.values[position]) for position in positions)


class Point(NamedTuple):
    """One combination: the position of its value on each axis."""

    axes: tuple[Axis, ...]
    positions: tuple[int, ...]

    @property
    def values(self) -> Iterator[tuple[Axis, Any]]:
        for axis, position in zip(self.axes, self.positions, strict=True):
            yield axis, axis.values[position]

    @property
    def settings(self) -> Settings:
        variables = tuple((axis.name, value) for axis, value in self.values if axis.name)
        size = next((value for axis, value in self.values if not axis.name), None)
        return Settings(variables, size)

    @property
    def label(self) -> str:
        """What sets this point apart from the others: `width=0.25 128`."""
        return " ".join(
            f"{axis.name}={_text(value)}" if axis.name else _text(value)
            for axis, value in self.values
            if axis.varies
        )


class Counted(NamedTuple):
    """One network at one point, and the figures printed for exactly this, judged."""

    point: Point
    costs: Costs
    judged: tuple[Judged, ...]

    def tree(self) -> dict[str, Any]:
        """What a sweep adds to what a report tells of a network."""
        settings = self.point.settings
        # Where a size is asked for there is one input; 224 is told as it was taken: [224, 224].
        size = None if settings.size is None else list(self.costs.network.inputs[0][1].size)
        return {
            "set": {name: _number(value) for name, value in settings.variables},
            "size": size,
            "published": [one.record for one in self.judged],
        }


def count(axes: tuple[Axis, ...]) -> int:
    return prod(len(axis.values) for axis in axes)


def points(axes: tuple[Axis, ...]) -> Iterator[Point]:
    """Every combination in order, the last axis varying fastest."""
    for positions in product(*(range(len(axis.values)) for axis in axes)):
        yield Point(axes, positions)


def counted(point: Point, network_costs: Costs) -> Counted:
    """Holds what is printed for the whole network as it stands against the counts of one sample."""
    network = network_costs.network
    entries = [entry for entry in network.published if not entry.layer and network.stands_as(entry)]
    one = costs(network) if entries and network_costs.batch > 1 else network_costs
    held = [Held(entry, one) for entry in entries]
    return Counted(point, network_costs, tuple(judged(network.name, network.file, held)))


def where(axes: tuple[Axis, ...], some: list[Point]) -> str:
    """Some points as a request for them: `width=0.3 size=16,32`; nothing if they are all.

    Points that are no combination of lists are told one by one.
    """
    taken = [sorted({point.positions[number] for point in some}) for number, _ in enumerate(axes)]
    if prod(map(len, taken)) == len(some):
        return _request(axes, taken)
    return "; ".join(_request(axes, [[position] for position in p.positions]) for p in some)


def _request(axes: tuple[Axis, ...], taken: list[list[int]]) -> str:
    return " ".join(
        f"{axis.title}={axis.text(*positions)}"
        for axis, positions in zip(axes, taken, strict=True)
        if len(positions) < len(axis.values)
    )


def _text(value: Any) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else show(value)


def _number(value: Any) -> Any:
    """A value as JSON has it: 0.25 as a number, since all of its digits come out; else as text."""
    if isinstance(value, int):
        return value
    from fractions import Fraction

    number = float(value)
    return number if Fraction(repr(number)) == value else show(value)
