"""The positions of the tiles of a treemap.

A list of tiles is divided into two parts of similar value, along the longer side, and so is each
part. The area of a group is in proportion to its value. A group that is tall enough has a strip for
its name; its tiles share the rest of its area in proportion.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate

from convcost.model.record import NamedTuple
from convcost.render.svg.primitives import Rect
from convcost.reports.chart_model import Tile

MIN_AREA = 560.0  # square pixels: in a smaller area, inner tiles are not drawn
STRIP = 18.0  # pixels: height of the strip with the name of a group
TALLEST_OF_STRIPS = 3  # a group has a strip if it is that many times as high
NARROWEST = 34.0  # least width of a group with a strip


class Area(NamedTuple):
    """A tile at its place; `group` is the number of the part of the whole that it belongs to.

    `strip` is the height at its top that is kept for its name. An `open` one shows its tiles.
    """

    tile: Tile
    path: str
    rect: Rect
    group: int
    depth: int
    strip: float = 0.0
    open: bool = False


def layout_tiles(root: Tile, whole: Rect) -> list[Area]:
    """All tiles that have an area, each before the tiles in it."""
    tiles = root.tiles or (root,)
    return [
        area
        for group, (tile, rect) in enumerate(_place_tiles(tiles, whole))
        for area in _tree(tile, tile.label, rect, group, 1)
    ]


def _tree(tile: Tile, path: str, rect: Rect, group: int, depth: int) -> Iterator[Area]:
    is_open = bool(tile.tiles) and rect.width * rect.height >= MIN_AREA
    tall = rect.height >= TALLEST_OF_STRIPS * STRIP and rect.width >= NARROWEST
    strip = STRIP if is_open and tall and depth == 1 else 0.0
    yield Area(tile, path, rect, group, depth, strip, is_open)
    if is_open:
        rest = Rect(rect.x, rect.y + strip, rect.width, rect.height - strip)
        for inner, place in _place_tiles(tile.tiles, rest):
            yield from _tree(inner, f"{path}/{inner.label}", place, group, depth + 1)


def _place_tiles(tiles: Sequence[Tile], rect: Rect) -> Iterator[tuple[Tile, Rect]]:
    shown = sorted((tile for tile in tiles if tile.value), key=lambda tile: -tile.value)
    return _halve(shown, rect)


def _halve(tiles: Sequence[Tile], rect: Rect) -> Iterator[tuple[Tile, Rect]]:
    """A rectangle for each of the tiles, the largest at the left or top."""
    if len(tiles) < 2:  # noqa: PLR2004  nothing to halve
        yield from ((tile, rect) for tile in tiles)
        return
    *sums, whole = accumulate(tile.value for tile in tiles)
    middle = min(range(len(sums)), key=lambda n: abs(2 * sums[n] - whole))
    x, y, width, height = rect
    if width >= height:
        part = width * sums[middle] / whole
        first, second = Rect(x, y, part, height), Rect(x + part, y, width - part, height)
    else:
        part = height * sums[middle] / whole
        first, second = Rect(x, y, width, part), Rect(x, y + part, width, height - part)
    yield from _halve(tiles[: middle + 1], first)
    yield from _halve(tiles[middle + 1 :], second)
