"""What a report says on a page, before any markup: chapters of facts, tables and pictures.

A report whose tables alone are not enough has a `page()`; who writes it down is `convcost.web`.
"""

from typing import NamedTuple, TypeAlias

from convcost.pictures import Picture
from convcost.report import Cell, Table


class Fact(NamedTuple):
    """One number, or a few words, that stands for itself."""

    name: str
    value: Cell
    note: str = ""


class Stage(NamedTuple):
    """The rows of a table from `start` up to `stop`, not with it.

    With `sums`, one cell a column, they fold under them; without, they stand open.
    """

    start: int
    stop: int
    sums: tuple[Cell, ...] = ()


class Staged(NamedTuple):
    """A table cut into stages that leave out none of its rows. `unfolded`: none is closed."""

    table: Table
    stages: tuple[Stage, ...]
    unfolded: bool


Part: TypeAlias = Table | Staged | Picture


class Section(NamedTuple):
    """One thing that is told. A `folded` one is closed until it is asked for."""

    title: str
    parts: tuple[Part, ...]
    folded: bool = False


class Chapter(NamedTuple):
    """All that is told of one subject, of a network for instance."""

    title: str
    source: str = ""
    facts: tuple[Fact, ...] = ()
    notes: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()


class Page(NamedTuple):
    """`question` is what was asked, a word: `analyze`."""

    question: str
    title: str
    chapters: tuple[Chapter, ...]
