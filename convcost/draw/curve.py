"""Numbers along the depth of a network: an area, its running peak, and where the peak is."""

from collections.abc import Callable
from typing import TypeAlias

from convcost.draw.ink import SMALL, TEXT, Drawn, Sheet, brief, num, said, text
from convcost.draw.widths import width_of
from convcost.pictures import Curve
from convcost.report import printable
from convcost.units import grouped

TICKS = 4
MOST = 120.0  # of room for a name
BETWEEN = 10.0
Scale: TypeAlias = Callable[[float], float]


def peak(picture: Curve) -> int:
    """The index of the first of the largest."""
    return max(range(len(picture.values)), key=lambda index: (picture.values[index], -index))


def described(picture: Curve) -> str:
    if not picture.values:
        return f"{picture.measure}: no layers."
    return f"{picture.measure} of {len(picture.values):,} layers. {_told(picture)}."


def _told(picture: Curve) -> str:
    top = peak(picture)
    return (
        f"peak {grouped(picture.values[top])} at {picture.labels[top]}, "
        f"layer {top + 1:,} of {len(picture.values):,}"
    )


def drawn(picture: Curve, sheet: Sheet) -> Drawn:
    count = len(picture.values)
    height = min(300.0, max(150.0, sheet.width * 0.4))
    if not count:
        return Drawn(30, (text(sheet, 0, 12, "no layers", sheet.width),))
    step, most = _scale(max(picture.values))
    left = max(width_of(brief(step * n), SMALL) for n in range(most + 1)) + 8
    right = sheet.width - 8.0
    headline = _headline(picture, sheet)
    top = 12.0 + 18 * len(headline) + 14
    bottom = top + height

    def x(index: float) -> float:
        return left + (right - left) * (index + 0.5) / count

    def y(value: float) -> float:
        return bottom - height * value / (step * most)

    at = peak(picture)
    pieces = [text(sheet, 0, 12, picture.measure, sheet.width, color="muted")]
    pieces += headline
    for n in range(most + 1):
        look = f'stroke="{sheet.color("line")}" stroke-width="{1 if n else 1.5}"'
        line = num(y(step * n))
        pieces.append(f'<line x1="{num(left)}" y1="{line}" x2="{num(right)}" y2="{line}" {look}/>')
        pieces.append(
            text(sheet, left - 6, y(step * n) + 3.6, brief(step * n), left, size=SMALL,
                 anchor="end", color="muted")
        )  # fmt: skip
    points = _points(picture.values, int(right - left))
    line = " ".join(f"{num(x(i))},{num(y(v))}" for i, v in points)
    base = f"{num(x(0))},{num(bottom)}"
    end = f"{num(x(count - 1))},{num(bottom)}"
    accent = sheet.color("accent")
    pieces.append(f'<polygon points="{base} {line} {end}" fill="{accent}" fill-opacity="0.18"/>')
    pieces.append(_running(picture, sheet, x, y))
    pieces.append(
        f'<polyline points="{line}" fill="none" stroke="{accent}" stroke-width="1.8" '
        'stroke-linejoin="round"/>'
    )
    dot = f'<circle cx="{num(x(at))}" cy="{num(y(picture.values[at]))}" r="4" '
    pieces.append(f'{dot}fill="{sheet.color("accent-2")}">{said(_told(picture))}</circle>')
    if count <= sheet.width / 6:
        pieces += [
            f'<rect x="{num(x(i - 0.5))}" y="{num(top)}" width="{num((right - left) / count)}" '
            f'height="{num(height)}" fill-opacity="0">'
            f"{said(f'{picture.labels[i]}: {grouped(v)}')}</rect>"
            for i, v in enumerate(picture.values)
        ]
    pieces += _below(picture, sheet, x, bottom)
    return Drawn(bottom + 38, tuple(pieces))


def _headline(picture: Curve, sheet: Sheet) -> list[str]:
    """The peak, the dot before it; on more lines where it is long."""
    words = [_told(picture), "dashed: the largest so far"]
    if width_of(printable("; ".join(words)), TEXT) <= sheet.width - 14:
        words = ["; ".join(words)]
    elif width_of(printable(words[0]), TEXT) > sheet.width - 14:
        words[:1] = words[0].rsplit(", layer ", 1)
        words[1] = f"layer {words[1]}"
    dot = f'<circle cx="5" cy="26" r="4" fill="{sheet.color("accent-2")}"/>'
    lines = [text(sheet, 14, 30 + 16 * n, w, sheet.width - 14) for n, w in enumerate(words)]
    return [dot + lines[0], *lines[1:]]


def _running(picture: Curve, sheet: Sheet, x: Scale, y: Scale) -> str:
    """A step wherever a layer has more than all before it."""
    largest = picture.values[0]
    path = [f"M{num(x(0))},{num(y(largest))}"]
    for index, value in enumerate(picture.values):
        if value > largest:
            path.append(f"H{num(x(index))}V{num(y(value))}")
            largest = value
    path.append(f"H{num(x(len(picture.values) - 1))}")
    look = f'fill="none" stroke="{sheet.color("muted")}" stroke-dasharray="4 3"'
    return f'<path d="{"".join(path)}" {look}/>'


def _blocks(labels: tuple[str, ...]) -> dict[str, list[int]]:
    """The layers of each block, by its name. A name that all layers share is no block."""
    first, _, rest = labels[0].partition("/")
    if rest and len(labels) > 1 and all(label.startswith(f"{first}/") for label in labels):
        return _blocks(tuple(label[len(first) + 1 :] for label in labels))
    found: dict[str, list[int]] = {}
    for index, label in enumerate(labels):
        found.setdefault(label.partition("/")[0], []).append(index)
    return found


def _below(picture: Curve, sheet: Sheet, x: Scale, bottom: float) -> list[str]:
    """The names of the blocks where they begin, the longest blocks first, as many as have room;
    and what the axis is."""
    pieces = []
    taken: list[tuple[float, float]] = []
    blocks = _blocks(picture.labels)
    for label in sorted(blocks, key=lambda name: (-len(blocks[name]), blocks[name][0])):
        at = x(blocks[label][0])
        wide = min(width_of(printable(label), SMALL), MOST)
        begin = min(max(at - wide / 2, 0.0), sheet.width - wide)
        end = begin + wide
        if any(begin < after + BETWEEN and before < end + BETWEEN for before, after in taken):
            continue
        taken.append((begin, end))
        pieces.append(
            f'<line x1="{num(at)}" y1="{num(bottom)}" x2="{num(at)}" '
            f'y2="{num(bottom + 4)}" stroke="{sheet.color("muted")}"/>'
        )
        pieces.append(
            text(sheet, begin, bottom + 16, label, wide + 0.01, size=SMALL, color="muted")
        )
        # No more than a line of names can hold is looked for among very many.
        if len(taken) * (BETWEEN + 1) > sheet.width:
            break
    words = "layers, from input to output"
    pieces.append(
        text(sheet, sheet.width - 8, bottom + 33, words, sheet.width, size=SMALL, anchor="end",
             color="muted")
    )  # fmt: skip
    return pieces


def _scale(largest: int) -> tuple[int, int]:
    """The distance of the lines, 1, 2 or 5 times a power of ten, and how many of them it takes."""
    step = 1
    while step * TICKS < largest:
        lead = int(str(step)[0])
        step = step * 5 // 2 if lead == 2 else step * 2  # noqa: PLR2004  1, 2, 5, 10
    return step, max(1, -(-largest // step))


def _points(values: tuple[int, ...], columns: int) -> list[tuple[int, int]]:
    """Every number, or, where several share a pixel, the least and the largest of each pixel."""
    if len(values) <= 2 * columns:
        return list(enumerate(values))
    kept = []
    for column in range(columns):
        some = range(column * len(values) // columns, (column + 1) * len(values) // columns)
        both = {min(some, key=values.__getitem__), max(some, key=values.__getitem__)}
        kept += [(index, values[index]) for index in sorted(both)]
    return kept
