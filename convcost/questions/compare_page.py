"""What the page of a comparison says: the gain first, then totals, work, figures and layers."""

from collections.abc import Iterator

from convcost.costs import Costs
from convcost.pages import Chapter, Fact, Page, Part, Section
from convcost.questions.analyze_page import FIGURES, OPEN, figure_cells, figures
from convcost.questions.compare import MOST_TERMS, Comparison, ratio, weights_work
from convcost.report import Column, Table
from convcost.units import grouped

TOLD = ("params", "macs", "activations")
MOST_FACTS = 12


def page(report: Comparison) -> Page:
    """One chapter: networks side by side are one subject."""
    totals, *_ = report.tables()
    *_, footer, convention = totals.notes
    chapter = Chapter(
        totals.title,
        facts=tuple(_facts(report))[:MOST_FACTS],
        notes=(footer, convention),
        sections=tuple(_sections(report, totals)),
    )
    return Page("compare", totals.title, (chapter,))


def _facts(report: Comparison) -> Iterator[Fact]:
    """Of each network but the baseline what it has come to."""
    base = report.base
    for position, costs in enumerate(report.networks):
        if position == report.baseline:
            continue
        for measure in TOLD:
            before, after = getattr(base.totals, measure), getattr(costs.totals, measure)
            name = measure if len(report.networks) == 2 else f"{measure} of {costs.network.name}"  # noqa: PLR2004  a pair
            yield Fact(name, after, _gain(before, after, base.network.name))


def _gain(before: int, after: int, name: str) -> str:
    """`2.46 times less, 387,072 in naive`."""
    said = ratio(before, after)
    return ", ".join(word for word in (said, f"{grouped(before)} in {name}") if word)


def _sections(report: Comparison, totals: Table) -> Iterator[Section]:
    pictures: tuple[Part, ...] = tuple(report.pictures())
    if pictures:
        yield Section("Side by side", pictures)
    yield Section("Totals", (totals._replace(title="Totals", notes=()),))
    work = _work(report)
    if work.rows:
        yield Section("The work", (work,))
    yield from _published(report)
    for position, costs in enumerate(report.networks):
        if position != report.baseline:
            yield from _changed(report, costs)


def _work(report: Comparison) -> Table:
    """The weights of each network as one sum, where it is short enough to be read."""
    rows = []
    for costs in report.networks:
        work = weights_work(costs)
        if 0 < len(work.terms) <= MOST_TERMS:
            rows.append((costs.network.name, costs.totals.weights, work.text))
    return Table(
        name="work",
        title="The work",
        columns=(
            Column("network", "network", "left", folds=True),
            Column("weights", "weights", scales=True),
            Column("work", "weights =", "left", folds=True),
        ),
        rows=tuple(rows),
    )


def _published(report: Comparison) -> Iterator[Section]:
    """Those of whole networks, as it is these that are compared."""
    rows = []
    notes: list[str] = []
    for costs in report.networks:
        held, said = figures(costs)
        whole = [row for row in held if not row.record.layer]
        rows += [(costs.network.name, *figure_cells(row)[1:]) for row in whole]
        notes += [f"{costs.network.name}: {note}" for note in said]
        if len(held) > len(whole):
            more = grouped(len(held) - len(whole))
            notes.append(f"{costs.network.name}: {more} of single layers are left out here")
    if not rows:
        return
    columns = (Column("network", "network", "left", folds=True), *FIGURES[1:])
    table = Table("published", "Published figures", columns, tuple(rows), notes=tuple(notes))
    yield Section("Published figures", (table,), folded=len(rows) > OPEN)


def _changed(report: Comparison, costs: Costs) -> Iterator[Section]:
    table = report.changes(costs)
    if table.rows:
        title = f"Layers that differ: {report.base.network.name} to {costs.network.name}"
        yield Section(title, (table,), folded=len(table.rows) > OPEN)
