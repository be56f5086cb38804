"""Horizontal bars: each as long as its exact number, which stands beside it."""

from convcost.draw.ink import SMALL, TEXT, Drawn, Sheet, brief, legend, num, rect, said, text
from convcost.draw.names import apart
from convcost.draw.widths import width_of
from convcost.pictures import Bars
from convcost.report import printable
from convcost.units import grouped, percent

THICK, GAP = 14, 8
MOST_LABEL = 0.42  # of the width
NARROW = 520  # below this a label stands over its bar
# A page on a phone shows a picture that has room beside others 26 rem wide, and 20.5 rem of it at
# once: what is beyond comes with scrolling, and the numbers shall not be there.
HELD = range(417, 521)
AT_ONCE = 20.5 / 26
LEAST = 90  # of room for bars beside the whole numbers


def described(picture: Bars) -> str:
    several = len(picture.series) > 1
    told = []
    for bar in picture.bars:
        values = [
            (f"{name} " if several else "") + ("nothing" if value is None else grouped(value))
            for name, value in zip(picture.series, bar.values, strict=True)
        ]
        told.append(f"{bar.label}: {', '.join(values)}")
    return f"Bars of {picture.measure}. {'; '.join(told)}."


def drawn(picture: Bars, sheet: Sheet) -> Drawn:
    reach = sheet.width * (1 if sheet.standalone or sheet.width not in HELD else AT_ONCE)
    labels = [width_of(printable(bar.label), TEXT) for bar in picture.bars]
    long = sheet.width in HELD and max(labels, default=0) + 10 > reach * MOST_LABEL
    above = sheet.width < NARROW or long
    left = 0.0 if above else min(max(labels, default=0) + 10, reach * MOST_LABEL)
    whole = _whole(picture)
    # What is summed has no bar: it would leave those of single layers no room.
    largest = max((v or 0 for bar in picture.bars if not bar.rest for v in bar.values), default=0)
    exact = _widest(picture, whole, short=False)
    short = reach - left - exact < LEAST
    room = reach - left - (_widest(picture, whole, short=True) if short else exact)
    y = 12.0
    pieces: list[str] = [text(sheet, 0, y, picture.measure, sheet.width, color="muted")]
    y += 12
    if len(picture.series) > 1:
        y, named = legend(sheet, picture.series, y + 8)
        pieces += named
    top = y
    beside = sheet.width if above else left - 10
    shorter = apart([bar.label for bar in picture.bars], TEXT, beside)
    for bar, label in zip(picture.bars, shorter, strict=True):
        there = [(n, value) for n, value in enumerate(bar.values) if value is not None]
        if above:
            pieces.append(text(sheet, 0, y + 10, label, beside, whole=bar.label))
            y += 15
        else:
            middle = y + len(there) * THICK / 2 + TEXT * 0.36
            pieces.append(text(sheet, beside, middle, label, beside, anchor="end", whole=bar.label))
        for number, value in there:
            name = f"{picture.series[number]}, " if len(picture.series) > 1 else ""
            length = room * value / largest if largest and not bar.rest else 0.0
            told = said(f"{bar.label}: {name}{_exact(value, whole)}")
            look = f'rx="1.5" {sheet.series(number)} class="bar"'
            if not bar.rest:
                pieces.append(rect(left, y + 1, length, THICK - 2, look, told))
            shown = _shown(value, whole, short=short)
            place = left + length + 6
            color = "muted" if bar.rest else "ink"
            base = y + THICK / 2 + 3.8
            pieces.append(text(sheet, place, base, shown, sheet.width, size=SMALL, color=color))
            y += THICK
        y += GAP
    if not above:
        ends = f'x1="{num(left)}" y1="{num(top - 3)}" x2="{num(left)}" y2="{num(y - 5)}"'
        pieces.append(f'<line {ends} stroke="{sheet.color("muted")}" stroke-width="1"/>')
    return Drawn(y, tuple(pieces))


def _whole(picture: Bars) -> int:
    """What shares are of: all bars together, if they are parts."""
    if not picture.parts or len(picture.series) > 1:
        return 0
    return sum(bar.values[0] or 0 for bar in picture.bars)


def _widest(picture: Bars, whole: int, *, short: bool) -> float:
    return 10 + max(
        (
            width_of(_shown(value, whole, short=short), SMALL)
            for bar in picture.bars
            for value in bar.values
            if value is not None
        ),
        default=0,
    )


def _shown(value: int, whole: int, *, short: bool) -> str:
    return brief(value) if short else _exact(value, whole)


def _exact(value: int, whole: int) -> str:
    return f"{grouped(value)} · {percent(value, whole)}" if whole else grouped(value)
