"""The model of a web page, independent of the markup: chapters of facts, tables and charts.

A report whose tables alone are not enough has its own `page()`; `convcost.render.html` writes it.
"""

from typing import TypeAlias

from convcost.model.record import NamedTuple
from convcost.reports.chart_model import Chart
from convcost.reports.table import Cell, Table

OPEN_ROWS = 48  # rows that are readable without folds


class Fact(NamedTuple):
    """One number, or a few words, with a name."""

    name: str
    value: Cell
    note: str = ""


class Folded(NamedTuple):
    """A long table, closed until the reader opens it, below a table with the sums of its rows."""

    sums: Table
    table: Table


Part: TypeAlias = Table | Folded | Chart


class Section(NamedTuple):
    """Parts under a title. A `folded` section is closed until the reader opens it."""

    title: str
    parts: tuple[Part, ...]
    folded: bool = False


class Chapter(NamedTuple):
    """Everything about one subject, such as a network."""

    title: str
    source: str = ""
    facts: tuple[Fact, ...] = ()
    notes: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()


class Page(NamedTuple):
    """A web page; `report` is the name of the report, such as `analyze`."""

    report: str
    title: str
    chapters: tuple[Chapter, ...]


def page_of_tables(report: str, tables: tuple[Table, ...], charts: tuple[Chart, ...]) -> Page:
    """A section for each table, then the charts."""
    end = (Section("Charts", charts),) if charts else ()
    if len(tables) == 1:
        (table,) = tables
        sections = (Section("", (table,)), *end)
        return Page(report, table.title, (Chapter(table.title, table.source, sections=sections),))
    titled = tuple(Section(table.heading, (table,)) for table in tables)
    return Page(report, report, (Chapter("", sections=(*titled, *end)),))
