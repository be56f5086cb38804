"""The table of a terminal: it fits the width, drops whole columns in their order, cuts no number."""

from collections.abc import Iterator
from io import StringIO

from convcost.report import (
    Cell,
    Column,
    Report,
    Share,
    Size,
    Style,
    Table,
    format,  # noqa: A004
    printable,
)
from convcost.units import grouped, percent

BAR = 12
NARROWEST_TEXT = 12
EIGHTHS = " ▏▎▍▌▋▊▉█"


@format("table", "for a terminal: fits its width, with bars and colour")
def render(report: Report, style: Style) -> Iterator[str]:
    for number, table in enumerate(report.tables()):
        yield "\n" if number else ""
        yield from _table(table, style)


def _table(table: Table, style: Style) -> Iterator[str]:
    from rich import box
    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

    out = StringIO()
    width = style.width or 10_000
    console = Console(
        file=out,
        width=width,
        force_terminal=style.color,
        color_system="standard" if style.color else None,
        no_color=not style.color,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
    )
    kept = _kept(table, width)
    grid = Grid(
        box=box.ASCII2 if style.ascii else box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1),
        show_footer=bool(table.total),
        header_style="bold",
        footer_style="bold",
    )
    for index in kept:
        column = table.columns[index]
        grid.add_column(
            Text(column.title),
            Text(_total(table.total[index])) if table.total else "",
            justify=column.align,
            no_wrap=not _folds(column),
            overflow="fold",
        )
    for row in table.rows:
        grid.add_row(*(Text(_cell(row[index], style)) for index in kept))
    console.print(Text(printable(table.title), style="bold"), soft_wrap=False)
    console.print()
    console.print(grid)
    hidden = [c.title for i, c in enumerate(table.columns) if i not in kept]
    notes = [*table.notes]
    if hidden:
        notes.append(f"not shown at this width: {', '.join(hidden)}")
    console.print()
    for note in notes:
        console.print(Text(printable(note), style="dim"))
    for line in out.getvalue().splitlines():
        yield line.rstrip() + "\n"


def _folds(column: Column) -> bool:
    return column.align == "left" and column.key == "path"


def _kept(table: Table, width: int) -> list[int]:
    """The columns that fit: of those that may go, the highest `drop` goes first."""
    kept = list(range(len(table.columns)))
    widths = [_width(table, index) for index in kept]
    droppable = sorted(
        (i for i in kept if table.columns[i].drop), key=lambda i: -table.columns[i].drop
    )
    while droppable and sum(widths[i] for i in kept) + 2 * (len(kept) - 1) + 1 > width:
        kept.remove(droppable.pop(0))
    return kept


def _width(table: Table, index: int) -> int:
    column = table.columns[index]
    cells = [row[index] for row in table.rows]
    longest = max(
        [len(column.title), *(len(_cell(cell, Style())) for cell in cells)]
        + ([len(_total(table.total[index]))] if table.total else [])
    )
    return longest


def _total(cell: Cell) -> str:
    if isinstance(cell, Share):
        return percent(cell.part, cell.whole).rjust(7)
    return _cell(cell, Style())


def _cell(cell: Cell, style: Style) -> str:
    if cell is None:
        return ""
    if isinstance(cell, int):
        return grouped(cell)
    if isinstance(cell, Size):
        return "×".join(map(str, cell.numbers)) or "-"
    if isinstance(cell, Share):
        return f"{percent(cell.part, cell.whole).rjust(7)} {_bar(cell, style)}".rstrip()
    return printable(cell)


def _bar(share: Share, style: Style) -> str:
    if share.part <= 0 or share.whole <= 0:
        return ""
    if style.ascii:
        return "#" * max(1, share.part * BAR // share.whole)
    eighths = max(1, share.part * BAR * 8 // share.whole)
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()
