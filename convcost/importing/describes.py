"""Does a spec still describe a model? By what its layers are and how they are joined, not by what
they are called."""

from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from convcost.costs import Costs, LayerCost
from convcost.report import Cell, Column, Table
from convcost.units import CONVENTION, grouped

COMMUTE = ("add", "multiply")
COLUMNS = (
    Column("layer", "layer", "left", folds=True),
    Column("in", "stands in", "left"),
    Column("kind", "kind", "left"),
    Column("output", "output"),
    Column("params", "params"),
    Column("macs", "macs"),
)


class Describes(NamedTuple):
    """The layers of a model, imported anew, held against those of a spec."""

    model: Costs
    spec: Costs

    @property
    def same(self) -> bool:
        """Whether both are the same layers, joined alike: names and the order in which branches
        are written aside."""
        return Counter(_fingerprints(self.model)) == Counter(_fingerprints(self.spec))

    def tables(self) -> Iterator[Table]:
        mine, others = self.model.totals, self.spec.totals
        rows = () if self.same else tuple(self._differing())
        notes = []
        if not self.same and not rows:
            notes.append("the layers are the same, but joined in another way")
        notes += [
            f"params: model {grouped(mine.params)}, spec {grouped(others.params)}",
            f"macs: model {grouped(mine.macs)}, spec {grouped(others.macs)}",
            CONVENTION,
        ]
        says = "still describes" if self.same else "no longer describes"
        title = f"{self.spec.network.file} {says} {self.model.network.name}"
        yield Table("describes", title, COLUMNS, rows, notes=tuple(notes))

    def tree(self) -> dict[str, Any]:
        raise NotImplementedError("no format of programs is offered for it")

    def _differing(self) -> Iterator[tuple[Cell, ...]]:
        ours = [_local(row, self.model) for row in self.model.layers]
        theirs = [_local(row, self.spec) for row in self.spec.layers]
        matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
        for tag, i, j, k, m in matcher.get_opcodes():
            if tag != "equal":
                yield from (_row(row, "model only") for row in self.model.layers[i:j])
                yield from (_row(row, "spec only") for row in self.spec.layers[k:m])


def _row(row: LayerCost, where: str) -> tuple[Cell, ...]:
    return row.path, where, row.kind, row.output.text, row.params, row.macs


def _local(row: LayerCost, costs: Costs) -> tuple[Any, ...]:
    """What a layer is by itself. A kind's attributes are its options, as they were given."""
    options = dict(vars(costs.network.steps[row.step].layer))
    options.pop("branches", None)
    options.pop("what", None)
    shown = tuple(sorted((name, repr(_plain(value))) for name, value in options.items()))
    return row.kind, shown, row.output, row.params, row.buffers, row.macs


def _plain(value: Any) -> Any:
    """`[3, 3]` is 3, however it was written."""
    alike = type(value) is tuple and value and len(set(value)) == 1
    return value[0] if alike else value


def _fingerprints(costs: Costs) -> list[int]:
    """A number for each layer, by what it is and by all that it comes from."""
    found: list[int] = []
    for row, step in zip(costs.layers, costs.network.steps, strict=True):
        before = [
            found[i] if i >= 0 else hash((i, costs.network.inputs[-1 - i][1])) for i in step.inputs
        ]
        if row.kind in COMMUTE:
            before.sort()
        shared = None if step.shared is None else found[step.shared]
        found.append(hash((_local(row, costs), tuple(before), shared)))
    return found
