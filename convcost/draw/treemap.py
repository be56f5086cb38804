"""A whole cut into rectangles, each area in proportion to its exact number."""

from convcost.draw.areas import Area, laid_out
from convcost.draw.ink import SERIES, SMALL, TEXT, Drawn, Sheet, brief, rect, said, text
from convcost.draw.names import apart, telling, wrapped
from convcost.draw.widths import width_of
from convcost.pictures import Treemap
from convcost.report import printable
from convcost.units import grouped, percent

STRENGTHS = (0.42, 0.34, 0.26)
STRENGTH_OF_STRIPS = 0.1
BORDER = 3.0  # around a group
PAD = 5.0
LINE = 13.0
LEAST = 18.0  # of room for a word
LEAST_CUT = 30.0  # else no letters stay


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
    leaves = [area for area in areas if not area.open]
    groups = [area for area in areas if area.depth == 1]
    pieces += [_strip(area, picture, sheet) for area in groups if area.strip]
    pieces += [_tile(area, picture, sheet) for area in leaves]
    pieces += [_border(area, sheet) for area in groups]
    names = [area.tile.label.partition("/")[0] for area in groups]
    for number, area in enumerate(groups):
        pieces += _headed(area, names, number, picture, sheet)
        inner = [leaf for leaf in leaves if leaf.group == area.group and leaf.depth > 1]
        below = telling([_below(leaf, area) for leaf in inner])
        for leaf, told in zip(inner, below, strict=True):
            pieces += _named(leaf, told, picture, sheet)
    return Drawn(top + height + 4, tuple(piece for piece in pieces if piece))


def _below(leaf: Area, group: Area) -> str:
    return leaf.path[len(group.path) + 1 :]


def _told(area: Area, picture: Treemap) -> str:
    share = percent(area.tile.value, picture.root.value)
    return said(f"{area.path}: {grouped(area.tile.value)} · {share}")


def _fill(area: Area, strength: float, sheet: Sheet) -> str:
    color = sheet.color(SERIES[area.group % len(SERIES)])
    return f'fill="{color}" fill-opacity="{strength}"'


def _strip(area: Area, picture: Treemap, sheet: Sheet) -> str:
    look = f'{_fill(area, STRENGTH_OF_STRIPS, sheet)} class="strip"'
    return rect(area.x, area.y, area.width, area.strip, look, _told(area, picture))


def _tile(area: Area, picture: Treemap, sheet: Sheet) -> str:
    strength = STRENGTHS[min(area.depth, len(STRENGTHS)) - 1]
    line = round(min(0.8, area.width / 4, area.height / 4), 2)
    look = (
        f"{_fill(area, strength, sheet)} "
        f'stroke="{sheet.color("paper")}" stroke-width="{line}" class="tile"'
    )
    return rect(area.x, area.y, area.width, area.height, look, _told(area, picture))


def _border(area: Area, sheet: Sheet) -> str:
    """Paper between groups; around small ones less, that something of them stays."""
    line = round(min(BORDER, area.width / 2, area.height / 2), 2)
    look = f'fill="none" stroke="{sheet.color("paper")}" stroke-width="{line}"'
    return rect(area.x, area.y, area.width, area.height, look)


def _number(area: Area, picture: Treemap) -> str:
    return f"{brief(area.tile.value)} · {percent(area.tile.value, picture.root.value)}"


def _headed(area: Area, names: list[str], number: int, picture: Treemap, sheet: Sheet) -> list[str]:
    """The name of a group in its strip, the number behind it; of a single tile, in the tile."""
    room = area.width - 2 * PAD
    name = printable(names[number])
    size = TEXT if width_of(name, TEXT, bold=True) <= room else SMALL
    cut = name if width_of(name, size, bold=True) <= room else ""
    if not cut and room >= LEAST_CUT:
        cut = apart(names, size, room, bold=True)[number]
    if not area.strip:
        return _single(area, name, cut, size, picture, sheet) if not area.open else []
    if not cut:
        return []
    x, y = area.x + PAD, area.y + 13
    pieces = [text(sheet, x, y, cut, room, size=size, bold=True, whole=name)]
    x += width_of(cut, size, bold=True) + 7
    pieces += _numbered(area, x, y, picture, sheet)
    return pieces


def _numbered(area: Area, x: float, y: float, picture: Treemap, sheet: Sheet) -> list[str]:
    """The number and its share, or the number, or, where neither fits, nothing."""
    room = area.x + area.width - PAD - x
    both = (_number(area, picture), brief(area.tile.value))
    words = next((one for one in both if width_of(one, SMALL) <= room), "")
    return [text(sheet, x, y, words, room, size=SMALL)] if words else []


def _named(area: Area, told: tuple[str, ...], picture: Treemap, sheet: Sheet) -> list[str]:
    """The first of the names that may stand for a tile and has room in it, on as many lines as
    that takes."""
    room = area.width - 2 * PAD
    tried = sorted((wrapped(name, SMALL, room) for name in told), key=lambda lines: len(lines) > 1)
    fits = (lines for lines in tried if lines and area.height >= LINE * len(lines) + PAD)
    return _lines(area, next(fits, []), picture, sheet)


def _single(
    area: Area, name: str, cut: str, size: float, picture: Treemap, sheet: Sheet
) -> list[str]:
    lines = [cut] if cut and area.height >= LINE + PAD else []
    return _lines(area, lines, picture, sheet, whole=name, size=size, bold=True)


def _lines(
    area: Area, lines: list[str], picture: Treemap, sheet: Sheet, *, whole: str = "",
    size: float = SMALL, bold: bool = False,
) -> list[str]:  # fmt: skip
    """A name, and below it the number, where there is room within the tile for it."""
    room = area.width - 2 * PAD
    if not lines or room < LEAST:
        return []
    x, y = area.x + PAD, area.y + 14
    pieces = [
        text(sheet, x, y + LINE * n, line, room, size=size, bold=bold, whole=whole)
        for n, line in enumerate(lines)
    ]
    if area.height >= LINE * (len(lines) + 1) + PAD:
        pieces += _numbered(area, x, y + LINE * len(lines), picture, sheet)
    return pieces
