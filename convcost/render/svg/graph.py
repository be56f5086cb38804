"""A network as boxes with edges from top to bottom; the shade of a box is its share of the macs."""

from convcost.model.errors import printable
from convcost.model.measures import Count
from convcost.model.number_format import counted, format_count, format_percent
from convcost.render.svg.graph_layout import PAD, Edge, GraphLayout, Turn, lay_out
from convcost.render.svg.primitives import (
    SMALL,
    TEXT,
    Canvas,
    Rect,
    SvgBody,
    brief,
    decimal,
    rect,
    text,
    tooltip,
)
from convcost.render.svg.text_width import fits, width_of
from convcost.reports.chart_model import Box, GraphChart
from convcost.reports.table import cell_text, count_cell

TOP = 24.0  # above the boxes
DARKEST = 0.5  # opacity of the accent under text, so that the text stays legible
RADIUS = 7  # radius of the corners of an edge
BEND = 40.0  # the longest curve; a longer edge begins with a straight line
TIP = 5.0  # length of the tip of an arrow


def describe(chart: GraphChart) -> str:
    layers = sum(box.layers for box in chart.boxes)
    macs = sum(box.macs for box in chart.boxes)
    params = sum(box.params for box in chart.boxes)
    uncounted = sum(box.uncounted for box in chart.boxes)
    shown = cell_text(count_cell(Count(macs, uncounted)))
    words = (
        f"A graph of {len(chart.boxes):,} boxes for {counted(layers, 'layer')}, "
        f"{format_count(params)} params and {shown} macs in all."
    )
    if uncounted:
        words += f" The macs of {counted(uncounted, 'layer')} are unknown and not in the total."
    if macs:
        largest = max(chart.boxes, key=lambda box: box.macs)
        share = format_percent(largest.macs, macs)
        words += f" The most macs are in {largest.label or largest.path}, {share}."
    return words


def draw(chart: GraphChart, canvas: Canvas) -> SvgBody:
    layout = lay_out(chart.boxes, canvas.width, tight=canvas.standalone)
    words = "name, kind, output, macs · params; shade and bar: share of macs"
    pieces = [
        text(canvas, 0, 12, words, layout.width, color="muted"),
        f'<g transform="translate(0 {decimal(TOP)})">',
    ]
    look = (
        f'rx="8" fill="{canvas.color("muted")}" fill-opacity="0.06" '
        f'stroke="{canvas.color("line")}" class="frame"'
    )
    pieces += [rect(place, look) for _, place, _ in layout.frames]
    pieces += _edges(layout, canvas)
    names = [box.label or box.path for box in chart.boxes]
    for path, place, group in layout.frames:
        pieces += _frame_name(path, place, canvas)
        for number in group:
            names[number] = names[number].rpartition("/")[2]
    total = sum(box.macs for box in chart.boxes)
    most = max((box.macs for box in chart.boxes), default=0)
    for box, name, place in zip(chart.boxes, names, layout.boxes, strict=True):
        opacity = DARKEST * box.macs / most if most else 0.0
        pieces += _box(box, place, name, total, opacity, canvas)
    pieces.append("</g>")
    return SvgBody(layout.height + TOP, tuple(pieces), layout.width)


def _frame_name(path: str, place: Rect, canvas: Canvas) -> list[str]:
    """The name of a frame over a white rectangle: edges may pass below it."""
    name = printable(path)
    max_width = place.width - 2 * PAD
    name_width = min(width_of(name, SMALL, bold=True), max_width)
    x, y = place.x + PAD, place.y + 13
    return [
        rect(Rect(x - 4, y - 10, name_width + 8, 13), f'rx="3" fill="{canvas.color("paper")}"'),
        text(canvas, x, y, name, max_width, size=SMALL, color="muted", bold=True),
    ]


def _edges(layout: GraphLayout, canvas: Canvas) -> list[str]:
    color = canvas.color("muted")
    paths = " ".join([*map(_curve, layout.edges), *map(_turn, layout.turns)])
    ends = [edge.points[1] for edge in layout.edges if edge.target >= 0]
    tips = "".join(f"M{decimal(x)},{decimal(y)}l-3.2,-5.5h6.4z" for x, y in ends)
    return [
        f'<path class="edges" d="{paths}" fill="none" stroke="{color}" stroke-width="1.3"/>',
        f'<path d="{tips}" fill="{color}"/>',
    ]


def _curve(edge: Edge) -> str:
    (x1, y1), (x2, y2), *rest = edge.points
    end = y2 - TIP * (edge.target >= 0)
    begin = max(y1, end - BEND)
    left, right, bend = decimal(x1), decimal(x2), decimal((begin + end) / 2)
    path = f"M{left},{decimal(y1)}V{decimal(begin)}"
    path += f"C{left},{bend} {right},{bend} {right},{decimal(end)}"
    return path + "".join(f"V{decimal(y)}" for _, y in rest)


def _turn(turn: Turn) -> str:
    """Down below the column, right, up through the gutter, and right to the next column."""
    (x1, y1), (x2, y2), r = turn.start, turn.end, RADIUS
    return (
        f"M{decimal(x1)},{decimal(y1)}v10q0,{r} {r},{r}H{decimal(turn.gutter - r)}q{r},0 {r},-{r}"
        f"V{decimal(y2 + r)}q0,-{r} {r},-{r}H{decimal(x2)}"
    )


def _box(box: Box, place: Rect, name: str, total: int, opacity: float, canvas: Canvas) -> list[str]:
    macs_text = f"{format_count(box.macs)} macs, {format_percent(box.macs, total)}"
    tip = (
        f"{box.label or box.path}: {box.kind}, output {box.shape}, "
        f"{format_count(box.params)} params, {'? macs' if _is_unknown(box) else macs_text}"
    )
    if box.layers > 1:
        tip += f", {box.layers:,} layers"
    look = f'rx="5" stroke="{canvas.color("muted")}" class="box"'
    if box.inputs:
        look += f' fill="{canvas.color("accent")}" fill-opacity="{decimal(opacity)}"'
    else:
        look += ' fill="none" stroke-dasharray="3 2"'
    paper = f'rx="5" fill="{canvas.color("paper")}"'
    pieces = ["<g>" + tooltip(tip), rect(place, paper), rect(place, look)]
    room = place.width - 10
    if total and box.macs:
        bar = Rect(place.x + 5, place.bottom - 5.5, room * box.macs / total, 3)
        pieces.append(rect(bar, f'fill="{canvas.color("accent")}" class="share"'))
    if not fits(printable(name), SMALL, room, bold=True):
        name = name.rpartition("/")[2]
    lines = [words for words in (_kind(box, name, room), box.shape, _cost(box, room)) if words]
    size = TEXT if fits(printable(name), TEXT, room, bold=True) else SMALL
    x, y = place.x + place.width / 2, place.y + 14 + 13 * (3 - len(lines)) / 2
    pieces.append(text(canvas, x, y, name, room, size=size, anchor="middle", bold=True))
    for n, words in enumerate(lines, 1):
        pieces.append(text(canvas, x, y + 13 * n, words, room, size=SMALL, anchor="middle"))
    return [*pieces, "</g>"]


def _kind(box: Box, name: str, room: float) -> str:
    """The kind, without the part that the name has already: `3×3` for `conv_2`, nothing for
    `concat_1`."""
    kind, _, window = box.kind.partition(" ")
    if box.label or ("→" in window and not fits(box.kind, SMALL, room)):
        return f"{box.layers:,} layers"
    stem, _, number = name.rpartition("/")[2].rpartition("_")
    is_named = kind == name or (kind == stem and number.isdecimal())
    return window if is_named and "→" not in window else box.kind


def _cost(box: Box, room: float) -> str:
    macs = "?" if _is_unknown(box) else brief(box.macs)
    both = f"{macs} · {brief(box.params)}" if _is_unknown(box) or box.macs or box.params else ""
    return both if fits(both, SMALL, room) else macs


def _is_unknown(box: Box) -> bool:
    """Whether no macs of a box are known, and some are uncounted."""
    return bool(box.uncounted and not box.macs)
