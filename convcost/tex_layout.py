"""How a table gets into a line of text: smaller, its heads over lines, then its texts.

Widths are in thousandths of an em of Computer Modern; the line is that of LaTeX's article. They are
estimates, on which nothing but the choice rests.
"""

import re
from typing import NamedTuple

LINE = 34_500  # 345 pt, an em being 10 pt
PAGE = 50_000  # a line over two columns, or of a page with narrow margins
# Name, width of its letters in percent, \tabcolsep in pt, the least width of a text over lines.
SIZES = (
    ("", 100, 6, 18_000),
    ("small", 93, 5, 14_000),
    ("footnotesize", 86, 3, 10_000),
    ("scriptsize", 81, 3, 9_000),
)
TIGHT = ("scriptsize", 81, 2, 4_500)  # for what cannot be scaled
LONG = 16_000  # from here on any text may run over lines

EQUAL = (
    ("il.;:!|·'", 278), (",", 167), ("fjI_", 333), ("t()[]", 389), ("rs", 394), (" ", 333),
    ("-", 278), ("cz", 444), ("ev", 486), ("ago0123456789/?", 500), ("kxy", 528),
    ("bdhnpqu", 556), ("w", 722), ("m=×+−%→√", 833),
)  # fmt: skip
WIDTHS = {character: width for group, width in EQUAL for character in group}
CAPITAL, OTHER, ESCAPE = 740, 560, 3_000  # an escape has six signs
SIGN, MINUS = re.compile(r"(?<![^\s(])-(?=\d)"), 500  # a minus is wider than a hyphen


class Wants(NamedTuple):
    """What a column takes: its widest cell, its head, that head's longest word."""

    body: int
    head: int
    word: int
    text: bool

    @property
    def least(self) -> int:
        return max(self.body, self.word)


class Layout(NamedTuple):
    """`wraps` has a width for each column that runs over lines, in the language of LaTeX, or "".

    `squeezed`: it may still be wider than a line.
    """

    size: str
    gap: int
    heads: bool
    wraps: tuple[str, ...]
    squeezed: bool = False


def width_of(text: str) -> int:
    """Of a text on one line, about."""
    return MINUS * len(SIGN.findall(text)) + sum(
        WIDTHS.get(c, CAPITAL if c.isupper() else OTHER if c < "\u0300" else ESCAPE) for c in text
    )


def layout(columns: list[Wants], *, scales: bool) -> Layout:
    """The largest size in which the columns fit a line, each as little folded as may be.

    What fits in none: if it can be scaled, as on a page; else as tight as it gets.
    """
    none = ("",) * len(columns)
    for size in SIZES:
        name, _, gap, _ = size
        room = _room(LINE, size, len(columns))
        if sum(max(c.body, c.head) for c in columns) <= room:
            return Layout(name, gap, heads=False, wraps=none)
        if sum(c.least for c in columns) <= room:
            return Layout(name, gap, heads=True, wraps=none)
        if _folded(columns, size) <= room and any(c.text for c in columns):
            return Layout(name, gap, heads=True, wraps=_relative(_shares(columns, room), columns))
    size = SIZES[-1] if scales else TIGHT
    name, _, gap, _ = size
    room = max(_room(PAGE if scales else LINE, size, len(columns)), _folded(columns, size))
    shares = _shares(columns, room)
    wraps = tuple(_ems(shares[n]) if n in shares else "" for n in range(len(columns)))
    return Layout(name, gap, heads=True, wraps=wraps, squeezed=True)


def _room(line: int, size: tuple[str, int, int, int], columns: int) -> int:
    """What the gaps between columns leave, in ems of that size."""
    _, percent, gap, _ = size
    return (line - 200 * gap * (columns - 1)) * 100 // percent


def _folded(columns: list[Wants], size: tuple[str, int, int, int]) -> int:
    least = size[3]
    return sum(min(c.least, least) if c.text else c.least for c in columns)


def _shares(columns: list[Wants], room: int) -> dict[int, int]:
    """Of what the others leave, short texts get what they need, long ones equal parts or more."""
    left = room - sum(c.least for c in columns if not c.text)
    texts = sorted((n for n, c in enumerate(columns) if c.text), key=lambda n: columns[n].least)
    while texts and columns[texts[0]].least <= left // len(texts):
        left -= columns[texts.pop(0)].least
    parts = {n: min(columns[n].least, 4 * left) for n in texts}
    # Half of it in equal parts, half by length: the longest texts get the most.
    whole = sum(parts.values())
    return {n: left // 2 // len(texts) + left * parts[n] // (2 * whole) for n in texts}


def _relative(shares: dict[int, int], columns: list[Wants]) -> tuple[str, ...]:
    """Widths that follow the line, whatever its width is in the end."""
    fixed = _ems(sum(c.least for n, c in enumerate(columns) if n not in shares))
    rest = rf"\linewidth-{fixed}-{2 * (len(columns) - 1)}\tabcolsep"
    whole = sum(shares.values())
    return tuple(
        rf"\dimexpr({rest})*{1000 * shares[n] // whole}/1000\relax" if n in shares else ""
        for n in range(len(columns))
    )


def _ems(width: int) -> str:
    return f"{width // 1000}.{width % 1000 // 10:02d}em"
