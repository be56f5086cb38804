"""Rows with a sign between their cells, for spreadsheets and scripts: what CSV and TSV share.

Every count is its exact integer, whatever the unit of a table for people. There is no total: it
would be summed again.
"""

from collections.abc import Iterator
from itertools import repeat
from typing import Any

from convcost.report import Cell, Report, Rounded, Share, Size, Table, each, printable
from convcost.rounding import InUnits

# What a spreadsheet takes for the beginning of a formula (OWASP, CSV Injection), the wide forms of
# East Asian input too. Tab and carriage return are none: they are printed as escapes.
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


class _Pieces(list[str]):
    """What csv writes to: a file that remembers."""

    def write(self, text: str) -> int:
        self.append(text)
        return len(text)


def delimited(report: Report, sign: str, *, bare: bool) -> Iterator[str]:
    """A header where it changes, the network first; a cell with the sign or a quote in quotes. Of a
    report that has records, these, which say themselves what they are of.

    Quotes in TSV too, which its registration does not know: without them a name that begins with
    one would take the rows after it into its cell.
    """
    import csv

    header: tuple[str, ...] = ()
    exact = report.report if isinstance(report, InUnits) else report
    records = getattr(exact, "records", None)
    for table in exact.tables() if records is None else (records(),):
        pieces = _Pieces()
        writer: Any = csv.writer(pieces, delimiter=sign, lineterminator="\n")
        of = ("network",) if records is None else ()
        columns = (*of, *(_text(column.key, bare=bare) for column in table.columns))
        if columns != header:
            if header:
                pieces.append("\n")
            writer.writerow(columns)
            header = columns
        writer.writerows(_rows(table, named=records is None, bare=bare))
        yield "".join(pieces)


def _rows(table: Table, *, named: bool, bare: bool) -> Iterator[tuple[Any, ...]]:
    name = (repeat(_text(table.name, bare=bare)),) if named else ()
    columns = [
        each(cells, lambda cell: str(_cell(cell, bare=bare)))
        for cells in zip(*table.rows, strict=True)
    ]
    return zip(*name, *columns, strict=False) if columns else iter(())


def _cell(cell: Cell, *, bare: bool) -> int | str:
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
    return _text(cell, bare=bare)


def _text(text: str, *, bare: bool) -> str:
    """Text that no spreadsheet runs: some pass over spaces before they look for a formula."""
    text = printable(text)
    return f"'{text}" if not bare and text.lstrip().startswith(FORMULA) else text


def _percent(share: Share) -> str:
    """Percent to four places, rounded half up, without a sign of it."""
    if not share.whole:
        return "0"
    scaled = (2 * share.part * 10**6 + share.whole) // (2 * share.whole)
    return f"{scaled // 10**4}.{scaled % 10**4:04d}"
