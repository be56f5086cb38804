"""CSV: raw integers, one header, the network first; text that a spreadsheet would run is quoted."""

from collections.abc import Iterator

from convcost.delimited import delimited
from convcost.report import Report, Style, format  # noqa: A004


@format("csv", "for spreadsheets: raw integers, no totals", ".csv", uses=("bare",))
def render(report: Report, style: Style) -> Iterator[str]:
    return delimited(report, ",", bare=style.bare)
