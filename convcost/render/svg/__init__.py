"""Charts as SVG, inside a page or as a file of its own.

In a page the colours are custom properties, `--ink --muted --line --paper --accent` and
`--accent-2` to `--accent-4`, so that a chart has the colours of the light or dark theme of the
page. A file has the light colours.
"""

from typing import Any

from convcost.model.errors import printable
from convcost.render.svg import bars, curve, graph, scatter, treemap
from convcost.render.svg.primitives import (
    FONT,
    FONT_OF_FILES,
    HEAD,
    Canvas,
    Rect,
    SvgBody,
    decimal,
    escape_text,
    rect,
    text,
)
from convcost.render.svg.text_width import width_of
from convcost.reports.chart_model import Bars, Chart, Curve, GraphChart, Scatter, Treemap

MARGIN = 20  # pixels
# The module of each type of chart has `draw`, which returns the pieces of the SVG, and `describe`,
# which returns the text for screen readers.
MODULES: dict[type, Any] = {
    Bars: bars, Curve: curve, GraphChart: graph, Scatter: scatter, Treemap: treemap,
}  # fmt: skip


def svg(chart: Chart, *, width: int = 720, standalone: bool = False, ident: str = "") -> str:
    """One `<svg>` element, `width` pixels wide; the same chart always gives the same bytes.

    A `standalone` file has a heading and a white background. In a page a chart has none and
    shrinks with the page. `ident` begins every id.
    """
    canvas = Canvas(width - 2 * MARGIN if standalone else width, standalone)
    body: SvgBody = MODULES[type(chart)].draw(chart, canvas)
    body = body._replace(width=body.width or canvas.width)
    if standalone:
        body = _with_heading(chart, canvas, body)
    w, h = decimal(body.width), decimal(body.height)
    title, desc = escape_text(f"{ident}title"), escape_text(f"{ident}desc")
    look = f'font-family="{FONT}" style="max-width:100%;height:auto"'
    if standalone:
        look = 'xmlns="http://www.w3.org/2000/svg"'
    head = (
        f'<svg {look} role="img" aria-labelledby="{title} {desc}" '
        f'viewBox="0 0 {w} {h}" width="{w}" height="{h}">'
    )
    lines = (
        head,
        f'<title id="{title}">{escape_text(chart.title)}</title>',
        f'<desc id="{desc}">{escape_text(MODULES[type(chart)].describe(chart))}</desc>',
        *filter(None, body.pieces),
        "</svg>\n",
    )
    return "\n".join(lines)


def _with_heading(chart: Chart, canvas: Canvas, body: SvgBody) -> SvgBody:
    """The body on a white background below its heading, which can widen it up to the canvas."""
    heading_width = width_of(printable(chart.title), HEAD, bold=True)
    inner = max(body.width, min(heading_width, canvas.width))
    top = 2 * MARGIN + HEAD
    whole = Rect(0, 0, inner + 2 * MARGIN, body.height + top + MARGIN)
    pieces = (
        f"<style>text{{font-family:{FONT_OF_FILES}}}</style>",
        rect(whole, f'fill="{canvas.color("paper")}"'),
        text(canvas, MARGIN, MARGIN + HEAD, chart.title, inner, size=HEAD, bold=True),
        f'<g transform="translate({MARGIN} {decimal(top)})">',
        *body.pieces,
        "</g>",
    )
    return SvgBody(whole.height, pieces, whole.width)
