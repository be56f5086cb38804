"""A web page: one file without scripts, for a browser, a slide or paper."""

from collections.abc import Iterator

from convcost.render import Style, format  # noqa: A004
from convcost.reports.report import Report


@format(
    "html", "a web page: one file, no script, nothing fetched", ".html", ".htm", for_readers=True
)
def render(report: Report, style: Style) -> Iterator[str]:
    from convcost.render.html.document import document

    for piece in document(report.page()):
        # An output without Unicode has character references.
        yield piece.encode("ascii", "xmlcharrefreplace").decode() if style.ascii else piece
