"""Shapes of tensors, without the batch."""

from math import prod
from typing import Any

from convcost.model.record import NamedTuple
from convcost.model.symbolic import is_integer


class Shape(NamedTuple):
    """Channels and the size of one sample, outermost axis first; a flat shape has no size.

    `Shape(64, (112, 112))` is 64 maps of 112×112; `Shape(1000, ())` is a vector of 1000.
    """

    channels: int
    size: tuple[int, ...] = ()

    @property
    def elements(self) -> int:
        """The number of elements of one sample: channels × size."""
        return self.channels * prod(self.size)

    @property
    def text(self) -> str:
        """The size and then the channels: `112×112×64`."""
        return "×".join(map(str, (*self.size, self.channels)))


def is_shape(value: object) -> bool:
    """Whether a value is a Shape of integers above 0, known or symbolic."""
    if not isinstance(value, Shape):
        return False
    size: Any = value.size
    return isinstance(size, tuple) and all(
        is_integer(n) and (type(n) is not int or n > 0) for n in (value.channels, *size)
    )


def broadcast(*sizes: tuple[int, ...]) -> tuple[int, ...] | None:
    """The common size, as in NumPy: aligned at the innermost axis; an axis of size 1, or a missing
    one, broadcasts. None if there is no common size."""
    rank = max(map(len, sizes))
    common_size = []
    for numbers in zip(*((1,) * (rank - len(size)) + size for size in sizes), strict=True):
        largest = next((n for n in numbers if n != 1), 1)
        if any(n not in (largest, 1) for n in numbers):
            return None
        common_size.append(largest)
    return tuple(common_size)


def size_text(size: tuple[int, ...]) -> str:
    """`28×28`, or `flat` where there is no size."""
    return "×".join(map(str, size)) or "flat"
