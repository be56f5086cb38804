"""Tables of networks and of their layers: counts, and what changed from the base, the largest
change first.

A new or removed layer has no percentage, because there is no percentage of 0.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from convcost.model.measures import PARTS, Count, Measure
from convcost.model.record import NamedTuple
from convcost.reports.check.evaluate import CheckedNetwork
from convcost.reports.check.finding_text import network_label
from convcost.reports.check.measures import MeasuredNetwork
from convcost.reports.layer_changes import LayerChange, Pair, pair_layers, size_of_change
from convcost.reports.table import Cell, Column, Difference, Table, cell_text, count_cell

# The measures with columns of their own, by which changes are sorted; others are in one column.
SORTED_BY = (Measure.MACS, Measure.PARAMS)
OTHERS_OF_NETWORK = (
    Measure.BUFFERS,
    Measure.ACTIVATIONS,
    "largest_activation",
    "depth",
    "receptive_field",
)
STATES = {"added": "new", "changed": "", "unchanged": ""}  # the others have their own name
COUNTED = {False: "counted", True: "uncounted"}
COUNTS = (
    Column("macs", "macs"),
    Column("macs_change", "change"),
    Column("params", "params"),
    Column("params_change", "change"),
    Column("also", "also", "left", folds=True),
)
NETWORK_COLUMNS = (Column("network", "network", "left", folds=True), *COUNTS)
LAYER_COLUMNS = (
    NETWORK_COLUMNS[0],
    Column("layer", "layer", "left", folds=True),
    Column("state", "state", "left"),
    *COUNTS,
)

Order: TypeAlias = tuple[int, ...]  # the sort key of a row


class NetworkChange(NamedTuple):
    """A network, its base, and the paired layers of both. Without a base it is unchanged."""

    label: str
    network: MeasuredNetwork
    base: MeasuredNetwork
    layers: tuple[LayerChange, ...]

    def counts(self, measure: str) -> Pair:
        """A measure of the base and of the network."""
        return self.base.count_of(measure), self.network.count_of(measure)

    @property
    def changed(self) -> bool:
        """Whether a layer, the order or the connections of the layers changed."""
        return (
            self.base.inputs != self.network.inputs
            or any(layer.state != "unchanged" for layer in self.layers)
            or any(before != after for before, after in map(self.counts, OTHERS_OF_NETWORK))
        )


class LayerRow(NamedTuple):
    """A layer; `network` is empty if only one network changed."""

    network: str
    layer: LayerChange

    @property
    def costs_changed(self) -> bool:
        """Whether a measure with a column of its own changed, or may have."""
        changed = self.layer.state != "unchanged"
        return changed and any(self.layer.difference(measure) != 0 for measure in SORTED_BY)


def network_change(checked: CheckedNetwork) -> NetworkChange:
    """The change of a network from its base."""
    network = checked.network
    base = network if checked.base is None else checked.base
    layers = pair_layers(base.layers, network.layers)
    return NetworkChange(network_label(checked.spec, network.name), network, base, layers)


def layer_rows(changes: Sequence[NetworkChange]) -> list[LayerRow]:
    """The layers of all networks."""
    single = len(changes) == 1
    return [
        LayerRow("" if single else change.label, layer)
        for change in changes
        for layer in change.layers
    ]


# Tables


def network_table(changes: Iterable[NetworkChange]) -> Table:
    """A row for each network: counts before and after, and other changes."""
    rows = []
    for change in changes:
        counts = [change.counts(measure) for measure in SORTED_BY]
        cells = _change_cells(counts, changed=change.changed)
        also = "; ".join(_other_changes(change))
        rows.append((_order(counts), (change.label, *cells, also)))
    return _table(NETWORK_COLUMNS, rows)


def layer_table(layers: Iterable[LayerRow]) -> Table:
    """A row for each layer: its state, counts before and after, and other changes."""
    rows = []
    for network, layer in layers:
        counts = [layer.counts(measure) for measure in SORTED_BY]
        is_other = layer.state not in ("unchanged", "renamed")
        cells = _change_cells(counts, changed=is_other, with_percentage=layer.state == "changed")
        also = "; ".join(_other_layer_changes(layer))
        state = STATES.get(layer.state, layer.state)
        rows.append((_order(counts), (network, layer.label, state, *cells, also)))
    return _table(LAYER_COLUMNS, rows)


def _table(columns: tuple[Column, ...], rows: list[tuple[Order, tuple[Cell, ...]]]) -> Table:
    rows.sort(key=lambda row: row[0])
    table = Table("changes", "", columns, tuple(cells for _, cells in rows))
    return table.without_empty_columns()


# Cells


def _order(counts: Iterable[Pair]) -> Order:
    return tuple(-size_of_change(pair) for pair in counts)


def _change_cells(
    counts: Iterable[Pair], *, changed: bool, with_percentage: bool = True
) -> Iterator[Cell]:
    """The counts before and after, and the change. What is known in part may have changed if
    anything `changed`."""
    for before, after in counts:
        yield _before_and_after(before, after)
        may_differ = after - before != 0 and (changed or before != after)
        yield Difference.of(before, after, with_percentage=with_percentage) if may_differ else ""


def _before_and_after(*counts: Count) -> str:
    """`7 → 9`, or one of both if they are equal."""
    return " → ".join(dict.fromkeys(cell_text(count_cell(count)) for count in counts))


def _other_changes(change: NetworkChange) -> Iterator[str]:
    before, after = change.base.inputs_text, change.network.inputs_text
    if before != after:
        yield f"input {before} → {after}"
    for measure in OTHERS_OF_NETWORK:
        yield from _count_change(measure, change.counts(measure))
    yield from _part_changes(change.counts)


def _other_layer_changes(layer: LayerChange) -> Iterator[str]:
    """Weights and biases are listed if they changed and their sum, the params, did not."""
    before, after = layer.before, layer.after
    if before is not None and after is not None:
        if before.kind != after.kind:
            yield f"kind {before.kind} → {after.kind}"
        if before.uncounted != after.uncounted:
            yield f"macs {COUNTED[before.uncounted]} → {COUNTED[after.uncounted]}"
        if before.output != after.output:
            yield f"output {before.output.text} → {after.output.text}"
    parts = () if layer.difference(Measure.PARAMS) else (Measure.WEIGHTS, Measure.BIASES)
    for measure in (Measure.BUFFERS, *parts):
        yield from _count_change(measure, layer.counts(measure))
    yield from _part_changes(layer.counts)


def _part_changes(counts: Callable[[Measure], Pair]) -> Iterator[str]:
    """The change of each part of another measure, such as trainable params, if it is not that of
    the whole."""
    for part in PARTS:
        pairs = zip(counts(Measure(part.part_of)), counts(part), strict=True)
        before, after = (whole - count for whole, count in pairs)
        if before != after:
            yield from _count_change(part, counts(part))


def _count_change(measure: str, counts: Pair) -> Iterator[str]:
    before, after = counts
    if before != after:
        by = cell_text(Difference.of(before, after, with_percentage=False))
        yield f"{measure.replace('_', ' ')} {_before_and_after(before, after)} ({by})"
