"""TSV: as CSV, with tabs: to paste into a spreadsheet, or for cut and awk."""

from collections.abc import Iterator

from convcost.delimited import delimited
from convcost.report import Report, Style, format  # noqa: A004


@format("tsv", "for spreadsheets, cut and awk: raw integers, no totals", ".tsv", uses=("bare",))
def render(report: Report, style: Style) -> Iterator[str]:
    return delimited(report, "\t", bare=style.bare)
