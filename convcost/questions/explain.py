"""Why does this layer cost what it costs? One layer's story, each number as it is worked out."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from convcost import __version__
from convcost.costs import Costs, Field, LayerCost, inputs_of, summed
from convcost.kind import Kind
from convcost.network import Network, Step
from convcost.questions.analyze import FieldRecord, handed_on
from convcost.questions.instead import (
    AlternativeRecord,
    MatrixRecord,
    ProductRecord,
    alternatives,
    matrix,
    of_batch,
    product_record,
)
from convcost.questions.kinds import meaning
from convcost.questions.sizes import SizeRecord, sizes
from convcost.report import Cell, Column, Share, Size, Table
from convcost.shapes import Shape
from convcost.units import CONVENTION, grouped, percent
from convcost.work import NOTHING

SCHEMA = "convcost.explain/1"
WHAT_AND_VALUE = (
    Column("what", "what", "left", folds=True),
    Column("value", "value", "left", folds=True),
)


class InputRecord(NamedTuple):
    """`source` is the path of a layer or the name of an input."""

    source: str
    shape: Shape


class ShareRecord(NamedTuple):
    params: Share
    macs: Share


class LayerStory(NamedTuple):
    """A layer of `convcost.explain/1`. Of weights that are another layer's, `shared` is its path
    and the counts here are 0."""

    network: str
    path: str
    kind: str
    note: str
    inputs: tuple[InputRecord, ...]
    output: Shape
    sizes: tuple[SizeRecord, ...]
    weights: ProductRecord
    biases: ProductRecord
    params: int
    buffers: ProductRecord
    macs: ProductRecord
    matrix: MatrixRecord | None
    receptive_field: FieldRecord
    share: ShareRecord
    stated: bool
    uncounted: bool
    shared: str | None
    alternatives: tuple[AlternativeRecord, ...]


class GroupStory(NamedTuple):
    """A group of `convcost.explain/1`: the sums of its layers, and their paths."""

    network: str
    path: str
    kind: str
    output: Shape
    weights: int
    biases: int
    params: int
    buffers: int
    macs: int
    receptive_field: FieldRecord
    share: ShareRecord
    layers: tuple[str, ...]


class Explanation(NamedTuple):
    """What stands at `path` in each of the networks that have it.

    A join with branches is both a layer and a group, and told as both.
    """

    networks: tuple[Costs, ...]
    path: str

    def tables(self) -> Iterator[Table]:
        for costs in self.networks:
            for row in _rows_at(costs, self.path):
                yield from _layer_tables(costs, row)
            if _is_group(costs.network, self.path):
                yield from _group_tables(costs, self.path)

    def tree(self) -> dict[str, Any]:
        stories = [
            layer_story(costs, row) for costs in self.networks for row in _rows_at(costs, self.path)
        ]
        return {
            "schema": SCHEMA,
            "version": __version__,
            "layers": [
                story._asdict()
                | {
                    "inputs": list(story.inputs),
                    "sizes": list(story.sizes),
                    "alternatives": list(story.alternatives),
                }
                for story in stories
            ],
            "groups": [
                group_story(costs, self.path)
                for costs in self.networks
                if _is_group(costs.network, self.path)
            ],
        }


def paths(network: Network) -> tuple[str, ...]:
    """All that can be explained: every layer and every name that holds layers, outer ones first."""
    found: dict[str, None] = {}
    for step in network.steps:
        end = step.path.find("/")
        while end >= 0:
            found[step.path[:end]] = None
            end = step.path.find("/", end + 1)
        found[step.path] = None
    for group in network.groups:
        found.setdefault(group.path)
    return tuple(found)


# A layer


def layer_story(costs: Costs, row: LayerCost) -> LayerStory:
    network, totals = costs.network, costs.totals
    step = network.steps[row.step]
    layer, inputs = step.layer, inputs_of(network, step)
    x = layer.take(inputs)
    own = step.shared is None
    return LayerStory(
        network.name,
        row.path,
        row.kind,
        step.note,
        tuple(map(InputRecord, _sources(network, step), inputs)),
        row.output,
        sizes(layer, inputs, row.output),
        product_record(layer.weights(x) if own else NOTHING),
        product_record(layer.biases(x) if own else NOTHING),
        row.params,
        product_record(layer.buffers(x) if own else NOTHING),
        product_record(of_batch(layer.macs(x), costs.batch)),
        matrix(layer, inputs, row.output, costs.batch),
        _field(row.field),
        ShareRecord(Share(row.params, totals.params), Share(row.macs, totals.macs)),
        row.stated,
        row.uncounted,
        None if step.shared is None else network.steps[step.shared].path,
        alternatives(layer, inputs, row.output, costs.batch),
    )


def _sources(network: Network, step: Step) -> Iterator[str]:
    for i in step.inputs:
        yield network.steps[i].path if i >= 0 else network.inputs[-1 - i][0]


def _field(field: Field) -> FieldRecord:
    steps = [sight.step for sight in field]
    return FieldRecord(
        tuple(sight.extent for sight in field),
        tuple(step if type(step) is int else str(step) for step in steps),
    )


# A layer in words


def _layer_tables(costs: Costs, row: LayerCost) -> Iterator[Table]:
    story = layer_story(costs, row)
    title = f"{story.path}: {story.kind}"
    kind = type(costs.network.steps[row.step].layer)
    yield Table(
        name=story.network,
        title=title,
        columns=WHAT_AND_VALUE,
        rows=(*_where(story, kind), *_shapes(story), *_costs(story), *_standing(story)),
        notes=(CONVENTION,),
    )
    if story.alternatives:
        yield Table(
            name=story.network,
            title=f"{title}, what could stand in its place",
            columns=WHAT_AND_VALUE,
            rows=tuple(_instead(story)),
            notes=("each with the stride and padding of this layer; biases are left aside",),
        )


def _where(story: LayerStory, kind: type[Kind[Any]]) -> Iterator[tuple[Cell, ...]]:
    yield "network", story.network
    yield "kind", meaning(kind)
    if story.note:
        yield "note", story.note


def _shapes(story: LayerStory) -> Iterator[tuple[Cell, ...]]:
    for taken in story.inputs:
        yield "input", f"{taken.shape.text}, from {taken.source}"
    yield "output", story.output.text
    for size in story.sizes:
        yield " and ".join(size.axes), f"{size.formula} = {grouped(size.value)}"


def _costs(story: LayerStory) -> Iterator[tuple[Cell, ...]]:
    if story.shared is not None:
        yield "weights", f"those of {story.shared}, counted there"
    else:
        yield "weights", _worked(story.weights)
        yield "biases", _worked(story.biases)
        if story.biases.value:
            summed = f"{story.weights.value} + {story.biases.value}"
            yield "params", f"weights + biases = {summed} = {grouped(story.params)}"
        else:
            yield "params", f"weights = {grouped(story.params)}"
        if story.buffers.value:
            yield "buffers", _worked(story.buffers)
    yield "macs", "uncounted: nobody knows them" if story.uncounted else _worked(story.macs)
    if story.stated and not story.uncounted:
        yield "stated", "these counts are given by the spec's author, not derived"
    if story.matrix is not None:
        names, (rows, seen), (_, filters) = story.matrix
        yield "as a matrix product", f"({rows} × {seen}) · ({seen} × {filters}): {names}"


def _worked(cost: ProductRecord) -> str:
    """`filters × channels = 64 × 3 = 192`; a number that is no product is not said twice."""
    if not cost.work.strip("0123456789"):
        return f"{cost.formula} = {grouped(cost.value)}" if cost.formula != "0" else "0"
    return f"{cost.formula} = {cost.work} = {grouped(cost.value)}"


def _standing(story: LayerStory | GroupStory) -> Iterator[tuple[Cell, ...]]:
    field = story.receptive_field
    if field.size:
        yield "receptive field", f"{'×'.join(map(str, field.size))} of the input"
        yield "step on the input", Size(field.step)
    yield "share of params", _part(story.share.params)
    yield "share of macs", _part(story.share.macs)


def _part(share: Share) -> str:
    return f"{percent(share.part, share.whole)} of the network's {grouped(share.whole)}"


def _instead(story: LayerStory) -> Iterator[tuple[Cell, ...]]:
    for other in story.alternatives:
        for what, cost, now in (
            ("weights", other.weights, story.weights.value),
            ("macs", other.macs, story.macs.value),
        ):
            ratio = f" ({percent(cost.value, now)} of {grouped(now)})" if now else ""
            yield f"{other.name}: {what}", f"{_worked(cost)}{ratio}"


# A group


def group_story(costs: Costs, path: str) -> GroupStory:
    """The output and receptive field are those of the last layer that the group hands on; of a
    group without layers, as an identity shortcut is one, those of what goes by it."""
    members = _members(costs, path)
    group = next((group for group in costs.network.groups if group.path == path), None)
    output, field, _ = handed_on(costs, members[-1].step if group is None else group.output)
    total, whole = summed(members), costs.totals
    return GroupStory(
        costs.network.name,
        path,
        "branch" if group is None else group.kind,
        output,
        total.weights,
        total.biases,
        total.params,
        total.buffers,
        total.macs,
        _field(field),
        ShareRecord(Share(total.params, whole.params), Share(total.macs, whole.macs)),
        tuple(member.path for member in members),
    )


def _rows_at(costs: Costs, path: str) -> list[LayerCost]:
    return [row for row in costs.layers if row.path == path]


def _members(costs: Costs, path: str) -> list[LayerCost]:
    return [row for row in costs.layers if row.path == path or row.path.startswith(f"{path}/")]


def _is_group(network: Network, path: str) -> bool:
    return any(group.path == path for group in network.groups) or any(
        step.path.startswith(f"{path}/") for step in network.steps
    )


def _group_tables(costs: Costs, path: str) -> Iterator[Table]:
    story = group_story(costs, path)
    title = f"{path}: {story.kind}"
    yield Table(
        name=story.network,
        title=title,
        columns=WHAT_AND_VALUE,
        rows=(
            ("network", story.network),
            ("layers", grouped(len(story.layers))),
            ("output", story.output.text),
            ("params", grouped(story.params)),
            ("macs", grouped(story.macs)),
            *_standing(story),
        ),
        notes=(CONVENTION,),
    )
    if not story.layers:
        return
    yield Table(
        name=story.network,
        title=f"{title}, its layers",
        columns=(
            Column("path", "layer", "left", folds=True),
            Column("kind", "kind", "left", 2),
            Column("output", "output", "right", 1),
            Column("params", "params"),
            Column("macs", "macs"),
            Column("share", "share of its macs", "left", 3),
        ),
        rows=tuple(
            (r.path, r.kind, r.output.text, r.params, r.macs, Share(r.macs, story.macs))
            for r in _members(costs, path)
        ),
        total=("total", None, None, story.params, story.macs, Share(story.macs, story.macs)),
    )
