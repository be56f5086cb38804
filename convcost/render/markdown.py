"""Markdown: tables of GitHub's dialect, as they go into a README or a pull request.

A report with a `comment()` is written as one, with a line before it that a reader does not see and
by which whoever posts it finds the last one again.
"""

from collections.abc import Iterator

from convcost.comments import Comment
from convcost.cutting import cut, whole
from convcost.markdown_text import bold, marker, of_block, of_table
from convcost.report import Report, Style, format  # noqa: A004

LONGEST = 10  # bytes of one character as an escape, where the output speaks no Unicode


@format(
    "markdown", "tables for a README or a pull request", ".md", uses=("max_bytes", "comment_key")
)
def render(report: Report, style: Style) -> Iterator[str]:
    comment = getattr(report, "comment", None)
    if comment is None:
        opening = marker(style.comment_key) if style.comment_key else ""
        pieces = [piece for table in report.tables() for piece in of_table(table)]
    else:
        told: Comment = comment()
        opening = f"{marker(style.comment_key or told.key)}\n{bold(told.verdict).rstrip()}\n"
        pieces = [of_block(block) for block in told.blocks]
    if style.max_bytes is None:
        return whole(opening, pieces)
    return cut(opening, pieces, style.max_bytes, _in_ascii if style.ascii else _in_utf8)


def _in_utf8(text: str) -> int:
    return len(text.encode())


def _in_ascii(text: str) -> int:
    """At most so many: each character may become an escape, or a word."""
    return sum(1 if character.isascii() else LONGEST for character in text)
