"""Text and the cells of a table as HTML."""

from html import escape

from convcost.model.errors import printable
from convcost.reports.table import Cell, Column, Share, cell_text


def escape_html(value: str) -> str:
    """A text as HTML: printable characters, no markup."""
    return escape(printable(value), quote=True)


def breakable(value: str) -> str:
    """A path that can break after each slash."""
    return escape_html(value).replace("/", "/<wbr>")


def _path_html(value: str) -> str:
    """A path with its last name, which differs from its neighbours, in another style."""
    before, slash, last = value.rpartition("/")
    return f"<span>{breakable(before + slash)}</span>{escape_html(last)}"


def cell_html(column: Column, cell: Cell, longest: int, *, head: bool) -> str:
    """One cell. The first cell of a row is its header unless it is empty.

    `longest`, in thousandths, is the share with a full bar; 0 has no bars.
    """
    if type(cell) is int and not head:
        return f"<td>{cell:,}</td>"
    value = cell_content(column, cell, longest)
    if head and cell not in (None, ""):
        value = _path_html(cell) if isinstance(cell, str) and "/" in cell else value
        side = ' class="r"' if column.align == "right" and not isinstance(cell, str) else ""
        return f'<th scope="row"{side}>{value}</th>'
    if isinstance(cell, Share):
        return f'<td class="s">{value}</td>'
    side = "" if column.align == "right" else ' class="w"' if column.folds else ' class="l"'
    return f"<td{side}>{value}</td>"


def cell_content(column: Column, cell: Cell, longest: int) -> str:
    """The content of a cell. The length of the bar of a share is relative to the longest one."""
    if isinstance(cell, Share):
        part = thousandths(cell) * 1000 // longest if longest else 0
        bar = f'<i style="--p:{part // 10}.{part % 10}%"></i>' if part else ""
        return f"{bar}{escape_html(cell_text(cell))}"
    if isinstance(cell, str):
        return breakable(cell) if column.folds else escape_html(cell)
    return escape_html(cell_text(cell))


def thousandths(share: Share) -> int:
    """A share in thousandths; at least 1 if it is above 0."""
    if share.whole <= 0 or share.part <= 0:
        return 0
    return max(1, share.part * 1000 // share.whole)
