"""Numbers along the depth of a network: an area and its peak."""

from collections.abc import Iterator
from itertools import pairwise

from convcost.model.errors import printable
from convcost.model.number_format import format_count
from convcost.render.svg.primitives import (
    SMALL,
    Canvas,
    Rect,
    SvgBody,
    brief,
    decimal,
    line,
    rect,
    text,
    tooltip,
)
from convcost.render.svg.text_width import width_of
from convcost.reports.chart_model import Curve

TICKS = 4  # at most, on an axis
MAX_NAME = 120.0  # room for a name
BETWEEN = 10.0  # between the names of ticks
TOP = 44.0  # above the plot


def describe(chart: Curve) -> str:
    if not chart.values:
        return f"{chart.measure}: no layers."
    return f"{chart.measure} of {len(chart.values):,} layers. {_peak_text(chart)}."


def _peak_text(chart: Curve) -> str:
    top = max(chart.values)
    index = chart.values.index(top)
    place = f"layer {index + 1:,} of {len(chart.values):,}"
    return f"peak {format_count(top)} at {chart.labels[index]}; {place}"


def draw(chart: Curve, canvas: Canvas) -> SvgBody:
    count = len(chart.values)
    if not count:
        return SvgBody(30, (text(canvas, 0, 12, "no layers", canvas.width),))
    accent = canvas.color("accent")
    dot = f'r="4" fill="{canvas.color("accent-2")}"'
    bottom = TOP + min(300.0, max(150.0, canvas.width * 0.4))
    step, most = grid(max(chart.values))
    left = max(width_of(brief(step * n), SMALL) for n in range(most + 1)) + 8
    right = canvas.width - 8.0
    spacing = (right - left) / count

    def y(value: float) -> float:
        return bottom - (bottom - TOP) * value / (step * most)

    pieces = [
        text(canvas, 0, 12, chart.measure, canvas.width, color="muted"),
        f'<circle cx="5" cy="26" {dot}/>',
        text(canvas, 14, 30, _peak_text(chart), canvas.width - 14),
    ]
    for n in range(most + 1):
        look = f'stroke="{canvas.color("line")}" stroke-width="{1 if n else 1.5}"'
        pieces.append(line(left, y(step * n), right, y(step * n), look))
        pieces.append(_small(canvas, left - 6, y(step * n) + 3.6, brief(step * n), left))
    # Of layers that share a pixel, the one with the largest value is shown.
    pixels = min(count, int(right - left))
    bounds = [n * count // pixels for n in range(pixels + 1)]
    largest = [max(range(*part), key=chart.values.__getitem__) for part in pairwise(bounds)]
    points = " ".join(
        f"{decimal(left + spacing * (n + 0.5))},{decimal(y(chart.values[n]))}" for n in largest
    )
    ends = [f"{decimal(x)},{decimal(bottom)}" for x in (left + spacing / 2, right - spacing / 2)]
    look = f'fill="none" stroke="{accent}" stroke-width="1.8" stroke-linejoin="round"'
    peak = chart.values.index(max(chart.values))
    x = left + spacing * (peak + 0.5)
    pieces += [
        f'<polygon points="{ends[0]} {points} {ends[1]}" fill="{accent}" fill-opacity="0.18"/>',
        f'<polyline points="{points}" {look}/>',
        f'<circle cx="{decimal(x)}" cy="{decimal(y(chart.values[peak]))}" {dot}/>',
    ]
    if count <= canvas.width / 6:
        for index, value in enumerate(chart.values):
            column = Rect(left + spacing * index, TOP, spacing, bottom - TOP)
            tip = tooltip(f"{chart.labels[index]}: {format_count(value)}")
            pieces.append(rect(column, 'fill-opacity="0"', tip))
    pieces += _block_names(chart, canvas, left, spacing, bottom)
    pieces.append(_small(canvas, right, bottom + 33, "layers, from input to output", canvas.width))
    return SvgBody(bottom + 38, tuple(pieces))


def _small(canvas: Canvas, x: float, y: float, words: str, room: float) -> str:
    return text(canvas, x, y, words, room, size=SMALL, anchor="end", color="muted")


def _block_names(
    chart: Curve, canvas: Canvas, left: float, layer_width: float, bottom: float
) -> Iterator[str]:
    """The names of the blocks where they begin, from left to right, if there is room.

    A layer outside of blocks has a name only if the network has no blocks.
    """
    has_blocks = any("/" in label for label in chart.labels)
    end = -BETWEEN
    before = ""
    for index, label in enumerate(chart.labels):
        block = label.partition("/")[0]
        if block != before and ("/" in label or not has_blocks):
            before = block
            tick = left + layer_width * (index + 0.5)
            if tick < end + BETWEEN:  # no name begins after its tick
                continue
            room = min(width_of(printable(block), SMALL), MAX_NAME)
            begin = min(max(tick - room / 2, 0.0), canvas.width - room)
            if begin >= end + BETWEEN:
                end = begin + room
                yield line(tick, bottom, tick, bottom + 4, f'stroke="{canvas.color("muted")}"')
                yield text(
                    canvas, begin, bottom + 16, block, room + 0.01, size=SMALL, color="muted"
                )


def grid(largest: int) -> tuple[int, int]:
    """The distance of the grid lines, 1, 2 or 5 times a power of ten, and their number."""
    step = 1
    while step * TICKS < largest:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return step, max(1, -(-largest // step))
