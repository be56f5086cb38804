"""What all drawings share: colours, texts, shapes, numbers. Everything is text in the end."""

from html import escape
from typing import NamedTuple

from convcost.draw.widths import fitted, width_of
from convcost.report import printable

# Blue, orange, green, purple: told apart with any common colour blindness too.
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
UNITS = ("", "k", "M", "G", "T", "P", "E")


class Sheet(NamedTuple):
    """What a picture is drawn on: colours by name where a page gives them, by value in a file."""

    width: int
    standalone: bool
    ident: str

    def color(self, name: str) -> str:
        return COLORS[name] if self.standalone else f"var(--{name}, {COLORS[name]})"

    def series(self, number: int) -> str:
        """The look of one of several: four colours, then the same ones paler."""
        color = self.color(SERIES[number % len(SERIES)])
        pale = PALER[min(number // len(SERIES), len(PALER) - 1)]
        return f'fill="{color}"' + (f' fill-opacity="{pale}"' if pale < 1 else "")


class Drawn(NamedTuple):
    """The inside of a picture; `width` is its own where it is not the one asked for."""

    height: float
    pieces: tuple[str, ...]
    width: float = 0


def num(value: float) -> str:
    """A coordinate, to a hundredth."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def safe(text: str) -> str:
    return escape(printable(text), quote=True)


def said(text: str) -> str:
    """What is told to whoever points at a shape, or hears the picture."""
    return f"<title>{safe(text)}</title>"


def text(
    sheet: Sheet,
    x: float,
    y: float,
    words: str,
    room: float,
    *,
    size: float = TEXT,
    anchor: str = "start",
    color: str = "ink",
    bold: bool = False,
    whole: str = "",
) -> str:
    """One line on the baseline `y`; what does not fit is cut, and told whole in a tooltip, as is
    what was cut before: the `whole` of the words."""
    words = printable(words)
    shown = fitted(words, size, room, bold=bold)
    if not shown:
        return ""
    full = printable(whole) or words
    tip = said(full) if shown != full else ""
    attributes = f'x="{num(x)}" y="{num(y)}" font-size="{num(size)}" fill="{sheet.color(color)}"'
    if anchor != "start":
        attributes += f' text-anchor="{anchor}"'
    if bold:
        attributes += ' font-weight="700"'
    return f"<text {attributes}>{tip}{escape(shown)}</text>"


def rect(x: float, y: float, width: float, height: float, look: str, inside: str = "") -> str:
    place = f'x="{num(x)}" y="{num(y)}" width="{num(width)}" height="{num(height)}"'
    return f"<rect {place} {look}>{inside}</rect>" if inside else f"<rect {place} {look}/>"


def legend(sheet: Sheet, names: tuple[str, ...], y: float) -> tuple[float, tuple[str, ...]]:
    """Names beside their colours, over as many lines as they take; and where the next line is."""
    pieces = []
    x = 0.0
    for number, name in enumerate(names):
        room = min(width_of(printable(name), TEXT) + 1, sheet.width - 18.0)
        if x and x + 18 + room > sheet.width:
            x, y = 0.0, y + 18
        pieces.append(rect(x, y - 9, 11, 11, f'rx="2" {sheet.series(number)}'))
        pieces.append(text(sheet, x + 17, y, name, room))
        x += 18 + room + 18
    return y + 18, tuple(pieces)


def brief(number: int) -> str:
    """Three digits and a unit, rounded half up from the exact count: `1.58 G`, `9.41 k`, `64`."""
    size, sign = abs(number), "-" * (number < 0)
    power = min((len(str(size)) - 1) // 3, len(UNITS) - 1)
    if not power:
        return str(number)
    one = 1000**power
    places = max(0, 3 - len(str(size // one)))
    digits = (2 * size * 10**places + one) // (2 * one)
    if digits == 1000:  # noqa: PLR2004  9.995 is shown as 10.0, 999.5 k as 1.00 M
        if places:
            digits, places = 100, places - 1
        elif power < len(UNITS) - 1:
            digits, places, power = 100, 2, power + 1
    shown = str(digits)
    point = f"{shown[:-places]}.{shown[-places:]}" if places else shown
    return f"{sign}{point} {UNITS[power]}"
