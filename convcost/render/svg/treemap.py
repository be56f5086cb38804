"""A total divided into rectangles, the area of each in proportion to its value."""

from collections import Counter
from collections.abc import Sequence

from convcost.model.errors import printable
from convcost.model.network import path_prefixes
from convcost.model.number_format import format_count, format_percent
from convcost.render.svg.primitives import (
    SERIES,
    SMALL,
    Canvas,
    Rect,
    SvgBody,
    brief,
    rect,
    text,
    tooltip,
)
from convcost.render.svg.text_width import fit, fits, width_of
from convcost.render.svg.treemap_layout import Area, layout_tiles
from convcost.reports.chart_model import Treemap

OPACITIES = (0.42, 0.34, 0.26)  # opacities of tiles, by depth
STRIP_OPACITY = 0.1
PAD = 5.0  # pixels between the text and the edge of a tile
LINE = 13.0  # pixels from one line of text to the next
MIN_WORD = 30.0  # room for a word


def describe(chart: Treemap) -> str:
    total = chart.root.value
    largest = sorted(chart.root.tiles, key=lambda tile: -tile.value)[:8]
    parts = (
        f"{t.label} {format_count(t.value)}, {format_percent(t.value, total)}" for t in largest
    )
    return f"{format_count(total)} {chart.measure} by area. The largest: {'; '.join(parts)}."


def draw(chart: Treemap, canvas: Canvas) -> SvgBody:
    top = 22.0
    height = min(460.0, max(260.0, canvas.width * 0.56))
    words = f"{format_count(chart.root.value)} {chart.measure}, by area"
    pieces = [text(canvas, 0, 12, words, canvas.width, color="muted")]
    if chart.root.value:
        pieces += _Tiles(chart, canvas).draw(Rect(0, top, canvas.width, height))
    return SvgBody(top + height + 4, tuple(pieces))


class _Tiles:
    """The tiles of one treemap on one canvas."""

    def __init__(self, chart: Treemap, canvas: Canvas) -> None:
        self.root = chart.root
        self.canvas = canvas

    def draw(self, whole: Rect) -> list[str]:
        areas = layout_tiles(self.root, whole)
        groups = [area for area in areas if area.depth == 1]
        pieces = [self._tile(area) for area in areas if area.strip or not area.open]
        border = f'fill="none" stroke="{self.canvas.color("paper")}" stroke-width="3"'
        pieces += [rect(area.rect, border) for area in groups]
        for group in groups:
            if group.strip or not group.open:
                pieces += self._label(group, [group.tile.label.partition("/")[0]], bold=True)
            inner = [a for a in areas if a.group == group.group and a.depth > 1 and not a.open]
            names = short_names([area.path[len(group.path) + 1 :] for area in inner])
            for area, name in zip(inner, names, strict=True):
                room = area.rect.width - 2 * PAD
                words = name.replace("/", "/\0").split("\0")
                lines = [name] if fits(printable(name), SMALL, room) else words
                is_narrow = not all(fits(printable(line), SMALL, room) for line in lines)
                pieces += self._label(area, [] if is_narrow else lines)
        return pieces

    def _tile(self, area: Area) -> str:
        """The rectangle of a tile, or of the strip with the name of a group."""
        share = format_percent(area.tile.value, self.root.value)
        tip = tooltip(f"{area.path}: {format_count(area.tile.value)} · {share}")
        look = f'fill="{self.canvas.color(SERIES[area.group % len(SERIES)])}" fill-opacity='
        if area.strip:
            look += f'"{STRIP_OPACITY}" class="strip"'
            return rect(area.rect._replace(height=area.strip), look, tip)
        look += f'"{OPACITIES[min(area.depth, len(OPACITIES)) - 1]}" class="tile"'
        paper = self.canvas.color("paper")
        return rect(area.rect, f'{look} stroke="{paper}" stroke-width="0.8"', tip)

    def _label(self, area: Area, lines: list[str], *, bold: bool = False) -> list[str]:
        """A name and, below it or beside it in a strip, the number, if there is room."""
        x, y, room = area.rect.x + PAD, area.rect.y + LINE, area.rect.width - 2 * PAD
        height = area.strip or area.rect.height
        if height < LINE * len(lines) + PAD or (room < MIN_WORD and bold):
            return []
        pieces = [
            text(self.canvas, x, y + LINE * n, line, room, size=SMALL, bold=bold)
            for n, line in enumerate(lines)
        ]
        if area.strip:
            x += width_of(fit(printable(lines[0]), SMALL, room, bold=True), SMALL, bold=True) + 7
        elif height >= LINE * (len(lines) + 1) + PAD:
            y += LINE * len(lines)
        else:
            return pieces
        room = area.rect.right - PAD - x
        number = brief(area.tile.value)
        share = f"{number} · {format_percent(area.tile.value, self.root.value)}"
        shown = (words for words in (share, number) if fits(words, SMALL, room))
        return [*pieces, text(self.canvas, x, y, next(shown, ""), room, size=SMALL)]


def short_names(paths: Sequence[str]) -> list[str]:
    """The shortest prefix of each path, in whole words, that no other path has."""
    counts = Counter(begin for path in paths for begin in path_prefixes(path))
    return [
        next((begin for begin in path_prefixes(path) if counts[begin] == 1), path) for path in paths
    ]
