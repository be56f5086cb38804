"""Finds the channels of an input with two or three axes: the first operator that determines them
decides."""

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

from convcost.importing.ir.ops import Row, Trait
from convcost.importing.ir.tensor import SEQUENCE_RANK

Key = TypeVar("Key")
FIRST, LAST = 1, -1  # [n, c, t] in convolutions, [n, t, c] in matrix products
MAX_OPERATORS = 100  # operators to follow
DETERMINES = Trait.CHANNELS_FIRST | Trait.CHANNELS_LAST


class AxisReader(NamedTuple, Generic[Key]):
    """An operator that reads a tensor. `before` are the dims of the tensor, and `after` those of
    the output; they are empty if they are not known. `gives` are the outputs, and `order` is the
    order of the axes of a permutation. `second` is whether a matrix product sums over the
    second-to-last axis of the tensor."""

    row: Row
    before: Sequence[int]
    after: Sequence[int]
    gives: tuple[Key, ...]
    order: tuple[int, ...] | None = None
    second: bool = False


def has_one_channel(
    start: Key, rank: int, readers: Callable[[Key], Iterable[AxisReader[Key]]]
) -> bool:
    """Whether all axes of the tensor `start` after the batch are the size: the first operator that
    determines it looks up a row for each element, or is a convolution to which the model adds the
    axis of the channels, [n, 1, t]."""
    waiting, seen = [start], {start}
    while waiting and len(seen) < MAX_OPERATORS:
        for reader in readers(waiting.pop(0)):
            if reader.row.op == "embedding":
                return True
            if reader.row.traits & DETERMINES:
                first = Trait.CHANNELS_FIRST in reader.row.traits
                return (
                    first and rank < len(reader.before) == SEQUENCE_RANK and reader.before[1] == 1
                )
            new = [output for output in reader.gives if output not in seen]
            seen.update(new)
            waiting += new
    return False


def channel_axis(start: Key, readers: Callable[[Key], Iterable[AxisReader[Key]]]) -> int | None:
    """The channel axis of the tensor `start`, [n, a, b]; None if no operator determines it."""
    same = tuple(range(SEQUENCE_RANK))
    waiting: list[tuple[Key, tuple[int, ...] | None]] = [(start, same)]
    seen = {start}
    while waiting and len(seen) < MAX_OPERATORS:
        tensor, order = waiting.pop(0)
        for reader in readers(tensor):
            channel = _channel(
                reader, are_split_keys=order is None and len(reader.before) >= SEQUENCE_RANK
            )
            if channel is not None:
                return (order or same)[channel]
            views = Trait.RESHAPES in reader.row.traits
            ranked = len(reader.after) == SEQUENCE_RANK if reader.after else not views
            has_order = ranked and order is not None
            output_order = (
                tuple(order[axis] for axis in reader.order or same) if has_order and order else None
            )
            for output in reader.gives:
                if output not in seen:
                    seen.add(output)
                    waiting.append((output, output_order))
    return None


def _channel(reader: AxisReader[Key], *, are_split_keys: bool) -> int | None:
    """The channel axis according to an operator; None if it does not determine it. A product sums
    the channels of keys; `are_split_keys` says that they were split into heads and transposed
    before."""
    row, before = reader.row, tuple(reader.before)
    if Trait.CHANNELS_LAST in row.traits:
        return FIRST if reader.second and not are_split_keys else LAST
    if Trait.CHANNELS_FIRST in row.traits:
        return FIRST
    averages = row.op == "mean" and len(before) == SEQUENCE_RANK and before[-1] != 1
    # A norm averages the last axis and keeps it with extent 1.
    return LAST if averages and tuple(reader.after) == (*before[:-1], 1) else None
