"""LaTeX: booktabs tables for \\input, which compile under plain pdflatex.

LaTeX lays them out: it scales a table that is wider than the line, and wraps long texts. The notes
are below the table, with its width. They are not comments: a reader must see the convention.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from math import sqrt

from convcost import __version__
from convcost.model.errors import printable
from convcost.model.record import NamedTuple
from convcost.render import FormatOption, Style, format  # noqa: A004
from convcost.render.latex.escape import escape_latex, number
from convcost.reports.report import Report
from convcost.reports.table import (
    Cell,
    Column,
    Difference,
    Rounded,
    Share,
    Size,
    Table,
    cell_text,
    format_cells,
)

NUMBERS = {int, Rounded}
LONG = 32  # characters; a column with a longer text or title wraps
# The share of the line for all columns that wrap: in a table, in a long table, and if all wrap.
WRAPPED, WRAPPED_LONG, WRAPPED_ALL = 0.7, 0.5, 0.9
SISETUP = (
    r"\sisetup{group-digits=integer,group-minimum-digits=4,"
    "table-number-alignment=right,table-text-alignment=right}%\n"
)
SPACE = "\\par\\addvspace{\\medskipamount}\n"  # between text and a table; once between two tables
# Paragraphs as wide as the box 0, in the middle of the line if the text around them is centered.
WIDTH = (
    "\\parindent0pt\\parskip0pt\n"
    "\\ifdim\\gluestretch\\leftskip>0pt\\leftskip.5\\dimexpr\\linewidth-\\wd0\\relax\\fi\n"
    r"\rightskip\dimexpr\linewidth-\wd0-\leftskip\relax plus 1fil\relax"
)
CAPTION = FormatOption(
    "caption", "Caption of the table, which becomes a float.", "", metavar="TEXT"
)
LABEL = FormatOption(
    "label",
    "Label of the table; it becomes a float.",
    default="",
    metavar="NAME",
    check=lambda label: re.fullmatch("[A-Za-z0-9:.+/_ -]*", label) is not None,
    expected="made of letters, digits and : . - + / _",
)
LONGTABLE = FormatOption(
    "longtable", "Write a table that can break across pages.", default=False, type=bool
)
SIUNITX = FormatOption(
    "siunitx", "Write S columns; siunitx formats the numbers.", default=False, type=bool
)


class ColumnStyle(NamedTuple):
    """How a column is set: aligned to the `right`, as text that `wraps`, or by `siunitx`. `unit` is
    in each cell, not in the head."""

    right: bool
    wraps: bool
    siunitx: bool
    unit: str


class Body(NamedTuple):
    """The `columns` of a table as LaTeX declares them, and its lines in LaTeX; `total` is empty
    without a total. `wraps` says whether a column wraps, which needs the package `array`."""

    columns: str
    head: str
    rows: str
    total: str
    wraps: bool


@format(
    "latex",
    "booktabs for a paper",
    ".tex",
    options=(CAPTION, LABEL, LONGTABLE, SIUNITX),
    for_readers=True,
)
def render(report: Report, style: Style) -> Iterator[str]:
    tables = list(style.tables(report))
    for position, table in enumerate(tables):
        yield "\n" if position else ""
        body = _body(table, style)
        caption = _caption(table, style, position)
        # Without a caption, only the title identifies a table.
        title = f"{escape_latex(table.heading, breaks=True)}\\par\\nopagebreak\\smallskip\n"
        yield from _comment(table, style, body)
        yield from (_longtable if style.option(LONGTABLE) else _tabular)(
            table,
            body,
            caption,
            "" if caption or len(tables) == 1 else title,
            SISETUP if style.option(SIUNITX) else "",
        )


def _comment(table: Table, style: Style, body: Body) -> Iterator[str]:
    packages = ["booktabs", "longtable" if style.option(LONGTABLE) else "graphicx"]
    packages += ["array"] if body.wraps else []
    packages += ["siunitx"] if style.option(SIUNITX) else []
    yield f"% convcost {__version__}: {printable(table.heading)}\n"
    yield f"% \\usepackage{{{','.join(packages)}}}\n"


def _caption(table: Table, style: Style, position: int) -> str:
    """Caption and label. The label of a further table has a number, its caption a title."""
    if not style.option(CAPTION) and not style.option(LABEL):
        return ""
    title = printable(table.heading)
    text = style.option(CAPTION) or title
    label = style.option(LABEL)
    if position:
        text = f"{style.option(CAPTION)}: {title}" if style.option(CAPTION) else title
        label = label and f"{label}-{position + 1}"
    return f"\\caption{{{escape_latex(text, breaks=True)}}}" + (
        f"\\label{{{label}}}" if label else ""
    )


def _tabular(table: Table, body: Body, caption: str, title: str, setup: str) -> Iterator[str]:
    """The table in a box, scaled to the line if it is wider. The title and the notes are paragraphs
    of the same width: pages can break them, and TeX limits no sum of their heights."""
    yield f"\\begin{{table}}\n\\centering\n{caption}\\par\\smallskip\n" if caption else SPACE
    yield f"\\begingroup%\n{setup}\\sbox0{{%\n"
    yield f"\\begin{{tabular}}{{@{{}}{body.columns}@{{}}}}\n\\toprule\n{body.head}\\midrule\n"
    yield body.rows
    yield f"\\midrule\n{body.total}" if body.total else ""
    yield "\\bottomrule\n\\end{tabular}}%\n"
    yield "\\ifdim\\wd0>\\linewidth\\sbox0{\\resizebox{\\linewidth}{!}{\\usebox0}}\\fi\n"
    yield f"{WIDTH}\n{title}\\usebox0\\par\\nopagebreak\n"
    yield from _notes(table)
    yield "\\endgroup\n"
    yield "\\end{table}\n" if caption else SPACE


def _longtable(table: Table, body: Body, caption: str, title: str, setup: str) -> Iterator[str]:
    """The table over several pages, with its head on each.

    It cannot be scaled, so it is small, and can be 60 pt wider than the line on each side.
    """
    head = f"\\toprule\n{body.head}\\midrule\n"
    yield "\\begingroup\\footnotesize\\setlength{\\tabcolsep}{3pt}%\n"
    yield f"{SPACE}{{\\raggedright\\noindent {title}}}\\LTpre=0pt\n" if title else ""
    yield f"\\LTleft=-60pt plus 1fill\\LTright=\\LTleft\\LTpost=0pt\n{setup}"
    yield f"\\begin{{longtable}}{{@{{}}{body.columns}@{{}}}}\n"
    yield f"{caption}\\\\\n" if caption else ""
    yield f"{head}\\endfirsthead\n{head}\\endhead\n"
    yield f"\\midrule\n\\multicolumn{{{len(table.columns)}}}{{r@{{}}}}{{\\emph{{continued}}}}\\\\\n"
    yield "\\endfoot\n\\bottomrule\n\\endlastfoot\n"
    yield body.rows
    yield f"\\midrule\n{body.total}" if body.total else ""
    yield "\\end{longtable}\n\\raggedright\n"
    yield from _notes(table)
    yield f"\\endgroup\n{SPACE}"


def _notes(table: Table) -> Iterator[str]:
    yield "\\footnotesize\\smallskip\n" if table.notes else ""
    for note in table.notes:
        yield f"{escape_latex(note, breaks=True, numbers=True)}\\par\n"


def _body(table: Table, style: Style) -> Body:
    total = table.total or (None,) * len(table.columns)
    columns = list(zip(*table.rows, total, strict=True))
    styles = list(map(partial(_style, siunitx=style.option(SIUNITX)), table.columns, columns))
    share = WRAPPED_LONG if style.option(LONGTABLE) else WRAPPED
    wrapped = sum(column_style.wraps for column_style in styles)
    widths = [share / max(wrapped, 1)] * len(styles)
    if wrapped == len(styles):
        # A column with four times as much text is twice as wide, and has twice as many lines.
        roots = [
            sqrt(1 + sum(len(text) for text in column_style if isinstance(text, str)))
            for column_style in columns
        ]
        widths = [WRAPPED_ALL * root / sum(roots) for root in roots]
    texts = [
        format_cells(cells, partial(_cell, column_style))
        for column_style, cells in zip(styles, columns, strict=True)
    ]
    *rows, last = map(_row, zip(*texts, strict=True))
    return Body(
        "".join(map(_column, styles, columns, widths)),
        _row(
            _cell(column_style, column.title if column_style.unit else column.heading)
            for column_style, column in zip(styles, table.columns, strict=True)
        ),
        "".join(rows),
        last if table.total else "",
        wrapped > 0,
    )


def _style(column: Column, cells: Sequence[Cell], *, siunitx: bool) -> ColumnStyle:
    types = set(map(type, cells)) - {type(None)}
    texts = [cell for cell in cells if isinstance(cell, str)] if str in types else []
    wraps = max(map(len, (column.heading, *texts))) > LONG
    siunitx = siunitx and bool(types & NUMBERS) and not wraps
    in_cells = not siunitx and types <= {Rounded}
    return ColumnStyle(column.align == "right", wraps, siunitx, column.unit if in_cells else "")


def _column(style: ColumnStyle, cells: Sequence[Cell], width: float) -> str:
    if style.wraps:
        side = "left" if style.right else "right"
        return f">{{\\ragged{side}\\arraybackslash}}p{{{width:.2f}\\linewidth}}"
    if style.siunitx:
        return f"S[table-format={_table_format(cells)}]"
    return "r" if style.right else "l"


def _table_format(cells: Sequence[Cell]) -> str:
    """Digits before and after the point of the numbers of a column: `-9.2`."""
    texts = [c.plain if isinstance(c, Rounded) else str(c) for c in cells if type(c) in NUMBERS]
    sign = "-" if any(text.startswith("-") for text in texts) else ""
    parts = [text.lstrip("-").partition(".") for text in texts]
    whole, part = (max(len(text[n]) for text in parts) for n in (0, 2))
    return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"


def _row(cells: Iterable[str]) -> str:
    """One table row. A row that begins with `[` or `*` gets `{}` in front.

    Otherwise LaTeX reads that as an argument of the `\\\\` before it.
    """
    line = " & ".join(cells)
    return f"{'{}' if line[:1] in ('[', '*') else ''}{line} \\\\\n"


def _cell(style: ColumnStyle, cell: Cell) -> str:
    """The text of a cell. In a column of siunitx, a plain number stays one, and all other texts,
    such as `<0.01`, are in braces."""
    if cell is None:
        return ""
    if style.siunitx and isinstance(cell, int):
        return str(cell)
    if style.siunitx and isinstance(cell, Rounded) and (cell.digits or not cell.exact):
        return cell.plain if cell.exact else "0"
    text = _text(style, cell)
    return f"{{{text}}}" if style.siunitx else text


def _text(style: ColumnStyle, cell: Cell) -> str:
    if isinstance(cell, str):
        return escape_latex(cell, breaks=style.wraps)
    text = cell_text(cell)
    if isinstance(cell, int):
        return number(text)
    if isinstance(cell, Rounded) and style.unit and cell.exact:
        return rf"{escape_latex(text, numbers=True)}\,{style.unit}"
    if isinstance(cell, Share):
        return escape_latex(text.removesuffix(" %"), numbers=True) + r"\,\%"
    if isinstance(cell, Size) and cell.numbers:
        sizes = r"{\times}".join(map(str, cell.numbers))
        return f"${sizes}$" if len(cell.numbers) > 1 else sizes
    return escape_latex(text, breaks=style.wraps, numbers=isinstance(cell, Difference | Rounded))
