"""Where the counts of several conventions differ, by kind of layer."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from convcost.conventions import find_convention
from convcost.model.costs import Costs
from convcost.model.measures import Count
from convcost.model.number_format import format_count
from convcost.model.record import NamedTuple
from convcost.reports.analyze import convention_totals
from convcost.reports.notes import author_notes, deployed_notes, input_note, kind_notes
from convcost.reports.report import Report, versioned
from convcost.reports.table import Cell, Column, Difference, Table, cell_text, count_cell

SCHEMA = "convcost.explain_counts/1"


class KindCounts(NamedTuple):
    """The counts of all layers of a kind together, one for each convention, in their order."""

    kind: str
    layers: int
    counts: tuple[Count, ...]


class CountExplanation(Report):
    """For each network, the kinds whose counts differ between the conventions or are not known,
    each with its difference from the first convention. With one convention, all kinds.
    """

    name = "explain"
    networks: tuple[Costs, ...]

    def tables(self) -> Iterator[Table]:
        yield from map(_table, self.networks)

    def tree(self) -> dict[str, Any]:
        networks = [
            {
                "name": costs.network.name,
                "file": costs.network.file,
                "batch": costs.batch,
                "counts": convention_totals(costs),
                "kinds": [
                    each._asdict() | {"counts": [count.shown for count in each.counts]}
                    for each in kind_counts(costs)
                ],
            }
            for costs in self.networks
        ]
        return versioned(SCHEMA, networks=networks)


def kind_counts(costs: Costs) -> list[KindCounts]:
    """The counts of each kind, in order of appearance."""
    layers = Counter(layer.kind for layer in costs.layers)
    by_kind = [counts.by_kind for counts in costs.by_convention]
    return [
        KindCounts(kind, number, tuple(counts[kind] for counts in by_kind))
        for kind, number in layers.items()
    ]


def _table(costs: Costs) -> Table:
    counted = costs.by_convention
    records = kind_counts(costs)
    same = [
        record
        for record in records
        if len(counted) > 1 and {count.exact for count in record.counts} == {record.counts[0].known}
    ]
    differing = [record for record in records if record not in same]
    titles = [count.title for count in counted]
    names = [count.name for count in counted]
    return Table(
        name=costs.network.name,
        title=f"{costs.network.name}: {', '.join(titles)}",
        columns=(
            Column("kind", "kind", "left"),
            Column("layers", "layers", "right", 1),
            *(Column(f"count_{name}", title) for name, title in zip(names, titles, strict=True)),
            *(Column(f"difference_{name}", f"{names[0]} − {name}") for name in names[1:]),
        ),
        rows=tuple((r.kind, r.layers, *_cells(r.counts)) for r in differing),
        total=("total", None, *_cells([count.total_count for count in counted])),
        notes=tuple(_notes(costs, differing, same)),
        source=costs.network.source,
    )


def _cells(counts: Sequence[Count]) -> Iterator[Cell]:
    """The counts, and the differences from the first."""
    yield from map(count_cell, counts)
    for count in counts[1:]:
        yield cell_text(Difference.of(count, counts[0], with_percentage=False))


def _notes(
    costs: Costs, differing: list[KindCounts], equal_kinds: list[KindCounts]
) -> Iterator[str]:
    yield input_note([costs])
    yield from kind_notes(step.layer for step in costs.network.steps)
    yield from deployed_notes([costs])
    yield from author_notes([costs])
    alike = [
        f"{record.kind} {format_count(n)}"
        for record in equal_kinds
        if (n := record.counts[0].known)
    ]
    if alike:
        listed = ", ".join(alike)
        yield f"equal in all counts: {listed}"
    kinds = {record.kind for record in differing}
    layers = {step.layer.name: step.layer for step in costs.network.steps}
    quantities: dict[str, str] = {}
    for counts in costs.by_convention:
        convention, numbers = find_convention(counts.name), counts.by_kind
        counted = (kind for kind in numbers if kind in kinds and numbers[kind].known)
        rules = {kind: rule for kind in counted if (rule := convention.rule(layers[kind]))}
        if rules:
            listed = ", ".join(f"{kind} as {rule.formula.text}" for kind, rule in rules.items())
            yield f"{counts.name} counts {listed}"
        for rule in rules.values():
            quantities |= rule.formula.quantities
        faults = dict.fromkeys(rule.fault for rule in rules.values() if rule.fault)
        yield from (f"a fault of {counts.name}: {fault}" for fault in faults)
        yield from counts.notes
    if quantities:
        yield "; ".join(f"{name}: {meaning}" for name, meaning in quantities.items())
