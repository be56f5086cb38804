"""Where the tiles of a treemap go.

The cut is that of Bruls, Huizing and van Wijk, "Squarified Treemaps" (2000): the largest first, in
rows along the shorter side, a row ended when one more would make its tiles longer than they are.

A group has a strip for its name above its tiles. The strips are no area of any tile: the scale is
chosen so that with all strips the whole is filled, and every tile has the same scale.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from convcost.pictures import Tile

SMALLEST = 140.0  # an area below which the tiles inside are not told apart
STRIP = 17.0
TALLEST_OF_STRIPS = 3  # a group has one if it is that many times as high
NARROWEST = 34.0  # of a group with a strip
TOLERANCE = 1e-6  # pixels, of sums of what was divided
HALVINGS = 60  # of a range of numbers, until nothing of it is left


class Area(NamedTuple):
    """A tile at its place; `group` is the number of the part of the whole that it belongs to.

    `strip` is the height above its tiles that is kept for its name.
    """

    tile: Tile
    path: str
    x: float
    y: float
    width: float
    height: float
    group: int
    depth: int
    strip: float = 0.0

    @property
    def open(self) -> bool:
        """Whether the tiles inside are told apart."""
        return bool(self.tile.tiles) and self.width * self.height >= SMALLEST * 4


class Row(NamedTuple):
    """Tiles side by side, or, `upright`, one above the other."""

    tiles: list[Tile]
    upright: bool


class Rect(NamedTuple):
    x: float
    y: float
    width: float
    height: float


def laid_out(root: Tile, x: float, y: float, width: float, height: float) -> list[Area]:
    """All tiles that have an area, those that hold others before what they hold."""
    whole = Rect(x, y, width, height)
    rows = _rows(root if root.tiles else Tile("", root.value, (root,)), whole)
    total = sum(tile.value for row in rows for tile in row.tiles)
    if not total:
        return []
    plain = width * height / total
    bare, _ = _placed(rows, whole, plain, {})
    strips = {
        id(tile): STRIP
        for tile, place in bare
        if tile.tiles and place.height >= TALLEST_OF_STRIPS * STRIP and place.width >= NARROWEST
    }
    places = _with_strips(rows, whole, plain, strips) if strips else bare
    areas: list[Area] = []
    for group, (tile, place) in enumerate(places):
        area = Area(tile, tile.label, *place, group, 1, strips.get(id(tile), 0.0))
        areas.append(area)
        if area.open:
            _inside(area, areas)
    return areas


def _with_strips(
    rows: list[Row], whole: Rect, plain: float, strips: dict[int, float]
) -> list[tuple[Tile, Rect]]:
    """The largest scale at which all is inside; without strips if none is."""

    def left(scale: float) -> float:
        return _placed(rows, whole, scale, strips)[1]

    if left(0.0) < 0:
        strips.clear()
        return _placed(rows, whole, plain, {})[0]
    return _placed(rows, whole, _largest(left, 0.0, plain), strips)[0]


def _largest(left: Callable[[float], float], low: float, high: float) -> float:
    """The largest number of a range at which something, which it makes less, is not below 0."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if left(middle) >= 0:
            low = middle
        else:
            high = middle
    return low


def _placed(
    rows: list[Row], whole: Rect, scale: float, strips: dict[int, float]
) -> tuple[list[tuple[Tile, Rect]], float]:
    """The tiles of rows at a scale, in pixels for each count, and the breadth that stays free,
    below 0 where there is not room enough. Without strips there is, but for what is rounded."""
    x, y, width, height = whole
    found: list[tuple[Tile, Rect]] = []
    free = 0.0
    for row in rows:
        values = [tile.value for tile in row.tiles]
        heads = [strips.get(id(tile), 0.0) for tile in row.tiles]
        if row.upright:
            room = height - sum(heads)
            if room <= 0 and any(heads):
                return found, -1.0
            thick = sum(values) * scale / room if room > 0 else 0.0
            thick = thick if strips else min(thick, width)
            places = [Rect(x, at, thick, tall) for at, tall in _spread(y, room, values, heads)]
            free = width - thick
            x, width = x + thick, max(free, 0.0)
        else:
            thick = _thickness([value * scale for value in values], heads, width)
            thick = thick if strips else min(thick, height)
            shares: list[float] = list(values)
            if len(set(heads)) > 1:
                shares = [value / max(thick - head, TOLERANCE)
                          for value, head in zip(values, heads, strict=True)]  # fmt: skip
            spread = _spread(x, width, shares, [0.0] * len(shares))
            places = [Rect(at, y, wide, thick) for at, wide in spread]
            free = height - thick
            y, height = y + thick, max(free, 0.0)
        found += zip(row.tiles, places, strict=True)
        if free < -TOLERANCE:
            return found, free
    return found, free


def _spread(
    start: float, room: float, shares: Sequence[float], heads: Sequence[float]
) -> list[tuple[float, float]]:
    """Where each part of a length begins, and how long it is with its head. Sums of what was
    divided would go beyond the end: it is sums that are divided."""
    whole = sum(shares)
    found = []
    before: float = 0  # stays exact if the shares are
    above = 0.0
    for share, head in zip(shares, heads, strict=True):
        begin, end = room * (before / whole), room * ((before + share) / whole)
        found.append((start + above + begin, end - begin + head))
        before += share
        above += head
    return found


def _thickness(sizes: list[float], heads: list[float], width: float) -> float:
    """How high tiles side by side are that together are as wide as there is room."""
    if width <= 0:
        return max(heads)
    low, high = max(heads), max(heads) + sum(sizes) / width
    if min(heads) == max(heads) or not sum(sizes):
        return high
    least = low

    def over(thick: float) -> float:
        used = sum(size / (thick - head) if thick > head else float("inf")
                   for size, head in zip(sizes, heads, strict=True) if size)  # fmt: skip
        return used - width

    return max(_largest(over, low, high), least)


def _rows(outer: Tile, whole: Rect) -> list[Row]:
    tiles = sorted((t for t in outer.tiles if t.value), key=lambda tile: -tile.value)
    left = sum(tile.value for tile in tiles)
    _, _, width, height = whole
    found = []
    while tiles:
        row = _row(tiles, left, width, height)
        upright = height <= width
        part = sum(tile.value for tile in row)
        found.append(Row(row, upright))
        # Along the shorter side; the row takes its part of the longer one.
        if upright:
            width -= width * part / left
        else:
            height -= height * part / left
        left -= part
        tiles = tiles[len(row) :]
    return found


def _inside(outer: Area, areas: list[Area]) -> None:
    whole = Rect(outer.x, outer.y + outer.strip, outer.width, outer.height - outer.strip)
    rows = _rows(outer.tile, whole)
    total = sum(tile.value for row in rows for tile in row.tiles)
    if not total:
        return
    places, _ = _placed(rows, whole, whole.width * whole.height / total, {})
    for tile, place in places:
        path = f"{outer.path}/{tile.label}"
        area = Area(tile, path, *place, outer.group, outer.depth + 1)
        areas.append(area)
        if area.open:
            _inside(area, areas)


def _row(tiles: list[Tile], left: int, width: float, height: float) -> list[Tile]:
    side = min(width, height)
    scale = width * height / left
    part, worst = 0, float("inf")
    for count, tile in enumerate(tiles, 1):
        part += tile.value
        thick = part * scale / side if side else 0.0
        long = [t.value * scale / thick if thick else 0.0 for t in (tiles[0], tile)]
        ratios = [max(one / thick, thick / one) if one and thick else 1.0 for one in long]
        if max(ratios) > worst:
            return tiles[: count - 1]
        worst = max(ratios)
    return tiles
