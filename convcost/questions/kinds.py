"""Which kinds are there, and what do they cost? Read from the kinds themselves."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from convcost import __version__
from convcost.costs import inputs_of
from convcost.errors import Source
from convcost.kind import KINDS, Example, Kind, Option
from convcost.network import Network
from convcost.options import show
from convcost.report import Cell, Column, Table
from convcost.shapes import Shape
from convcost.spec.load import load
from convcost.units import grouped
from convcost.work import Work

SCHEMA = "convcost.kinds/1"
COSTS = ("weights", "biases", "buffers", "macs")


class OptionRecord(NamedTuple):
    name: str
    type: str
    default: str
    meaning: str


class ExampleRecord(NamedTuple):
    spec: str
    input: Shape
    output: Shape
    params: int
    macs: int


class Kinds(NamedTuple):
    """All kinds in one table, or (`name`) one kind with its options, formulas and examples."""

    name: str | None = None

    def tables(self) -> Iterator[Table]:
        if self.name is None:
            yield _all()
        else:
            kind = KINDS.get(self.name)
            assert kind is not None
            yield _options(kind)
            yield _formulas(kind)
            yield _examples(kind)

    def tree(self) -> dict[str, Any]:
        names = KINDS.names() if self.name is None else [self.name]
        kinds = [kind for name in names if (kind := KINDS.get(name)) is not None]
        return {
            "schema": SCHEMA,
            "version": __version__,
            "kinds": [_tree(kind) for kind in kinds],
        }


def meaning(kind: type[Kind[Any]]) -> str:
    return " ".join((kind.__doc__ or "").split())


def example_network(example: Example) -> Network:
    """The example as a spec of one layer, read like any other."""
    channels, size = example.input
    text = f"input: {{channels: {channels}, size: {list(size)}}}\nlayers:\n  - {example.spec}\n"
    return load(Source("example", text))[0]


def _written(option: Option, kind: type[Kind[Any]]) -> str:
    return f"{option.name} ({kind.name}: …)" if option.name == kind.principal else option.name


def _default(option: Option) -> str:
    if option.required:
        return "required"
    return "none" if option.default is None else show(option.default).strip("`")


def _all() -> Table:
    rows = []
    for name, kind in KINDS.items():
        options = [option.name for option in kind.options.values() if option.name != kind.principal]
        call = f"{{{name}: {kind.principal}}}" if kind.principal else name
        rows.append((name, call, ", ".join(options) or None, meaning(kind)))
    return Table(
        name="kinds",
        title="The kinds of layers",
        columns=(
            Column("kind", "kind", "left"),
            Column("call", "in a spec", "left", 1),
            Column("options", "further options", "left", 2, folds=True),
            Column("meaning", "meaning", "left", folds=True),
        ),
        rows=tuple(rows),
        notes=(
            "every layer also takes name, from, repeat, when and note; one that learns, weights",
            "`convcost kinds KIND` tells all of one kind",
        ),
    )


def _options(kind: type[Kind[Any]]) -> Table:
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (_written(option, kind), option.type.meaning, _default(option), option.meaning)
        for option in kind.options.values()
    )
    return Table(
        name=kind.name,
        title=f"{kind.name}: {meaning(kind)}",
        columns=(
            Column("option", "option", "left"),
            Column("type", "takes", "left", 1, folds=True),
            Column("default", "default", "left"),
            Column("meaning", "meaning", "left", folds=True),
        ),
        rows=rows or ((None, "no options of its own", None, None),),
    )


def _formulas(kind: type[Kind[Any]]) -> Table:
    """Each cost by name and in the numbers of the first example; both come from one product."""
    rows: list[tuple[Cell, ...]] = []
    if kind.size_rule:
        rows.append(("output size", kind.size_rule, None))
    network = example_network(kind.examples[0])
    step = next((step for step in network.steps if isinstance(step.layer, kind)), None)
    if step is not None:
        x = step.layer.take(inputs_of(network, step))
        for cost in COSTS:
            work: Work = getattr(step.layer, cost)(x)
            if work.terms:
                rows.append((cost, work.formula, f"{work.text} = {grouped(work.value)}"))
    costless = not any(row[0] in COSTS for row in rows)
    if costless:
        rows.append(("weights, macs", "none: known to be free", "0"))
    return Table(
        name=kind.name,
        title="Formulas, filled in for the first example",
        columns=(
            Column("cost", "cost", "left"),
            Column("formula", "formula", "left", folds=True),
            Column("work", "work", "left", folds=True),
        ),
        rows=tuple(rows),
        notes=("n size, f kernel, s stride, p padding, d dilation of an axis",)
        if kind.size_rule
        else (),
    )


def _examples(kind: type[Kind[Any]]) -> Table:
    return Table(
        name=kind.name,
        title="Examples",
        columns=(
            Column("spec", "layer", "left", folds=True),
            Column("input", "input", "right"),
            Column("output", "output", "right"),
            Column("params", "params", "right"),
            Column("macs", "macs", "right"),
        ),
        rows=tuple((e.spec, e.input.text, e.output.text, e.params, e.macs) for e in kind.examples),
    )


def _tree(kind: type[Kind[Any]]) -> dict[str, Any]:
    return {
        "name": kind.name,
        "meaning": meaning(kind),
        "principal": kind.principal,
        "role": kind.role,
        "options": [
            OptionRecord(option.name, option.type.meaning, _default(option), option.meaning)
            for option in kind.options.values()
        ],
        "examples": [
            ExampleRecord(e.spec, e.input, e.output, e.params, e.macs) for e in kind.examples
        ],
    }
