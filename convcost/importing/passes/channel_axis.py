"""Finds which axis of a three-axis input is the channels: the first operator that determines it
decides."""

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

Key = TypeVar("Key")
FIRST, LAST = 1, -1  # [n, c, t] in convolutions, [n, t, c] in matrix products
SUMMED_FIRST = -2  # the axis that a matrix product sums in its second tensor
RANK = 3
FAR = 100  # the most operators to follow


class AxisReading(NamedTuple, Generic[Key]):
    """How an operator reads a tensor. `channel` is FIRST, LAST or SUMMED_FIRST if the operator
    determines the channel axis. Otherwise `gives` are its outputs, and `by` is the order of their
    axes; None if the axes change."""

    channel: int | None
    gives: tuple[Key, ...]
    by: tuple[int, ...] | None


def averages_channels(op: str, before: Sequence[int], after: Sequence[int]) -> bool:
    """Whether an operator averages the last axis and keeps it with extent 1, as a norm does."""
    averages = op == "mean" and len(before) == RANK and before[-1] != 1
    return averages and tuple(after) == (*before[:-1], 1)


def channel_axis(start: Key, readings: Callable[[Key], Iterable[AxisReading[Key]]]) -> int | None:
    """The channel axis of the tensor `start`, [n, a, b]; None if no operator determines it."""
    waiting: list[tuple[Key, tuple[int, ...] | None]] = [(start, tuple(range(RANK)))]
    seen = {start}
    while waiting and len(seen) < FAR:
        tensor, order = waiting.pop(0)
        for reading in readings(tensor):
            if reading.channel is not None:
                # A product sums the channels of keys that were split into heads and transposed.
                keys = order is None and reading.channel == SUMMED_FIRST
                return (order or range(RANK))[LAST if keys else reading.channel]
            by = reading.by
            kept = None if by is None or order is None else tuple(order[axis] for axis in by)
            for one in reading.gives:
                if one not in seen:
                    seen.add(one)
                    waiting.append((one, kept))
    return None
