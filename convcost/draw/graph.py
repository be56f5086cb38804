"""A network as boxes, what feeds what from top to bottom, the shade of a box its share of macs."""

from convcost.draw.columns import PAD
from convcost.draw.frames import Frame, name_in
from convcost.draw.ink import SMALL, TEXT, Drawn, Sheet, brief, num, rect, said, text
from convcost.draw.plan import Layout, Line, Placed, Points, plan
from convcost.draw.widths import width_of
from convcost.pictures import Box, Graph
from convcost.report import printable
from convcost.units import grouped, percent

TOP = 24.0
STRONGEST = 0.5  # of the accent, so that ink stays legible on it
ROUND = 7.0
TIP = 5.0
WIDE = 100.0  # boxes below this have smaller letters


def described(picture: Graph) -> str:
    layers = sum(box.layers for box in picture.boxes)
    macs = sum(box.macs for box in picture.boxes)
    params = sum(box.params for box in picture.boxes)
    largest = max(picture.boxes, key=lambda box: box.macs, default=None)
    told = f"A graph of {len(picture.boxes):,} boxes for {layers:,} layers, "
    told += f"{grouped(params)} params and {grouped(macs)} macs in all."
    if largest is not None and largest.macs:
        share = percent(largest.macs, macs)
        told += f" The most macs are in {largest.label or largest.path}, {share}."
    return told


def drawn(picture: Graph, sheet: Sheet) -> Drawn:
    layout = plan(picture.boxes, sheet.width, tight=sheet.standalone)
    whole = sum(box.macs for box in picture.boxes)
    most = max((box.macs for box in picture.boxes), default=0)
    told: tuple[str, ...] = ("name, kind, output, macs · params;", "shade and bar: share of macs")
    if width_of(" ".join(told), TEXT) <= layout.width:
        told = (" ".join(told),)
    pieces = [
        text(sheet, 0, 12 + 16 * n, words, layout.width, color="muted")
        for n, words in enumerate(told)
    ]
    top = TOP + 16 * (len(told) - 1)
    pieces.append(f'<g transform="translate(0 {num(top)})">')
    named = tuple(frame for frame, _ in layout.frames)
    pieces += [_frame(place, sheet) for _, place in layout.frames]
    pieces += _lines(layout, sheet)
    for frame, place in layout.frames:
        pieces += _named(frame, place, sheet)
    for box, place in zip(picture.boxes, layout.boxes, strict=True):
        pieces += _box(box, place, name_in(box, named), whole, most, sheet)
    pieces.append("</g>")
    return Drawn(layout.height + top, tuple(pieces), layout.width)


def _frame(place: Placed, sheet: Sheet) -> str:
    look = (
        f'rx="8" fill="{sheet.color("muted")}" fill-opacity="0.06" '
        f'stroke="{sheet.color("line")}" class="frame"'
    )
    return rect(place.x, place.y, place.width, place.height, look)


def _named(frame: Frame, place: Placed, sheet: Sheet) -> list[str]:
    """The name of a frame, on paper, for lines go by under it."""
    name = printable(frame.path.rpartition("/")[2] if frame.depth else frame.path)
    room = place.width - 2 * PAD
    wide = min(width_of(name, SMALL, bold=True), room)
    look = f'rx="3" fill="{sheet.color("paper")}"'
    return [
        rect(place.x + PAD - 4, place.y + 3, wide + 8, 13, look),
        text(sheet, place.x + PAD, place.y + 13, name, room + 1, size=SMALL, color="muted",
             bold=True),
    ]  # fmt: skip


def _lines(layout: Layout, sheet: Sheet) -> list[str]:
    color = sheet.color("muted")
    paths = [_curve(line) for line in layout.lines] + [_turn(points) for points in layout.turns]
    tips = []
    for line in layout.lines:
        if line.target >= 0:
            x, y = line.points[-1]
            tips.append(f"M{num(x)},{num(y)}l-3.2,-5.5h6.4z")
    look = f'fill="none" stroke="{color}" stroke-width="1.3"'
    return [
        f'<path class="edges" d="{" ".join(paths)}" {look}/>',
        f'<path d="{"".join(tips)}" fill="{color}"/>',
    ]


def _curve(line: Line) -> str:
    (x1, y1), (x2, y2), *rest = line.points
    if line.target >= 0:
        y2 -= TIP
    if x1 == x2:
        path = f"M{num(x1)},{num(y1)}V{num(y2)}"
    else:
        bend = (y1 + y2) / 2
        # Long ways down stay straight and bend at the end.
        start = max(y1, y2 - 40)
        bend = (start + y2) / 2
        path = f"M{num(x1)},{num(y1)}" + (f"V{num(start)}" if start > y1 else "")
        path += f"C{num(x1)},{num(bend)} {num(x2)},{num(bend)} {num(x2)},{num(y2)}"
    return path + "".join(f"V{num(y)}" for _, y in rest)


def _turn(points: Points) -> str:
    """Straight lines with round corners."""
    path = f"M{num(points[0][0])},{num(points[0][1])}"
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        begin, end = _toward(corner, before), _toward(corner, after)
        path += f"L{num(begin[0])},{num(begin[1])}"
        path += f"Q{num(corner[0])},{num(corner[1])} {num(end[0])},{num(end[1])}"
    return path + f"L{num(points[-1][0])},{num(points[-1][1])}"


def _toward(corner: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    far = max(abs(other[0] - corner[0]), abs(other[1] - corner[1]))
    part = min(ROUND / far, 0.5) if far else 0.0
    return (
        corner[0] + (other[0] - corner[0]) * part,
        corner[1] + (other[1] - corner[1]) * part,
    )


def _box(box: Box, place: Placed, name: str, whole: int, most: int, sheet: Sheet) -> list[str]:
    strength = STRONGEST * box.macs / most if most else 0.0
    told = (
        f"{box.label or box.path}: {box.kind}, output {box.shape}, {grouped(box.params)} params, "
        f"{grouped(box.macs)} macs, {percent(box.macs, whole)}"
    )
    if box.layers > 1:
        told += f", {box.layers:,} layers"
    border = sheet.color("muted")
    pieces = [
        "<g>" + said(told),
        rect(place.x, place.y, place.width, place.height, f'rx="5" fill="{sheet.color("paper")}"'),
    ]
    if not box.inputs:
        look = f'rx="5" fill="none" stroke="{border}" stroke-dasharray="3 2" class="box"'
    else:
        shade = num(strength) if strength else "0"
        look = (
            f'rx="5" fill="{sheet.color("accent")}" fill-opacity="{shade}" stroke="{border}" '
            'stroke-width="1" class="box"'
        )
    pieces.append(rect(place.x, place.y, place.width, place.height, look))
    room = place.width - 10
    share = room * box.macs / whole if whole else 0.0
    if share:
        look = f'fill="{sheet.color("accent")}" class="share"'
        pieces.append(rect(place.x + 5, place.bottom - 5.5, share, 3, look))
    pieces += _words(box, place, name, room, sheet)
    return [*pieces, "</g>"]


def _words(box: Box, place: Placed, name: str, room: float, sheet: Sheet) -> list[str]:
    """Four lines; of what does not fit whole, rather less than a part of a number."""
    head, size = (TEXT, SMALL) if place.width >= WIDE else (SMALL, SMALL - 1)
    if width_of(printable(name), SMALL - 2, bold=True) > room:
        name = name.rpartition("/")[2] or name
    head = _head(name, head, room)
    kind = _kind(box, name)
    if width_of(printable(kind), size) > room and "→" in kind:
        kind = f"{box.layers:,} layers"
    cost = ""
    if box.macs or box.params:
        cost = f"{brief(box.macs)} · {brief(box.params)}"
        cost = cost if width_of(cost, size) <= room else brief(box.macs)
    lines = [words for words in (kind, box.shape, cost) if words]
    # What is left out leaves no gap: the lines stand in the middle.
    top = place.y + 14 + 13 * (3 - len(lines)) / 2
    pieces = []
    for number, words in enumerate((name, *lines)):
        bold = not number
        pieces.append(
            text(sheet, place.x + place.width / 2, top + 13 * number, words, room,
                 size=head if bold else size, anchor="middle", bold=bold, whole=words)
        )  # fmt: skip
    return pieces


def _head(name: str, head: float, room: float) -> float:
    """The size of letters at which a name fits; if none does, the least."""
    sizes = [size for size in (head, SMALL, SMALL - 1, SMALL - 2) if size <= head]
    fits = (size for size in sizes if width_of(printable(name), size, bold=True) <= room)
    return next(fits, sizes[-1])


def _kind(box: Box, name: str) -> str:
    """Nothing that the name says already: `conv_2` is `3×3`, `concat_1` nothing."""
    if box.label:
        return f"{box.layers:,} layers"
    first, _, window = box.kind.partition(" ")
    last = name.rpartition("/")[2]
    stem, _, number = last.rpartition("_")
    called = stem if stem and number.isdecimal() else last
    if called != first or "→" in window or box.kind.endswith(" layers"):
        return box.kind
    return window
