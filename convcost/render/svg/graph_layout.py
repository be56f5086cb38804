"""The positions of the boxes, edges and frames of a graph.

A frame is around the boxes that share a name: `inception_3a` around its branches. A tall graph is
divided into columns, each after a box that is the only input of all that follows.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate, pairwise
from math import sqrt

from convcost.model.network import path_prefixes
from convcost.model.record import NamedTuple
from convcost.render.svg.layering import Layering, Slot, centers, layer
from convcost.render.svg.primitives import Rect
from convcost.reports.chart_model import Box

SIZES = (150.0, 124.0, 100.0, 76.0)  # widths of a box
HEIGHT = 62.0  # height of a box
BETWEEN, GUTTER = 26.0, 34.0  # between rows, columns
PAD, HEAD = 6.0, 24.0  # space in a frame around its boxes, and above them for its name
MIN_WIDTH = 390.0  # of a graph, for the words above the boxes
COUNTS = range(1, 9)  # numbers of columns to try
HIGH = 1.1  # times the width: a chart that is not higher needs no more columns


class Edge(NamedTuple):
    """A line from one row to the next; `target` is the box where it ends, -1 for a lane."""

    source: int
    target: int
    points: tuple[tuple[float, float], ...]


class Turn(NamedTuple):
    """The line from the end of a column up through the gutter to the top of the next one."""

    start: tuple[float, float]
    gutter: float
    end: tuple[float, float]


class GraphLayout(NamedTuple):
    """The places of boxes, frames and edges, in pixels. A frame has a name, a place, and the
    indices of its boxes."""

    width: float
    height: float
    boxes: tuple[Rect, ...] = ()
    frames: tuple[tuple[str, Rect, tuple[int, ...]], ...] = ()
    edges: tuple[Edge, ...] = ()
    turns: tuple[Turn, ...] = ()


class GraphColumn(NamedTuple):
    """The rows of one column; `left` is added to the x of its slots to start at 0."""

    start: int
    stop: int
    left: float
    width: float


def lay_out(boxes: tuple[Box, ...], width: float, *, tight: bool = False) -> GraphLayout:
    """The largest boxes in the fewest columns with which the chart is not too high.

    If no size of boxes fits the width, the chart is wider. With `tight`, the chart is only as wide
    as its columns need.
    """
    if not boxes:
        return GraphLayout(MIN_WIDTH, 0.0)
    graph = _Graph(boxes)
    layouts = [(size, graph.columns(size, count)) for size in SIZES for count in COUNTS]
    fitting = [layout for layout in layouts if _width(layout[1]) <= width]

    def score(layout: tuple[float, list[GraphColumn]]) -> float:
        """Lower is better: less height, fewer columns, larger boxes."""
        size, columns = layout
        return max(graph.height(columns), HIGH * width) * (4 + len(columns)) / sqrt(size)

    size, columns = min(fitting, key=score) if fitting else (SIZES[-1], graph.columns(SIZES[-1], 1))
    return graph.place(size, columns, 0.0 if tight else width)


def _width(columns: list[GraphColumn]) -> float:
    return sum(column.width for column in columns) + GUTTER * (len(columns) - 1)


def _named_groups(boxes: tuple[Box, ...]) -> dict[str, tuple[int, ...]]:
    """The outermost names that hold two boxes or more, and at most half of all."""
    members: dict[str, list[int]] = {}
    for number, box in enumerate(boxes):
        for path in path_prefixes(box.path):
            members.setdefault(path, []).append(number)
    groups: dict[str, tuple[int, ...]] = {}
    for path, numbers in members.items():
        is_outermost = groups.keys().isdisjoint(path_prefixes(path))
        if is_outermost and 2 <= len(numbers) <= len(boxes) / 2:  # noqa: PLR2004
            groups[path] = tuple(numbers)
    return groups


@lru_cache(maxsize=1)
def _slots(inputs: tuple[tuple[int, ...], ...]) -> tuple[Layering, dict[float, dict[Slot, float]]]:
    """The layering, and the x of each slot by the size of the boxes.

    It is kept for the next graph, which can be the same network with other counts.
    """
    layering = layer(inputs)
    return layering, {size: centers(layering, size) for size in SIZES}


class _Graph:
    """The rows and frames of a graph, and their positions for one size of boxes."""

    def __init__(self, boxes: tuple[Box, ...]) -> None:
        self.count = len(boxes)
        self.layering, self.centers = _slots(tuple(box.inputs for box in boxes))
        self.rows = self.layering.rows
        self.groups = _named_groups(boxes)
        row = {slot.box: slot.row for slots in self.rows for slot in slots}
        spans = [sorted(row[box] for box in group) for group in self.groups.values()]
        heads = {span[0] for span in spans}
        # The top of each row in a single column, and the foot of the last one.
        heights = (BETWEEN + HEAD * (n in heads) + HEIGHT for n in range(len(self.rows)))
        self.tops = list(accumulate(heights, initial=0.0))
        # A column may end where one box feeds all that follows, and no frame is cut.
        self.cuts = []
        for stop in range(1, len(self.rows)):
            feeding = {upper for slot in self.rows[stop] for upper in self.layering.above[slot]}
            if len(feeding) == 1 and not any(span[0] < stop <= span[-1] for span in spans):
                self.cuts.append(stop)

    def height(self, columns: list[GraphColumn]) -> float:
        return max(self.tops[column.stop] - self.tops[column.start] for column in columns)

    def columns(self, size: float, count: int) -> list[GraphColumn]:
        """At most `count` columns, divided so that their heights are as equal as possible."""
        high = self.tops[-1] / count
        stops = {
            min(self.cuts, key=lambda cut: abs(self.tops[cut] - high * n))
            for n in range(1, count)
            if self.cuts
        }
        return [
            self._column(size, start, stop)
            for start, stop in pairwise([0, *sorted(stops), len(self.rows)])
        ]

    def _column(self, size: float, start: int, stop: int) -> GraphColumn:
        x = self.centers[size]
        slots = [slot for row in self.rows[start:stop] for slot in row]
        # The lines from the last column enter below where they begin in it.
        ends = [x[upper] for slot in self.rows[start] for upper in self.layering.above[slot]]
        ends += [x[slot] + half for slot in slots for half in _halves(slot, size)]
        left, right = min(ends) - PAD - 1, max(ends) + PAD + 1
        return GraphColumn(start, stop, -left, right - left)

    def place(self, size: float, columns: list[GraphColumn], width: float) -> GraphLayout:
        x = self.centers[size]
        boxes = [Rect(0, 0, 0, 0)] * self.count
        edges: list[Edge] = []
        turns: list[Turn] = []
        whole = _width(columns)
        width = max(width, whole, MIN_WIDTH)
        left = max(0.0, (width - whole) / 2)
        feet: dict[Slot, tuple[float, float]] = {}
        for column in columns:
            if column.start:
                (upper,) = {
                    u for slot in self.rows[column.start] for u in self.layering.above[slot]
                }
                entry = (left + column.left + x[upper], 4.0)
                turns.append(Turn(feet[upper], left - GUTTER / 2, entry))
                feet[upper] = entry
            for row in range(column.start, column.stop):
                top = self.tops[row + 1] - HEIGHT - self.tops[column.start]
                for slot in self.rows[row]:
                    middle = left + column.left + x[slot]
                    edges += self._edges(slot, (middle, top), feet, size)
                    feet[slot] = (middle, top + HEIGHT)
                    if slot.box >= 0:
                        boxes[slot.box] = Rect(middle - size / 2, top, size, HEIGHT)
            left += column.width + GUTTER
        high = self.height(columns) + BETWEEN
        frames = tuple(self._frames(boxes))
        return GraphLayout(width, high, tuple(boxes), frames, tuple(edges), tuple(turns))

    def _edges(
        self,
        slot: Slot,
        head: tuple[float, float],
        feet: dict[Slot, tuple[float, float]],
        size: float,
    ) -> Iterator[Edge]:
        """The edges into a slot; those into one box end side by side, in their order."""
        (x, y), uppers = head, sorted(self.layering.above[slot], key=lambda upper: feet[upper])
        step = min(18.0, size * 0.6 / len(uppers)) if uppers else 0.0
        for n, upper in enumerate(uppers):
            ends = [feet[upper], (x + (n - (len(uppers) - 1) / 2) * step, y)]
            if slot.box < 0:
                ends.append((x, y + HEIGHT))
            yield Edge(upper.source, slot.box, tuple(ends))

    def _frames(self, boxes: list[Rect]) -> Iterator[tuple[str, Rect, tuple[int, ...]]]:
        """The frames that do not overlap other boxes or other frames."""
        frames: list[Rect] = []
        for name, group in self.groups.items():
            members = [boxes[n] for n in group]
            x, y = min(box.x for box in members) - PAD, min(box.y for box in members) - HEAD
            right, bottom = max(box.right for box in members), max(box.bottom for box in members)
            place = Rect(x, y, right + PAD - x, bottom + PAD - y)
            others = [box for n, box in enumerate(boxes) if n not in group]
            if not any(map(place.overlaps, others + frames)):
                frames.append(place)
                yield name, place, group


def _halves(slot: Slot, size: float) -> tuple[float, float]:
    half = size / 2 if slot.box >= 0 else 0.0
    return -half, half
