"""Tables, independent of the format: titles, columns, rows, totals, notes. Exact values, no
markup."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Literal, TypeAlias, TypeVar

from convcost.model.errors import printable
from convcost.model.measures import Count
from convcost.model.number_format import format_change, format_count, format_percent, format_ratio
from convcost.model.record import NamedTuple
from convcost.model.shape import Shape

T = TypeVar("T")
Layout: TypeAlias = Literal["hwc", "chw"]
UNKNOWN = "?"
ROWS = 500  # rows of one piece of output: few writes, little memory


class Share(NamedTuple):
    """A part of a whole: a percentage and, if there is room, a bar."""

    part: int
    whole: int

    @classmethod
    def of(cls, part: Count, whole: Count) -> "Share | str":
        """The share of a count; a question mark if one of both is a lower bound."""
        return UNKNOWN if part.uncounted or whole.uncounted else cls(part.known, whole.known)


class Size(NamedTuple):
    """Numbers joined by a multiplication sign: `112×112×64`."""

    numbers: tuple[Any, ...]


class Rounded(NamedTuple):
    """A count in a unit: `digits`/10^`places`, rounded from the `exact` count."""

    digits: int
    places: int
    exact: int

    @classmethod
    def of(cls, count: int, scale: int, places: int) -> "Rounded":
        """Rounds half up, away from zero, from the exact integer."""
        scaled = (2 * abs(count) * 10**places + scale) // (2 * scale)
        return cls(scaled if count >= 0 else -scaled, places, count)

    @property
    def plain(self) -> str:
        """The number without grouped digits: `-1582.67`."""
        sign, digits = "-" if self.digits < 0 else "", f"{abs(self.digits):0{self.places + 1}d}"
        if not self.places:
            return f"{sign}{digits}"
        return f"{sign}{digits[: -self.places]}.{digits[-self.places :]}"

    @property
    def text(self) -> str:
        """The grouped digits. Zero is `0`; a count too small for its digits is `<0.01`."""
        if not self.exact:
            return "0"
        if not self.digits:
            smallest = Rounded(1, self.places, 1).plain
            return f"<{smallest}" if self.exact > 0 else f">-{smallest}"
        whole, point, part = self.plain.partition(".")
        return f"{int(whole):,}{point}{part}" if whole != "-0" else self.plain


class Difference(NamedTuple):
    """A count that changes, `-229,888 (-59.4 %)`.

    The percentage is left out if `before` is 0 or `share` is false. `scale` is the unit of the
    count, shown with `places` decimals; the percentage is always exact.
    """

    before: int
    after: int
    with_percentage: bool = True
    scale: int = 1
    places: int = 0

    @classmethod
    def of(cls, before: Count, after: Count, *, with_percentage: bool = True) -> "Difference | str":
        """The change of a count; a question mark if one of both is a lower bound."""
        is_known = not (before.uncounted or after.uncounted)
        return cls(before.known, after.known, with_percentage) if is_known else UNKNOWN

    @property
    def amount(self) -> int:
        """The count after the change minus the count before."""
        return self.after - self.before

    @property
    def text(self) -> str:
        """The signed difference and, with `with_percentage`, its percentage."""
        rounded = Rounded.of(self.amount, self.scale, self.places)
        sign = "+" if rounded.digits > 0 else ""
        text = f"{sign}{rounded.text}"
        if not (self.with_percentage and self.before):
            return text
        return f"{text} ({format_change(self.amount, self.before)})"


class CountRatio(NamedTuple):
    """A count compared with that of a baseline: `16.94× fewer` or `1.50× as many`."""

    before: int
    after: int
    baseline: bool = False

    @classmethod
    def of(cls, before: Count, after: Count) -> "CountRatio | str":
        """The ratio of two counts; a question mark if one of both is a lower bound."""
        is_known = not (before.uncounted or after.uncounted)
        return cls(before.known, after.known) if is_known else UNKNOWN

    @property
    def text(self) -> str:
        """The ratio in words; empty if a count is 0, because there is no ratio."""
        if self.baseline:
            return "baseline"
        if not self.before or not self.after:
            return ""
        if self.before == self.after:
            return "equal"
        if self.after < self.before:
            return f"{format_ratio(self.before, self.after)}× fewer"
        return f"{format_ratio(self.after, self.before)}× as many"


class CountRange(NamedTuple):
    """The least and the most of several counts: `11,689,512 to 60,192,808`.

    `scale` is the unit of the counts, shown with `places` decimals.
    """

    least: int
    most: int
    scale: int = 1
    places: int = 0

    @property
    def texts(self) -> list[str]:
        """Both counts, or the only one."""
        ends = dict.fromkeys((self.least, self.most))
        return [Rounded.of(count, self.scale, self.places).text for count in ends]

    @property
    def text(self) -> str:
        return " to ".join(self.texts)


Cell: TypeAlias = int | str | Share | Size | Rounded | Difference | CountRatio | CountRange | None


class Column(NamedTuple):
    """A column of a table; `key` names it in CSV and TSV, `title` everywhere else.

    If the columns do not all fit, those with the lowest `drop` stay; 0 always stays. A column that
    `folds` wraps its text if the text is longer than `least` characters.
    A column that `scales` holds counts, which `--units` can round; `unit` is then their unit.
    """

    key: str
    title: str
    align: Literal["left", "right"] = "right"
    drop: int = 0
    folds: bool = False
    least: int = 24
    scales: bool = False
    unit: str = ""

    @property
    def heading(self) -> str:
        """The title with the unit, such as `params (M)`."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


class Table(NamedTuple):
    """A table of a report. `name` is the network that the rows belong to, None if they belong to
    several; `source` is where that network is from.

    `total` has one cell for each column, or is empty. `row_keys` replace the keys of the columns
    for units if each row is a measure of its own; they are empty for rows without counts.
    """

    name: str | None
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] = ()
    notes: tuple[str, ...] = ()
    row_keys: tuple[str, ...] = ()
    source: str = ""

    @property
    def heading(self) -> str:
        """The title with the source: `GoogLeNet (Szegedy et al., 2015)`."""
        return f"{self.title} ({self.source})" if self.source else self.title

    def without_empty_columns(self) -> "Table":
        """The table without the columns that are empty in every row."""
        used = [n for n in range(len(self.columns)) if any(row[n] != "" for row in self.rows)]
        return self._replace(
            columns=tuple(self.columns[n] for n in used),
            rows=tuple(tuple(row[n] for n in used) for row in self.rows),
        )

    def with_texts(self, change: Callable[[str], str]) -> "Table":
        """The table with other titles, texts and notes."""

        def changed(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
            return tuple(change(cell) if isinstance(cell, str) else cell for cell in cells)

        return self._replace(
            title=change(self.title),
            source=change(self.source),
            columns=tuple(column._replace(title=change(column.title)) for column in self.columns),
            rows=tuple(map(changed, self.rows)),
            total=changed(self.total),
            notes=tuple(map(change, self.notes)),
        )


def shape_size(shape: Shape, layout: Layout = "hwc") -> Size:
    """A shape as a cell, with the channels last or first."""
    if layout == "chw":
        return Size((shape.channels, *shape.size))
    return Size((*shape.size, shape.channels))


def count_cell(count: Count | int | None) -> Cell:
    """A count as a cell; a question mark for one that is not known."""
    shown = count.shown if isinstance(count, Count) else count
    return UNKNOWN if shown is None else shown


def cell_text(cell: Cell) -> str:
    """A cell as text: a count with grouped digits, a share as a percentage, a name with escapes."""
    if cell is None:
        return ""
    if isinstance(cell, int):
        return format_count(cell)
    if isinstance(cell, Size):
        return "×".join(map(str, cell.numbers)) or "-"
    if isinstance(cell, Share):
        return format_percent(cell.part, cell.whole)
    if isinstance(cell, Rounded | Difference | CountRatio | CountRange):
        return cell.text
    return printable(cell)


def format_cells(cells: Iterable[T], format_cell: Callable[[T], str]) -> list[str]:
    """The text of each cell of a column. Equal cells are formatted once: most cells are equal."""
    cells = list(cells)
    texts = {cell: format_cell(cell) for cell in dict.fromkeys(cells)}
    return [texts[cell] for cell in cells]


def plain_text(tables: Iterable[Table]) -> Iterator[str]:
    """Tables as plain text, one line for each row, in pieces of at most `ROWS` lines."""
    for number, table in enumerate(tables):
        yield "\n" if number else ""
        yield f"{printable(table.heading)}\n\n"
        total = [table.total] if table.total else []
        columns = []
        for index, column in enumerate(table.columns):
            cells = [row[index] for row in (*table.rows, *total)]
            texts = [printable(column.heading), *format_cells(cells, cell_text)]
            text_width = _width_function(texts)
            width = max(map(text_width, texts))
            pad = str.rjust if column.align == "right" else str.ljust
            columns.append([pad(text, width + len(text) - text_width(text)) for text in texts])
        lines = map("  ".join, zip(*columns, strict=True))
        while piece := [line.rstrip() for line in islice(lines, ROWS)]:
            yield "\n".join((*piece, ""))
        yield "\n" if table.notes else ""
        for note in table.notes:
            yield f"{printable(note)}\n"


def _width_function(texts: list[str]) -> Callable[[str], int]:
    """A function for the terminal width of a text: `len` if all of `texts` are in Latin letters."""
    if max("".join(texts), default="") <= "\u02ff":
        return len
    from convcost.model.terminal_width import width_of

    return width_of
