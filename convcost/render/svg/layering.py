"""The rows of a graph, the order in each row, and the x of each box and lane.

A layered drawing after Sugiyama, Tagawa and Toda (1981): rows by the longest path, the order in a
row by the barycenter of the sources. An edge that passes rows has a lane in each of them, so that
it never crosses a box. A chain of boxes and lanes without branches is one straight line.
"""

from collections import Counter
from collections.abc import Sequence
from graphlib import TopologicalSorter
from itertools import pairwise
from math import inf

from convcost.model.record import NamedTuple

SWEEPS = 80  # passes that move each chain towards its neighbours
GAP = 14.0  # between boxes
LANE_WIDTH = 4.0  # pixels of an edge between boxes


class Slot(NamedTuple):
    """A place in a row, of a box or of a lane (`box` is -1) for the edges that leave `source`."""

    row: int
    box: int
    source: int


class Layering(NamedTuple):
    """The slots of each row from left to right. `above` has the slots in the row above from which
    edges lead to a slot."""

    rows: list[list[Slot]]
    above: dict[Slot, list[Slot]]


def row_numbers(inputs: Sequence[tuple[int, ...]]) -> list[int]:
    """The row of each box: below all its inputs, and as near to its users as that allows."""
    rows: list[int] = []
    users: list[list[int]] = [[] for _ in inputs]
    for number, sources in enumerate(inputs):
        rows.append(1 + max((rows[source] for source in sources), default=-1))
        for source in sources:
            users[source].append(number)
    for number in reversed(range(len(inputs))):
        if users[number]:
            rows[number] = min(rows[user] for user in users[number]) - 1
    return rows


def layer(inputs: Sequence[tuple[int, ...]]) -> Layering:
    """The slots of boxes, each with its inputs, the numbers of earlier boxes."""
    numbers = row_numbers(inputs)
    above: list[dict[Slot, list[Slot]]] = [{} for _ in range(max(numbers, default=-1) + 1)]
    for number, sources in enumerate(inputs):
        box_slot = Slot(numbers[number], number, number)
        above[box_slot.row].setdefault(box_slot, [])
        for source in sources:
            upper = Slot(numbers[source], source, source)
            for row in range(upper.row + 1, box_slot.row + 1):
                lower = box_slot if row == box_slot.row else Slot(row, -1, source)
                uppers = above[row].setdefault(lower, [])
                if upper not in uppers:
                    uppers.append(upper)
                upper = lower
    place: dict[Slot, float] = {}
    rows = []
    for slots in above:
        center = {
            slot: sum(place[upper] for upper in uppers) / len(uppers) if uppers else n
            for n, (slot, uppers) in enumerate(slots.items())
        }
        rows.append(sorted(slots, key=center.__getitem__))
        place = {slot: n for n, slot in enumerate(rows[-1])}
    return Layering(rows, {slot: uppers for row in above for slot, uppers in row.items()})


def centers(layering: Layering, size: float) -> dict[Slot, float]:
    """The x of the middle of each slot, in pixels; boxes are `size` wide.

    Each pass moves every chain to the mean x of the chains that it has edges with, as far as the
    chains on its left and right allow.
    """
    chain = _chains(layering)
    count = len(set(chain.values()))
    near: list[list[int]] = [[] for _ in range(count)]
    lefts: list[dict[int, float]] = [{} for _ in range(count)]
    rights: list[dict[int, float]] = [{} for _ in range(count)]
    for lower, uppers in layering.above.items():
        for upper in uppers:
            if chain[upper] != chain[lower]:
                near[chain[upper]].append(chain[lower])
                near[chain[lower]].append(chain[upper])
    for row in layering.rows:
        for left, right in pairwise(row):
            pair_width = sum(size if slot.box >= 0 else LANE_WIDTH for slot in (left, right))
            a, b = chain[left], chain[right]
            lefts[b][a] = rights[a][b] = max(pair_width / 2 + GAP, lefts[b].get(a, 0.0))
    x = _pack(lefts)
    order = sorted(range(count), key=x.__getitem__)
    for sweep in range(SWEEPS):
        for n in order if sweep % 2 else reversed(order):
            if near[n]:
                mean = sum(x[other] for other in near[n]) / len(near[n])
                least = max((x[m] + need for m, need in lefts[n].items()), default=-inf)
                most = min((x[m] - need for m, need in rights[n].items()), default=inf)
                x[n] = max(least, min(most, mean))
    return {slot: x[number] for slot, number in chain.items()}


def _pack(lefts: list[dict[int, float]]) -> list[float]:
    """The x of every chain, as far left as possible."""
    x = [0.0] * len(lefts)
    # Chains do not cross, so none is left of itself.
    for n in TopologicalSorter({n: left.keys() for n, left in enumerate(lefts)}).static_order():
        x[n] = max((x[other] + need for other, need in lefts[n].items()), default=0.0)
    return x


def _chains(layering: Layering) -> dict[Slot, int]:
    """The number of each slot's chain.

    A slot continues the chain of the slot above if each is the only neighbour of the other, and if
    the chains of the row do not cross.
    """
    users = Counter(upper for uppers in layering.above.values() for upper in uppers)
    numbers: dict[Slot, int] = {}
    count = 0
    place: dict[Slot, int] = {}
    for row in layering.rows:
        last = -1
        for slot in row:
            uppers = layering.above[slot]
            if len(uppers) == 1 and users[uppers[0]] == 1 and place[uppers[0]] > last:
                numbers[slot], last = numbers[uppers[0]], place[uppers[0]]
            else:
                numbers[slot], count = count, count + 1
        place = {slot: n for n, slot in enumerate(row)}
    return numbers
