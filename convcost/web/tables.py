"""Tables as markup: a caption, heads with a scope, a total at the foot, notes below."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice, repeat

from convcost.report import ROWS, Cell, Column, Share, Table
from convcost.web.cells import Written, one, text, thousandths, written

MOST_KEPT = 26  # characters


def table_html(table: Table) -> Iterator[str]:
    """A table in a box of its own, which scrolls where the table is wider than the page."""
    yield f'<div class="scroll" {region(table.title)}>\n<table class="set">\n'
    columns = cells_of(table.columns, table.rows, longest_share(table.rows))
    widths = tuple(column.widest for column in columns)
    yield f"{caption(table.title)}{header(table.columns, widths)}<tbody>\n"
    yield from body(columns)
    yield "</tbody>\n"
    if table.total:
        yield f"<tfoot>\n{foot(table)}</tfoot>\n"
    yield "</table>\n</div>\n"
    yield from notes(table.notes)


def region(title: str) -> str:
    """What scrolls can be reached by the keyboard, and has a name."""
    return f'role="region" tabindex="0" aria-label="{text(title)}"'


def caption(title: str) -> str:
    return f'<caption class="hidden">{text(title)}</caption>\n'


def header(columns: tuple[Column, ...], widths: tuple[int, ...] = ()) -> str:
    """With `widths`, what is in a column, in characters, each that folds is kept from the narrowest
    that it could be."""
    heads = (
        _head(column, min(width, MOST_KEPT) if column.folds else 0)
        for column, width in zip(columns, widths or (0,) * len(columns), strict=True)
    )
    return f"<thead>\n<tr>{''.join(heads)}</tr>\n</thead>\n"


def _head(column: Column, kept: int) -> str:
    look = f' style="--w:{kept}ch"' if kept else ""
    if column.align == "left" and column.key != "share":
        look = f' class="l"{look}'
    if not column.title:
        return f"<td{look}></td>"
    return f'<th scope="col"{look}>{text(column.title)}</th>'


def cells_of(
    columns: tuple[Column, ...], rows: tuple[tuple[Cell, ...], ...], longest: int
) -> list[Written]:
    """The table column by column."""
    by_column = list(zip(*rows, strict=True)) or [()] * len(columns)
    return [
        written(column, cells, longest, head=not number)
        for number, (column, cells) in enumerate(zip(columns, by_column, strict=True))
    ]


def body(columns: list[Written], start: int = 0, stop: int | None = None) -> Iterator[str]:
    cells = [column.cells[start:stop] for column in columns]
    count = len(cells[0]) if cells else 0
    rows = zip(repeat("<tr>", count), *cells, repeat("</tr>\n", count), strict=True)
    while piece := "".join(chain.from_iterable(islice(rows, ROWS))):
        yield piece


def foot(table: Table) -> str:
    cells = [
        one(column, cell, 0, head=not number)
        for number, (column, cell) in enumerate(zip(table.columns, table.total, strict=True))
    ]
    return f"<tr>{''.join(cells)}</tr>\n"


def longest_share(rows: Iterable[tuple[Cell, ...]]) -> int:
    """In thousandths."""
    longest = 0
    for cells in zip(*rows, strict=True):
        if Share in set(map(type, cells)):
            every = (thousandths(cell) for cell in cells if isinstance(cell, Share))
            longest = max(longest, *every, 0)
    return longest


def notes(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield f'<p class="note">{text(line)}</p>\n'
