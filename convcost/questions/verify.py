"""Do the figures that others printed agree with the exact ones? One row a figure."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from convcost import __version__
from convcost.questions.judge import Held, Judged, Summary, judged, summary
from convcost.report import Cell, Column, Table

SCHEMA = "convcost.verify/1"


class Printed(NamedTuple):
    """All that is printed about one network."""

    name: str
    file: str
    source: str
    held: tuple[Held, ...]


COLUMNS = (
    Column("layer", "layer", "left", folds=True),
    Column("measure", "measure", "left"),
    Column("published", "published"),
    Column("exact", "exact", "right", 1),
    Column("verdict", "verdict", "left", folds=True),
    Column("source", "source", "left", 2, folds=True),
    Column("note", "note", "left", 3, folds=True),
)


class Verification(NamedTuple):
    """The report: printed figures against exact ones, network by network."""

    networks: tuple[tuple[Printed, tuple[Judged, ...]], ...]

    @property
    def confirmed(self) -> bool:
        """Whether every figure agrees, or is off where it is noted to be."""
        return all(row.record.expected for _, rows in self.networks for row in rows)

    @property
    def summary(self) -> Summary:
        return summary(row for _, rows in self.networks for row in rows)

    def tables(self) -> Iterator[Table]:
        for number, (printed, rows) in enumerate(self.networks, 1):
            notes = [summary(rows).text]
            if 1 < len(self.networks) == number:
                notes.append(f"all {number} networks: {self.summary.text}")
            title = f"{printed.name} ({printed.source})" if printed.source else printed.name
            cells = tuple(_cells(row) for row in rows)
            yield Table(printed.name, title, COLUMNS, cells, notes=tuple(notes))

    def tree(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "version": __version__,
            "figures": [row.record for _, rows in self.networks for row in rows],
            "summary": self.summary,
        }


def verify(networks: tuple[Printed, ...]) -> Verification:
    """Holds every figure against the exact one. Refuses what `exact` refuses."""
    return Verification(
        tuple((one, tuple(judged(one.name, one.file, one.held))) for one in networks)
    )


def _cells(row: Judged) -> tuple[Cell, ...]:
    record = row.record
    return (
        record.layer,
        record.measure,
        record.published,
        record.exact,
        row.text,
        record.source,
        record.note,
    )
