"""SVG markup that all charts use: colours, texts, shapes and numbers."""

from html import escape

from convcost.model.errors import printable
from convcost.model.record import NamedTuple
from convcost.render.svg.text_width import fit, width_of
from convcost.reports.table import Rounded

# Blue, orange, green, purple: distinct with any common colour blindness too.
COLORS = {
    "ink": "#1f2933",
    "muted": "#52606d",
    "line": "#cbd2d9",
    "paper": "#ffffff",
    "accent": "#2b6cb0",
    "accent-2": "#e08a00",
    "accent-3": "#159570",
    "accent-4": "#b5529b",
}
SERIES = ("accent", "accent-2", "accent-3", "accent-4")
PALER = (1, 0.6, 0.3)
FONT = "system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
FONT_OF_FILES = "'DejaVu Sans',Verdana,Helvetica,Arial,sans-serif"
SMALL, TEXT, HEAD = 10.5, 11.5, 15
UNIT, UNITS = 1000, "kMGTPE"


class Canvas(NamedTuple):
    """The target of a chart, `width` pixels wide. In a page, colours are names that the page
    defines; in a file, values."""

    width: int
    standalone: bool

    def color(self, name: str) -> str:
        return COLORS[name] if self.standalone else f"var(--{name}, {COLORS[name]})"

    def series(self, number: int) -> str:
        """The fill of one of several series: four colours, then the same ones paler."""
        color = self.color(SERIES[number % len(SERIES)])
        pale = PALER[min(number // len(SERIES), len(PALER) - 1)]
        return f'fill="{color}"' + (f' fill-opacity="{pale}"' if pale < 1 else "")


class SvgBody(NamedTuple):
    """The inside of an `<svg>` element; `width` is 0 if it equals the canvas width."""

    height: float
    pieces: tuple[str, ...]
    width: float = 0


def decimal(value: float) -> str:
    """Formats a coordinate, rounded to hundredths."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def escape_text(text: str) -> str:
    return escape(printable(text), quote=True)


def tooltip(text: str) -> str:
    """The text for a pointer on a shape, and for a screen reader."""
    return f"<title>{escape_text(text)}</title>"


def text(
    canvas: Canvas,
    x: float,
    y: float,
    words: str,
    room: float,
    *,
    size: float = TEXT,
    anchor: str = "start",
    color: str = "ink",
    bold: bool = False,
) -> str:
    """One line of text on the baseline `y`. A text that does not fit into `room` is truncated, and
    its tooltip has the full text."""
    words = printable(words)
    shown = fit(words, size, room, bold=bold)
    if not shown:
        return ""
    tip = tooltip(words) if shown != words else ""
    attributes = f'x="{decimal(x)}" y="{decimal(y)}" font-size="{decimal(size)}"'
    attributes += f' fill="{canvas.color(color)}"'
    if anchor != "start":
        attributes += f' text-anchor="{anchor}"'
    if bold:
        attributes += ' font-weight="700"'
    return f"<text {attributes}>{tip}{escape(shown)}</text>"


class Rect(NamedTuple):
    """A rectangle by its upper left corner, in pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    def overlaps(self, other: "Rect") -> bool:
        return (
            self.x < other.right
            and other.x < self.right
            and self.y < other.bottom
            and other.y < self.bottom
        )


def rect(place: Rect, look: str, inside: str = "") -> str:
    x, y, width, height = map(decimal, place)
    tag = f'<rect x="{x}" y="{y}" width="{width}" height="{height}" {look}'
    return f"{tag}>{inside}</rect>" if inside else f"{tag}/>"


def line(x1: float, y1: float, x2: float, y2: float, look: str) -> str:
    ends = f'x1="{decimal(x1)}" y1="{decimal(y1)}" x2="{decimal(x2)}" y2="{decimal(y2)}"'
    return f"<line {ends} {look}/>"


def legend(canvas: Canvas, names: tuple[str, ...], y: float) -> tuple[float, tuple[str, ...]]:
    """The names of the series beside their colours, and the y coordinate below them. Names wrap."""
    pieces = []
    x = 0.0
    for number, name in enumerate(names):
        room = min(width_of(printable(name), TEXT) + 1, canvas.width - 18.0)
        if x and x + 18 + room > canvas.width:
            x, y = 0.0, y + 18
        pieces.append(rect(Rect(x, y - 9, 11, 11), f'rx="2" {canvas.series(number)}'))
        pieces.append(text(canvas, x + 17, y, name, room))
        x += 18 + room + 18
    return y + 18, tuple(pieces)


def brief(number: int) -> str:
    """Formats a count with three digits and a unit, rounded half up: `1.58 G`, `9.41 k`, `64`."""
    if abs(number) < UNIT:
        return str(number)
    choices = [
        (Rounded.of(number, UNIT**power, places), unit)
        for power, unit in enumerate(UNITS, 1)
        for places in (2, 1, 0)
    ]
    fits = (choice for choice in choices if abs(choice[0].digits) < UNIT)
    rounded, unit = next(fits, choices[-1])
    return f"{rounded.plain} {unit}"
