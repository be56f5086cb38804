"""A number that is another one at another size, as an expression of what comes in."""

from collections.abc import Iterator, Mapping
from itertools import combinations

from convcost.shapes import Shape
from convcost.spec.expressions import parse
from convcost.spec.scope import AXES

Pair = tuple[int, int]  # a number in the one drawing and in the other

MOST = 64  # what an extent is divided by


def entering(one: Shape, other: Shape) -> dict[str, Pair]:
    """The extents of what comes in, by the names that the language has for them; those alone that
    are not the same in both."""
    found = {"in_channels": (one.channels, other.channels)}
    for name, back in AXES.items():
        if back <= len(one.size):
            found[name] = (one.size[-back], other.size[-back])
    return {name: pair for name, pair in found.items() if pair[0] != pair[1]}


def worked_out(wanted: Pair, known: Mapping[str, Pair], first: str = "") -> str | None:
    """The simplest expression over `known` that gives both numbers; `first` is tried before the
    other names. None if there is none."""
    names = sorted(known, key=lambda name: name != first)
    for text in _candidates(wanted, [(name, known[name]) for name in names]):
        if gives(text, wanted, known):
            return text
    return None


def gives(text: str, wanted: Pair, known: Mapping[str, Pair]) -> bool:
    """Whether an expression comes to both numbers."""
    expression = parse(text)
    if not expression.names <= known.keys():
        return False
    return all(
        expression.evaluate(lambda name, side=side: known[name][side]) == wanted[side]  # type: ignore[misc]
        for side in (0, 1)
    )


def _candidates(wanted: Pair, known: list[tuple[str, Pair]]) -> Iterator[str]:
    for name, (n, _) in known:
        yield from _of_one(name, n, wanted[0])
    for (one, (n, _)), (other, (m, _)) in combinations(known, 2):
        # Height before width, as they are written.
        yield from _scaled(f"{other} * {one}" if other < one else f"{one} * {other}", n * m, wanted)


def _of_one(name: str, n: int, wanted: int) -> Iterator[str]:
    if n == wanted:
        yield name
    elif wanted > n:
        if wanted % n == 0:
            yield f"{wanted // n} * {name}"
        yield f"{name} + {wanted - n}"
    else:
        for by in range(2, MOST + 1):
            if n // by == wanted:
                yield f"{name} // {by}"
            if -(-n // by) == wanted:
                yield f"({name} + {by - 1}) // {by}"
        yield f"{name} - {n - wanted}"
        for by in range(2, MOST + 1):
            if n // by * by == wanted:
                yield f"{name} // {by} * {by}"


def _scaled(text: str, n: int, wanted: Pair) -> Iterator[str]:
    if n == wanted[0]:
        yield text
    elif wanted[0] % n == 0:
        yield f"{wanted[0] // n} * {text}"
    elif n % wanted[0] == 0:
        yield f"{text} / {n // wanted[0]}"
