"""A web page: one file without script, for a browser, a slide or paper."""

from collections.abc import Iterator

from convcost.report import Report, Style, format  # noqa: A004


@format("html", "a web page: one file, no script, nothing fetched", ".html", ".htm")
def render(report: Report, style: Style) -> Iterator[str]:
    from convcost.web.document import document
    from convcost.web.told import page_of

    for piece in document(page_of(report)):
        # Where the output speaks no Unicode, a page still can say it all.
        yield piece.encode("ascii", "xmlcharrefreplace").decode() if style.ascii else piece
