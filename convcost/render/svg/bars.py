"""Horizontal bars with their exact numbers."""

from collections.abc import Iterator

from convcost.model.errors import printable
from convcost.model.number_format import format_count, format_percent
from convcost.render.svg.primitives import (
    SMALL,
    TEXT,
    Canvas,
    Rect,
    SvgBody,
    legend,
    line,
    rect,
    text,
    tooltip,
)
from convcost.render.svg.text_width import width_of
from convcost.reports.chart_model import Bar, Bars

THICK, GAP = 14, 8  # pixels: height of a bar, and space below it
MAX_LABEL = 0.42  # share of the width; if a label is longer, all labels are above their bars


def describe(chart: Bars) -> str:
    several = len(chart.series) > 1
    parts = []
    for bar in chart.bars:
        values = [
            (f"{name} " if several else "") + ("nothing" if value is None else format_count(value))
            for name, value in zip(chart.series, bar.values, strict=True)
        ]
        parts.append(f"{bar.label}: {', '.join(values)}")
    return f"Bars of {chart.measure}. {'; '.join(parts)}."


def draw(chart: Bars, canvas: Canvas) -> SvgBody:
    has_total = chart.parts and len(chart.series) == 1
    total = sum(bar.values[0] or 0 for bar in chart.bars) if has_total else 0
    widest = max((width_of(printable(bar.label), TEXT) for bar in chart.bars), default=0) + 10
    above = widest > MAX_LABEL * canvas.width
    left = 0.0 if above else widest
    numbers = [
        _number(value, total) for bar in chart.bars for value in bar.values if value is not None
    ]
    room = (
        canvas.width - left - 10 - max((width_of(number, SMALL) for number in numbers), default=0)
    )
    # The sum of the rest has no bar: it would make all others short.
    largest = max((v or 0 for bar in chart.bars if not bar.rest for v in bar.values), default=0)
    scale = max(room, 0.0) / largest if largest else 0.0

    pieces = [text(canvas, 0, 12, chart.measure, canvas.width, color="muted")]
    y = 24.0
    if len(chart.series) > 1:
        y, names = legend(canvas, chart.series, y + 8)
        pieces += names
    top = y
    for bar in chart.bars:
        high = (len(bar.values) - bar.values.count(None)) * THICK
        if above:
            pieces.append(text(canvas, 0, y + 10, bar.label, canvas.width))
            y += 15
        else:
            middle = y + high / 2 + TEXT * 0.36
            pieces.append(text(canvas, left - 10, middle, bar.label, left, anchor="end"))
        pieces += _bar(chart, bar, left, y, scale, total, canvas)
        y += high + GAP
    if not above:
        look = f'stroke="{canvas.color("muted")}" stroke-width="1"'
        pieces.append(line(left, top - 3, left, y - 5, look))
    return SvgBody(y, tuple(pieces))


def _bar(
    chart: Bars, bar: Bar, left: float, y: float, scale: float, total: int, canvas: Canvas
) -> Iterator[str]:
    """The bars of all series and their numbers, one below the other."""
    for number, value in enumerate(bar.values):
        if value is None:
            continue
        words, length = _number(value, total), 0.0 if bar.rest else value * scale
        if not bar.rest:
            name = f"{chart.series[number]}, " if len(chart.series) > 1 else ""
            look = f'rx="1.5" {canvas.series(number)} class="bar"'
            place = Rect(left, y + 1, length, THICK - 2)
            yield rect(place, look, tooltip(f"{bar.label}: {name}{words}"))
        x, color = left + length + 6, "muted" if bar.rest else "ink"
        yield text(canvas, x, y + THICK / 2 + 3.8, words, canvas.width - x, size=SMALL, color=color)
        y += THICK


def _number(value: int, total: int) -> str:
    """The exact number, and its share if the bars are parts of a total."""
    share = f" · {format_percent(value, total)}" if total else ""
    return format_count(value) + share
