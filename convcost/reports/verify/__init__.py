"""Published figures compared with the exact counts, one row for each figure."""

from collections.abc import Iterator
from typing import Any

from convcost.model.record import NamedTuple
from convcost.reports.report import Report, versioned
from convcost.reports.table import Table
from convcost.reports.verify.figure_check import (
    FigureRecord,
    FigureSummary,
    PublishedEntry,
    check_figures,
    figure_records,
    figure_table,
    summarize,
)

SCHEMA = "convcost.verify/1"


class PublishedNetwork(NamedTuple):
    """Everything that is published about one network."""

    name: str
    file: str
    source: str
    entries: tuple[PublishedEntry, ...]


class _VerificationFields(NamedTuple):
    networks: tuple[tuple[PublishedNetwork, tuple[FigureRecord, ...]], ...]


class Verification(_VerificationFields, Report):
    """Published figures compared with the exact counts, network by network."""

    name = "verify"

    @property
    def confirmed(self) -> bool:
        """Whether every figure agrees, or is off and noted as off."""
        return all(figure.expected for _, figures in self.networks for figure in figures)

    @property
    def summary(self) -> FigureSummary:
        """The number of figures by verdict."""
        return summarize(figure for _, figures in self.networks for figure in figures)

    def tables(self) -> Iterator[Table]:
        for number, (network, figures) in enumerate(self.networks, 1):
            notes = [summarize(figures).text]
            if 1 < len(self.networks) == number:
                notes.append(f"all {number} networks: {self.summary.text}")
            table = figure_table(network.name, figures, tuple(notes))
            yield table._replace(title=network.name, source=network.source)

    def records(self) -> Table:
        return figure_records(figure for _, figures in self.networks for figure in figures)

    def tree(self) -> dict[str, Any]:
        figures = [figure for _, figures in self.networks for figure in figures]
        return versioned(SCHEMA, figures=figures, summary=self.summary)


def verify(networks: tuple[PublishedNetwork, ...]) -> Verification:
    """Checks every figure."""
    return Verification(
        tuple((one, tuple(check_figures(one.name, one.file, one.entries))) for one in networks)
    )
