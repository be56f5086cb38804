"""Plain text, one line a row, no box and no escape: for pipes, logs and grep."""

from collections.abc import Iterator

from convcost.report import Report, Style, Table, format, printable, shown  # noqa: A004


@format("plain", "one line a row, no box: for pipes and logs", ".txt")
def render(report: Report, style: Style) -> Iterator[str]:
    for number, table in enumerate(report.tables()):
        yield "\n" if number else ""
        yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    yield f"{printable(table.title)}\n\n"
    header = [printable(column.title) for column in table.columns]
    rows = [[shown(cell) for cell in row] for row in table.rows]
    total = [[shown(cell) for cell in table.total]] if table.total else []
    every = [header, *rows, *total]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    right = [column.align == "right" for column in table.columns]
    for row in every:
        cells = (
            cell.rjust(width) if end else cell.ljust(width)
            for cell, width, end in zip(row, widths, right, strict=True)
        )
        yield "  ".join(cells).rstrip() + "\n"
    if table.notes:
        yield "\n"
    for note in table.notes:
        yield f"{printable(note)}\n"
