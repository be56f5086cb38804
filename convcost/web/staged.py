"""A table in stages: each folds under a line with its sums, and all lines stand in one grid.

A stage is a table of its own, as no table can have a part that folds. So that the columns of all
meet, their widths are counted here, in characters, and given to each.
"""

from collections.abc import Iterator

from convcost.pages import Stage, Staged
from convcost.report import Cell, Column, Share, Table, shown
from convcost.web.cells import Written, inner, path, text
from convcost.web.tables import (
    body,
    caption,
    cells_of,
    foot,
    header,
    longest_share,
    notes,
    region,
)

BAR = 6  # characters
WIDEST_KIND = 18
LEAST_TEXT = 18  # what a column of text is given at least


def staged_html(staged: Staged) -> Iterator[str]:
    table = staged.table
    sums = [stage.sums for stage in staged.stages if stage.sums]
    longest = longest_share((*table.rows, *sums))
    columns = cells_of(table.columns, table.rows, longest)
    widths = _widths(table, columns, sums)
    yield f'<div class="scroll" {region(table.title)}>\n'
    yield f'<div class="staged" style="{_grid(widths)}">\n{_heads(table.columns)}'
    for stage in staged.stages:
        yield from _stage(table, stage, columns, widths, longest, unfolded=staged.unfolded)
    if table.total:
        yield f'<table class="open">\n{caption(f"{table.title}: total")}{_widths_html(widths)}'
        yield f"{header(table.columns)}<tbody class=total>\n{foot(table)}</tbody>\n</table>\n"
    yield "</div>\n</div>\n"
    yield from notes(table.notes)


def _stage(
    table: Table,
    stage: Stage,
    columns: list[Written],
    widths: list[int],
    longest: int,
    *,
    unfolded: bool,
) -> Iterator[str]:
    head = f"{_widths_html(widths)}{header(table.columns)}<tbody>\n"
    if stage.sums:
        title = f"{table.title}: {shown(stage.sums[0])}"
        yield f"<details{' open' * unfolded}>\n<summary>{_line(table, stage.sums, longest)}"
        yield f"</summary>\n<table>\n{caption(title)}{head}"
    else:
        yield f'<table class="open">\n{caption(table.title)}{head}'
    yield from body(columns, stage.start, stage.stop)
    yield "</tbody>\n</table>\n"
    if stage.sums:
        yield "</details>\n"


def _line(table: Table, sums: tuple[Cell, ...], longest: int) -> str:
    """Where a fold is closed, its line is all that a reader, or a listener, has."""
    first, *rest = sums
    cells = [f"<b>{path(shown(first))}</b>"]
    for column, cell in zip(table.columns[1:], rest, strict=True):
        side = ' class="l"' if column.align == "left" and not isinstance(cell, Share) else ""
        label = f'<span class="hidden">{text(column.title)} </span>' if cell is not None else ""
        cells.append(f"<span{side}>{label}{inner(column, cell, longest)}</span>")
    return "".join(cells)


def _heads(columns: tuple[Column, ...]) -> str:
    """For the eye only: the tables below have heads of their own."""
    cells = (f"<span{_left(column)}>{text(column.title)}</span>" for column in columns)
    return f'<div class="heads" aria-hidden="true">{"".join(cells)}</div>\n'


def _left(column: Column) -> str:
    return ' class="l"' if column.align == "left" and column.key != "share" else ""


# Widths


def _widths(table: Table, columns: list[Written], sums: list[tuple[Cell, ...]]) -> list[int]:
    """Of each column in characters; 0 takes what is left."""
    widths = []
    for number, (column, cells) in enumerate(zip(table.columns, columns, strict=True)):
        if column.folds:
            widths.append(0)
            continue
        extra = [shown(row[number]) for row in (*sums, *([table.total] if table.total else []))]
        words = column.title.split()
        widest = max([cells.widest, *map(len, extra), *map(len, words)])
        widest += any("×" in cell for cell in extra)  # the sign is wider than a digit
        if column.align == "left" and column.key != "share":
            widest = min(widest, WIDEST_KIND)
        widths.append(widest + BAR * (column.key == "share"))
    return widths


def _grid(widths: list[int]) -> str:
    tracks = " ".join(f"calc({n}ch + 1.2em)" if n else "minmax(0, 1fr)" for n in widths)
    least = sum(n or LEAST_TEXT for n in widths)
    return f"--grid:{tracks};--least:calc({least}ch + {len(widths)} * 1.2em)"


def _widths_html(widths: list[int]) -> str:
    cols = (f'<col style="width:calc({n}ch + 1.2em)">' if n else "<col>" for n in widths)
    return f"<colgroup>{''.join(cols)}</colgroup>\n"
