"""Points of two measures, with the Pareto front as a line."""

from convcost.model.number_format import counted, format_count
from convcost.render.svg.curve import grid
from convcost.render.svg.primitives import (
    SMALL,
    Canvas,
    SvgBody,
    brief,
    decimal,
    line,
    text,
    tooltip,
)
from convcost.render.svg.text_width import width_of
from convcost.reports.chart_model import Scatter

TOP = 44.0  # above the plot
BELOW = 34.0  # room for the numbers and the name of the horizontal axis


def describe(chart: Scatter) -> str:
    front = sum(point.front for point in chart.points)
    parts = f"{counted(len(chart.points), 'point')}, of which {format_count(front)} in the front"
    return f"{chart.y} against {chart.x}: {parts}."


def draw(chart: Scatter, canvas: Canvas) -> SvgBody:
    if not chart.points:
        return SvgBody(30, (text(canvas, 0, 12, "no points", canvas.width),))
    bottom = TOP + min(360.0, max(180.0, canvas.width * 0.5))
    x_step, x_most = grid(max(point.x for point in chart.points))
    y_step, y_most = grid(max(point.y for point in chart.points))
    left = max(width_of(brief(y_step * n), SMALL) for n in range(y_most + 1)) + 8
    right = canvas.width - 24.0

    def x(value: float) -> float:
        return left + (right - left) * value / (x_step * x_most)

    def y(value: float) -> float:
        return bottom - (bottom - TOP) * value / (y_step * y_most)

    accent = canvas.color("accent-2")
    pieces = [
        text(canvas, 0, 12, chart.y, canvas.width, color="muted"),
        f'<circle cx="5" cy="26" r="4" fill="{accent}"/>',
        text(canvas, 14, 30, "Pareto front", canvas.width - 14),
    ]
    thin = f'stroke="{canvas.color("line")}"'
    for n in range(y_most + 1):
        pieces.append(line(left, y(y_step * n), right, y(y_step * n), thin))
        pieces.append(_number(canvas, left - 6, y(y_step * n) + 3.6, y_step * n, "end"))
    for n in range(1, x_most + 1):
        pieces.append(line(x(x_step * n), TOP, x(x_step * n), bottom, thin))
        pieces.append(_number(canvas, x(x_step * n), bottom + 14, x_step * n, "middle"))
    front = sorted((point for point in chart.points if point.front), key=lambda point: point.x)
    path = " ".join(f"{decimal(x(point.x))},{decimal(y(point.y))}" for point in front)
    pieces.append(f'<polyline points="{path}" fill="none" stroke="{accent}" stroke-width="1.5"/>')
    for point in sorted(chart.points, key=lambda point: point.front):
        look = f'r="3.2" fill="{accent}"'
        if not point.front:
            look = f'r="2" fill="{canvas.color("accent")}" fill-opacity="0.45"'
        numbers = f"{chart.x} {format_count(point.x)}, {chart.y} {format_count(point.y)}"
        tip = tooltip(f"{point.label}: {numbers}")
        place = f'cx="{decimal(x(point.x))}" cy="{decimal(y(point.y))}"'
        pieces.append(f"<circle {place} {look}>{tip}</circle>")
    name = text(
        canvas, right, bottom + 30, chart.x, canvas.width, size=SMALL, anchor="end", color="muted"
    )
    return SvgBody(bottom + BELOW, (*pieces, name))


def _number(canvas: Canvas, x: float, y: float, value: int, anchor: str) -> str:
    return text(canvas, x, y, brief(value), 60, size=SMALL, anchor=anchor, color="muted")
