"""What is a network without its 1x1 reductions? Each one found, and the naive network's costs."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from convcost import __version__
from convcost.costs import Costs, costs
from convcost.questions.reduce.find import Reduction, Survey, undoing
from convcost.questions.reduce.outcome import Outcome
from convcost.report import Column, Table
from convcost.rewire import rewired

SCHEMA = "convcost.reduce/1"


class FoundRecord(NamedTuple):
    """A 1x1 reduction of `convcost.reduce/1`: what its convolutions cost, and those without it.

    `path` is the layer or block that goes. `channels` come in, `to` are left. A projection leaves
    nothing behind: what the pool hands on.
    """

    path: str
    form: str
    channels: int
    to: int
    windows: tuple[str, ...]
    weights: int
    naive_weights: int
    macs: int
    naive_macs: int


class Undone(NamedTuple):
    """Surveys of networks, and what each comes to without the reductions found."""

    surveys: tuple[tuple[Costs, Survey, Costs], ...]
    file: str = ""
    notes: tuple[str, ...] = ()

    def tables(self) -> Iterator[Table]:
        for before, survey, after in self.surveys:
            yield _table(before, survey, after)
        yield from self._outcome.tables()

    @property
    def _outcome(self) -> Outcome:
        pairs = tuple((before, after) for before, survey, after in self.surveys if survey.found)
        return Outcome(pairs, self.file, self.notes)

    def tree(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "version": __version__,
            "networks": [
                {
                    "name": before.network.name,
                    "file": before.network.file,
                    "batch": before.batch,
                    "convention": "macs",
                    "undone": [_record(item, before, after) for item in survey.found],
                    "left": dict(survey.left),
                }
                for before, survey, after in self.surveys
            ],
            "written": self._outcome.tree(),
        }


def without(before: Costs, survey: Survey, name: str) -> Costs:
    """The costs of a network without the reductions of a survey. Raises Refusal."""
    network = rewired(before.network, undoing(before.network, survey.found))
    return costs(network._replace(name=name), before.batch)


def _record(item: Reduction, before: Costs, after: Costs) -> FoundRecord:
    steps = before.network.steps
    expand = () if item.expand is None else (item.expand,)
    members = (item.reduce, *item.windows, *expand)
    naive = {row.path: row for row in after.layers}
    left = [naive[steps[index].path] for index in item.windows]
    source = steps[item.reduce].inputs[0]
    shape = steps[source].shape if source >= 0 else before.network.inputs[-1 - source][1]
    return FoundRecord(
        item.sites[0].path,
        item.form,
        shape.channels,
        steps[item.reduce].shape.channels,
        tuple(steps[index].path for index in item.windows),
        sum(before.layers[index].weights for index in members),
        sum(row.weights for row in left),
        sum(before.layers[index].macs for index in members),
        sum(row.macs for row in left),
    )


def _table(before: Costs, survey: Survey, after: Costs) -> Table:
    records = [_record(item, before, after) for item in survey.found]
    notes = [f"left as it is: {path} {reason}" for path, reason in survey.left]
    if not records:
        notes.insert(0, "there is no 1x1 reduction in this network")
    name = before.network.name
    return Table(
        name=name,
        title=f"{name}: its 1x1 reductions, and what stands there without",
        columns=(
            Column("path", "1x1", "left", folds=True),
            Column("form", "form", "left", 3),
            Column("channels", "channels", "right", 1),
            Column("to", "to", "right", 1),
            Column("weights", "weights", scales=True),
            Column("naive_weights", "naive", scales=True),
            Column("macs", "macs", "right", 2, scales=True),
            Column("naive_macs", "naive macs", "right", 2, scales=True),
        ),
        rows=tuple(
            (
                record.path,
                record.form,
                record.channels,
                record.to,
                record.weights,
                record.naive_weights,
                record.macs,
                record.naive_macs,
            )
            for record in records
        ),
        notes=tuple(notes),
    )
