"""Tables, lists and folded blocks in GitHub Flavored Markdown; every text of a spec is escaped.

GitHub and GitLab link mentions, issues, commits, addresses and emoji after they have rendered the
text, where a character reference is the character again. They link nothing inside code. So text
that can begin a link is code, and every other special character is a character reference. Such
signs side by side are in one code span: two spans that touch would be read as a span in double
backticks. No text keeps a `<`: it cannot close a block or begin a comment. GitLab also links `!1`,
`&1`, `~label`, `%milestone`, `$1`, `GL-1`, `[issue:1]`, `*iteration:1` and `project>`, and renders
`{+a+}` and `[-b-]` as a change. Of `$1` the number is code: a `$` is never written, because it can
begin a formula.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from html import escape

from convcost.model.errors import printable
from convcost.render.markdown.truncate import Piece, ascii_size
from convcost.reports.comment_model import CommentBlock
from convcost.reports.table import Cell, Table, cell_text, format_cells

COMMIT = r"(?<![^\W_])[0-9a-fA-F]{7,64}(?![^\W_])"
# An underscore inside a word is never markup.
# Each alternative begins with its first character: most characters of a text are then skipped fast.
SPECIAL = re.compile(
    r"(?P<code>(?:@|#(?<!##)#*+(?=\d)|://|:(?=[\w+-]+:)|\.(?<=[wW]{3}\.)|-(?<=[gG][hHlL]-)(?=\d)"
    r"|[!&](?<![!&]{2})[!&]*+(?=\d)|[~%](?<![~%]{2})[~%]*+(?=[\"\w])|\d(?<=\$\d)\d*"
    r"|\[(?=\w+:)|\*(?=iteration:)|[\[{](?=[-+])|>(?<=[\w.-]>)"
    r"|[0-9a-fA-F](?<![^\W_].)[0-9a-fA-F]{6,63}(?![^\W_]))+)"
    r"|[#|<>&`*\[\]\\~!$]|_(?<![^\W_]_)|_(?![^\W_])"
)
REFERENCES = {sign: f"&#{ord(sign)};" for sign in r"#|<>&`*[]\~!$_"}
# In a note, what is in backticks is code, as in Markdown. No other code span touches it.
CODE = re.compile(r"(?<![^\s(])(`[^`|<>&\\\s](?:[^`|<>&\\]*[^`|<>&\\\s])?`)(?=[\s.,;)]|: |$)")
NAME = re.compile(rf"(?!.*{COMMIT})[A-Za-z0-9]+(?:[_/][A-Za-z0-9]+)*")  # the names of most layers
CODE_OR_UNICODE = re.compile(r"(`[^`]*`)|[^\x00-\x7f]")
BLOCK = re.compile(r"^(\d*)([-+=.)])")  # can begin a list or underline a heading


def table_pieces(table: Table, rank: int = 0) -> Iterator[Piece]:
    """A table, and a list of its notes."""
    titles = _row(_escape_text(column.heading) for column in table.columns)
    sides = ("---:" if column.align == "right" else "---" for column in table.columns)
    head = f"{bold(table.heading)}{titles}{_row(sides)}"
    total = _row(f"**{_cell(cell)}**" if _cell(cell) else "" for cell in table.total)
    yield Piece(head, _rows(table), total if table.total else "", rank=rank)
    if table.notes:
        yield list_piece(table.notes, rank)


def _rows(table: Table, longest: int | None = None) -> tuple[str, ...]:
    """The rows. With `longest`, no text is longer than that many bytes, except in right-aligned
    columns."""
    columns = [
        format_cells(cells, partial(_cell, longest=None if column.align == "right" else longest))
        for column, cells in zip(table.columns, zip(*table.rows, strict=True), strict=False)
    ]
    return tuple(f"| {line} |\n" for line in map(" | ".join, zip(*columns, strict=True)))


def list_piece(lines: Iterable[str], rank: int = 0) -> Piece:
    """Lines as a list."""
    return Piece("", _items(lines), rank=rank)


def _items(lines: Iterable[str], longest: int | None = None) -> tuple[str, ...]:
    notes = (_cell(line, longest) if longest else _escape_note(line) for line in lines)
    return tuple(f"- {BLOCK.sub(_escape_lead, note)}\n" for note in notes)


def _escape_note(text: str) -> str:
    """Markdown that renders as `text`, with its parts in backticks as code."""
    first, *others = CODE.split(printable(text))
    escaped = [_escape_text(first)]
    for code, part in zip(others[::2], others[1::2], strict=True):
        inner = part.lstrip(" ")
        escaped += code, " " * (len(part) - len(inner)), _escape_text(inner)
    return "".join(escaped)


def block_piece(block: CommentBlock) -> Piece:
    """A block under its title; the title of a folded one is its summary. A table has no notes."""
    body = block.body
    if isinstance(body, Table):
        (piece,) = table_pieces(body, block.rank)
    else:
        piece = list_piece(body, block.rank)
    if block.shortens:
        shorten = partial(_rows, body) if isinstance(body, Table) else partial(_items, body)
        piece = piece._replace(shorten=shorten)
    if not block.folded:
        return piece._replace(head=f"{bold(block.title)}{piece.head}")
    summary = f"<summary>{_escape_text(block.title, html=True)}</summary>"
    return piece._replace(
        head=f"<details>\n{summary}\n\n{piece.head}", close=f"{piece.close}\n</details>\n"
    )


def character_references(markdown: str) -> str:
    """Markdown for an output without Unicode. Words would be markup: `·` is written as `*`, and
    `GH−1` as `GH-1`, which is a link. In code they are only text."""
    return CODE_OR_UNICODE.sub(lambda match: match[1] or f"&#{ord(match[0])};", markdown)


def marker(key: str) -> str:
    """A hidden line by which a program finds the comment again."""
    return f"<!-- convcost:{key} -->\n"


def bold(title: str) -> str:
    """A bold paragraph; nothing if there is no title."""
    text = _escape_text(title).strip()
    return f"**{text}**\n\n" if text else ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _cell(cell: Cell, longest: int | None = None) -> str:
    if not isinstance(cell, str):
        return cell_text(cell)
    return _escape_text(cell) if longest is None else _shorten(cell, longest)


def _shorten(text: str, longest: int) -> str:
    """A text of at most `longest` bytes as Markdown in any encoding, truncated if necessary."""
    text = printable(text)
    prefix, escaped = text[:longest], _escape_text(text) if len(text) <= longest else ""
    while not escaped or ascii_size(escaped) > longest:
        prefix = prefix[: len(prefix) * 7 // 8]
        escaped = f"{_escape_text(prefix)}…"
    return escaped


@lru_cache(maxsize=1024)
def _escape_text(text: str, *, html: bool = False) -> str:
    """Markdown, or HTML inside it, that renders as `text`. Leading spaces become non-breaking.

    Markdown between two tags is HTML, in which a backtick is only a backtick.
    """
    if NAME.fullmatch(text):
        return text
    text = printable(text)
    indented = len(text) - len(text.lstrip(" "))
    return "&nbsp;" * indented + SPECIAL.sub(partial(_escape, html=html), text[indented:])


def _escape(match: re.Match[str], *, html: bool) -> str:
    if not match.lastgroup:
        return REFERENCES[match[0]]
    return f"<code>{escape(match[0])}</code>" if html else f"`{match[0]}`"


def _escape_lead(match: re.Match[str]) -> str:
    return f"{match[1]}&#{ord(match[2])};"
