"""The sizes at which a spec is held against its model."""

from math import gcd

Size = tuple[int, ...]

TURN = 64  # halved six times: further than networks go
MULTIPLES = (2, 4, 8, 16, 32, 64)


def odd(own: Size) -> Size:
    """A size that divides by nothing, wider than high, and odd however often it is halved: the
    first axis if halves are cut, the second if they are rounded up."""
    found: list[int] = []
    for axis, n in enumerate(own):
        least = max(n + TURN // 2 + 1, found[-1] + TURN if found else 0)
        found.append(_next(least, 1 if axis % 2 else -1))
    return tuple(found)


def other(own: Size) -> Size:
    """One that divides by as little, higher than wide, of other remainders by 2, 3, 4 … 8."""
    found: list[int] = []
    for axis, n in enumerate(reversed(own)):
        least = max(n + 2 * TURN + 5, found[-1] + TURN if found else 0)
        found.append(_next(least, 26 if axis % 2 else 35))
    return tuple(reversed(found))


def _next(least: int, rest: int) -> int:
    return least + (rest - least) % TURN


def even(own: Size, times: int = 1) -> Size:
    """A size that divides by whatever the own one divides by."""
    return tuple(n * (times + axis) for axis, n in enumerate(own, 1))


def near(own: Size) -> Size:
    """A size that comes to the same wherever halves are cut."""
    return tuple(n + 2 * axis + 1 for axis, n in enumerate(own))


def alone(own: Size) -> list[Size]:
    """Sizes of which one axis alone is another."""
    if len(own) == 1:
        return []
    more = odd(own)
    return [(*own[:axis], more[axis], *own[axis + 1 :]) for axis in range(len(own))]


def probes(own: Size) -> list[tuple[Size, ...]]:
    """Sizes to look at, in this order; those that stand together are of one sort."""
    found: list[tuple[Size, ...]] = [(odd(own), other(own))]
    if len(own) > 1 and len(set(own)) == 1:  # for models that take squares only
        found.append((odd(own[:1]) * len(own), other(own[:1]) * len(own)))
    tall = tuple(reversed(even(tuple(reversed(own)), 2)))
    return [*found, (even(own), tall)]


def steps(own: Size) -> list[int]:
    """What all the sizes that a model takes may be multiples of, the smallest first."""
    common = gcd(*own)
    return sorted({n for n in (*MULTIPLES, common) if n > 1 and common % n == 0})


def stepped(own: Size, step: int) -> list[Size]:
    """Sizes that are multiples of `step`, and of as little else as can be: near the own one; far
    from it, and higher than wide; smaller."""
    near = tuple(n + (2 * axis + 1) * step for axis, n in enumerate(own))
    far = tuple(3 * n + (2 * axis + 5) * step for axis, n in enumerate(reversed(own)))
    small = tuple(max((n // 2 // step | 1) * step, step) for n in own)
    return [size for size in (near, tuple(reversed(far)), small) if size != own]
