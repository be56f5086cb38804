"""Published figures compared with the exact counts, one row for each figure."""

from collections.abc import Iterator
from typing import Any

from convcost.model.measures import CONVENTION, Measure
from convcost.model.record import NamedTuple
from convcost.reports.notes import convention_notes, first_texts
from convcost.reports.report import Report, versioned
from convcost.reports.table import Column, Table
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
MAX_NAMES = 8  # networks without published figures
EXAMPLE = "to add some, write `published: [{macs: 4.1G, params: 25.6M, source: a paper}]`"


class PublishedNetwork(NamedTuple):
    """Everything that is published about one network. `notes` say what of it is stated or not
    counted."""

    name: str
    file: str
    source: str
    entries: tuple[PublishedEntry, ...]
    notes: tuple[str, ...] = ()

    def count_notes(self) -> Iterator[str]:
        """What the figures count: the note on macs, if there are any, and those of conventions."""
        figures = [
            (measure, entry.entry.convention(measure))
            for entry in self.entries
            for measure, _ in entry.entry.figures
        ]
        if (Measure.MACS, "") in figures:
            yield CONVENTION
        yield from convention_notes(name for _, name in figures)
        yield from self.notes


class Verification(Report):
    """Published figures compared with the exact counts, network by network."""

    name = "verify"
    networks: tuple[tuple[PublishedNetwork, tuple[FigureRecord, ...]], ...]

    @property
    def confirmed(self) -> bool:
        """Whether every figure agrees, or is off and noted as off."""
        return all(figure.expected for _, figures in self.networks for figure in figures)

    @property
    def summary(self) -> FigureSummary:
        """The number of figures by verdict."""
        return summarize(figure for _, figures in self.networks for figure in figures)

    def tables(self) -> Iterator[Table]:
        """A table for each network with figures; a note names the others."""
        checked = [(network, figures) for network, figures in self.networks if figures]
        without = [network.name for network, figures in self.networks if not figures]
        for number, (network, figures) in enumerate(checked, 1):
            notes = [summarize(figures).text, *network.count_notes()]
            if 1 < len(checked) == number:
                notes.append(f"all {number} networks: {self.summary.text}")
            if without and number == len(checked):
                notes.append(f"no published figures: {first_texts(without, MAX_NAMES)}")
            table = figure_table(network.name, figures, tuple(notes))
            yield table._replace(title=network.name, source=network.source)
        if not checked:
            yield Table(
                name=None,
                title="No published figures",
                columns=(Column("network", "network", "left"),),
                rows=tuple((name,) for name in without),
                notes=(EXAMPLE,),
            )

    def records(self) -> Table:
        return figure_records(figure for _, figures in self.networks for figure in figures)

    def tree(self) -> dict[str, Any]:
        figures = [figure for _, figures in self.networks for figure in figures]
        return versioned(SCHEMA, figures=figures, summary=self.summary)


def verify(networks: tuple[PublishedNetwork, ...]) -> Verification:
    """Checks every figure."""
    return Verification(
        tuple(
            (network, tuple(check_figures(network.name, network.file, network.entries)))
            for network in networks
        )
    )
