"""Finds which axis of a three-axis input is the channels: the first operator that determines it
decides."""

from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

Key = TypeVar("Key")
FIRST, LAST = 1, -1  # [n, c, t] in convolutions, [n, t, c] in matrix products
RANK = 3
FAR = 100  # the most operators to follow


class AxisReading(NamedTuple, Generic[Key]):
    """How an operator reads a tensor. `channel` is FIRST or LAST if the operator determines the
    channel axis. Otherwise `gives` are its outputs, and `by` is the order of their axes; None if
    the axes change."""

    channel: int | None
    gives: tuple[Key, ...]
    by: tuple[int, ...] | None


def channel_axis(start: Key, readings: Callable[[Key], Iterable[AxisReading[Key]]]) -> int | None:
    """The channel axis of the tensor `start`, [n, a, b]; None if no operator determines it."""
    waiting: list[tuple[Key, tuple[int, ...] | None]] = [(start, tuple(range(RANK)))]
    seen = {start}
    while waiting and len(seen) < FAR:
        tensor, order = waiting.pop(0)
        for reading in readings(tensor):
            if reading.channel is not None:
                axes = order or tuple(range(RANK))
                return axes[reading.channel]
            by = reading.by
            kept = None if by is None or order is None else tuple(order[axis] for axis in by)
            for one in reading.gives:
                if one not in seen:
                    seen.add(one)
                    waiting.append((one, kept))
    return None
