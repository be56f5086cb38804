"""The interface of all reports, which formats use."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from convcost import __version__
from convcost.model.record import NamedTuple, Record
from convcost.reports.table import Table, plain_text

if TYPE_CHECKING:
    from convcost.reports.chart_model import Chart
    from convcost.reports.check.finding import CheckResult
    from convcost.reports.comment_model import Comment
    from convcost.reports.page_model import Page


def versioned(schema: str, **body: Any) -> dict[str, Any]:
    """The tree of a report, which begins with the name and version of its schema."""
    return {"schema": schema, "version": __version__, **body}


class Root(NamedTuple):
    """The folders of file names: `top` is the one that files are named relative to; `here` is the
    one that given names are relative to. Both are absolute, or empty to leave names unchanged."""

    top: str = ""
    here: str = ""


class Report(Record):
    """The result of one command. A format uses only what is declared here.

    A report is a frozen value: a subclass has its fields, like a NamedTuple. It defines `name`,
    `tables` and `tree`; everything else has a default.
    """

    @property
    def name(self) -> str:
        """The command that makes the report: `analyze`."""
        raise NotImplementedError

    def tables(self) -> Iterator[Table]:
        """The report for people."""
        raise NotImplementedError

    def tree(self) -> dict[str, Any]:
        """The report for programs: JSON values with a versioned `schema`. A NamedTuple is written
        as an object."""
        raise NotImplementedError

    def records(self) -> Table | None:
        """One table with everything that a program reads of each row; CSV and TSV write it instead
        of the tables."""
        return None

    def for_readers(self) -> "Report":
        """The report for formats that people read, without rows that say nothing to them."""
        return self

    def charts(self) -> "Iterator[Chart]":
        return iter(())

    def page(self) -> "Page":
        """The report as a web page; by default its tables and charts."""
        from convcost.reports.page_model import page_of_tables

        return page_of_tables(self.name, tuple(self.tables()), tuple(self.charts()))

    def comment(self) -> "Comment | None":
        """The report as a comment on a change; None for the tables."""
        return None

    def check_result(self) -> "CheckResult | None":
        """The findings of a check; None if the report is not a check."""
        return None

    def __str__(self) -> str:
        """The report in plain text."""
        return "".join(plain_text(self.tables())).rstrip("\n")
