"""The sizes at which a spec is held against its model."""

from math import gcd

Size = tuple[int, ...]

OFF = (37, 101, 53)  # no two axes alike, and multiples of nothing
MULTIPLES = (2, 4, 8, 16, 32, 64)


def odd(own: Size, times: int = 1) -> Size:
    """A size that divides by nothing."""
    return tuple(n + times * off for n, off in zip(own, OFF, strict=False))


def even(own: Size, times: int = 1) -> Size:
    """A size that divides by whatever the own one divides by."""
    return tuple(n * (times + axis) for axis, n in enumerate(own, 1))


def square(own: Size, times: int = 1) -> Size:
    """One that divides by nothing, for models that take squares only."""
    return tuple(n + times * OFF[0] for n in own)


def probes(own: Size) -> list[tuple[Size, Size]]:
    """Sizes to look at in this order, each with another one of its sort."""
    squares = len(own) > 1 and len(set(own)) == 1
    return [(sort(own), sort(own, 2)) for sort in (odd, even, *((square,) if squares else ()))]


def steps(own: Size) -> list[int]:
    """What all the sizes that a model takes may be multiples of, the smallest first."""
    common = gcd(*own)
    return sorted({n for n in (*MULTIPLES, common) if n > 1 and common % n == 0})


def stepped(own: Size, step: int) -> Size:
    """A size that is a multiple of `step`, and of as little else as can be."""
    return tuple(n + (2 * axis + 1) * step for axis, n in enumerate(own))
