"""What a network costs as it stands, and as it was rewritten."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from convcost.costs import MEASURES, Costs
from convcost.questions.compare import COMPARED, ChangeRecord, ratio, share
from convcost.report import Cell, Column, Difference, Size, Table
from convcost.units import grouped


class Outcome(NamedTuple):
    """Pairs of costs, before and after; `file` is where the new spec went, if anywhere."""

    pairs: tuple[tuple[Costs, Costs], ...]
    file: str = ""
    notes: tuple[str, ...] = ()

    def tables(self) -> Iterator[Table]:
        for before, after in self.pairs:
            yield _table(before, after, self.notes)

    def tree(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "networks": [
                {
                    "name": after.network.name,
                    "from": before.network.name,
                    "output": after.network.output,
                    "totals": {name: getattr(after.totals, name) for name in MEASURES},
                    "changes": [
                        ChangeRecord(name, old, new, new - old)
                        for name in COMPARED
                        for old in [getattr(before.totals, name)]
                        for new in [getattr(after.totals, name)]
                    ],
                }
                for before, after in self.pairs
            ],
            "notes": list(self.notes),
        }


def _table(before: Costs, after: Costs, notes: tuple[str, ...]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for measure in COMPARED:
        old, new = getattr(before.totals, measure), getattr(after.totals, measure)
        rows.append((measure, old, new, Difference(old, new), share(old, new), ratio(old, new)))
    sizes = [
        Size((*costs.network.output.size, costs.network.output.channels))
        for costs in (before, after)
    ]
    rows.append(("output", *sizes, None, None, None))
    layers = [grouped(len(costs.layers)) for costs in (before, after)]
    rows.append(("layers", *layers, None, None, None))
    name = after.network.name
    return Table(
        name=name,
        title=f"{name} against {before.network.name}",
        columns=(
            Column("measure", "", "left"),
            Column("before", before.network.name),
            Column("after", name),
            Column("change", "change", "right", 2),
            Column("share", f"of {before.network.name}", "right", 3),
            Column("ratio", "ratio", "right", 1),
        ),
        rows=tuple(rows),
        notes=notes,
        by_row=True,
    )
