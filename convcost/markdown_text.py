"""Tables, lists and folded blocks in GitHub's dialect of Markdown; whatever a spec holds is text.

GitHub looks for mentions, issues, addresses and emoji in what is already rendered, where a
character reference is the character again; in code it does not look. So what could begin one of
them is set as code, as is `#` before a digit, and every other sign of Markdown as a reference. No
text has a `<` of its own:
it can close no block and be no marker.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial

from convcost.comments import Block
from convcost.cutting import Piece
from convcost.report import Cell, Column, Share, Table, each, printable, shown

# An underscore inside a word is never markup, and names of layers are full of them.
SPECIAL = re.compile(
    r"(?P<code>@+|#+(?=\d)|://|:(?=[\w+-]+:)|(?<=[wW]{3})\.|(?<=[gG][hH])-(?=\d))"
    r"|[#|<>&`*\[\]\\~!$]|(?<![^\W_])_|_(?![^\W_])"
)
NAME = re.compile(r"[A-Za-z0-9]+(?:[_/][A-Za-z0-9]+)*")  # as layers are called, most of them
WIDEST = 10  # bytes of a character as an escape, where the output speaks no Unicode
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
    rows = _rows(table)
    total = _row(f"**{_cell(cell)}**" if _cell(cell) else "" for cell in table.total)
    yield Piece(
        f"{bold(table.title)}{''.join(lines)}", rows, total if table.total else "", "", rank
    )
    if table.notes:
        yield of_lines(table.notes, rank)


def _rows(table: Table, longest: int | None = None) -> tuple[str, ...]:
    """With no text longer than so many bytes, but for cells that stand right."""
    columns = []
    for column, cells in zip(table.columns, zip(*table.rows, strict=True), strict=False):
        most = None if column.align == "right" else longest
        columns.append(each(cells, lambda cell, most=most: _cell(cell, most)))  # type: ignore[misc]
    return tuple(f"| {line} |\n" for line in map(" | ".join, zip(*columns, strict=True)))


def of_lines(lines: Iterable[str], rank: int = 0) -> Piece:
    """A list."""
    return Piece("", _items(lines), rank=rank)


def _items(lines: Iterable[str], longest: int | None = None) -> tuple[str, ...]:
    return tuple(f"- {BLOCK.sub(_led, _cell(line, longest))}\n" for line in lines)


def of_block(block: Block) -> Piece:
    """The block under its title; a folded one has it in a line that opens it. Its table has no
    notes."""
    body = block.body
    if isinstance(body, Table):
        (piece,) = of_table(body, block.rank)
    else:
        piece = of_lines(body, block.rank)
    if block.shortens:
        say = partial(_rows, body) if isinstance(body, Table) else partial(_items, body)
        piece = piece._replace(shorter=say)
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


def _cell(cell: Cell, longest: int | None = None) -> str:
    if not isinstance(cell, str):
        return shown(cell)
    return _escaped(cell) if longest is None else _shortened(cell, longest)


def _shortened(text: str, longest: int) -> str:
    """A text, cut if it has to be, that is no longer as Markdown than so many bytes, wherever it is
    written."""
    text = printable(text)
    kept, told = text[:longest], _escaped(text) if len(text) <= longest else ""
    while not told or sum(1 if sign.isascii() else WIDEST for sign in told) > longest:
        kept = kept[: len(kept) * 7 // 8]
        told = f"{_escaped(kept)}…"
    return told


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
