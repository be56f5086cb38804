"""Finds an expression over input extents for a number that depends on the size."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from convcost.language.expressions import parse
from convcost.language.scope import AXES
from convcost.model.shape import Shape

Numbers = tuple[int, ...]  # a number in the graph of each size

MAX_DIVISOR = 64  # of an extent


def incoming_extents(shapes: Sequence[Shape]) -> dict[str, Numbers]:
    """The extents of the input shapes that differ between the graphs, by their names in the
    language."""
    extents_by_name = {"in_channels": tuple(shape.channels for shape in shapes)}
    for name, back in AXES.items():
        if back <= min(len(shape.size) for shape in shapes):
            extents_by_name[name] = tuple(shape.size[-back] for shape in shapes)
    return {name: numbers for name, numbers in extents_by_name.items() if len(set(numbers)) > 1}


def fit_expression(numbers: Numbers, extents: Mapping[str, Numbers], first: str = "") -> str | None:
    """The simplest expression over `extents` that equals all numbers, or None. The name `first` is
    tried before the other names."""
    names = sorted(extents, key=lambda name: name != first)
    for text in _candidates(numbers[0], [(name, extents[name][0]) for name in names]):
        if evaluates_to(text, numbers, extents):
            return text
    return None


def evaluates_to(text: str, numbers: Numbers, extents: Mapping[str, Numbers]) -> bool:
    """Whether an expression equals all numbers."""
    expression = parse(text)
    if not expression.names <= extents.keys():
        return False
    return all(
        expression.evaluate(lambda name, at=at: extents[name][at]) == number  # type: ignore[misc]
        for at, number in enumerate(numbers)
    )


def _candidates(number: int, extents: list[tuple[str, int]]) -> Iterator[str]:
    """Expressions that equal a number: of one extent, then of the product of two."""
    for name, n in extents:
        yield from _expressions_of(name, n, number)
    for (first, n), (second, m) in combinations(extents, 2):
        # Height before width, as in a spec.
        yield from _scaled_expressions(
            f"{second} * {first}" if second < first else f"{first} * {second}", n * m, number
        )


def _expressions_of(name: str, n: int, number: int) -> Iterator[str]:
    """Expressions of the extent `name` that equal `number` if the extent is n."""
    if n == number:
        yield name
    elif number > n:
        if number % n == 0:
            yield f"{number // n} * {name}"
        yield f"{name} + {number - n}"
    else:
        for by in range(2, MAX_DIVISOR + 1):
            if n // by == number:
                yield f"{name} // {by}"
            if -(-n // by) == number:
                yield f"({name} + {by - 1}) // {by}"
        yield f"{name} - {n - number}"
        for by in range(2, MAX_DIVISOR + 1):
            if n // by * by == number:
                yield f"{name} // {by} * {by}"


def _scaled_expressions(text: str, n: int, number: int) -> Iterator[str]:
    """The expression `text`, whose value is n, times or divided by a number to be `number`."""
    if n == number:
        yield text
    elif number % n == 0:
        yield f"{number // n} * {text}"
    elif n % number == 0:
        yield f"{text} / {n // number}"
