"""`formula`: the costs of a network, or of a part of it, as formulas of its variables."""

from collections.abc import Iterator
from typing import Any

from convcost.model.record import NamedTuple
from convcost.reports.report import Report, versioned
from convcost.reports.table import UNKNOWN, Column, Table, count_cell

SCHEMA = "convcost.formula/1"


class MeasureFormula(NamedTuple):
    """A formula in the chosen notation, and its value at the point of the report; both are None if
    nothing is known of the measure, because layers are not counted and the others count 0."""

    measure: str
    formula: str | None
    value: int | None


class NetworkFormulas(NamedTuple):
    """A network of `convcost.formula/1`: field names and order are stable.

    The formulas are valid for all values of the variables for which the conditions are true. `at`
    is the point of the values. `path` is a layer or a group; empty for the whole network. `notes`
    say what macs are, and which counts are stated, unknown or a bound.
    """

    name: str
    file: str
    path: str
    at: dict[str, Any]
    formulas: list[MeasureFormula]
    conditions: list[str]
    notes: list[str]


class Formulas(Report):
    """Formulas of one or more networks."""

    name = "formula"
    networks: tuple[NetworkFormulas, ...]

    def tables(self) -> Iterator[Table]:
        for network in self.networks:
            point = ", ".join(f"{name} = {value}" for name, value in network.at.items())
            yield Table(
                name=network.name,
                title=f"{network.name}: {network.path}" if network.path else network.name,
                columns=(
                    Column("measure", "measure", "left"),
                    Column("value", "value"),
                    Column("formula", "formula", "left", folds=True),
                ),
                rows=tuple(
                    (name, count_cell(n), text or UNKNOWN) for name, text, n in network.formulas
                ),
                notes=(
                    f"valid for {', '.join(network.conditions) or 'all values'}",
                    f"value: for {point}",
                    *network.notes,
                ),
            )

    def tree(self) -> dict[str, Any]:
        return versioned(SCHEMA, networks=list(self.networks))
