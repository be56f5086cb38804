"""CSV and TSV, for spreadsheets and scripts: the rows of all tables, the network first.

Every count is its exact integer, whatever the unit of the other formats. There is no total: a
spreadsheet would add it again.
"""

from collections.abc import Iterator
from functools import partial
from io import StringIO

from convcost.model.errors import printable
from convcost.model.number_format import visible_places
from convcost.render import FormatOption, Style, format  # noqa: A004
from convcost.reports.report import Report
from convcost.reports.table import (
    Cell,
    CountRange,
    CountRatio,
    Difference,
    Rounded,
    Share,
    Size,
    format_cells,
)

CSV_RAW = FormatOption(
    "csv_raw", "Do not quote text that looks like a formula.", default=False, type=bool
)
# What a spreadsheet reads as the beginning of a formula (OWASP, CSV Injection), with the wide forms
# of East Asian input, and the signs that an output without Unicode writes as `-` and `->`. Tab and
# carriage return are not here: they are written as escapes.
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "−", "→")


@format("csv", "for spreadsheets: raw integers, no totals", ".csv", options=(CSV_RAW,))
def render_csv(report: Report, style: Style) -> Iterator[str]:
    return _delimited(report, ",", style)


@format("tsv", "for spreadsheets, cut and awk: raw integers, no totals", ".tsv", options=(CSV_RAW,))
def render_tsv(report: Report, style: Style) -> Iterator[str]:
    return _delimited(report, "\t", style)


def _delimited(report: Report, separator: str, style: Style) -> Iterator[str]:
    """A header where the columns change, and the rows. The first column is the network, unless the
    report has records, which name what they belong to, or the rows belong to several networks.

    Cells with a separator or a quote are quoted, in TSV too, although the registration of TSV has
    no quotes. Without them, a name that begins with a quote would contain the rows that follow.
    """
    import csv

    raw = style.option(CSV_RAW)
    records = report.records()
    header: tuple[str, ...] = ()
    for table in report.tables() if records is None else (records,):
        file = StringIO()
        writer = csv.writer(file, delimiter=separator, lineterminator="\n")
        name = table.name if records is None else None
        names = () if name is None else ("network",)
        keys = (*names, *(_text(column.key, raw=raw) for column in table.columns))
        if keys != header:
            file.write("\n" if header else "")
            writer.writerow(keys)
            header = keys
        columns = [
            format_cells(cells, partial(_cell, raw=raw)) for cells in zip(*table.rows, strict=True)
        ]
        if name is not None:
            columns.insert(0, [_text(name, raw=raw)] * len(table.rows))
        writer.writerows(zip(*columns, strict=True))
        yield file.getvalue()


def _cell(cell: Cell, *, raw: bool) -> str:
    if isinstance(cell, int):
        return str(cell)
    if isinstance(cell, Size):
        return "x".join(map(str, cell.numbers))
    if isinstance(cell, Share):
        return _quotient(cell.part, cell.whole, percent=True) if cell.whole else "0"
    if isinstance(cell, CountRatio):
        return _quotient(cell.after, cell.before) if cell.before else ""
    if isinstance(cell, Difference | CountRange):
        return str(cell.amount) if isinstance(cell, Difference) else f"{cell.least}-{cell.most}"
    return str(cell.exact) if isinstance(cell, Rounded) else _text(cell or "", raw=raw)


def _text(text: str, *, raw: bool) -> str:
    """A text that no spreadsheet reads as a formula. Some skip spaces before they look for a
    formula."""
    text = printable(text)
    return f"'{text}" if not raw and text.lstrip().startswith(FORMULA) else text


def _quotient(part: int, whole: int, *, percent: bool = False) -> str:
    """A quotient, or with `percent` 100 times it. It is rounded half up: to 6 decimals, in percent
    to 4. A quotient that would become 0 or 1 has as many decimals as it needs to differ from it."""
    places = visible_places(part, whole, 6)
    scaled = (2 * part * 10**places + whole) // (2 * whole)
    places -= 2 * percent
    return f"{scaled // 10**places}.{scaled % 10**places:0{places}d}"
