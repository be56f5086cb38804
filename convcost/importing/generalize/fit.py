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
    found = {"in_channels": tuple(shape.channels for shape in shapes)}
    for name, back in AXES.items():
        if back <= min(len(shape.size) for shape in shapes):
            found[name] = tuple(shape.size[-back] for shape in shapes)
    return {name: numbers for name, numbers in found.items() if len(set(numbers)) > 1}


def fit_expression(wanted: Numbers, known: Mapping[str, Numbers], first: str = "") -> str | None:
    """The simplest expression over `known` that equals all numbers, or None. The name `first` is
    tried before the other names."""
    names = sorted(known, key=lambda name: name != first)
    for text in _candidates(wanted[0], [(name, known[name][0]) for name in names]):
        if evaluates_to(text, wanted, known):
            return text
    return None


def evaluates_to(text: str, wanted: Numbers, known: Mapping[str, Numbers]) -> bool:
    """Whether an expression equals all numbers."""
    expression = parse(text)
    if not expression.names <= known.keys():
        return False
    return all(
        expression.evaluate(lambda name, at=at: known[name][at]) == number  # type: ignore[misc]
        for at, number in enumerate(wanted)
    )


def _candidates(wanted: int, known: list[tuple[str, int]]) -> Iterator[str]:
    """Expressions that equal a number: of one extent, then of the product of two."""
    for name, n in known:
        yield from _expressions_of(name, n, wanted)
    for (first, n), (second, m) in combinations(known, 2):
        # Height before width, as in a spec.
        yield from _scaled_expressions(
            f"{second} * {first}" if second < first else f"{first} * {second}", n * m, wanted
        )


def _expressions_of(name: str, n: int, wanted: int) -> Iterator[str]:
    """Expressions of the extent `name` that equal `wanted` if the extent is n."""
    if n == wanted:
        yield name
    elif wanted > n:
        if wanted % n == 0:
            yield f"{wanted // n} * {name}"
        yield f"{name} + {wanted - n}"
    else:
        for by in range(2, MAX_DIVISOR + 1):
            if n // by == wanted:
                yield f"{name} // {by}"
            if -(-n // by) == wanted:
                yield f"({name} + {by - 1}) // {by}"
        yield f"{name} - {n - wanted}"
        for by in range(2, MAX_DIVISOR + 1):
            if n // by * by == wanted:
                yield f"{name} // {by} * {by}"


def _scaled_expressions(text: str, n: int, wanted: int) -> Iterator[str]:
    """The expression `text`, whose value is n, times or divided by a number to be `wanted`."""
    if n == wanted:
        yield text
    elif wanted % n == 0:
        yield f"{wanted // n} * {text}"
    elif n % wanted == 0:
        yield f"{text} / {n // wanted}"
