"""The web page of a comparison: the ratios first, then charts, totals and layers."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from convcost.model.measures import HEADLINE, Measure
from convcost.reports.page_model import OPEN_ROWS, Chapter, Fact, Page, Section
from convcost.reports.table import CountRatio, Table, cell_text, count_cell
from convcost.reports.totals import TotalsView

if TYPE_CHECKING:
    from convcost.reports.compare import Comparison

FACTS = (*HEADLINE, Measure.ACTIVATIONS)
MAX_FACTS = 12
# A row for each network: a narrow page then cuts off no network.
MAIN_COLUMNS = (
    "network",
    "input",
    *(f"{measure}{kind}" for measure in FACTS for kind in ("", "_ratio")),
    "output",
    "layers",
)
MORE_COLUMNS = (
    "network",
    *(measure for measure in Measure if measure not in FACTS),
    *(f"{measure}_change" for measure in FACTS),
)


def comparison_page(comparison: "Comparison") -> Page:
    """The page of a comparison: its facts, tables and charts."""
    charts = tuple(comparison.charts())
    sections = (
        *([Section("Side by side", charts)] if charts else []),
        *_totals(comparison),
        *(
            Section(table.title, (table,), folded=len(table.rows) > OPEN_ROWS)
            for table in comparison.layer_changes()
            if table.rows
        ),
    )
    title, facts = comparison.title, tuple(_facts(comparison))[:MAX_FACTS]
    return Page("compare", title, (Chapter(title, facts=facts, sections=sections),))


def _totals(comparison: "Comparison") -> Iterator[Section]:
    """The totals that the user chose; by default the measures of all networks in two tables."""
    if comparison.view != TotalsView():
        yield _with_title("Totals", comparison.totals())
        return
    full = comparison._replace(published=True)
    totals, more = (
        full._replace(view=TotalsView(columns)).totals() for columns in (MAIN_COLUMNS, MORE_COLUMNS)
    )
    yield _with_title("Totals", totals)
    yield _with_title("Parts and changes", more._replace(notes=()))


def _with_title(title: str, table: Table) -> Section:
    return Section(title, (table._replace(title=title),))


def _facts(comparison: "Comparison") -> Iterator[Fact]:
    """The headline measures of each network, with a note on the baseline: `2.46× fewer, 387,072 in
    naive`."""
    base = comparison.names[comparison.baseline]
    for name, costs in comparison.others:
        for measure in FACTS:
            before, after = comparison.base.totals.count_of(measure), costs.totals.count_of(measure)
            title = measure if len(comparison.networks) <= 2 else f"{measure} of {name}"  # noqa: PLR2004
            is_known = after - before is not None
            ratio = CountRatio(before.known, after.known).text if is_known else ""
            gain = (ratio, f"{cell_text(count_cell(before))} in {base}")
            yield Fact(title, count_cell(after), ", ".join(filter(None, gain)))
