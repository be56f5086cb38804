"""Where all boxes, lines and frames of a graph go, for a width."""

from typing import NamedTuple

from convcost.draw.columns import BETWEEN, HEAD, PAD, TALL, Column, Planner
from convcost.draw.frames import Frame
from convcost.pictures import Box

SIZES = (156.0, 140.0, 124.0, 110.0, 98.0)
SMALL_SIZES = (90.0, 82.0, 76.0, 70.0)  # where nothing larger fits
GUTTER = 34.0
LEAST = 240.0  # of the whole, for the words above the boxes
MOST_COLUMNS = 8
WORTH = 0.8  # how much lower a picture must become to be cut once more, or have smaller boxes
HIGH = 1.1  # times the width, and no more columns are tried


class Placed(NamedTuple):
    """A rectangle by its corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    def meets(self, other: "Placed") -> bool:
        return (
            self.x < other.right
            and other.x < self.right
            and self.y < other.bottom
            and other.y < self.bottom
        )


Points = tuple[tuple[float, float], ...]


class Line(NamedTuple):
    """From one point to the next, row by row; `target` is the box it ends at, or −1."""

    source: int
    target: int
    points: Points


class Layout(NamedTuple):
    """`turns` are the lines from the foot of a column to the head of the next."""

    width: float
    height: float
    boxes: tuple[Placed, ...]
    frames: tuple[tuple[Frame, Placed], ...]
    lines: tuple[Line, ...]
    turns: tuple[Points, ...]


def plan(boxes: tuple[Box, ...], width: float, *, tight: bool = False) -> Layout:
    """The largest boxes, in as few columns, with which the picture is not too high; what is wider
    than asked for has the smallest boxes. A `tight` one is no wider than it has to be."""
    planner = Planner(boxes)
    if not boxes:
        return Layout(LEAST, 0.0, (), (), (), ())
    best: list[Column] = []
    chosen, lowest = SMALL_SIZES[-1], float("inf")
    for size in (*SIZES, *SMALL_SIZES):
        if best and size not in SIZES:
            break
        for count in range(1, MOST_COLUMNS + 1):
            pieces = planner.split(count)
            columns = [planner.column(*piece, size) for piece in pieces]
            wide = sum(column.width for column in columns) + GUTTER * (len(columns) - 1)
            high = max(planner.tall(start, stop) for start, stop, _ in pieces)
            if wide > width or len(columns) < count:
                break
            if high < lowest * WORTH:
                best, lowest, chosen = columns, high, size
            if high <= HIGH * width:
                return _placed(planner, best, chosen, 0.0 if tight else width)
    if not best:
        best = [planner.column(*planner.split(1)[0], chosen)]
    return _placed(planner, best, chosen, 0.0 if tight else width)


def _placed(planner: Planner, columns: list[Column], size: float, width: float) -> Layout:
    whole = sum(column.width for column in columns) + GUTTER * (len(columns) - 1)
    width = max(width, LEAST)
    x = max(0.0, (width - whole) / 2)
    places: dict[int, Placed] = {}
    lines: list[Line] = []
    turns: list[Points] = []
    before: tuple[float, float] | None = None
    high = 0.0
    for number, column in enumerate(columns):
        left = x + column.left
        tops: list[float] = []
        y = 0.0
        if column.entry >= 0:
            tops.append(4.0)
        for row in range(column.start, column.stop):
            y += planner.tops[row]
            tops.append(y)
            y += TALL + planner.foots[row]
        heights = [TALL] * len(tops)
        if column.entry >= 0:
            heights[0] = 0.0
            assert before is not None
            turn = x - GUTTER / 2
            entry = left + column.at[0][0]
            foot = _foot(columns[number - 1], planner)
            turns.append((before, (before[0], foot), (turn, foot), (turn, 4.0), (entry, 4.0)))
        for r, row_spots in enumerate(column.stack.rows):
            for n, spot in enumerate(row_spots):
                if spot.box >= 0:
                    middle = left + column.at[r][n]
                    places[spot.box] = Placed(middle - size / 2, tops[r], size, heights[r])
        lines += _lines(planner, column, left, tops, heights, size)
        high = max(high, y)
        if number + 1 < len(columns):
            source = columns[number + 1].entry
            before = _exit(column, source, left, tops, places, planner)
        x += column.width + GUTTER
    boxes = tuple(places[n] for n in range(len(planner.boxes)))
    drawn = _frames(planner, boxes)
    wide = max((box.right for box in boxes), default=0.0)
    return Layout(max(width, wide, whole), high + BETWEEN, boxes, drawn, tuple(lines), tuple(turns))


def _foot(column: Column, planner: Planner) -> float:
    return planner.tall(column.start, column.stop) + BETWEEN / 2


def _exit(
    column: Column, source: int, left: float, tops: list[float], places: dict[int, Placed],
    planner: Planner,
) -> tuple[float, float]:  # fmt: skip
    """Where the line to the next column starts: at the box, or at its lane."""
    box = places[source]
    return box.x + box.width / 2, box.bottom


def _lines(
    planner: Planner, column: Column, left: float, tops: list[float], heights: list[float],
    size: float,
) -> list[Line]:  # fmt: skip
    """The lines of each link; those into one box end side by side, in the order they come from."""
    into: dict[tuple[int, int], list[float]] = {}
    for high, low in column.stack.links:
        into.setdefault(low, []).append(column.at[high[0]][high[1]])
    found = []
    for high, low in column.stack.links:
        upper = column.stack.rows[high[0]][high[1]]
        lower = column.stack.rows[low[0]][low[1]]
        x1 = left + column.at[high[0]][high[1]]
        x2 = left + column.at[low[0]][low[1]]
        if lower.box >= 0 and len(into[low]) > 1:
            rank = sorted(into[low]).index(column.at[high[0]][high[1]])
            many = len(into[low])
            x2 += (rank - (many - 1) / 2) * min(18.0, size * 0.6 / (many - 1))
        y1 = tops[high[0]] + heights[high[0]]
        y2 = tops[low[0]]
        points = [(x1, y1), (x2, y2)]
        if lower.box < 0:
            points.append((x2, y2 + heights[low[0]]))
        found.append(Line(upper.source, lower.box, tuple(points)))
    return found


def _frames(planner: Planner, boxes: tuple[Placed, ...]) -> tuple[tuple[Frame, Placed], ...]:
    """Those that hold their own boxes only."""
    deepest: dict[str, int] = {}
    for frame in planner.frames:
        inner = [f.depth for f in planner.frames if f.path.startswith(f"{frame.path}/")]
        deepest[frame.path] = max(inner, default=frame.depth) - frame.depth
    found: list[tuple[Frame, Placed]] = []
    for frame in planner.frames:
        held = [boxes[n] for n in frame.boxes]
        pad = PAD * (1 + 0.6 * deepest[frame.path])
        head = HEAD + (HEAD + 3) * _heads(planner, frame)
        x, y = min(b.x for b in held) - pad, min(b.y for b in held) - head
        right, bottom = max(b.right for b in held) + pad, max(b.bottom for b in held) + pad
        place = Placed(x, y, right - x, bottom - y)
        strangers = (boxes[n] for n in range(len(boxes)) if n not in frame.boxes)
        beside = (p for f, p in found if not frame.path.startswith(f"{f.path}/"))
        if not any(place.meets(other) for other in (*strangers, *beside)):
            found.append((frame, place))
    return tuple(found)


def _heads(planner: Planner, frame: Frame) -> int:
    """How many frames inside it have their names in its first row."""
    first = planner.span(frame)[0]
    depths = {
        f.depth
        for f in planner.frames
        if f.path.startswith(f"{frame.path}/") and planner.span(f)[0] == first
    }
    return len(depths)
