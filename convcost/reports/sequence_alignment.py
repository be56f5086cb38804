"""Aligns two sequences of items by a longest common subsequence."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeAlias

Pairs: TypeAlias = list[tuple[int, int]]  # pairs of indices, both ascending
MAX_ITEMS = 1 << 15  # longer sequences are aligned in parts
BLOCK = 256  # rows of bits that are kept at once


def align(old: Sequence[int], new: Sequence[int], likeness: Callable[[int, int], int]) -> Pairs:
    """Pairs of indices of equal items, as many as possible, both in ascending order. Of sequences
    longer than MAX_ITEMS, the parts are aligned separately, so there may be fewer pairs.

    If an item is inserted among equal items, several alignments have the same length: the inserted
    item could be any of them. The result is then the alignment with the largest sum of
    `likeness(old index, new index)` over its pairs.
    """
    least = min(len(old), len(new))
    start = next((n for n in range(least) if old[n] != new[n]), least)
    end = next((n for n in range(least - start) if old[-1 - n] != new[-1 - n]), least - start)
    stops = len(old) - end, len(new) - end
    common = set(old[start : stops[0]]) & set(new[start : stops[1]])
    old_indices = [n for n in range(start, stops[0]) if old[n] in common]
    new_indices = [n for n in range(start, stops[1]) if new[n] in common]
    pairs = [(n, n) for n in range(start)]
    for part in range(0, max(len(old_indices), len(new_indices)), MAX_ITEMS):
        left, right = old_indices[part : part + MAX_ITEMS], new_indices[part : part + MAX_ITEMS]
        inner = _common([old[n] for n in left], [new[n] for n in right])
        pairs += [(left[i], right[j]) for i, j in inner]
    pairs += [(stops[0] + n, stops[1] + n) for n in range(end)]
    _move_gaps(pairs, old, new, likeness)
    return pairs


def _common(old: Sequence[int], new: Sequence[int]) -> Pairs:
    """Pairs of indices of a longest common subsequence, in about n·m/64 operations.

    Bit i of row j is 0 if `old[i]` makes the longest common subsequence of `old[:i + 1]` and
    `new[:j]` longer (Hyyrö, Bit-parallel LCS-length computation revisited, 2004). Only the rows of
    one block are in memory.
    """
    positions: dict[int, int] = {}
    for i, item in enumerate(old):
        positions[item] = positions.get(item, 0) | 1 << i
    full = (1 << len(old)) - 1

    def rows(row: int, items: Sequence[int]) -> Iterator[int]:
        yield row
        for item in items:
            used = row & positions.get(item, 0)
            row = (row + used | row - used) & full
            yield row

    starts = list(islice(rows(full, new), 0, None, BLOCK))
    pairs: Pairs = []
    i = len(old)
    for block in reversed(range(len(starts))):
        block_rows = list(rows(starts[block], new[block * BLOCK : (block + 1) * BLOCK]))
        j = len(block_rows) - 1
        while i and j:
            if block_rows[j] >> i - 1 & 1:
                i -= 1
            else:
                j -= 1
                if block_rows[j] >> i - 1 & 1:
                    i -= 1
                    pairs.append((i, block * BLOCK + j))
    return pairs[::-1]


def _move_gaps(
    pairs: Pairs, old: Sequence[int], new: Sequence[int], likeness: Callable[[int, int], int]
) -> None:
    """Moves each gap of one sequence among equal items to where the pairs are most alike.

    Changes `pairs` in place.
    """
    for after in range(len(pairs) + 1):
        before = pairs[after - 1] if after else (-1, -1)
        other = pairs[after] if after < len(pairs) else (len(old), len(new))
        gap = other[0] - before[0] - 1, other[1] - before[1] - 1
        if all(gap) or not any(gap):
            continue
        best, shift = 0, (0, 0)  # the best gain; how many pairs to move, and the direction
        for direction in (1, -1):
            gain = count = 0
            at = after - (direction > 0)
            while 0 <= at < len(pairs):
                i, j = pairs[at]
                if count and (i + direction, j + direction) != pairs[at + direction]:
                    break
                to = i + direction * gap[0], j + direction * gap[1]
                if old[to[0]] != new[to[1]]:
                    break
                gain += likeness(*to) - likeness(i, j)
                count += 1
                if gain > best:
                    best, shift = gain, (count, direction)
                at -= direction
        count, direction = shift
        first = after - count if direction > 0 else after
        for at in range(first, first + count):
            i, j = pairs[at]
            pairs[at] = i + direction * gap[0], j + direction * gap[1]
