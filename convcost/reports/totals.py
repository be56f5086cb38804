"""The totals of networks, one row for each network, with ratios to the totals of a baseline."""

from collections import Counter
from collections.abc import Iterator, Sequence

from convcost.model.costs import Costs
from convcost.model.measures import HEADLINE, MEASURES, Count, Measure, largest
from convcost.model.number_format import counted, format_count
from convcost.model.record import NamedTuple
from convcost.reports.notes import MAX_NAMES, costs_notes, first_texts
from convcost.reports.row_order import NAMES, first_rows
from convcost.reports.table import (
    Cell,
    Column,
    CountRatio,
    Difference,
    Layout,
    Share,
    Table,
    count_cell,
    shape_size,
)

DEFAULT_COLUMNS: tuple[str, ...] = (
    "network",
    "input",
    "params",
    "params_ratio",
    "macs",
    "macs_ratio",
)
SHAPES = ("input", "output", "layers")
KINDS = ("", "_ratio", "_change", "_share")
COLUMNS: tuple[str, ...] = (
    "network",
    "input",
    *(f"{measure}{kind}" for measure in Measure for kind in KINDS),
    "output",
    "layers",
)
# A narrow terminal keeps the columns with the lowest numbers; columns with 0 always stay.
DROPS = {"input": 3, "params_ratio": 2, "macs_ratio": 1}
NAME_WIDTH = 12, 24  # a name wraps between words if the table is too wide


class TotalsView(NamedTuple):
    """The columns and networks to show. With `transpose`, each network is a column."""

    columns: tuple[str, ...] = DEFAULT_COLUMNS
    sort: str | None = None
    top: int | None = None
    layout: Layout = "hwc"
    transpose: bool = False


def totals_table(
    networks: Sequence[Costs], view: TotalsView, baseline: int = 0, names: Sequence[str] = ()
) -> Table:
    """A table of the networks, each compared with the network at the index `baseline`.

    `names` are the titles of the rows, by default the names of the networks.
    """
    names = names or network_names(networks)
    chosen = view.columns
    if len(networks) == 1:
        chosen = tuple(name for name in chosen if not name.endswith(KINDS[1:])) or chosen
    drops = DROPS if view.columns == DEFAULT_COLUMNS else {name: n for n, name in enumerate(chosen)}

    titles = {f"count {counts.name}": counts.title for counts in networks[0].by_convention}
    chosen = (*chosen, *(name for name in titles if name not in chosen))

    def sort_value(n: int, key: str) -> Count | str:
        if key in MEASURES:
            return networks[n].totals.count_of(Measure(key))
        return names[n] if key in NAMES else networks[n].counts_by(key).total_count

    shown, left_out = first_rows(range(len(networks)), view.top, view.sort, sort_value)
    cells = [_cells(name, networks, names, baseline, view.layout) for name in chosen]
    columns = [
        Column(name.replace(" ", "_"), titles[name], scales=True)
        if name in titles
        else _column(name, names, drops.get(name, 0))
        for name in chosen
    ]
    table = Table(
        name=None,
        title=answer(networks, baseline, names),
        columns=tuple(columns),
        rows=tuple(tuple(column[n] for column in cells) for n in shown),
        notes=(*left_out.notes("network"), *costs_notes(networks, inputs="input" not in chosen)),
    )
    if not view.transpose:
        return table
    position = shown.index(baseline) if baseline in shown else 0
    return _transpose(table, [names[n] for n in shown], position)


def network_names(networks: Sequence[Costs]) -> list[str]:
    """The name of each network, with its file if another network has the same name."""
    spec_networks = [costs.network for costs in networks]
    times = Counter(network.name for network in spec_networks)
    return [
        f"{network.name} ({network.file})"
        if network.file and times[network.name] > 1
        else network.name
        for network in spec_networks
    ]


def _column(name: str, names: Sequence[str], drop: int) -> Column:
    if name == "network":
        longest = max(len(word) for text in names for word in ("", *text.split()))
        least = min(max(NAME_WIDTH[0], longest), NAME_WIDTH[1])
        return Column(name, name, "left", drop, folds=True, least=least)
    title = name.replace("_share", " of largest").replace("_", " ")
    scales = name in MEASURES or name.endswith("_change")
    return Column(name, title, drop=drop, scales=scales)


def _cells(
    column: str, networks: Sequence[Costs], names: Sequence[str], baseline: int, layout: Layout
) -> list[Cell]:
    """The cells of all networks in a column."""
    if column == "network":
        return [*names]
    if column.startswith("count "):
        name = column.removeprefix("count ")
        return [count_cell(costs.counts_by(name).total_count) for costs in networks]
    if column in SHAPES:
        return [_shape_cell(column, costs, layout) for costs in networks]
    measure, _, kind = column.partition("_")
    return _measure_cells(Measure(measure), kind, networks, baseline)


def _measure_cells(
    measure: Measure, kind: str, networks: Sequence[Costs], baseline: int
) -> list[Cell]:
    """The totals of a measure, or a `kind` of comparison: `ratio` and `change` with the network at
    the index `baseline`, `share` with the largest total."""
    counts = [costs.totals.count_of(measure) for costs in networks]
    before = counts[baseline]
    cells: list[Cell]
    if kind == "share":
        cells = [Share.of(count, largest(counts)) for count in counts]
    elif kind == "ratio":
        cells = [CountRatio.of(before, count) for count in counts]
        cells[baseline] = CountRatio(before.known, before.known, True)
    elif kind == "change":
        cells = [Difference.of(before, count) for count in counts]
        cells[baseline] = None
    else:
        cells = [*map(count_cell, counts)]
    return cells


def _shape_cell(column: str, costs: Costs, layout: Layout) -> Cell:
    network = costs.network
    if column == "layers":
        return len(costs.layers)
    if column == "output":
        return shape_size(network.output, layout)
    if len(network.inputs) == 1:
        return shape_size(network.inputs[0][1], layout)
    return ", ".join(f"{name} {shape.text}" for name, shape in network.inputs)


def _transpose(table: Table, names: Sequence[str], baseline: int) -> Table:
    """The table with a column for each network. The baseline and one other column always stay."""
    indices = [n for n, column in enumerate(table.columns) if column.key != "network"]
    stay = (baseline, 0 if baseline else 1)
    columns = (Column(name, name, drop=0 if n in stay else n + 1) for n, name in enumerate(names))
    return table._replace(
        columns=(Column("measure", "", "left"), *columns),
        rows=tuple((table.columns[n].title, *(row[n] for row in table.rows)) for n in indices),
        row_keys=tuple(table.columns[n].key if table.columns[n].scales else "" for n in indices),
    )


# The answer in one sentence


def answer(networks: Sequence[Costs], baseline: int, names: Sequence[str]) -> str:
    """A sentence that compares the networks.

    For two networks it has the ratios: `reduced has 2.46× fewer params and 2.46× fewer macs than
    naive`. For more networks it names those with the fewest params and macs. For one network it is
    the name.
    """
    if len(networks) == 1:
        return names[0]
    if len(networks) > 2:  # noqa: PLR2004  the baseline and another
        return "; ".join(_fewest(networks, baseline, names))
    base, other = networks[baseline].totals, networks[1 - baseline].totals
    params, *others = (
        _ratio(base.count_of(m).known, other.count_of(m).known, m) for m in _known(networks)
    )
    name, than = names[1 - baseline], names[baseline]
    if not others:
        return f"{name} has {params[0]} {params[1]} {than}"
    (macs,) = others
    if params[1] == macs[1]:
        return f"{name} has {params[0]} and {macs[0]} {macs[1]} {than}"
    return f"{name} has {params[0]} {params[1]} {than} and {macs[0]} {macs[1]} {than}"


def _known(networks: Sequence[Costs]) -> tuple[Measure, ...]:
    """The measures of the answer: those that are known of all networks."""
    totals = [costs.totals for costs in networks]
    return tuple(m for m in HEADLINE if not any(counts.count_of(m).uncounted for counts in totals))


def _ratio(base: int, other: int, measure: Measure) -> tuple[str, str]:
    """The ratio, such as `2.46× fewer params`, and the word before the baseline, such as `than`."""
    if base == other:
        return f"as many {measure}", "as"
    if not base or not other:
        return f"{counted(other, measure[:-1])} instead of {format_count(base)}", "of"
    return f"{CountRatio(base, other).text} {measure}", "than" if other < base else "as"


def _fewest(networks: Sequence[Costs], baseline: int, names: Sequence[str]) -> Iterator[str]:
    """Clauses such as `MobileNet v2 has the fewest params (39.47× fewer than VGG-16)`. Networks
    with as many are named together.

    One clause has both measures if the same networks have the fewest of both.
    """
    clauses: dict[str, list[str]] = {}
    comparison = f" than {names[baseline]}"
    for measure in _known(networks):
        counts = [costs.totals.count_of(measure).known for costs in networks]
        if len(set(counts)) == 1:
            clauses.setdefault("all have", []).append(f"{format_count(counts[0])} {measure}")
            continue
        least = min(counts)
        ratio = CountRatio(counts[baseline], least).text if counts[baseline] > least else ""
        gain = f" ({ratio}{comparison})" if ratio else ""
        named = zip(names, counts, strict=True)  # a spec can be given twice
        best = list(dict.fromkeys(name for name, count in named if count == least))
        subject = f"{_list_names(best)} {'has' if len(best) == 1 else 'have'}"
        clauses.setdefault(subject, []).append(f"the fewest {measure}{gain}")
        comparison = "" if gain else comparison
    return (f"{subject} {' and '.join(objects)}" for subject, objects in clauses.items())


def _list_names(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`, or `a, b, c and 5 more`."""
    if len(names) > MAX_NAMES:
        return first_texts(names)
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
