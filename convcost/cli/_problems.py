"""Problems as a user reads them: what is wrong, where, the very words underlined, what to do."""

from collections.abc import Callable, Iterator
from typing import TypeAlias
from unicodedata import combining, east_asian_width

from convcost.errors import Place, Problem, SpecError
from convcost.report import printable

Paint: TypeAlias = Callable[[str, str], str]

MOST = 20
WIDEST = 100


def explained(error: SpecError, *, color: bool = False) -> Iterator[str]:
    """Lines for standard error, in the order of the source."""
    paint = _painted if color else _bare
    lines = error.source.text.splitlines() if error.problems else []
    for problem in error.problems[:MOST]:
        yield from _one(problem, error.source.name, lines, paint)
        yield ""
    left = len(error.problems) - MOST
    count = len(error.problems)
    yield f"{count} problem{'s' * (count != 1)} in {printable(error.source.name)}" + (
        f", {left} not shown" if left > 0 else ""
    )


def _one(problem: Problem, file: str, lines: list[str], paint: Paint) -> Iterator[str]:
    yield paint("error", f"error[{problem.code}]") + paint(
        "bold", f": {printable(problem.message)}"
    )
    place = problem.place
    numbers = [p.line for p in (place, *(note.place for note in problem.notes)) if p is not None]
    gutter = len(str(max(numbers, default=0)))
    if place is not None:
        yield f"{' ' * gutter}--> {printable(file)}:{place.line}:{place.column}"
        yield from _frame(place, lines, gutter, "^", "", paint)
    else:
        yield f"{' ' * gutter}--> {printable(file)}"
    for note in problem.notes:
        yield from _frame(note.place, lines, gutter, "-", note.message, paint)
    if problem.help:
        yield f"{' ' * gutter} = help: {printable(problem.help)}"


def _frame(
    place: Place, lines: list[str], gutter: int, mark: str, label: str, paint: Paint
) -> Iterator[str]:
    text = lines[place.line - 1] if place.line <= len(lines) else ""
    start = place.column - 1
    end = place.end_column - 1 if place.end_line == place.line else len(text.rstrip())
    shown, before, length = _window(text, start, max(end, start + 1))
    yield f"{' ' * gutter} |"
    yield f"{place.line:>{gutter}} | {shown}".rstrip()
    style = "error" if mark == "^" else "note"
    under = paint(style, mark * length + (f" {printable(label)}" if label else ""))
    yield f"{' ' * gutter} | {' ' * before}{under}"


def _window(text: str, start: int, end: int) -> tuple[str, int, int]:
    """A line as shown, with the columns before and under its marked part; a long one is cut."""
    first = max(0, start - WIDEST // 2) if len(text) > WIDEST else 0
    last = min(len(text), first + WIDEST)
    cells = [_cell(character) for character in text[first:last]]
    ahead = "…" if first else ""
    behind = "…" if last < len(text) else ""
    before = sum(map(_columns, cells[: start - first])) + len(ahead)
    length = sum(map(_columns, cells[start - first : end - first])) or 1
    return ahead + "".join(cells) + behind, before, length


def _cell(character: str) -> str:
    return "    " if character == "\t" else printable(character)


def _columns(cell: str) -> int:
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in cell)


_CODES = {"error": "1;31", "note": "1;34", "bold": "1"}


def _painted(style: str, text: str) -> str:
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m"


def _bare(_style: str, text: str) -> str:
    return text
