"""The table of a terminal: it fits the width, leaves out whole columns and cuts no number."""

import re
from collections.abc import Iterable, Iterator

from convcost.model.errors import printable
from convcost.model.number_format import format_count
from convcost.model.record import NamedTuple
from convcost.model.terminal_width import width_of
from convcost.render import Style, format  # noqa: A004
from convcost.reports.report import Report
from convcost.reports.table import (
    Cell,
    Column,
    CountRange,
    Share,
    Table,
    cell_text,
    format_cells,
    plain_text,
)

MAX_ROWS = 2000  # in all tables; a run of 20,000 layers takes twice as long as with `plain`
UNLIMITED = 1_000_000  # characters
GAP = 2  # spaces between columns
NARROWEST_TEXT = 12  # characters
WIDEST_WORD = 20  # of a head that folds; longer words, such as names of networks, break
NUMBER = "0123456789,."
EIGHTHS = " ▏▎▍▌▋▊▉█"
BOLD, DIM, BLUE = "1", "2", "34"
ACCENTS = {r"^ *0(\.0 %)?$": DIM, r"(?<=% )[█▉▊▋▌▍▎▏#]+$": BLUE}


class Widths(NamedTuple):
    """The characters of a bar for 100 %, and of a line of a head."""

    bar: int
    head: int


WIDTHS = tuple(Widths(*widths) for widths in ((12, UNLIMITED), (6, 8), (3, 8), (0, 8), (0, 7)))


class TextColumn(NamedTuple):
    """A column as texts, none wider than `width` unless it `folds`, down to `narrowest`."""

    declared: Column
    title: str
    texts: list[str]
    total: str
    width: int
    narrowest: int = NARROWEST_TEXT

    def lines(self, text: str) -> list[str]:
        """A text on lines of the column's width."""
        folds = self.declared.folds or width_of(text) > self.width
        return [*map(printable, _fold(text, self.width))] if folds else [text]


@format("table", "for a terminal: fits its width, with bars and colour", for_readers=True)
def render(report: Report, style: Style) -> Iterator[str]:
    tables = list(style.encodable_tables(report))
    rows = sum(len(table.rows) for table in tables)
    if rows > MAX_ROWS:
        yield from plain_text(tables)
        yield (
            f"\n{format_count(rows)} rows; with more than {format_count(MAX_ROWS)}, convcost uses "
            "the format `plain`, which is faster\n"
        )
        return
    columns, fitting = _layout(tables, style)
    for number, (table, table_columns) in enumerate(zip(tables, columns, strict=True)):
        yield "\n" if number else ""
        yield _table(table, table_columns, fitting[_keys(table_columns)], style)


def _layout(
    tables: list[Table], style: Style
) -> tuple[list[list[TextColumn]], dict[tuple[str, ...], set[str]]]:
    """The columns of each table, and the keys of those that fit. Short bars make room for columns.
    Of the rest of the width, bars get as much as they can."""

    def columns(most: Widths) -> list[list[TextColumn]]:
        return [
            [_text_column(table, number, style, most) for number in range(len(table.columns))]
            for table in tables
        ]

    def fit_unfolded(layout: list[list[TextColumn]]) -> bool:
        return style.width is None or all(
            _total_width(
                column.width for column in group if column.declared.key in fitting[_keys(group)]
            )
            <= style.width
            for group in layout
        )

    longest = columns(WIDTHS[0])
    fitting = {_keys(group): set(_keys(group)) for group in longest}
    if fit_unfolded(longest):
        return longest, fitting
    fitting = _fitting_keys(columns(WIDTHS[-1]), style.width)
    layout = next(filter(fit_unfolded, map(columns, WIDTHS)), None)
    return layout or columns(WIDTHS[-1]), fitting


def _table(table: Table, every: list[TextColumn], fitting: set[str], style: Style) -> str:
    columns = _wrap([column for column in every if column.declared.key in fitting], style.width)
    hidden = [column.title for column in every if column.declared.key not in fitting]
    notes = [*table.notes, *([f"not shown at this width: {', '.join(hidden)}"] if hidden else [])]
    lines = [
        *_wrap_in_codes([table.heading], style, BOLD),
        "",
        *_grid(columns, style, total=bool(table.total)),
        *([""] if notes else []),
        *_wrap_in_codes(notes, style, DIM),
    ]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _grid(columns: list[TextColumn], style: Style, *, total: bool) -> Iterator[str]:
    """The lines of the head, of the rows and of the total, with a rule between them."""
    heads = _lines(columns, [[column.title] for column in columns], above=True)
    bodies = _lines(columns, [column.texts for column in columns])
    totals = _lines(columns, [[column.total] for column in columns])
    widths = [
        max(map(width_of, (*head, *body, *foot)))
        for head, body, foot in zip(heads, bodies, totals, strict=True)
    ]
    rule = ("-" if style.ascii else "─") * _total_width(widths)

    def joined(cells: list[list[str]], accents: dict[str, str]) -> Iterator[str]:
        padded = [
            [_pad_line(line, width, column.declared.align, accents, style) for line in lines]
            for column, width, lines in zip(columns, widths, cells, strict=True)
        ]
        return map((" " * GAP).join, zip(*padded, strict=True))

    yield from joined(heads, {".+": BOLD})
    yield rule
    yield from joined(bodies, ACCENTS)
    if total:
        yield rule
        yield from joined(totals, {".+": BOLD})


def _pad_line(line: str, width: int, align: str, accents: dict[str, str], style: Style) -> str:
    """A line of a cell as wide as its column, with the parts that match `accents` in colour."""
    blanks = " " * (width - width_of(line))
    for pattern, codes in accents.items():
        line = re.sub(pattern, style.paint(r"\g<0>", codes), line)
    return blanks + line if align == "right" else line + blanks


def _lines(
    columns: list[TextColumn], texts: list[list[str]], *, above: bool = False
) -> list[list[str]]:
    """The lines of each column. Each row has as many in all columns, with the empty ones below
    the others or `above` them."""
    cells = [
        [column.lines(text) for text in column_cells]
        for column, column_cells in zip(columns, texts, strict=True)
    ]
    heights = [max(map(len, row)) for row in zip(*cells, strict=True)]

    def fill(lines: list[str], height: int) -> list[str]:
        empty = [""] * (height - len(lines))
        return empty + lines if above else lines + empty

    return [
        [line for lines in map(fill, column_cells, heights) for line in lines]
        for column_cells in cells
    ]


def _text_column(table: Table, number: int, style: Style, most: Widths) -> TextColumn:
    column = table.columns[number]
    title = printable(column.heading)
    cells = [row[number] for row in table.rows]
    if most.bar and any(isinstance(cell, Share) for cell in cells):
        column = column._replace(align="left")
    texts = format_cells(cells, lambda cell: _text(cell, style, most.bar))
    total = _text(table.total[number], style) if table.total else ""
    longest = max(map(width_of, title.split()), default=0)
    heads = _fold(title, max(most.head, min(longest, WIDEST_WORD)))
    width = max(map(width_of, (*heads, total, *dict.fromkeys(texts))))
    counts = [text for cell in cells if isinstance(cell, CountRange) for text in cell.texts]
    narrowest = max([NARROWEST_TEXT, *map(len, counts)])
    return TextColumn(column, title, texts, total, width, narrowest)


def _total_width(widths: Iterable[int]) -> int:
    return sum(width + GAP for width in widths) - GAP


def _keys(columns: list[TextColumn]) -> tuple[str, ...]:
    return tuple(column.declared.key for column in columns)


def _fitting_keys(
    tables: list[list[TextColumn]], width: int | None
) -> dict[tuple[str, ...], set[str]]:
    """The keys of the columns that fit, for all keys of a table. Tables with the same columns leave
    out the same ones, so that they can be compared."""
    fitting: dict[tuple[str, ...], set[str]] = {}
    for columns in tables:
        keys = _keys(columns)
        fitting[keys] = fitting.get(keys, set(keys)) & _fit(columns, width)
    return fitting


def _fit(columns: list[TextColumn], width: int | None) -> set[str]:
    """The keys of the columns that fit, those with the lowest `drop` first."""
    fitting_columns: list[TextColumn] = []
    for column in sorted(columns, key=lambda column: column.declared.drop):
        least = _total_width(
            min(each.width, each.declared.least) if each.declared.folds else each.width
            for each in (*fitting_columns, column)
        )
        if width is None or least <= width or not column.declared.drop:
            fitting_columns.append(column)
    return set(_keys(fitting_columns))


def _wrap(columns: list[TextColumn], width: int | None) -> list[TextColumn]:
    """The columns with the widest texts made narrower until all fit; numbers keep their width."""
    widths = [column.width for column in columns]
    while width is not None and _total_width(widths) > width:
        foldable = [
            number
            for number, column in enumerate(columns)
            if column.declared.folds and widths[number] > column.narrowest
        ]
        if not foldable:
            break
        widths[max(foldable, key=widths.__getitem__)] -= 1
    return [column._replace(width=size) for column, size in zip(columns, widths, strict=True)]


def _fold(text: str, width: int) -> list[str]:
    """A text on lines of a width, broken at a space or after a slash if possible, and never in a
    number that is narrower than a line.

    A text can be safe inside a line and a command at its start, so each line is made printable.
    """
    if width_of(text) <= width:
        return [text]
    lines = []
    start = 0
    while (end := _line_end(text, start, width)) < len(text):
        first = _skip_spaces(text, start)
        space = text.rfind(" ", first, end + 1)
        if text.startswith(" %", space):  # a percentage is one number
            space = text.rfind(" ", first, space)
        at = max(space, text.rfind("/", first, end) + 1)
        if at <= start:
            line = text[start:end]
            length = len(line.rstrip(NUMBER)) if text[end] in NUMBER else len(line)
            at = start + (length or len(line))
        lines.append(text[start:at].rstrip())
        start = _skip_spaces(text, at)
    return [*lines, text[start:]] if start < len(text) else lines


def _line_end(text: str, start: int, width: int) -> int:
    """The end of the longest line from `start` that fits, with one character at least."""
    if text.isascii():
        return min(start + width, len(text))
    room = width
    for at in range(start, len(text)):
        room -= width_of(text[at])
        if room < 0 and at > start:
            return at
    return len(text)


def _skip_spaces(text: str, start: int) -> int:
    return next((at for at in range(start, len(text)) if text[at] != " "), len(text))


def _wrap_in_codes(texts: Iterable[str], style: Style, codes: str) -> Iterator[str]:
    for text in map(printable, texts):
        for line in [text] if style.width is None else _fold(text, style.width):
            yield style.paint(printable(line), codes)


def _text(cell: Cell, style: Style, bar: int = 0) -> str:
    if not isinstance(cell, Share):
        return cell_text(cell)
    return f"{cell_text(cell).rjust(7)} {_bar(cell, style, bar)}".rstrip()


def _bar(share: Share, style: Style, length: int) -> str:
    if share.part <= 0 or share.whole <= 0 or not length:
        return ""
    eighths = max(1, share.part * length * 8 // share.whole)
    if style.ascii:
        return "#" * max(1, eighths // 8)
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()
