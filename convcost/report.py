"""What a report says, before any format: titles, columns, rows, totals, notes. Exact, no markup."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, NamedTuple, Protocol, Self, TypeAlias, TypeVar

from convcost.errors import printable as printable  # noqa: PLC0414  whoever prints has it from here
from convcost.finding_places import Root
from convcost.registry import Registry
from convcost.units import change, grouped, percent, signed

T = TypeVar("T")
ROWS = 500  # of one piece: few writes, little memory


class Share(NamedTuple):
    """A part of a whole, to be shown as a percentage and, where there is room, as a bar."""

    part: int
    whole: int


class Size(NamedTuple):
    """Numbers joined by a multiplication sign: `112×112×64`."""

    numbers: tuple[Any, ...]


class Rounded(NamedTuple):
    """A count in a unit: `digits`/10^`places`, rounded from the `exact` one."""

    digits: int
    places: int
    exact: int

    @classmethod
    def of(cls, count: int, scale: int, places: int) -> "Rounded":
        """Rounded half up, away from zero, from the exact integer."""
        scaled = (2 * abs(count) * 10**places + scale) // (2 * scale)
        return cls(scaled if count >= 0 else -scaled, places, count)

    @property
    def plain(self) -> str:
        """`-1582.67`, digits not grouped."""
        sign, digits = "-" * (self.digits < 0), f"{abs(self.digits):0{self.places + 1}d}"
        if not self.places:
            return f"{sign}{digits}"
        return f"{sign}{digits[: -self.places]}.{digits[-self.places :]}"

    @property
    def text(self) -> str:
        """As people read it. What is there but too small for its digits is never shown as 0, and
        what is nothing is no 0.00."""
        if not self.exact:
            return "0"
        if not self.digits:
            smallest = Rounded(1, self.places, 1).plain
            return f"<{smallest}" if self.exact > 0 else f">-{smallest}"
        whole, point, part = self.plain.partition(".")
        return f"{int(whole):,}{point}{part}" if whole != "-0" else self.plain


class Difference(str):
    """From one count to another, `-229,888 (-59.4 %)`; the share is left out where there was
    nothing, or if it is not `shared`. In a unit the count is rounded, the share stays."""

    __slots__ = ("by", "share")
    by: int
    share: str

    def __new__(cls, before: int, after: int, *, shared: bool = True) -> Self:
        by = after - before
        of = f" ({change(by, before)})" if shared and before else ""
        made = super().__new__(cls, f"{signed(by)}{of}")
        made.by = by
        made.share = of
        return made

    def within(self, scale: int, digits: int) -> str:
        """The same in a unit."""
        rounded = Rounded.of(self.by, scale, digits)
        sign = "+" * (rounded.digits > 0)
        return f"{sign}{rounded.text}{self.share}"


Cell: TypeAlias = int | str | Share | Size | Rounded | None


class Column(NamedTuple):
    """`key` is for machines, `title` for people. Of columns that do not all fit, the one with the
    highest `drop` goes first; 0 always stays. Text that may run over lines is marked `folds`; where
    it is longer than `least`, that is what it needs to stay. Counts that a unit can be asked for
    are marked `scales`."""

    key: str
    title: str
    align: Literal["left", "right"] = "right"
    drop: int = 0
    folds: bool = False
    least: int = 24
    scales: bool = False


class Table(NamedTuple):
    """`name` is what its rows belong to; `total` has one cell a column, or is empty. Where each row
    is a measure of its own, `by_row`, a unit goes to its first cell."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] = ()
    notes: tuple[str, ...] = ()
    by_row: bool = False


class Report(Protocol):
    """An answer. A format asks for what it needs: tables for people, a tree for programs.

    A report may also have `pictures()`, a `page()` that says more than its tables, a `comment()`
    that says it to whoever reviews a change, and `records()`: one table with all that a program
    wants of each row, which CSV and TSV write instead of the tables.
    """

    def tables(self) -> Iterator[Table]: ...

    def tree(self) -> dict[str, Any]:
        """Values that JSON has, with a versioned `schema`; a NamedTuple is a record."""
        ...


class Style(NamedTuple):
    """Where a report goes: how wide it is, what it can show, and what was asked for it.

    No width: as wide as needed. `caption` and `label` make a table of LaTeX float; `long` lets it
    run over pages; `siunitx` leaves its numbers to that package. `bare` leaves text of a CSV as it
    is, even if a spreadsheet would take it for a formula. `max_bytes` is how long Markdown may be;
    `comment_key` names it in a line that is not seen. `root` is where files are named from, so that
    what is written for other programs is the same on every machine.
    """

    width: int | None = None
    color: bool = False
    ascii: bool = False
    caption: str = ""
    label: str = ""
    long: bool = False
    siunitx: bool = False
    bare: bool = False
    max_bytes: int | None = None
    comment_key: str = ""
    root: Root = Root()


class Format(NamedTuple):
    """How reports are written; `suffixes` are the file names that ask for it.

    `uses` are the fields of a style that mean something to it and not to every format: an option
    that none of the formats written uses is refused. `needs` names what a report must have besides
    tables and a tree, like `findings` (`convcost.findings.Findings`): any other is refused.
    """

    name: str
    meaning: str
    render: "Render"
    suffixes: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    needs: str = ""


FORMATS: Registry[Format] = Registry("convcost.render")

# A format that needs more than a Report says so by the type of its first argument.
Render: TypeAlias = Callable[[Any, Style], Iterator[str]]


def format(  # noqa: A001
    name: str, meaning: str, *suffixes: str, uses: tuple[str, ...] = (), needs: str = ""
) -> Callable[[Render], Render]:
    """Registers a function that writes a report, piece by piece, as the format `name`."""

    def register(render: Render) -> Render:
        FORMATS.add(name, Format(name, meaning, render, suffixes, uses, needs))
        return render

    return register


def shown(cell: Cell) -> str:
    """A cell as people read it: digits grouped, a share as a percentage, names made printable."""
    if cell is None:
        return ""
    if isinstance(cell, int):
        return grouped(cell)
    if isinstance(cell, Size):
        return "×".join(map(str, cell.numbers)) or "-"
    if isinstance(cell, Share):
        return percent(cell.part, cell.whole)
    if isinstance(cell, Rounded):
        return cell.text
    return printable(cell)


def each(cells: Iterable[T], say: Callable[[T], str]) -> list[str]:
    """What is said of each cell of a column; equal ones, and most of a network are, only once."""
    known: dict[T, str] = {}
    texts = []
    for cell in cells:
        text = known.get(cell)
        if text is None:
            text = known[cell] = say(cell)
        texts.append(text)
    return texts
