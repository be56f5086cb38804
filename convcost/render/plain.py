"""Plain text, one line for each row, no box and no escape: for pipes, logs and grep."""

from collections.abc import Iterator

from convcost.render import Style, format  # noqa: A004
from convcost.reports.report import Report
from convcost.reports.table import plain_text


@format("plain", "one line for each row, no box: for pipes and logs", ".txt")
def render(report: Report, style: Style) -> Iterator[str]:
    return plain_text(style.encodable_tables(report))
