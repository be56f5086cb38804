"""Whether a spec still describes a model: compares what the layers are and how they are connected,
not their names."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

from convcost.importing.ir.layer_graph import is_stored
from convcost.model.axes import per_axis_border
from convcost.model.costs import Costs, LayerCost, inputs_of
from convcost.model.measures import Measure
from convcost.model.number_format import format_count
from convcost.model.options import show
from convcost.model.shape import Shape, size_text
from convcost.reports.layer_changes import pair_layers
from convcost.reports.notes import uncounted_note
from convcost.reports.table import Cell, Column, Table, cell_text, count_cell

# Joins whose result does not depend on the order of branches; in a concat, only the order of the
# channels does.
COMMUTATIVE = ("add", "concat", "maximum", "minimum", "multiply")
# Options of windows. They are not compared, because receptive field and output are compared.
WINDOW_OPTIONS = ("stride", "padding", "ceil")
# Options that only state the input, or follow from it.
IMPLIED_OPTIONS = ("branches", "each_position", "input", "inputs")
# Kinds that are the same layer in other words, each with the options that only it has.
EQUIVALENT_KIND = {
    "upsample": "upsample", "upsample_like": "upsample", "reshape": "reshape",
    "reshape_like": "reshape", "pad": "pad", "pad_like": "pad", "crop": "pad",
}  # fmt: skip
EQUIVALENT_OPTIONS = {"upsample": ("scale", "size"), "reshape": ("shape",), "pad": ("border",)}
MAX_ROWS = 20  # layers that differ
COLUMNS = (
    Column("layer", "layer", "left", folds=True),
    Column("in", "only in", "left"),
    Column("kind", "kind", "left"),
    Column("output", "output"),
    Column("params", "params"),
    Column("macs", "macs"),
    Column("options", "options", "left", folds=True),
)
Rows: TypeAlias = tuple[LayerCost, ...]
Marks: TypeAlias = list[tuple[LayerCost, Any]]  # layers, each with what is compared


class Equivalence(NamedTuple):
    """The layers of a model, imported again, compared with those of a spec."""

    model: Costs
    spec: Costs
    ignore_pool_fields: bool = False  # ignore the receptive field of a pool to a single element

    @property
    def is_same(self) -> bool:
        """Whether both have the same layers with the same connections. Names and the order of
        branches do not matter."""
        both = (self.model, self.spec), (self.spec, self.model)
        return not any(self._unmatched(*costs) for costs in both)

    def lines(self, at: tuple[int, ...] | None = None) -> Iterator[str]:
        """The result as lines of text; `at` is the size if it is not the spec's own size."""
        says = "still describes" if self.is_same else "no longer describes"
        size = "" if at is None else f" at {size_text(at)}"
        yield f"{self.spec.network.file} {says} {self.model.network.name}{size}"
        yield ""
        if not self.is_same and self.difference_table() is None:
            layer = self._unmatched(self.model, self.spec)[0].path
            yield f"the layers are the same, but their connections differ: see `{layer}`"
        model, spec = self.model.totals, self.spec.totals
        yield from self._inputs()
        yield f"params: model {format_count(model.params)}, spec {format_count(spec.params)}"
        if model.frozen != spec.frozen:
            trainable = format_count(model.trainable), format_count(spec.trainable)
            yield "trainable: model {}, spec {}".format(*trainable)
        macs = (cell_text(count_cell(totals.count_of(Measure.MACS))) for totals in (model, spec))
        yield "macs: model {}, spec {}".format(*macs)
        for where, costs in (("the model", self.model), ("the spec", self.spec)):
            yield from uncounted_note(where, costs.layers)

    def difference_table(self) -> Table | None:
        """The layers that only one side has, in order; None if there are none."""
        rows = list(self._difference_rows())
        if not rows:
            return None
        more = len(rows) - MAX_ROWS
        notes = (f"{format_count(more)} more layers differ",) if more > 0 else ()
        return Table(
            "differing", "Layers that differ", COLUMNS, tuple(rows[:MAX_ROWS]), notes=notes
        )

    def first_difference(self) -> str:
        for where, rows in (
            ("model", self._only_in(self.model, self.spec)),
            ("spec", self._only_in(self.spec, self.model)),
        ):
            if rows:
                row = rows[0]
                return f"only the {where} has `{row.path}`, {row.kind} to {row.output.text}"
        return f"`{self._unmatched(self.model, self.spec)[0].path}` has other inputs"

    def _only_in(self, first: Costs, second: Costs) -> Rows:
        """The layers that only the first network has, whatever their inputs are."""
        return _without_equal(self._layers(first), self._layers(second))

    def _layers(self, costs: Costs) -> Marks:
        rows = (row for row in costs.layers if not _has_no_effect(row, costs))
        return [
            (row, _properties(row, costs, ignore_pool_fields=self.ignore_pool_fields))
            for row in rows
        ]

    def _unmatched(self, first: Costs, second: Costs) -> Rows:
        """The layers of the first network that the other does not have with the same inputs."""
        marks = (
            _fingerprints(costs, ignore_pool_fields=self.ignore_pool_fields)
            for costs in (first, second)
        )
        return _without_equal(*marks)

    def _inputs(self) -> Iterator[str]:
        of_model, of_spec = (
            ", ".join(shape.text for _, shape in costs.network.inputs)
            for costs in (self.model, self.spec)
        )
        if of_model != of_spec:
            yield f"the inputs differ: model {of_model}, spec {of_spec}"

    def _difference_rows(self) -> Iterator[tuple[Cell, ...]]:
        """One row for each layer that only one side has. Layers that correspond are next to each
        other, with the options that differ."""
        of_model, of_spec = (
            self._only_in(self.model, self.spec),
            self._only_in(self.spec, self.model),
        )
        for model, spec in pair_layers(of_model, of_spec):
            options = ("", "")
            if model is not None and spec is not None and model.kind == spec.kind:
                options = _differing_options(_options(model, self.model), _options(spec, self.spec))
            if model is not None:
                yield _row(model, "model", options[0])
            if spec is not None:
                yield _row(spec, "spec", options[1])


def _without_equal(rows: Marks, others: Marks) -> Rows:
    """The rows without those that have an equal row among the others."""
    left = Counter(mark for _, mark in others)
    unequal_rows = []
    for row, mark in rows:
        if left[mark]:
            left[mark] -= 1
        else:
            unequal_rows.append(row)
    return tuple(unequal_rows)


def _row(row: LayerCost, where: str, options: str) -> tuple[Cell, ...]:
    macs = count_cell(row.counts.count_of(Measure.MACS))
    return row.path, where, row.kind, row.output.text, row.params, macs, options


def _options(row: LayerCost, costs: Costs) -> dict[str, str | None]:
    """The options of a layer, as in a spec."""
    layer = costs.network.steps[row.step].layer
    return {
        name: None if value is None else show(value)
        for name, value in (
            (name, value)
            for name, value in layer.option_values.items()
            if layer.options[name].type_name != "Layers"
        )
    }


def _differing_options(
    first: dict[str, str | None], second: dict[str, str | None]
) -> tuple[str, str]:
    """For each of two layers of a kind, the options that differ from the other layer, as text."""
    names = [name for name in first if first[name] != second[name]]
    texts = [
        ", ".join(f"{name}: {options[name]}" for name in names if options[name] is not None)
        for options in (first, second)
    ]
    return texts[0], texts[1]


def _has_no_effect(row: LayerCost, costs: Costs) -> bool:
    """Whether a layer resizes, reshapes or pads to the shape that its input has."""
    inputs = inputs_of(costs.network, costs.network.steps[row.step])
    return row.kind in EQUIVALENT_KIND and inputs[0] == row.output


def _properties(row: LayerCost, costs: Costs, *, ignore_pool_fields: bool) -> tuple[Any, ...]:
    """The properties of a layer without its connections. The attributes of a kind are its options,
    as given."""
    step = costs.network.steps[row.step]
    x = inputs_of(costs.network, step)
    kind, ignored = _effective_kind(row)
    options = {
        name: repr(_scalar(value))
        for name, value in vars(step.layer).items()
        if name.rstrip("_") not in ignored
    }
    if kind == "pad":
        options["border"] = repr(
            _border(row.kind, vars(step.layer).get("border"), x[0], row.output)
        )
    fields = step.layer.receptive_field(step.layer.select_inputs(x))
    # The stride does not matter if there is only one position.
    single = kind.startswith("global_")
    seen = (
        [(field.first, field.last) for field in fields or () if not ignore_pool_fields]
        if single
        else fields
    )
    sorted_options = tuple(sorted(options.items()))
    return kind, sorted_options, repr(seen), row.output, row.params, row.buffers, row.macs


def _border(kind: str, border: Any, before: Shape, after: Shape) -> tuple[int, ...]:
    """The number of elements added before and after each axis; negative if elements are removed."""
    if kind == "pad_like":  # the odd element at the end
        whole = [m - n for n, m in zip(before.size, after.size, strict=True)]
        return (*(n // 2 for n in whole), *(n - n // 2 for n in whole))
    pairs = per_axis_border(border, len(before.size), "border")
    sign = -1 if kind == "crop" else 1
    return (*(sign * begin for begin, _ in pairs), *(sign * end for _, end in pairs))


def _effective_kind(row: LayerCost) -> tuple[str, tuple[str, ...]]:
    """The kind of a layer and the options to ignore: a resize or reshape is its output shape; a pad
    is the border it adds, as numbers or by the size of another tensor; a window over everything is
    a global pool."""
    kind = EQUIVALENT_KIND.get(row.kind, row.kind)
    if kind != row.kind or kind in EQUIVALENT_OPTIONS:
        return kind, (*WINDOW_OPTIONS, *IMPLIED_OPTIONS, *EQUIVALENT_OPTIONS[kind])
    whole = row.kind.removeprefix("global_")
    if whole in ("avg_pool", "max_pool") and set(row.output.size) == {1}:
        return f"global_{whole}", (*WINDOW_OPTIONS, *IMPLIED_OPTIONS, "kernel", "dilation")
    return row.kind, (*WINDOW_OPTIONS, *IMPLIED_OPTIONS)


def _scalar(value: Any) -> Any:
    """`[3, 3]` becomes 3."""
    alike = type(value) is tuple and value and len(set(value)) == 1
    return value[0] if alike else value


def _fingerprints(costs: Costs, *, ignore_pool_fields: bool) -> Marks:
    """A hash for each compared layer, of its properties and of everything before it."""
    # By their numbers from 0: the hashes of -1 and -2 are equal.
    inputs = [hash((number, shape)) for number, (_, shape) in enumerate(costs.network.inputs)]
    hashes: list[int] = []
    compared = []
    for row, step in zip(costs.layers, costs.network.steps, strict=True):
        before = [
            hashes[i] if i >= 0 else inputs[-1 - i] for i in step.inputs[: step.layer.data_inputs]
        ]
        if _has_no_effect(row, costs):
            hashes.append(before[0])
            continue
        if is_stored(row.kind):
            before = []
        if row.kind in COMMUTATIVE:
            before.sort()
        shared = None if step.shared is None else hashes[step.shared]
        hashes.append(
            hash(
                (
                    _properties(row, costs, ignore_pool_fields=ignore_pool_fields),
                    tuple(before),
                    shared,
                )
            )
        )
        compared.append((row, hashes[-1]))
    return compared
