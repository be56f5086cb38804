"""What changed over the base, the largest change first: of networks, and of their layers.

What is new or gone is called so and has no percentage: there is none of 0.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from convcost.finding_text import spec_named
from convcost.questions.check.evaluate import Held
from convcost.questions.check.measures import Measured, total
from convcost.questions.compare import LayerChange
from convcost.report import Cell, Column, Difference, Table
from convcost.units import grouped, signed

# Changes are sorted by these, and each is told of; of others only what is not the same.
FIRST = ("macs", "params")
OF_NETWORK = ("buffers", "activations", "largest_activation", "depth", "receptive_field")
OF_LAYER = ("buffers",)
NETWORK = Column("network", "network", "left", folds=True)
LAYER = Column("layer", "layer", "left", folds=True)
STATE = Column("state", "state", "left")
STATES = {"added": "new", "removed": "removed", "changed": ""}
COUNTED = {False: "counted", True: "uncounted"}
COUNTS = (Column("macs", "macs"), Column("params", "params"))
CHANGES = (
    Column("macs", "macs"),
    Column("macs_change", "change"),
    Column("params", "params"),
    Column("params_change", "change"),
    Column("also", "also", "left", folds=True),
)

Pair: TypeAlias = tuple[int, int]  # what it was, and what it is


class Compared(NamedTuple):
    """A network beside its base; `layers` are all paths of both, those of the network first."""

    held: Held
    base: Measured
    layers: tuple[LayerChange, ...]

    def counts(self, measure: str) -> Pair:
        return total(self.base, measure), total(self.held.network, measure)

    @property
    def changed(self) -> bool:
        """Also where every layer is as it was, but they stand in another way."""
        return (
            self.base.inputs != self.held.network.inputs
            or any(layer.state != "unchanged" for layer in self.layers)
            or any(before != after for before, after in map(self.counts, OF_NETWORK))
        )


def compared(held: Held, base: Measured) -> Compared:
    old = {layer.path: layer for layer in base.layers}
    new = {layer.path: layer for layer in held.network.layers}
    paths = dict.fromkeys([*new, *old])
    changes = tuple(LayerChange(path, old.get(path), new.get(path)) for path in paths)
    return Compared(held, base, changes)


def name(held: Held) -> str:
    return spec_named(held.spec, held.network.name)


def networks(changed: Sequence[Compared]) -> Table:
    """A row for each network: what it came to, and what it comes to."""
    counted = [(one, {measure: one.counts(measure) for measure in FIRST}) for one in changed]
    counted.sort(key=lambda item: _order(item[1]))
    rows: list[tuple[Cell, ...]] = [
        (name(one.held), *_changes(counts), "; ".join(_also_of(one))) for one, counts in counted
    ]
    return _table((NETWORK, *CHANGES), rows)


def layers(changed: Sequence[Compared]) -> Table:
    """A row for each layer whose macs or params changed, or that is new or gone with some, of
    whichever network: the largest change is on top."""
    counted = [item for item in _counted(changed) if any(_order(item[2]))]
    counted.sort(key=lambda item: _order(item[2]))
    rows: list[tuple[Cell, ...]] = [
        (
            network,
            layer.path,
            STATES[layer.state],
            *_changes(counts, shared=layer.state == "changed"),
            "; ".join(_also(layer)),
        )
        for network, layer, counts in counted
    ]
    return _table((NETWORK, LAYER, STATE, *CHANGES), rows)


def other_layers(changed: Sequence[Compared]) -> Table:
    """A row for each layer that changed in something else."""
    rows: list[tuple[Cell, ...]] = [
        (network, layer.path, STATES[layer.state], "; ".join(_also(layer)))
        for network, layer, counts in _counted(changed)
        if not any(_order(counts))
    ]
    return _table((NETWORK, LAYER, STATE, CHANGES[-1]._replace(title="what changed")), rows)


def _counted(changed: Sequence[Compared]) -> Iterator[tuple[str, LayerChange, dict[str, Pair]]]:
    """The layers that changed, and the counts that changes are sorted by."""
    for network, layer in _layers(changed):
        if layer.state != "unchanged":
            yield network, layer, {measure: _counts(layer, measure) for measure in FIRST}


def unchanged_layers(changed: Sequence[Compared]) -> Table:
    """A row for each layer that did not change, of networks that did."""
    rows: list[tuple[Cell, ...]] = [
        (network, layer.path, *(_counts(layer, measure)[1] for measure in FIRST))
        for network, layer in _layers(changed)
        if layer.state == "unchanged"
    ]
    return _table((NETWORK, LAYER, *COUNTS), rows)


def as_it_is(held: Iterable[Held]) -> Table:
    """What networks cost that have no base, or did not change."""
    rows: list[tuple[Cell, ...]] = [
        (name(one), *(total(one.network, measure) for measure in FIRST)) for one in held
    ]
    return _table((NETWORK, *COUNTS), rows)


def _layers(changed: Sequence[Compared]) -> Iterator[tuple[str, LayerChange]]:
    """Layers with the network they are of, which has no name where it is the only one."""
    for one in changed:
        network = name(one.held) if len(changed) > 1 else ""
        yield from ((network, layer) for layer in one.layers)


def _table(columns: tuple[Column, ...], rows: Sequence[tuple[Cell, ...]]) -> Table:
    """With the columns in which something is said."""
    told = [n for n in range(len(columns)) if any(row[n] != "" for row in rows)]
    return Table(
        name="changes",
        title="",
        columns=tuple(columns[n] for n in told),
        rows=tuple(tuple(row[n] for n in told) for row in rows),
    )


def _order(counts: dict[str, Pair]) -> tuple[int, ...]:
    return tuple(-abs(after - before) for before, after in counts.values())


def _counts(layer: LayerChange, measure: str) -> Pair:
    """Of a layer that is not there, 0."""
    before, after = (getattr(of, measure) if of else 0 for of in (layer.before, layer.after))
    return before, after


def _changes(counts: dict[str, Pair], *, shared: bool = True) -> Iterator[str]:
    for before, after in counts.values():
        yield _from_to(grouped(before), grouped(after))
        yield Difference(before, after, shared=shared and before != after)


def _from_to(before: str, after: str) -> str:
    return after if before == after else f"{before} → {after}"


def _also_of(one: Compared) -> Iterator[str]:
    before, after = inputs(one.base), inputs(one.held.network)
    if before != after:
        yield f"input {before} → {after}"
    for measure in OF_NETWORK:
        yield from _else(measure, one.counts(measure))


def _also(layer: LayerChange) -> Iterator[str]:
    """Weights and biases where they differ and the params, their sum, do not."""
    before, after = layer.before, layer.after
    if before is not None and after is not None:
        if before.kind != after.kind:
            yield f"kind {before.kind} → {after.kind}"
        if before.uncounted != after.uncounted:
            yield f"macs {COUNTED[before.uncounted]} → {COUNTED[after.uncounted]}"
        if before.output != after.output:
            yield f"output {before.output.text} → {after.output.text}"
    apart = () if layer.difference("params") else ("weights", "biases")
    for measure in (*OF_LAYER, *apart):
        yield from _else(measure, _counts(layer, measure))


def _else(measure: str, counts: Pair) -> Iterator[str]:
    before, after = counts
    if before != after:
        change = signed(after - before)
        yield f"{measure.replace('_', ' ')} {grouped(before)} → {grouped(after)} ({change})"


def inputs(network: Measured) -> str:
    """`224×224×3`; with their names where there are several."""
    if len(network.inputs) == 1:
        return network.inputs[0][1].text
    return ", ".join(f"{name} {shape.text}" for name, shape in network.inputs)
