"""What does a design choice buy? Networks side by side, each against the first, or a chosen one."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost import __version__
from convcost.costs import MEASURES, Costs, LayerCost, inputs_of
from convcost.costs import costs as counted
from convcost.questions.uncounted import uncounted
from convcost.report import (
    FORMATS,
    Cell,
    Column,
    Difference,
    Share,
    Size,
    Style,
    Table,
    printable,
)
from convcost.shapes import Shape
from convcost.units import CONVENTION, beside, grouped, percent, signed, times
from convcost.work import NOTHING, Work

if TYPE_CHECKING:
    from convcost.pages import Page
    from convcost.pictures import Picture

SCHEMA = "convcost.compare/1"
COMPARED = ("weights", "biases", "params", "macs", "activations")
MOST_TERMS = 16


class ChangeRecord(NamedTuple):
    """From the baseline to this network."""

    measure: str
    before: int
    after: int
    difference: int


class LayerChange(NamedTuple):
    """A path of two networks; None where it is not in one of them."""

    path: str
    before: LayerCost | None
    after: LayerCost | None

    def difference(self, measure: str) -> int:
        before = getattr(self.before, measure) if self.before else 0
        after = getattr(self.after, measure) if self.after else 0
        return int(after - before)

    @property
    def state(self) -> str:
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        same = all(not self.difference(measure) for measure in MEASURES)
        alike = (self.before.kind, self.before.output) == (self.after.kind, self.after.output)
        return "unchanged" if same and alike else "changed"


class Comparison(NamedTuple):
    """The report: totals of all networks, and with `layers` the paths in which each differs."""

    networks: tuple[Costs, ...]
    baseline: int = 0
    layers: bool = False
    bars: bool = True

    def __str__(self) -> str:
        """The report in plain text."""
        plain = FORMATS.get("plain")
        assert plain is not None
        return "".join(plain.render(self, Style())).rstrip("\n")

    def __repr__(self) -> str:
        """Short, as an interpreter and an assertion show it."""
        names = ", ".join(costs.network.name for costs in self.networks)
        return printable(f"<Comparison of {names} against {self.base.network.name}>")

    def tables(self) -> Iterator[Table]:
        yield self._totals()
        if self.bars:
            yield self._bars()
        if self.layers:
            for position, costs in enumerate(self.networks):
                if position != self.baseline:
                    yield self.changes(costs)

    @property
    def base(self) -> Costs:
        return self.networks[self.baseline]

    def _totals(self) -> Table:
        rows: list[tuple[Cell, ...]] = []
        for measure in COMPARED:
            counts = [getattr(costs.totals, measure) for costs in self.networks]
            rows.append((measure, *counts))
            before = counts[self.baseline]
            if any(count != before for count in counts):
                rows.append(("  change", *self._beside(counts, Difference)))
                rows.append((f"  of {self.base.network.name}", *self._beside(counts, share)))
                rows.append(("  ratio", *self._beside(counts, ratio)))
        rows.append(("output", *(_size(costs.network.output) for costs in self.networks)))
        rows.append(("layers", *(grouped(len(costs.layers)) for costs in self.networks)))
        names = [costs.network.name for costs in self.networks]
        return Table(
            name="totals",
            title=f"{', '.join(self._others(names))} against {names[self.baseline]}",
            columns=(
                Column("measure", "", "left"),
                *(Column(f"network_{n}", name) for n, name in enumerate(names)),
            ),
            rows=tuple(rows),
            notes=(
                *self._work(),
                *published(self.networks),
                *uncounted(self.networks),
                *self._footer(),
            ),
            by_row=True,
        )

    def _others(self, names: list[str]) -> list[str]:
        return [name for position, name in enumerate(names) if position != self.baseline]

    def _beside(self, counts: list[int], say: Any) -> list[Cell]:
        before = counts[self.baseline]
        return [
            None if position == self.baseline else say(before, count)
            for position, count in enumerate(counts)
        ]

    def _bars(self) -> Table:
        rows: list[tuple[Cell, ...]] = []
        for measure in ("params", "macs"):
            counts = [getattr(costs.totals, measure) for costs in self.networks]
            for costs, count in zip(self.networks, counts, strict=True):
                rows.append((measure, costs.network.name, count, Share(count, max(counts))))
        return Table(
            name="bars",
            title="Of the largest",
            columns=(
                Column("measure", "measure", "left"),
                Column("network", "network", "left", folds=True),
                Column("count", "count", scales=True),
                Column("share", "share of the largest", "left", 1),
            ),
            rows=tuple(rows),
        )

    def _work(self) -> list[str]:
        """The weights as a sum of products, where it is short enough to be read."""
        notes = []
        for costs in self.networks:
            work = weights_work(costs)
            if 0 < len(work.terms) <= MOST_TERMS:
                total = grouped(costs.totals.weights)
                notes.append(f"weights: {costs.network.name} {work.text} = {total}")
        return notes

    def _footer(self) -> list[str]:
        inputs = {
            ", ".join(shape.text for _, shape in costs.network.inputs) for costs in self.networks
        }
        batch = self.base.batch
        samples = "1 sample" if batch == 1 else f"a batch of {grouped(batch)} samples"
        if len(inputs) == 1:
            return [f"input {inputs.pop()}; {samples}", CONVENTION]
        listed = "; ".join(
            f"{c.network.name} {', '.join(shape.text for _, shape in c.network.inputs)}"
            for c in self.networks
        )
        return [f"the inputs differ: {listed}; {samples}", CONVENTION]

    def changes(self, costs: Costs) -> Table:
        changes = aligned(self.base, costs)
        differing = [item for item in changes if item.state != "unchanged"]
        differing.sort(key=lambda item: -abs(item.difference("macs")))
        rows = tuple(
            (
                item.path,
                item.state,
                item.before.macs if item.before else None,
                item.after.macs if item.after else None,
                _by(item, "macs"),
                _by(item, "params"),
            )
            for item in differing
        )
        before, after = self.base.network.name, costs.network.name
        unchanged = len(changes) - len(differing)
        return Table(
            name=f"{before} {after}",
            title=f"Layers: {before} to {after}",
            columns=(
                Column("path", "layer", "left", folds=True),
                Column("state", "state", "left", 1),
                Column("macs_before", f"macs of {before}", "right", 3, scales=True),
                Column("macs_after", f"macs of {after}", "right", 2, scales=True),
                Column("macs_change", "change in macs", scales=True),
                Column("params_change", "change in params", scales=True),
            ),
            rows=rows,
            notes=(f"{unchanged} layers are unchanged",),
        )

    def page(self) -> "Page":
        from convcost.questions.compare_page import page

        return page(self)

    def pictures(self) -> "Iterator[Picture]":
        from convcost.questions.pictures import of_comparison

        return of_comparison(self.networks)

    def tree(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "version": __version__,
            "baseline": self.base.network.name,
            "networks": [self._network(costs) for costs in self.networks],
        }

    def _network(self, costs: Costs) -> dict[str, Any]:
        changes = [
            ChangeRecord(measure, before, count, count - before)
            for measure in COMPARED
            for before in [getattr(self.base.totals, measure)]
            for count in [getattr(costs.totals, measure)]
        ]
        return {
            "name": costs.network.name,
            "file": costs.network.file,
            "inputs": dict(costs.network.inputs),
            "batch": costs.batch,
            "convention": "macs",
            "output": costs.network.output,
            "layer_count": len(costs.layers),
            "totals": {name: getattr(costs.totals, name) for name in MEASURES},
            "work": {"weights": weights_work(costs).text},
            "changes": changes,
            **({"layers": _layer_records(self.base, costs)} if self.layers else {}),
        }


class LayerRecord(NamedTuple):
    path: str
    state: str
    macs_change: int
    params_change: int


def _layer_records(base: Costs, costs: Costs) -> list[LayerRecord]:
    return [
        LayerRecord(item.path, item.state, item.difference("macs"), item.difference("params"))
        for item in aligned(base, costs)
    ]


def aligned(before: Costs, after: Costs) -> list[LayerChange]:
    """All paths of both networks, those of the first in their order, then what is added."""
    old = {layer.path: layer for layer in before.layers}
    new = {layer.path: layer for layer in after.layers}
    paths = dict.fromkeys([*old, *new])
    return [LayerChange(path, old.get(path), new.get(path)) for path in paths]


def _by(change: "LayerChange", measure: str) -> Difference:
    return Difference(0, change.difference(measure))


def share(before: int, after: int) -> str | None:
    """`40.6 %`: the one of the other."""
    return beside(after, before) if before else None


def ratio(before: int, after: int) -> str | None:
    """`16.94 times less`; nothing where either is 0, for then there is no ratio."""
    if not before or not after:
        return None
    if before == after:
        return "the same"
    if after < before:
        return f"{times(before, after)} times less"
    return f"{times(after, before)} times as much"


def weights_work(costs: Costs) -> Work:
    """The weights of a network as one sum; layers that share weights add nothing."""
    total = NOTHING
    for step in costs.network.steps:
        if step.shared is None:
            x = step.layer.take(inputs_of(costs.network, step))
            total = total.plus(step.layer.weights(x))
    return total


def published(networks: tuple[Costs, ...]) -> list[str]:
    """Figures printed in full for a whole network as it stands, beside the exact ones: those of one
    sample, as figures are."""
    notes = []
    for costs in networks:
        one = costs if costs.batch == 1 else counted(costs.network)
        for entry in costs.network.published:
            if entry.layer or not costs.network.stands_as(entry):
                continue
            for measure, figure in entry.figures:
                if figure.suffix or figure.exponent or measure not in COMPARED:
                    continue
                exact = getattr(one.totals, measure)
                off = figure.digits - exact
                verdict = "as printed" if not off else f"off by {change_of(off, exact)}"
                notes.append(
                    f"{measure} of {costs.network.name}: {grouped(figure.digits)} published "
                    f"({entry.source}), {grouped(exact)} exact, {verdict}"
                )
    return notes


def change_of(difference: int, exact: int) -> str:
    """`+864 (+0.55 %)`."""
    if not exact:
        return signed(difference)
    return f"{signed(difference)} ({'+' * (difference > 0)}{percent(difference, exact, 2)})"


def _size(shape: Shape) -> Size:
    return Size((*shape.size, shape.channels))
