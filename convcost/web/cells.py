"""Text, and the cells of a table, as markup."""

from html import escape
from typing import NamedTuple

from convcost.report import Cell, Column, Rounded, Share, printable, shown


class Written(NamedTuple):
    """The cells of one column as markup, and how many characters the widest of them shows."""

    cells: list[str]
    widest: int


def text(value: str) -> str:
    """What stands in a page for a text: printable, and no markup."""
    return escape(printable(value), quote=True)


def name(value: str) -> str:
    """A path may be broken after each slash."""
    return text(value).replace("/", "/<wbr>")


def path(value: str) -> str:
    """A path of which the last name is what tells it from its neighbours."""
    before, slash, last = value.rpartition("/")
    return f"<span>{name(before + slash)}</span>{text(last)}" if slash else text(value)


def written(column: Column, cells: tuple[Cell, ...], longest: int, *, head: bool) -> Written:
    """A column. `longest`, in thousandths, is the share whose bar is drawn full; 0 draws none.

    What is alike is worked out once: of thousands of counts most are.
    """
    known = {cell: one(column, cell, longest, head=head) for cell in dict.fromkeys(cells)}
    widest = max((len(cell if type(cell) is str else shown(cell)) for cell in known), default=0)
    return Written([known[cell] for cell in cells], widest)


def one(column: Column, cell: Cell, longest: int, *, head: bool) -> str:
    """One cell; the head of a row is a header unless there is nothing in it."""
    if type(cell) is int and not head:
        return f"<td>{cell:,}</td>"
    if head and type(cell) is str and cell.isascii() and cell.isidentifier():
        return f'<th scope="row">{cell}</th>'
    if head and cell not in (None, ""):
        value = path(cell) if isinstance(cell, str) else inner(column, cell, longest)
        return f'<th scope="row"{_indent(cell)}>{value}</th>'
    kind = ' class="s"' if isinstance(cell, Share) else _side(column)
    return f"<td{kind}>{inner(column, cell, longest)}</td>"


def inner(column: Column, cell: Cell, longest: int) -> str:
    """What stands in a cell."""
    if isinstance(cell, Share):
        return f"{bar(cell, longest)}{text(shown(cell))}"
    if isinstance(cell, Rounded):
        return f'<data value="{cell.exact}" title="{cell.exact:,}">{text(cell.text)}</data>'
    if isinstance(cell, str):
        return name(cell) if column.folds else text(cell)
    return text(shown(cell))


def bar(share: Share, longest: int) -> str:
    """Its length is part of the longest bar's, to a tenth of a percent."""
    part = thousandths(share)
    if not longest or not part:
        return ""
    length = min(1000, part * 1000 // longest)
    return f'<i style="--p:{length // 10}.{length % 10}%"></i>'


def thousandths(share: Share) -> int:
    """At least 1 of what is not nothing."""
    if share.whole <= 0 or share.part <= 0:
        return 0
    return max(1, share.part * 1000 // share.whole)


def _side(column: Column) -> str:
    if column.align == "right":
        return ""
    return ' class="w"' if column.folds else ' class="l"'


def _indent(cell: Cell) -> str:
    """A line that belongs to the one above starts with spaces, which markup would drop."""
    return ' class="sub"' if isinstance(cell, str) and cell.startswith("  ") else ""
