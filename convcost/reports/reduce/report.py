"""Networks with the 1x1 convolutions that they could get, or without those that they have."""

from collections.abc import Iterator
from typing import Any

from convcost.model.costs import Costs, inputs_of
from convcost.model.record import NamedTuple
from convcost.reports.compare import Comparison, change_records
from convcost.reports.notes import costs_notes
from convcost.reports.reduce.reductions import NetworkReductions
from convcost.reports.reduce.savings import NetworkSavings
from convcost.reports.report import Report, versioned
from convcost.reports.table import Column, Table

SCHEMA = "convcost.reduce/1"
COLUMNS = (
    Column("path", "1x1", "left", folds=True),
    Column("form", "form", "left", 3),
    Column("channels", "channels", "right", 1),
    Column("to", "to", "right", 1),
    Column("weights", "weights", scales=True),
    Column("naive_weights", "naive weights", scales=True),
    Column("macs", "macs", "right", 2, scales=True),
    Column("naive_macs", "naive macs", "right", 2, scales=True),
)


class UndoneNetwork(NamedTuple):
    """A network, its reductions, and its costs without them."""

    costs: Costs
    network_reductions: NetworkReductions
    after: Costs

    def tree(self) -> dict[str, Any]:
        return {"undone": self._records(), "left": dict(self.network_reductions.left)}

    def table(self) -> Table:
        """A row for each reduction: weights and macs with the 1x1 and without."""
        rows = [
            tuple(cell for name, cell in record.items() if name != "windows")
            for record in self._records()
        ]
        none = () if rows else ("there is no 1x1 reduction in this network",)
        name = self.costs.network.name
        return Table(
            name=name,
            title=f"{name}: its 1x1 reductions, and its costs without them",
            columns=COLUMNS,
            rows=tuple(rows),
            notes=(
                *none,
                *(f"{path} is kept: it {reason}" for path, reason in self.network_reductions.left),
            ),
        )

    def _records(self) -> list[dict[str, Any]]:
        """Each reduction as an object of `convcost.reduce/1`.

        `path` is the layer or block that is removed, `channels` are its input channels, `to` its
        output channels. The `naive` costs are those of the windows without the 1x1. They are 0 for
        a projection, which has no windows.
        """
        steps = self.costs.network.steps
        naive = {row.path: row for row in self.after.layers}
        records = []
        for reduction in self.network_reductions.reductions:
            expand = () if reduction.expand is None else (reduction.expand,)
            rows = [
                self.costs.layers[index]
                for index in (reduction.reduce, *reduction.windows, *expand)
            ]
            windows = [steps[index].path for index in reduction.windows]
            left = [naive[path] for path in windows if path in naive]
            records.append(
                {
                    "path": reduction.removed[0].path,
                    "form": reduction.form,
                    "channels": inputs_of(self.costs.network, steps[reduction.reduce])[0].channels,
                    "to": steps[reduction.reduce].shape.channels,
                    "windows": windows,
                    "weights": sum(row.weights for row in rows),
                    "naive_weights": sum(row.weights for row in left),
                    "macs": sum(row.macs for row in rows),
                    "naive_macs": sum(row.macs for row in left),
                }
            )
        return records


class AppliedReduction(NamedTuple):
    """Pairs of costs, before and after; `file` is the file of the new spec, `text` its text."""

    pairs: tuple[tuple[Costs, Costs], ...]
    file: str = ""
    notes: tuple[str, ...] = ()
    text: str = ""

    def tables(self) -> Iterator[Table]:
        for pair in self.pairs:
            (table,) = Comparison(pair).tables()
            # Published figures are of the network before the change, so they have no note.
            yield table._replace(notes=(*self.notes, *costs_notes(pair)))

    def tree(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "networks": [
                {
                    "name": after.network.name,
                    "from": before.network.name,
                    "output": after.network.output,
                    "totals": after.totals.by_measure(),
                    "uncounted": after.uncounted,
                    "changes": change_records(before, after),
                }
                for before, after in self.pairs
            ],
            "notes": list(self.notes),
        }


class Reductions(Report):
    """The report; `outcome` is there if a reduced spec is written, or if reductions are undone."""

    name = "reduce"
    networks: tuple[NetworkSavings, ...] | tuple[UndoneNetwork, ...]
    outcome: AppliedReduction | None = None

    def tables(self) -> Iterator[Table]:
        """The tables; of the notes that two of them have, only the first."""
        tables = [network.table() for network in self.networks]
        tables += self.outcome.tables() if self.outcome is not None else ()
        printed: set[str] = set()
        for table in tables:
            yield table._replace(notes=tuple(n for n in table.notes if n not in printed))
            printed.update(table.notes)

    def tree(self) -> dict[str, Any]:
        networks = [
            {
                "name": network.costs.network.name,
                "file": network.costs.network.file,
                "batch": network.costs.batch,
                "convention": "macs",
                **network.tree(),
            }
            for network in self.networks
        ]
        written = {"written": self.outcome.tree()} if self.outcome else {}
        return versioned(SCHEMA, networks=networks, **written)
