"""Tables as HTML: a caption, heads with a scope, a total in the foot, notes below."""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, islice, repeat

from convcost.render.html.cells import cell_html, escape_html, thousandths
from convcost.reports.page_model import Folded
from convcost.reports.table import ROWS, Column, Share, Table, format_cells


def table_html(table: Table) -> Iterator[str]:
    """A table in a box that scrolls if the table is wider than the page."""
    heading = escape_html(table.heading)
    yield f'<div class="scroll" {region_attributes(table.heading)}>\n<table>\n'
    yield f'<caption class="hidden">{heading}</caption>\n'
    yield f"<thead>\n<tr>{''.join(map(_head, table.columns))}</tr>\n</thead>\n<tbody>\n"
    cells = (cell for row in table.rows for cell in row if isinstance(cell, Share))
    longest = max(map(thousandths, cells), default=0)
    by_column = zip(*table.rows, strict=True)
    columns = [
        format_cells(cells, partial(cell_html, column, longest=longest, head=not number))
        for number, (column, cells) in enumerate(zip(table.columns, by_column, strict=False))
    ]
    count = len(table.rows)
    rows = zip(repeat("<tr>", count), *columns, repeat("</tr>\n", count), strict=True)
    while piece := "".join(chain.from_iterable(islice(rows, ROWS))):
        yield piece
    yield "</tbody>\n"
    if table.total:
        total = (
            cell_html(column, cell, 0, head=not number)
            for number, (column, cell) in enumerate(zip(table.columns, table.total, strict=True))
        )
        yield f"<tfoot>\n<tr>{''.join(total)}</tr>\n</tfoot>\n"
    yield "</table>\n</div>\n"
    yield from notes_html(table.notes)


def folded_html(folded: Folded) -> Iterator[str]:
    """The sums, and below them the table with all rows, closed until it is opened."""
    yield from table_html(folded.sums)
    yield f"<details>\n<summary><span>All {len(folded.table.rows):,} rows</span></summary>\n"
    yield from table_html(folded.table)
    yield "</details>\n"


def region_attributes(title: str) -> str:
    """The attributes of a box that scrolls: it has a name and accepts the keyboard focus."""
    return f'role="region" tabindex="0" aria-label="{escape_html(title)}"'


def _head(column: Column) -> str:
    look = ""
    if column.align == "left":
        look = ' class="w"' if column.folds else ' class="l"'
    if not column.title:
        return f"<td{look}></td>"
    return f'<th scope="col"{look}>{escape_html(column.heading)}</th>'


def notes_html(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield f'<p class="note">{escape_html(line)}</p>\n'
