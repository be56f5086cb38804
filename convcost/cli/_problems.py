"""Diagnostics for the terminal: the message, the source line with the span underlined, the help."""

from collections.abc import Iterator
from itertools import starmap
from typing import TypeAlias

from convcost.model.errors import Problem, Span, SpecError, printable
from convcost.model.number_format import counted
from convcost.model.terminal_width import width_of
from convcost.render import Style

Line: TypeAlias = tuple[tuple[str, str], ...]  # pairs of a text and its ANSI codes

MAX_PROBLEMS = 20  # printed in full; the others are counted
MAX_WIDTH = 100  # characters of a printed line of a spec
ERROR, NOTE, BOLD = "1;31", "1;34", "1"


def diagnostics(error: SpecError, *, color: bool = False) -> str:
    """All problems of a spec, in the order of the source."""
    paint = Style(color=color).paint
    return "".join("".join(starmap(paint, line)) + "\n" for line in _lines(error))


def _lines(error: SpecError) -> Iterator[Line]:
    lines = error.source.text.splitlines() if error.problems else []
    for problem in error.problems[:MAX_PROBLEMS]:
        yield from _diagnostic(problem, error.source.name, lines)
        yield ()
    left = len(error.problems) - MAX_PROBLEMS
    hidden = f", {left} not shown" if left > 0 else ""
    count = counted(len(error.problems), "problem")
    yield _line((f"{count} in {error.source.name}{hidden}", ""))


def _line(*pieces: tuple[str, str]) -> Line:
    return tuple((printable(text), style) for text, style in pieces)


def _diagnostic(problem: Problem, file: str, lines: list[str]) -> Iterator[Line]:
    yield _line((f"error[{problem.code}]", ERROR), (f": {problem.message}", BOLD))
    span = problem.span
    numbers = [p.line for p in (span, *(note.span for note in problem.notes)) if p is not None]
    gutter = len(str(max(numbers, default=0)))
    where = f"{file}:{span.line}:{span.column}" if span is not None else file
    yield _line((f"{' ' * gutter}--> {where}", ""))
    if span is not None:
        yield from _frame(span, lines, gutter, ("^", ERROR))
    for note in problem.notes:
        yield from _frame(note.span, lines, gutter, ("-", NOTE), f" {note.message}")
    if problem.help:
        yield _line((f"{' ' * gutter} = help: {problem.help}", ""))


def _frame(
    span: Span, lines: list[str], gutter: int, mark: tuple[str, str], label: str = ""
) -> Iterator[Line]:
    text = lines[span.line - 1] if span.line <= len(lines) else ""
    start = span.column - 1
    end = span.end_column - 1 if span.end_line == span.line else len(text.rstrip())
    shown, before, length = _window(text, start, max(end, start + 1))
    sign, style = mark
    yield _line((f"{' ' * gutter} |", ""))
    yield _line((f"{span.line:>{gutter}} | {shown}".rstrip(), ""))
    yield _line(
        (f"{' ' * gutter} | {' ' * before}", ""), (f"{sign * length}{label}".rstrip(), style)
    )


def _window(text: str, start: int, end: int) -> tuple[str, int, int]:
    """The truncated line, the width before the marked part, and the width of the marked part.

    Widths are in terminal columns.
    """
    first = max(0, start - MAX_WIDTH // 2) if len(text) > MAX_WIDTH else 0
    last = min(len(text), first + MAX_WIDTH)
    cells = ["    " if c == "\t" else printable(c) for c in text[first:last]]
    left = "…" if first else ""
    right = "…" if last < len(text) else ""
    before = sum(map(width_of, cells[: start - first])) + len(left)
    length = sum(map(width_of, cells[start - first : end - first])) or 1
    return left + "".join(cells) + right, before, length
