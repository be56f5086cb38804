"""The sizes at which a spec is compared with its model."""

from math import gcd

Size = tuple[int, ...]

TURN = 64  # halved six times, more often than networks do
MAX_STEP = 128  # between valid sizes; halvings and patches of 14 are below it


def odd_size(own_size: Size) -> Size:
    """A size with few common factors, wider than high. It stays odd however often it is halved: the
    first axis if halves are rounded down, the second if they are rounded up."""
    return _increasing_size(own_size, TURN // 2 + 1, (-1, 1), longer=2)


def other_size(own_size: Size) -> Size:
    """Another size with few common factors, higher than wide, with other remainders of division by
    2 to 8."""
    return _increasing_size(own_size[::-1], 2 * TURN + 5, (35, 26), longer=1)[::-1]


def _increasing_size(own_size: Size, more: int, rests: tuple[int, int], longer: int) -> Size:
    """A size of increasing extents, each larger than the own one by at least `more`. Divided by
    TURN, they leave the `rests` in turn. A single extent is larger by at least its part `longer`: a
    model can make few steps of many samples, and these would otherwise be as many."""
    if len(own_size) == 1:
        more = max(more, own_size[0] // longer)
    extents: list[int] = []
    for axis, n in enumerate(own_size):
        least = max(n + more, extents[-1] + TURN if extents else 0)
        extents.append(least + (rests[axis % 2] - least) % TURN)
    return tuple(extents)


def multiple_of_size(own_size: Size, times: int = 1) -> Size:
    """A multiple of the model's own size."""
    return tuple(n * (times + axis) for axis, n in enumerate(own_size, 1))


def near_sizes(own_size: Size, divisor: int = 3, step: int = 1) -> list[Size]:
    """Sizes slightly larger than the model's own. Along each axis, the numbers of steps have all
    remainders of division by `divisor`, with that of the model's own size: 1 and 2 along the first
    axis, 4 and 5 along the second, for 3."""
    return [
        tuple(n + (divisor * axis + more) * step for axis, n in enumerate(own_size))
        for more in range(1, divisor)
    ]


def one_axis_sizes(own_size: Size) -> list[Size]:
    """Sizes that differ from the model's own size in one axis only."""
    if len(own_size) == 1:
        return []
    more = odd_size(own_size)
    return [(*own_size[:axis], more[axis], *own_size[axis + 1 :]) for axis in range(len(own_size))]


def probe_sizes(own_size: Size) -> list[tuple[Size, ...]]:
    """The sizes to compare, in this order. The sizes in one group have the same properties."""
    size_groups: list[tuple[Size, ...]] = [(odd_size(own_size), other_size(own_size))]
    if len(own_size) > 1 and len(set(own_size)) == 1:  # some models accept only squares
        size_groups.append(
            (odd_size(own_size[:1]) * len(own_size), other_size(own_size[:1]) * len(own_size))
        )
    tall = tuple(reversed(multiple_of_size(tuple(reversed(own_size)), 2)))
    return [*size_groups, (multiple_of_size(own_size), tall)]


def common_steps(own_size: Size) -> list[int]:
    """Numbers that all valid sizes may be multiples of, the smallest first: the divisors of the
    model's own size up to MAX_STEP, and that size itself."""
    common = gcd(*own_size)
    return sorted({n for n in (*range(2, MAX_STEP + 1), common) if n > 1 and common % n == 0})


def sizes_between(own_size: Size) -> list[Size]:
    """Sizes that are multiples of the model's own size along the first axis only. The windows of a
    spec can fit such a map as a whole also if they fit no row, where a model pads the row."""
    return [
        (own_size[0] * times, *(n + step for n in own_size[1:]))
        for times in (2, 6, 7, 8)
        for step in common_steps(own_size)
        if len(own_size) > 1
    ]


def sizes_in_steps(own_size: Size, step: int) -> list[Size]:
    """Multiples of `step` with few other common factors: near the model's own size; far from it and
    higher than wide; smaller."""
    far = tuple(3 * n + (2 * axis + 5) * step for axis, n in enumerate(reversed(own_size)))
    small = tuple(max((n // 2 // step | 1) * step, step) for n in own_size)
    sizes = (*near_sizes(own_size, step=step), tuple(reversed(far)), small)
    return [size for size in sizes if size != own_size]
