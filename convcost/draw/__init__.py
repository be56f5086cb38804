"""Pictures as SVG: text that a page can hold, or a file that stands by itself.

Colours are custom properties of the page around it, `--ink --muted --line --paper --accent` and
`--accent-2` to `--accent-4`, so that light and dark follow it; in a file, the light ones.
"""

from convcost.draw import bars, curve, graph, treemap
from convcost.draw.ink import FONT, FONT_OF_FILES, HEAD, Drawn, Sheet, num, safe, said, text
from convcost.draw.widths import width_of
from convcost.pictures import Bars, Curve, Graph, Picture
from convcost.report import printable

MARGIN = 20
LEAST, MOST = 240, 4000


def svg(picture: Picture, *, width: int = 720, standalone: bool = False, ident: str = "") -> str:
    """One `<svg>` element, `width` pixels wide, of the same bytes for the same picture.

    In a page it has no heading, for the page has its own, and shrinks with it; a file of its own,
    `standalone`, has a heading and white paper. `ident` goes before every id.
    """
    width = min(max(width, LEAST), MOST)
    sheet = Sheet(width - 2 * MARGIN if standalone else width, standalone, ident)
    drawn = _drawn(picture, sheet)
    inner = drawn.width or sheet.width
    if not standalone:
        return _element(picture, sheet, inner, drawn.height, drawn.pieces)
    # A heading is cut only where the picture may not be wider.
    named = width_of(printable(picture.title), HEAD, bold=True)
    inner = max(inner, min(named, sheet.width))
    heading = text(sheet, MARGIN, MARGIN + HEAD, picture.title, inner, size=HEAD, bold=True)
    top = 2 * MARGIN + HEAD
    whole, high = inner + 2 * MARGIN, drawn.height + top + MARGIN
    pieces = (
        f"<style>text{{font-family:{FONT_OF_FILES}}}</style>",
        f'<rect width="{num(whole)}" height="{num(high)}" fill="{sheet.color("paper")}"/>',
        heading,
        f'<g transform="translate({MARGIN} {num(top)})">',
        *drawn.pieces,
        "</g>",
    )
    return _element(picture, sheet, whole, high, pieces)


def _drawn(picture: Picture, sheet: Sheet) -> Drawn:
    if isinstance(picture, Bars):
        return bars.drawn(picture, sheet)
    if isinstance(picture, Curve):
        return curve.drawn(picture, sheet)
    if isinstance(picture, Graph):
        return graph.drawn(picture, sheet)
    return treemap.drawn(picture, sheet)


def described(picture: Picture) -> str:
    """The picture in a sentence, for whoever does not see it."""
    if isinstance(picture, Bars):
        return bars.described(picture)
    if isinstance(picture, Curve):
        return curve.described(picture)
    if isinstance(picture, Graph):
        return graph.described(picture)
    return treemap.described(picture)


def _element(
    picture: Picture, sheet: Sheet, width: float, height: float, pieces: tuple[str, ...]
) -> str:
    w, h = num(width), num(height)
    title, desc = f"{sheet.ident}title", f"{sheet.ident}desc"
    looks = (
        'xmlns="http://www.w3.org/2000/svg"'
        if sheet.standalone
        else f'font-family="{FONT}" style="max-width:100%;height:auto"'
    )
    head = (
        f'<svg {looks} role="img" aria-labelledby="{safe(title)} {safe(desc)}" '
        f'viewBox="0 0 {w} {h}" width="{w}" height="{h}">'
    )
    names = said(picture.title).replace("<title>", f'<title id="{safe(title)}">', 1)
    told = f'<desc id="{safe(desc)}">{safe(described(picture))}</desc>'
    return "\n".join((head, names, told, *(piece for piece in pieces if piece), "</svg>")) + "\n"
