"""CSV: raw integers, one header, the network first; text that a spreadsheet would run is quoted."""

from collections.abc import Iterator
from typing import Any

from convcost.report import (
    Cell,
    Report,
    Rounded,
    Share,
    Size,
    Style,
    Table,
    format,  # noqa: A004
    printable,
)

FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Pieces(list[str]):
    """What csv writes to: a file that remembers."""

    def write(self, text: str) -> int:
        self.append(text)
        return len(text)


@format("csv", "for spreadsheets: raw integers, no totals", ".csv")
def render(report: Report, style: Style) -> Iterator[str]:
    import csv

    header: tuple[str, ...] = ()
    for table in report.tables():
        pieces = _Pieces()
        writer: Any = csv.writer(pieces, lineterminator="\n")
        columns = ("network", *(column.key for column in table.columns))
        if columns != header:
            if header:
                pieces.append("\n")
            writer.writerow(columns)
            header = columns
        writer.writerows(_rows(table))
        yield "".join(pieces)


def _rows(table: Table) -> Iterator[list[Any]]:
    name = _cell(table.name)
    for row in table.rows:
        yield [name, *map(_cell, row)]


def _cell(cell: Cell) -> int | str:
    if cell is None:
        return ""
    if isinstance(cell, int):
        return cell
    if isinstance(cell, Size):
        return "x".join(map(str, cell.numbers))
    if isinstance(cell, Share):
        return _percent(cell)
    if isinstance(cell, Rounded):
        return cell.exact
    text = printable(cell)
    return f"'{text}" if cell.startswith(FORMULA) else text


def _percent(share: Share) -> str:
    """Percent to four places, rounded half up, without a sign of it."""
    if not share.whole:
        return "0"
    scaled = (2 * share.part * 10**6 + share.whole) // (2 * share.whole)
    return f"{scaled // 10**4}.{scaled % 10**4:04d}"
