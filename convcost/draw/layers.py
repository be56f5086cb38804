"""Boxes to places: rows from the inputs down, lanes for what goes by, all in straight lines if it
can be.

The way is that of Sugiyama, Tagawa and Toda (1981): rows by the longest way, an order within each
by the middle of the neighbours, then places. Long rows of rows are cut where one box feeds all that
follows, and set side by side.
"""

from collections.abc import Iterator
from typing import NamedTuple

from convcost.pictures import Box

SWEEPS = 12
SETTLING = 80
LANE = 10.0  # the width that a line takes as it goes by


class Spot(NamedTuple):
    """A place in a row: a box, or with `box` −1 a lane of what `source` gives."""

    box: int
    source: int


class Stack(NamedTuple):
    """Rows of one column; `links` are pairs of spots, each (row, position), from row to next."""

    rows: tuple[tuple[Spot, ...], ...]
    links: tuple[tuple[tuple[int, int], tuple[int, int]], ...]


def ranks(boxes: tuple[Box, ...]) -> list[int]:
    """The row of each box: below all that feed it, and no further from what it feeds than that."""
    first: list[int] = []
    for box in boxes:
        first.append(1 + max((first[source] for source in box.inputs), default=-1))
    users: list[list[int]] = [[] for _ in boxes]
    for number, box in enumerate(boxes):
        for source in box.inputs:
            users[source].append(number)
    rows = list(first)
    # A dead end stays where it is; what feeds a join stands just above it.
    for number in reversed(range(len(boxes))):
        if users[number]:
            rows[number] = min(rows[user] for user in users[number]) - 1
    return rows


def cuts(boxes: tuple[Box, ...], rows: list[int]) -> list[tuple[int, int]]:
    """(row, source): after which rows all lines come from one box, and from which."""
    crossing: dict[int, set[int]] = {}
    for number, box in enumerate(boxes):
        for source in box.inputs:
            for row in range(rows[source], rows[number]):
                crossing.setdefault(row, set()).add(source)
    last = max(rows, default=0)
    return [(r, min(crossing[r])) for r in range(last) if len(crossing.get(r, ())) == 1]


class _Grid:
    """The spots of each row, and the links between them, as they are found."""

    def __init__(self, first: int, stop: int) -> None:
        self.first = first
        self.rows: dict[int, dict[Spot, None]] = {row: {} for row in range(first, stop)}
        self.links: dict[tuple[int, Spot, Spot], None] = {}

    def line(self, source: int, begin: int, target: int, end: int, *, inside: bool) -> None:
        """From a box down to another, by lanes; from the top, if the box is not `inside`."""
        upper = Spot(source if inside else -1, source)
        self.rows[begin].setdefault(upper)
        for row in range(begin + 1, end + 1):
            lower = Spot(-1, source) if row < end else Spot(target, target)
            self.rows[row].setdefault(lower)
            self.links.setdefault((row - 1, upper, lower))
            upper = lower


def stack(boxes: tuple[Box, ...], rows: list[int], start: int, stop: int, entry: int) -> Stack:
    """The rows from `start` up to `stop`. `entry` is the box that feeds them from the column
    before, or −1; its lane stands above the first row, as one row more."""
    base = start - (entry >= 0)
    grid = _Grid(base, stop)
    for number, box in enumerate(boxes):
        if start <= rows[number] < stop:
            for source in box.inputs:
                inside = rows[source] >= start
                begin = rows[source] if inside else base
                grid.line(source, begin, number, rows[number], inside=inside)
            grid.rows[rows[number]].setdefault(Spot(number, number))
    final = [list(grid.rows[row]) for row in sorted(grid.rows)]
    above: list[dict[Spot, list[Spot]]] = [{} for _ in final]
    below: list[dict[Spot, list[Spot]]] = [{} for _ in final]
    for row, upper, lower in grid.links:
        below[row - base].setdefault(upper, []).append(lower)
        above[row + 1 - base].setdefault(lower, []).append(upper)
    best = _ordered(final, above, below)
    places = [{spot: n for n, spot in enumerate(row)} for row in best]
    links = tuple(
        ((r - base, places[r - base][upper]), (r + 1 - base, places[r + 1 - base][lower]))
        for r, upper, lower in grid.links
    )
    return Stack(tuple(map(tuple, best)), links)


def _ordered(
    rows: list[list[Spot]], above: list[dict[Spot, list[Spot]]], below: list[dict[Spot, list[Spot]]]
) -> list[list[Spot]]:
    best, fewest = rows, _crossings(rows, below)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        rows = [list(row) for row in rows]
        down = sweep % 2 == 0
        order = range(1, len(rows)) if down else range(len(rows) - 2, -1, -1)
        for index in order:
            other = rows[index - 1 if down else index + 1]
            place = {spot: float(n) for n, spot in enumerate(other)}
            near = (above if down else below)[index]
            middle = {
                spot: sum(place[s] for s in near[spot]) / len(near[spot]) if spot in near else n
                for n, spot in enumerate(rows[index])
            }
            rows[index].sort(key=middle.__getitem__)
        crossings = _crossings(rows, below)
        if crossings < fewest:
            best, fewest = rows, crossings
    return best


def _crossings(rows: list[list[Spot]], below: list[dict[Spot, list[Spot]]]) -> int:
    total = 0
    for index in range(len(rows) - 1):
        place = {spot: n for n, spot in enumerate(rows[index + 1])}
        ends = [place[s] for spot in rows[index] for s in sorted(
            below[index].get(spot, ()), key=place.__getitem__)]  # fmt: skip
        total += sum(ends[i] > ends[j] for i in range(len(ends)) for j in range(i + 1, len(ends)))
    return total


def across(
    column: Stack, size: float, gap: float, apart: dict[tuple[int, int], float]
) -> list[list[float]]:
    """The middle of each spot: what only follows each other in one line, as near to those of its
    neighbours as there is room.

    `apart` is what two boxes need between them beyond `gap`.
    """
    widths = [[size if spot.box >= 0 else LANE for spot in row] for row in column.rows]
    least = [list(_distances(row, wide, gap, apart)) for row, wide in
             zip(column.rows, widths, strict=True)]  # fmt: skip
    threads = _threads(column)
    home = {spot: n for n, thread in enumerate(threads) for spot in thread}
    near: list[list[int]] = [[] for _ in threads]
    for high, low in column.links:
        if home[high] != home[low]:
            near[home[high]].append(home[low])
            near[home[low]].append(home[high])
    beside: list[tuple[dict[int, float], dict[int, float]]] = [({}, {}) for _ in threads]
    for r, row in enumerate(column.rows):
        for n in range(1, len(row)):
            left, right = home[r, n - 1], home[r, n]
            need = least[r][n]
            beside[left][1][right] = max(need, beside[left][1].get(right, 0.0))
            beside[right][0][left] = max(need, beside[right][0].get(left, 0.0))
    at = _settled(_packed(beside), near, beside)
    found = [[at[home[r, n]] for n in range(len(row))] for r, row in enumerate(column.rows)]
    edges = (x - w / 2 for row, wide in zip(found, widths, strict=True)
             for x, w in zip(row, wide, strict=True))  # fmt: skip
    first = min(edges, default=0.0)
    return [[round(x - first, 1) for x in row] for row in found]


def _distances(
    row: tuple[Spot, ...], wide: list[float], gap: float, apart: dict[tuple[int, int], float]
) -> Iterator[float]:
    for n, spot in enumerate(row):
        more = apart.get((row[n - 1].box, spot.box), 0.0)
        yield (wide[n - 1] + wide[n]) / 2 + gap + more if n else 0.0


def _threads(column: Stack) -> list[list[tuple[int, int]]]:
    """Spots of which each only feeds the next and is fed by it only; none crosses another."""
    down: dict[tuple[int, int], list[tuple[int, int]]] = {}
    up: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for high, low in column.links:
        down.setdefault(high, []).append(low)
        up.setdefault(low, []).append(high)
    ties = [(high, low) for high, low in column.links if len(down[high]) == 1 and len(up[low]) == 1]
    crossed = {
        (high, low)
        for high, low in ties
        if any(h[0] == high[0] and (h[1] - high[1]) * (w[1] - low[1]) < 0 for h, w in ties)
    }
    after = {high: low for high, low in ties if (high, low) not in crossed}
    heads = set(after.values())
    threads = []
    for r, row in enumerate(column.rows):
        for n in range(len(row)):
            if (r, n) not in heads:
                thread = [(r, n)]
                while thread[-1] in after:
                    thread.append(after[thread[-1]])
                threads.append(thread)
    return threads


Beside = list[tuple[dict[int, float], dict[int, float]]]


def _packed(beside: Beside) -> list[float]:
    """Everything as far left as it can be."""
    at = [0.0] * len(beside)
    for _ in beside:
        moved = False
        for n, (lefts, _rights) in enumerate(beside):
            least = max((at[other] + need for other, need in lefts.items()), default=0.0)
            if least > at[n]:
                at[n], moved = least, True
        if not moved:
            break
    return at


def _settled(at: list[float], near: list[list[int]], beside: Beside) -> list[float]:
    """Each to the middle of its neighbours, if those at its sides leave it room."""
    order = sorted(range(len(at)), key=lambda n: at[n])
    for sweep in range(SETTLING):
        for n in order if sweep % 2 else reversed(order):
            if not near[n]:
                continue
            wanted = sum(at[other] for other in near[n]) / len(near[n])
            lefts, rights = beside[n]
            low = max((at[o] + need for o, need in lefts.items()), default=wanted)
            high = min((at[o] - need for o, need in rights.items()), default=wanted)
            at[n] = max(low, min(high, wanted)) if low <= high else at[n]
    return at
