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


def size_text(size: tuple[int, ...]) -> str:
    """`28×28`, or `flat` where there is no size."""
    return "×".join(map(str, size)) or "flat"
