"""Markdown: tables of GitHub's dialect, as they go into a README or a pull request.

GitHub looks for mentions, issues, addresses and emoji in what is already rendered, where a
character reference is the character again; in code it does not look. So what could begin one of
them is set as code, and every other sign of Markdown as a reference.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from convcost.report import (
    ROWS,
    Cell,
    Column,
    Report,
    Share,
    Style,
    Table,
    each,
    format,  # noqa: A004
    printable,
    shown,
)

# An underscore inside a word is never markup, and names of layers are full of them.
SPECIAL = re.compile(
    r"(?P<code>[@#]+|://|:(?=[\w+-]+:)|(?<=[wW]{3})\.|(?<=[gG][hH])-(?=\d))"
    r"|[|<>&`*\[\]\\~!$]|(?<![^\W_])_|_(?![^\W_])"
)
NAME = re.compile(r"[A-Za-z0-9]+(?:[_/][A-Za-z0-9]+)*")  # as layers are called, most of them
BLOCK = re.compile(r"^(\d*)([-+=.)])")  # what could begin a list or underline a heading


@format("markdown", "tables for a README or a pull request", ".md")
def render(report: Report, style: Style) -> Iterator[str]:
    for number, table in enumerate(report.tables()):
        yield "\n" if number else ""
        yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    title = _escaped(table.title).strip()
    if title:
        yield f"**{title}**\n\n"
    yield _row([_escaped(column.title) for column in table.columns])
    yield _row(
        [
            "---:" if _is_number(column, n, table) else "---"
            for n, column in enumerate(table.columns)
        ]
    )
    columns = [each(cells, _cell) for cells in zip(*table.rows, strict=True)]
    lines = (f"| {line} |" for line in map(" | ".join, zip(*columns, strict=True)))
    while piece := list(islice(lines, ROWS)):
        yield "\n".join((*piece, ""))
    if table.total:
        yield _row([f"**{_cell(cell)}**" if _cell(cell) else "" for cell in table.total])
    if table.notes:
        yield "\n"
    for note in table.notes:
        yield f"- {BLOCK.sub(_led, _escaped(note))}\n"


def _is_number(column: Column, number: int, table: Table) -> bool:
    if column.align == "right":
        return True
    return bool(table.rows) and all(isinstance(row[number], Share) for row in table.rows)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _cell(cell: Cell) -> str:
    return _escaped(cell) if isinstance(cell, str) else shown(cell)


@lru_cache(maxsize=1024)
def _escaped(text: str) -> str:
    """Text that reads as it is; spaces before it, which indent, do not break."""
    if NAME.fullmatch(text):
        return text
    text = printable(text)
    indented = len(text) - len(text.lstrip(" "))
    return "&nbsp;" * indented + SPECIAL.sub(_apart, text[indented:])


def _apart(match: re.Match[str]) -> str:
    return f"`{match[0]}`" if match["code"] else f"&#{ord(match[0])};"


def _led(match: re.Match[str]) -> str:
    return f"{match[1]}&#{ord(match[2])};"
