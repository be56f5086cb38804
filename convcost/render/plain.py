"""Plain text, one line a row, no box and no escape: for pipes, logs and grep."""

from collections.abc import Iterator
from itertools import islice

from convcost.report import ROWS, Report, Style, Table, each, format, printable, shown  # noqa: A004


@format("plain", "one line a row, no box: for pipes and logs", ".txt")
def render(report: Report, style: Style) -> Iterator[str]:
    for number, table in enumerate(report.tables()):
        yield "\n" if number else ""
        yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    yield f"{printable(table.title)}\n\n"
    total = [table.total] if table.total else []
    columns = []
    for number, column in enumerate(table.columns):
        cells = [row[number] for row in (*table.rows, *total)]
        texts = [printable(column.title), *each(cells, shown)]
        width = max(map(len, texts))
        pad = str.rjust if column.align == "right" else str.ljust
        columns.append([pad(text, width) for text in texts])
    lines = map("  ".join, zip(*columns, strict=True))
    while piece := [line.rstrip() for line in islice(lines, ROWS)]:
        yield "\n".join((*piece, ""))
    if table.notes:
        yield "\n"
    for note in table.notes:
        yield f"{printable(note)}\n"
