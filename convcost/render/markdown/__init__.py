"""GitHub Flavored Markdown: the tables of a report, for a README or a pull request.

A report with a `comment()` is written as that comment. A hidden line before it lets the program
that posts it find and replace the last one.
"""

import re
from collections.abc import Iterator

from convcost.render import FormatOption, Style, format  # noqa: A004
from convcost.render.markdown.markup import (
    block_piece,
    bold,
    character_references,
    marker,
    table_pieces,
)
from convcost.render.markdown.truncate import ascii_size, truncate, utf8_size
from convcost.reports.report import Report

MIN_BYTES = 1_000  # the verdict of a check always fits
MAX_BYTES = FormatOption[int | None](
    "max_bytes",
    "Leave out rows so that the text has at most N bytes.",
    default=None,
    type=int,
    metavar="N",
    check=lambda limit: limit is None or limit >= MIN_BYTES,
    expected=f"{MIN_BYTES:,} or more",
)
COMMENT_KEY = FormatOption(
    "comment_key",
    "Key of the comment, in a hidden first line.",
    default="",
    metavar="KEY",
    check=lambda key: re.fullmatch("[A-Za-z0-9._-]{0,64}", key) is not None,
    expected="at most 64 letters, digits and - _ .",
)


@format(
    "markdown",
    "tables for a README or a PR",
    ".md",
    options=(MAX_BYTES, COMMENT_KEY),
    for_readers=True,
)
def render(report: Report, style: Style) -> Iterator[str]:
    key = style.option(COMMENT_KEY)
    comment = report.comment()
    if comment is None:
        opening = marker(key) if key else ""
        pieces = [piece for table in style.tables(report) for piece in table_pieces(table)]
    else:
        opening = f"{marker(key or comment.key)}\n{bold(comment.verdict).rstrip()}\n"
        pieces = [block_piece(block) for block in comment.blocks]
    if not style.ascii:
        return truncate(opening, pieces, style.option(MAX_BYTES), utf8_size)
    shown = truncate(opening, pieces, style.option(MAX_BYTES), ascii_size)
    return map(character_references, shown)
