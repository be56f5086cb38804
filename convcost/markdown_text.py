"""Tables, lists and folded blocks in GitHub's dialect of Markdown; whatever a spec holds is text.

GitHub looks for mentions, issues, addresses and emoji in what is already rendered, where a
character reference is the character again; in code it does not look. So what could begin one of
them is set as code, and every other sign of Markdown as a reference. No text has a `<` of its own:
it can close no block and be no marker.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from convcost.comments import Block
from convcost.cutting import Piece
from convcost.report import Cell, Column, Share, Table, each, printable, shown

# An underscore inside a word is never markup, and names of layers are full of them.
SPECIAL = re.compile(
    r"(?P<code>[@#]+|://|:(?=[\w+-]+:)|(?<=[wW]{3})\.|(?<=[gG][hH])-(?=\d))"
    r"|[|<>&`*\[\]\\~!$]|(?<![^\W_])_|_(?![^\W_])"
)
NAME = re.compile(r"[A-Za-z0-9]+(?:[_/][A-Za-z0-9]+)*")  # as layers are called, most of them
BLOCK = re.compile(r"^(\d*)([-+=.)])")  # what could begin a list or underline a heading


def of_table(table: Table, rank: int = 0) -> Iterator[Piece]:
    """The table, and below it its notes."""
    lines = [_row(_escaped(column.title) for column in table.columns)]
    lines.append(
        _row(
            "---:" if _is_number(column, n, table) else "---"
            for n, column in enumerate(table.columns)
        )
    )
    columns = [each(cells, _cell) for cells in zip(*table.rows, strict=True)]
    rows = tuple(f"| {line} |\n" for line in map(" | ".join, zip(*columns, strict=True)))
    total = _row(f"**{_cell(cell)}**" if _cell(cell) else "" for cell in table.total)
    yield Piece(
        f"{bold(table.title)}{''.join(lines)}", rows, total if table.total else "", "", rank
    )
    if table.notes:
        yield of_lines(table.notes, rank)


def of_lines(lines: Iterable[str], rank: int = 0) -> Piece:
    """A list."""
    return Piece("", tuple(f"- {BLOCK.sub(_led, _escaped(line))}\n" for line in lines), rank=rank)


def of_block(block: Block) -> Piece:
    """The block under its title; a folded one has it in a line that opens it. Its table has no
    notes."""
    if isinstance(block.body, Table):
        (piece,) = of_table(block.body, block.rank)
    else:
        piece = of_lines(block.body, block.rank)
    if not block.folded:
        return piece._replace(head=f"{bold(block.title)}{piece.head}")
    from html import escape

    summary = f"<summary>{escape(printable(block.title))}</summary>"
    return piece._replace(
        head=f"<details>\n{summary}\n\n{piece.head}", close=f"{piece.close}\n</details>\n"
    )


def marker(key: str) -> str:
    """A line that no reader sees, by which a comment is found again."""
    return f"<!-- convcost:{key} -->\n"


def bold(title: str) -> str:
    """A paragraph of its own; nothing where there is no title."""
    text = _escaped(title).strip()
    return f"**{text}**\n\n" if text else ""


def _is_number(column: Column, number: int, table: Table) -> bool:
    if column.align == "right":
        return True
    return bool(table.rows) and all(isinstance(row[number], Share) for row in table.rows)


def _row(cells: Iterable[str]) -> str:
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
