"""The kinds of layers, with their options, formulas and examples."""

from collections.abc import Iterator
from typing import Any

from convcost.language.load import load
from convcost.model.costs import layer_input
from convcost.model.errors import Source
from convcost.model.kind import COMMON_KEYS, KINDS, WEIGHT_KEYS, Example, Kind, Option
from convcost.model.measures import Measure
from convcost.model.network import Network
from convcost.model.number_format import group_digits
from convcost.model.options import show
from convcost.model.record import NamedTuple
from convcost.reports.report import Report, versioned
from convcost.reports.table import Cell, Column, Table

SCHEMA = "convcost.kinds/1"
EXAMPLE = ("spec", "input", "output", "params", "macs")
COSTS = (Measure.WEIGHTS, Measure.BIASES, Measure.BUFFERS, Measure.MACS)


class OptionRecord(NamedTuple):
    """An option of a kind in `convcost.kinds/1`; `default` is its text, `required` or `none`."""

    name: str
    type: str
    default: str
    meaning: str


class Kinds(Report):
    """All kinds in one table, or (`kind`) one kind with its options, formulas and examples."""

    name = "kinds"
    kind: str | None = None

    def tables(self) -> Iterator[Table]:
        kind = None if self.kind is None else KINDS.get(self.kind)
        if kind is None:
            yield _kinds_table()
            return
        yield _options(kind)
        if kind.examples:
            yield _formulas(kind)
            yield _examples(kind)

    def tree(self) -> dict[str, Any]:
        kinds = [_tree(kind) for name, kind in KINDS.items() if self.kind in (None, name)]
        return versioned(SCHEMA, kinds=kinds)


def meaning(kind: type[Kind[Any]]) -> str:
    """The docstring of a kind, on one line."""
    return " ".join((kind.__doc__ or "").split())


def example_network(example: Example) -> Network:
    """The example as a spec of one layer."""
    channels, size = example.input
    text = f"input: {{channels: {channels}, size: {list(size)}}}\nlayers:\n  - {example.spec}\n"
    return load(Source("example", text))[0]


def _option_records(kind: type[Kind[Any]]) -> list[OptionRecord]:
    return [
        OptionRecord(option.name, option.type.meaning, _default(option), option.meaning)
        for option in kind.options.values()
    ]


def _default(option: Option) -> str:
    if option.required:
        return "required"
    return "none" if option.default is None else show(option.default).strip("`")


def _kinds_table() -> Table:
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
            (
                f"every layer also accepts {', '.join(COMMON_KEYS[:-1])} and {COMMON_KEYS[-1]}; "
                f"one with weights also {' and '.join(WEIGHT_KEYS)}"
            ),
            "`convcost kinds KIND` shows all about one kind",
        ),
    )


def _options(kind: type[Kind[Any]]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (f"{name} ({kind.name}: …)" if name == kind.principal else name, *further)
        for name, *further in _option_records(kind)
    ]
    return Table(
        name=kind.name,
        title=f"{kind.name}: {meaning(kind)}",
        columns=(
            Column("option", "option", "left"),
            Column("type", "accepts", "left", 1, folds=True),
            Column("default", "default", "left"),
            Column("meaning", "meaning", "left", folds=True),
        ),
        rows=tuple(rows) or ((None, "no options of its own", None, None),),
    )


def _formulas(kind: type[Kind[Any]]) -> Table:
    """A table with a row for each cost: its formula, and its product with the numbers of the first
    example."""
    rows: list[tuple[Cell, ...]] = []
    network = example_network(kind.examples[0])
    step = next((step for step in network.steps if isinstance(step.layer, kind)), None)
    if step is not None:
        x = layer_input(network, step)
        windows = step.layer.windows(x)
        if windows:
            window = windows[0]
            work = group_digits(f"{window.formula} = {window.output}")
            rows.append(("output size", window.general, work))
        for cost in COSTS:
            product = step.layer.product(cost, x)
            if product.terms:
                work = group_digits(f"{product.text} = {product.value}")
                rows.append((cost, product.formula, work))
    if kind.copied_branch:
        branch = f"those of the branch `{kind.copied_branch}`"
        rows.append(("weights, biases", f"`of` times {branch}", None))
        rows.append(("macs, active params", f"`take` times {branch}", None))
    elif kind.is_free:
        rows.append(("weights, macs", "none: this kind has no costs", "0"))
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
        if rows and rows[0][0] == "output size"
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
        "options": _option_records(kind),
        "examples": [dict(zip(EXAMPLE, example, strict=False)) for example in kind.examples],
    }
