"""LaTeX: booktabs, to be read by \\input into a paper; compiles under plain pdflatex.

The notes stand below the table and in its width: the convention is part of the number, and a
comment would not reach the reader.
"""

from collections.abc import Iterable, Iterator
from heapq import nlargest
from typing import NamedTuple

from convcost import __version__
from convcost.report import (
    Cell,
    Column,
    Difference,
    Report,
    Rounded,
    Share,
    Size,
    Style,
    Table,
    format,  # noqa: A004
    printable,
    shown,
)
from convcost.tex import escaped, number
from convcost.tex_layout import LONG, Layout, Wants, layout, width_of

NUMBERS = (int, Rounded)
MEASURED = 64  # of the longest cells of a column: one of few letters may be wider than one of more
A_PAGE = 40  # rows, about
SPARE = 3  # percent: the widths are estimates
SIUNITX = (
    r"\sisetup{group-digits=integer,group-minimum-digits=4,"
    "table-number-alignment=right,table-text-alignment=right}%\n"
)


class Set(NamedTuple):
    """A table as it is set: the specification of its columns, and its lines."""

    columns: str
    head: str
    rows: list[str]
    total: str
    layout: Layout


@format(
    "latex",
    "booktabs for a paper: --caption, --label, --longtable, --siunitx",
    ".tex",
    uses=("caption", "label", "long", "siunitx"),
)
def render(report: Report, style: Style) -> Iterator[str]:
    for position, table in enumerate(report.tables()):
        yield "\\par\\bigskip\n\n" if position else ""
        ready = _set(table, style)
        caption = _caption(table, style, position)
        yield from _comment(table, style, ready.layout)
        if style.long:
            yield from _long(table, ready, caption, style)
        elif caption:
            yield f"\\begin{{table}}\n\\centering\n{caption}\\par\\smallskip\n"
            yield from _alone(table, ready, style)
            yield "\\end{table}\n"
        else:
            yield from _alone(table, ready, style)


def _begin(ready: Set, style: Style) -> Iterator[str]:
    size = f"\\{ready.layout.size}" if ready.layout.size else ""
    yield f"\\begingroup{size}\\setlength{{\\tabcolsep}}{{{ready.layout.gap}pt}}%\n"
    yield SIUNITX if style.siunitx else ""


def _comment(table: Table, style: Style, plan: Layout) -> Iterator[str]:
    needed = {
        "booktabs": True,
        "array": any(plan.wraps),
        "graphicx": plan.squeezed and not style.long,
        "longtable": style.long,
        "siunitx": style.siunitx,
    }
    yield f"% convcost {__version__}: {printable(table.title)}\n"
    yield f"% \\usepackage{{{','.join(name for name, is_so in needed.items() if is_so)}}}\n"
    if plan.squeezed:
        yield "% wider than the 345 pt of an article's line: for table* or a wide page\n"
    if len(table.rows) > A_PAGE and not style.long:
        yield f"% {len(table.rows)} rows: --longtable lets a table run over pages\n"


def _caption(table: Table, style: Style, position: int) -> str:
    """Caption and label; what follows the first table is told apart, and a label has a number."""
    if not style.caption and not style.label:
        return ""
    title = printable(table.title)
    text = style.caption or title
    if position and style.caption:
        text = f"{style.caption}: {title}"
    label = f"{style.label}-{position + 1}" if position else style.label
    mark = f"\\label{{{label}}}" if style.label else ""
    return f"\\caption{{{escaped(text, breaks=True)}}}{mark}"


# Around the rows


def _alone(table: Table, ready: Set, style: Style) -> Iterator[str]:
    """In a box, so that the notes can be as wide."""
    yield from _begin(ready, style)
    boxed = bool(table.notes) or ready.layout.squeezed
    yield "\\sbox0{%\n" if boxed else "\\noindent\n"
    yield f"\\begin{{tabular}}{{{ready.columns}}}\n\\toprule\n{ready.head}\\midrule\n"
    yield from ready.rows
    yield f"\\midrule\n{ready.total}" if ready.total else ""
    yield f"\\bottomrule\n\\end{{tabular}}{'}' * boxed}%\n"
    if ready.layout.squeezed:
        yield "\\ifdim\\wd0>\\linewidth\\sbox0{\\resizebox{\\linewidth}{!}{\\usebox0}}\\fi\n"
    if boxed:
        yield "\\noindent\\begin{minipage}{\\wd0}\\usebox0\\par\n"
        yield from _notes(table, ready.layout)
        yield "\\end{minipage}%\n"
    yield "\\endgroup\n"


def _long(table: Table, ready: Set, caption: str, style: Style) -> Iterator[str]:
    """Over pages, its head on each."""
    yield from _begin(ready, style)
    wide = len(table.columns)
    head = f"\\toprule\n{ready.head}\\midrule\n"
    yield f"\\begin{{longtable}}{{{ready.columns}}}\n"
    yield f"{caption}\\\\\n" if caption else ""
    yield f"{head}\\endfirsthead\n{head}\\endhead\n"
    yield f"\\midrule\n\\multicolumn{{{wide}}}{{r@{{}}}}{{\\emph{{continued}}}}\\\\\n\\endfoot\n"
    yield "\\bottomrule\n\\endlastfoot\n"
    yield from ready.rows
    yield f"\\midrule\n{ready.total}" if ready.total else ""
    yield "\\end{longtable}\n"
    if table.notes:
        yield "{\\parindent0pt\n"
        yield from _notes(table, ready.layout)
        yield "}%\n"
    yield "\\endgroup\n"


def _notes(table: Table, plan: Layout) -> Iterator[str]:
    """Small, one paragraph each; never smaller than a paper's footnotes unless the table is."""
    size = "scriptsize" if plan.size == "scriptsize" else "footnotesize"
    yield f"\\{size}\\raggedright\\smallskip\n"
    for note in table.notes:
        yield f"{escaped(note, breaks=True)}\\par\n"


# Rows


class Kind(NamedTuple):
    """How a column stands: to the right or not, over lines or not, its numbers left to siunitx."""

    right: bool
    wraps: bool
    siunitx: bool


def _set(table: Table, style: Style) -> Set:
    total = table.total or (None,) * len(table.columns)
    every = [(*(row[n] for row in table.rows), total[n]) for n in range(len(table.columns))]
    wants = [_wants(c, cells) for c, cells in zip(table.columns, every, strict=True)]
    plan = layout(wants, scales=not style.long)
    kinds = [
        Kind(
            _is_right(column, cells[:-1]),
            bool(wrap),
            style.siunitx and not wrap and any(isinstance(cell, NUMBERS) for cell in cells),
        )
        for column, cells, wrap in zip(table.columns, every, plan.wraps, strict=True)
    ]
    heads = [
        _head(column.title, kind, want if plan.heads else None)
        for column, kind, want in zip(table.columns, kinds, wants, strict=True)
    ]
    apart = 2 if len(table.rows) <= A_PAGE else 1
    space = f"\\addlinespace[{apart}pt]\n" if any(plan.wraps) else ""
    # A network repeats itself: each cell of a column is set once.
    known = [
        {cell: _cell(cell, kind) for cell in dict.fromkeys(cells)}
        for cells, kind in zip(every, kinds, strict=True)
    ]
    rows = [_row(map(dict.__getitem__, known, row)) + space for row in table.rows]
    return Set(
        "@{}" + "".join(map(_column, kinds, plan.wraps, every)) + "@{}",
        _row(heads),
        rows,
        _row(map(_cell, total, kinds)) if table.total else "",
        plan,
    )


def _is_right(column: Column, cells: tuple[Cell, ...]) -> bool:
    """Shares stand left for the bar that a terminal has beside them; here they are numbers."""
    return column.align == "right" or (
        bool(cells) and all(isinstance(cell, Share) for cell in cells)
    )


def _wants(column: Column, cells: tuple[Cell, ...]) -> Wants:
    texts = dict.fromkeys(shown(cell) for cell in dict.fromkeys(cells))
    longest = nlargest(MEASURED, texts, key=len)
    body = max(map(width_of, longest)) * (100 + SPARE) // 100
    head = width_of(column.title)
    word = max(map(width_of, column.title.split()), default=0)
    return Wants(body, head, word, column.folds or max(body, word) > LONG)


def _column(kind: Kind, wrap: str, cells: tuple[Cell, ...]) -> str:
    if wrap:
        side = "left" if kind.right else "right"
        return f">{{\\ragged{side}\\arraybackslash}}p{{{wrap}}}"
    if kind.siunitx:
        return f"S[table-format={_table_format(cells)}]"
    return "r" if kind.right else "l"


def _table_format(cells: tuple[Cell, ...]) -> str:
    """Digits before and after the point of the numbers of a column: `-9.2`."""
    numbers = [
        c.plain if isinstance(c, Rounded) else str(c) for c in cells if isinstance(c, NUMBERS)
    ]
    sign = "-" if any(text.startswith("-") for text in numbers) else ""
    parts = [text.lstrip("-").partition(".") for text in numbers]
    whole, part = (max(len(text[n]) for text in parts) for n in (0, 2))
    return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"


def _row(cells: Iterable[str]) -> str:
    """After the end of a row LaTeX would take a bracket or a star for its option."""
    line = " & ".join(cells)
    return f"{'{}' if line[:1] in ('[', '*') else ''}{line} \\\\\n"


def _head(title: str, kind: Kind, want: Wants | None) -> str:
    """On one line, or on lines as wide as the column."""
    text = escaped(title, breaks=kind.wraps)
    if want and not kind.wraps and want.head > want.least:
        lines = "\\\\".join(f"{{}}{escaped(line)}" for line in _lines(title, want.least))
        side = "r" if kind.right else "l"
        text = f"\\begin{{tabular}}[b]{{@{{}}{side}@{{}}}}{lines}\\end{{tabular}}"
    return f"{{{text}}}" if kind.siunitx else text


def _lines(title: str, width: int) -> list[str]:
    lines: list[str] = []
    for word in title.split():
        if lines and width_of(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _cell(cell: Cell, kind: Kind) -> str:
    if cell is None:
        return ""
    if kind.siunitx and isinstance(cell, NUMBERS):
        plain = cell.plain if isinstance(cell, Rounded) else str(cell)
        if not isinstance(cell, Rounded) or cell.digits:
            return plain
        if not cell.exact:
            return "0"
    text = _text(cell, kind)
    return f"{{{text}}}" if kind.siunitx else text


def _text(cell: Cell, kind: Kind) -> str:
    text = shown(cell)
    if isinstance(cell, int):
        return number(text)
    if isinstance(cell, Share):
        return number(text.removesuffix(" %")) + r"\,\%"
    if isinstance(cell, Size) and cell.numbers:
        sizes = r"{\times}".join(map(str, cell.numbers))
        return f"${sizes}$" if len(cell.numbers) > 1 else sizes
    return escaped(text, breaks=kind.wraps, numbers=isinstance(cell, Difference))
