"""A whole cut into rectangles, each area in proportion to its exact number.

The cut is that of Bruls, Huizing and van Wijk, "Squarified Treemaps" (2000): the largest first, in
rows along the shorter side, a row ended when one more would make its tiles longer than they are.
"""

from typing import NamedTuple

from convcost.draw.ink import SERIES, SMALL, TEXT, Drawn, Sheet, brief, rect, said, text
from convcost.draw.widths import width_of
from convcost.pictures import Tile, Treemap
from convcost.report import printable
from convcost.units import grouped, percent

SMALLEST = 140.0  # an area below which the tiles inside are not told apart
STRENGTHS = (0.42, 0.34, 0.26)


class Area(NamedTuple):
    """A tile at its place; `group` is the number of the part of the whole that it belongs to."""

    tile: Tile
    path: str
    x: float
    y: float
    width: float
    height: float
    group: int
    depth: int


def described(picture: Treemap) -> str:
    whole = picture.root.value
    largest = sorted(picture.root.tiles, key=lambda tile: -tile.value)[:8]
    told = (f"{t.label} {grouped(t.value)}, {percent(t.value, whole)}" for t in largest)
    return f"{grouped(whole)} {picture.measure} by area. The largest: {'; '.join(told)}."


def drawn(picture: Treemap, sheet: Sheet) -> Drawn:
    top = 22.0
    height = min(460.0, max(260.0, sheet.width * 0.56))
    words = f"{grouped(picture.root.value)} {picture.measure}, by area"
    pieces = [text(sheet, 0, 12, words, sheet.width, color="muted")]
    areas = laid_out(picture.root, 0, top, sheet.width, height)
    leaves = [area for area in areas if not _open(area)]
    for area in leaves:
        told = f"{area.path}: {grouped(area.tile.value)} · "
        told += percent(area.tile.value, picture.root.value)
        strength = STRENGTHS[min(area.depth, len(STRENGTHS)) - 1]
        look = (
            f'fill="{sheet.color(SERIES[area.group % len(SERIES)])}" fill-opacity="{strength}" '
            f'stroke="{sheet.color("paper")}" stroke-width="0.8" class="tile"'
        )
        pieces.append(rect(area.x, area.y, area.width, area.height, look, said(told)))
    heads = [area for area in areas if area.depth == 1 and _open(area)]
    taken: list[tuple[float, float, float, float]] = []
    for area in heads:
        look = f'fill="none" stroke="{sheet.color("paper")}" stroke-width="3.5"'
        pieces.append(rect(area.x, area.y, area.width, area.height, look))
    for area in heads:
        pieces += _named(area, picture, sheet, taken, bold=True)
    for area in leaves:
        pieces += _named(area, picture, sheet, taken, bold=area.depth == 1)
    return Drawn(top + height + 4, tuple(pieces))


def _open(area: Area) -> bool:
    return bool(area.tile.tiles) and area.width * area.height >= SMALLEST * 4


def _named(
    area: Area,
    picture: Treemap,
    sheet: Sheet,
    taken: list[tuple[float, float, float, float]],
    *,
    bold: bool,
) -> list[str]:
    """The name, and below it the number, where there is room that no other name has."""
    room = area.width - 10
    share = percent(area.tile.value, picture.root.value)
    number = f"{brief(area.tile.value)} · {share}"
    if room < 24 or area.height < 17:  # noqa: PLR2004  no word fits
        return []
    size = TEXT if bold else SMALL
    pieces = []
    y = area.y + 14
    name = _name(area, room, size, bold=bold)
    under = [t for t in taken if t[0] < area.x + area.width and t[2] > area.x]
    for line, heavy in ((name, bold), (number, False)):
        wide = min(room, width_of(line, size if heavy else SMALL, bold=heavy))
        while any(
            t[0] < area.x + 5 + wide and t[2] > area.x + 5 and t[1] < y + 3 and t[3] > y - 10
            for t in under
        ):
            y += 13
        if y + 4 > area.y + area.height:
            break
        if line == number and width_of(number, SMALL) > room:
            break
        piece = text(
            sheet, area.x + 5, y, line, room, size=size if line == name else SMALL, bold=heavy
        )
        if not piece:
            break
        pieces.append(piece)
        taken.append((area.x + 5, y - 10, area.x + 5 + wide, y + 3))
        y += 13
    return pieces


def _name(area: Area, room: float, size: float, *, bold: bool) -> str:
    """As much of the path below the group as fits; names are cut last."""
    words = [printable(word) for word in area.path.split("/")]
    names = ["/".join(words[n:]) for n in range(min(1, area.depth - 1), len(words))]
    names.append(printable(area.tile.label).partition("/")[0])
    fits = (name for name in names if width_of(name, size, bold=bold) <= room)
    return next(fits, names[-1] if room >= 40 else "")  # noqa: PLR2004  else no letters stay


def laid_out(root: Tile, x: float, y: float, width: float, height: float) -> list[Area]:
    """All tiles that have an area, those that hold others before what they hold."""
    areas: list[Area] = []
    whole = Area(root, "", x, y, width, height, -1, 0)
    _inside(whole, areas)
    return areas


def _inside(outer: Area, areas: list[Area]) -> None:
    tiles = sorted((t for t in outer.tile.tiles if t.value), key=lambda tile: -tile.value)
    x, y, width, height = outer.x, outer.y, outer.width, outer.height
    left = sum(tile.value for tile in tiles)
    numbers = {id(tile): number for number, tile in enumerate(tiles)}
    while tiles:
        row = _row(tiles, left, width, height)
        part = sum(tile.value for tile in row)
        # Along the shorter side; `thick` is how much of the longer one the row takes.
        upright = height <= width
        thick = (width if upright else height) * part / left
        at = 0
        for tile in row:
            begin, end = at / part, (at + tile.value) / part
            at += tile.value
            place = (
                (x, y + height * begin, thick, height * (end - begin))
                if upright
                else (x + width * begin, y, width * (end - begin), thick)
            )
            group = numbers[id(tile)] if outer.depth == 0 else outer.group
            path = f"{outer.path}/{tile.label}" if outer.path else tile.label
            area = Area(tile, path, *place, group, outer.depth + 1)
            areas.append(area)
            if _open(area):
                _inside(area, areas)
        left -= part
        tiles = tiles[len(row) :]
        x, width = (x + thick, width - thick) if upright else (x, width)
        y, height = (y, height) if upright else (y + thick, height - thick)


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
