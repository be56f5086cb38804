"""Shapes: what flows between layers."""

from math import prod
from typing import NamedTuple


class Shape(NamedTuple):
    """Channels and the size of one sample, outermost axis first; a flat shape has no size.

    `Shape(64, (112, 112))` is 64 maps of 112×112; `Shape(1000, ())` is a vector of 1000.
    """

    channels: int
    size: tuple[int, ...] = ()

    @property
    def elements(self) -> int:
        return self.channels * prod(self.size)

    @property
    def text(self) -> str:
        """As the field writes it, channels last: `112×112×64`."""
        return "×".join(map(str, (*self.size, self.channels)))


def broadcast(*sizes: tuple[int, ...]) -> tuple[int, ...] | None:
    """The size that all of them stretch to: aligned at the innermost axis, where 1 goes with any
    number and a missing axis is 1. None where they do not agree."""
    rank = max(map(len, sizes))
    found = []
    for numbers in zip(*((1,) * (rank - len(size)) + size for size in sizes), strict=True):
        other = set(numbers) - {1}
        if len(other) > 1:
            return None
        found.append(other.pop() if other else 1)
    return tuple(found)


def size_text(size: tuple[int, ...]) -> str:
    """`28×28`, or `flat` where there is no size."""
    return "×".join(map(str, size)) or "flat"
