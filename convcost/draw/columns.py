"""A graph cut into columns: which rows, which frames, how wide and how tall."""

from typing import NamedTuple

from convcost.draw.frames import Frame, frames
from convcost.draw.layers import Stack, across, cuts, ranks, stack
from convcost.pictures import Box

TALL = 62.0
GAP, BETWEEN = 12.0, 24.0
PAD, HEAD = 8.0, 25.0  # of a frame: around its boxes, and above them for its name


class Column(NamedTuple):
    stack: Stack
    entry: int
    start: int
    stop: int
    at: list[list[float]]
    left: float
    width: float


class Planner:
    """What does not change with the width, and what was worked out already."""

    def __init__(self, boxes: tuple[Box, ...]) -> None:
        self.boxes = boxes
        self.rows = ranks(boxes)
        self.count = max(self.rows, default=-1) + 1
        self.frames = [frame for frame in frames(boxes) if self._stands_apart(frame)]
        self.tops = [BETWEEN] * self.count
        self.foots = [0.0] * self.count
        for row in range(self.count):
            starts = {f.depth for f in self.frames if self.span(f)[0] == row}
            ends = {f.depth for f in self.frames if self.span(f)[1] == row}
            self.tops[row] += (HEAD + 3) * len(starts)
            self.foots[row] += PAD * len(ends)
        self.apart = self._apart()
        self.cuts = self._cuts()
        self._stacks: dict[tuple[int, int], Stack] = {}
        self._columns: dict[tuple[int, int, float], Column] = {}

    def span(self, frame: Frame) -> tuple[int, int]:
        rows = [self.rows[box] for box in frame.boxes]
        return min(rows), max(rows)

    def _stands_apart(self, frame: Frame) -> bool:
        """Not one whose boxes are strewn over rows that others need."""
        first, last = self.span(frame)
        used = {self.rows[box] for box in frame.boxes}
        return len(used) == last - first + 1

    def _apart(self) -> dict[tuple[int, int], float]:
        """What boxes of different frames need between them."""
        of = [{n for n, f in enumerate(self.frames) if box in f.boxes}
              for box in range(len(self.boxes))]  # fmt: skip
        found = {}
        by_row: dict[int, list[int]] = {}
        for box, row in enumerate(self.rows):
            by_row.setdefault(row, []).append(box)
        for some in by_row.values():
            for a in some:
                for b in some:
                    found[a, b] = PAD * len(of[a] ^ of[b])
        return found

    def _cuts(self) -> dict[int, int]:
        """Rows after which a column may end, with the box whose line goes over."""
        allowed = {}
        for row, source in cuts(self.boxes, self.rows):
            inside = (
                frame
                for frame in self.frames
                if self.span(frame)[0] <= row < self.span(frame)[1]
                and self.span(frame)[1] - self.span(frame)[0] < self.count / 2
            )
            if not any(True for _ in inside):
                allowed[row] = source
        return allowed

    def tall(self, start: int, stop: int) -> float:
        return sum(self.tops[r] + TALL + self.foots[r] for r in range(start, stop))

    def split(self, columns: int) -> list[tuple[int, int, int]]:
        """(start, stop, entry) of at most so many columns, the highest as low as it can be."""
        ends = [*sorted(self.cuts), self.count - 1]
        limit = self.tall(0, self.count) / columns
        while True:
            found = []
            start, entry = 0, -1
            while start < self.count:
                fits = [e for e in ends if e >= start and self.tall(start, e + 1) <= limit]
                end = max(fits) if fits else min(e for e in ends if e >= start)
                found.append((start, end + 1, entry))
                start, entry = end + 1, self.cuts.get(end, -1)
            if len(found) <= columns:
                return found
            limit *= 1.03

    def column(self, start: int, stop: int, entry: int, size: float) -> Column:
        key = (start, stop, size)
        if key not in self._columns:
            if (start, stop) not in self._stacks:
                self._stacks[start, stop] = stack(self.boxes, self.rows, start, stop, entry)
            laid = self._stacks[start, stop]
            at = across(laid, size, GAP, self.apart)
            held = [
                frame.depth
                for frame in self.frames
                if self.span(frame)[0] >= start and self.span(frame)[1] < stop
            ]
            pads = PAD * (1 + 0.6 * max(held)) + 1 if held else 1.0
            edges = [
                (x - size / 2, x + size / 2)
                for row, some in zip(laid.rows, at, strict=True)
                for spot, x in zip(row, some, strict=True)
                if spot.box >= 0
            ] + [(x, x) for some in at for x in some]
            left, right = min(e[0] for e in edges), max(e[1] for e in edges)
            self._columns[key] = Column(
                laid, entry, start, stop, at, pads - left, right - left + 2 * pads
            )
        return self._columns[key]
