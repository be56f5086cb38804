"""One layer: where each of its numbers comes from."""

from collections.abc import Iterator
from typing import Any

from convcost.model.axes import axis_names
from convcost.model.costs import Costs, LayerCost, UncountedKind, inputs_of
from convcost.model.kind import Kind
from convcost.model.measures import CONVENTION, PARTS, Counts, Measure
from convcost.model.number_format import format_count, format_percent, group_digits
from convcost.model.record import NamedTuple
from convcost.model.shape import Shape
from convcost.reports.analyze import FieldRecord, field_record
from convcost.reports.explain.alternatives import (
    AlternativeRecord,
    MatrixRecord,
    ProductRecord,
    alternatives,
    matrix_product,
    product_record,
    times_batch,
)
from convcost.reports.kinds import meaning
from convcost.reports.notes import PRUNED, STATED, deployed_notes, field_notes, uncounted_note
from convcost.reports.table import Cell, Column, Share, Size, Table

UNKNOWN_MACS = "uncounted: the macs are unknown"
PRODUCTS = (Measure.WEIGHTS, Measure.BIASES, Measure.BUFFERS, Measure.MACS)
WHAT_AND_VALUE = (
    Column("what", "what", "left", folds=True),
    Column("value", "value", "left", folds=True),
)


class InputRecord(NamedTuple):
    """An input of a layer. `source` is the path of a layer or the name of an input."""

    source: str
    shape: Shape


class SizeRecord(NamedTuple):
    """One output size, and the axes that have it by the same formula."""

    axes: tuple[str, ...]
    formula: str
    value: int


class ShareRecord(NamedTuple):
    """The share of a layer or group in the totals of the network. `uncounted` are the layers whose
    macs are not in the total."""

    params: Share
    macs: Share
    uncounted: tuple[UncountedKind, ...]


class LayerExplanation(NamedTuple):
    """A layer, with the products of its own counts.

    If the layer uses the weights of another layer, `shared` is the path of that layer, and the
    counts of parameters here are 0.
    """

    network: str
    path: str
    kind: str
    note: str
    inputs: list[InputRecord]
    output: Shape
    sizes: list[SizeRecord]
    counts: Counts
    products: dict[Measure, ProductRecord]
    matrix: MatrixRecord | None
    receptive_field: FieldRecord
    share: ShareRecord
    stated: bool
    density: str | None
    uncounted: bool
    shared: str | None
    alternatives: list[AlternativeRecord]

    def tree(self) -> dict[str, Any]:
        """The layer in `convcost.explain/1`: a number for params and for what is a part of them, a
        product for the other measures."""
        fields: dict[str, Any] = self._asdict()
        products = fields.pop("products")
        counts: dict[str, Any] = {**fields.pop("counts").by_measure(), **products}
        return {key: fields.pop(key) for key in self._fields[:7]} | counts | fields


def explain_layer(costs: Costs, row: LayerCost) -> LayerExplanation:
    """The formula and the numbers of each count of a layer."""
    network = costs.network
    step = network.steps[row.step]
    layer, inputs = step.layer, inputs_of(network, step)
    x = layer.select_inputs(inputs)
    products = {measure: step.product(measure, x) for measure in PRODUCTS}
    # The products of other layers would count one whole copy.
    plain = step.density is None and step.copies[:2] == (1, 1)
    products[Measure.MACS] = times_batch(products[Measure.MACS], costs.batch)
    return LayerExplanation(
        network=network.name,
        path=row.path,
        kind=row.kind,
        note=step.note,
        inputs=list(map(InputRecord, map(network.name_of, step.inputs), inputs)),
        output=row.output,
        sizes=_output_sizes(layer, x, row.output),
        counts=row.counts,
        products={measure: product_record(cost) for measure, cost in products.items()},
        matrix=matrix_product(layer, inputs, row.output, costs.batch) if plain else None,
        receptive_field=field_record(row.field),
        share=share_record(row.counts, costs),
        stated=row.stated,
        density=None if step.density is None else str(step.density.stated),
        uncounted=row.uncounted,
        shared=None if step.shared is None else network.steps[step.shared].path,
        alternatives=alternatives(layer, inputs, row.output, costs.batch) if plain else [],
    )


def _output_sizes(layer: Kind[Any], x: Any, output: Shape) -> list[SizeRecord]:
    """The output size of each axis with its formula. Axes with equal sizes and formulas share a
    record."""
    windows = layer.windows(x)
    axes_by_size: dict[tuple[str, int], list[str]] = {}
    for name, size, window in zip(axis_names(len(windows)), output.size, windows, strict=False):
        if window.output == size:  # a kind may change the size further
            axes_by_size.setdefault((window.formula, size), []).append(name)
    return [SizeRecord(tuple(axes), *size) for size, axes in axes_by_size.items()]


def share_record(counts: Counts, costs: Costs) -> ShareRecord:
    """The shares of these counts in the params and macs of the network."""
    totals = costs.totals
    params, macs = Share(counts.params, totals.params), Share(counts.macs, totals.macs)
    return ShareRecord(params, macs, costs.uncounted)


# Tables


def layer_tables(costs: Costs, row: LayerCost) -> Iterator[Table]:
    """A table of the layer and, if there are alternatives, a table of these."""
    layer = explain_layer(costs, row)
    title = f"{layer.path}: {layer.kind}"
    kind = meaning(type(costs.network.steps[row.step].layer))
    table = Table(layer.network, title, WHAT_AND_VALUE, tuple(_rows(layer, kind)))
    parts = (f"{part}: {part.meaning}" for part in PARTS if row.counts.rest(part))
    yield table._replace(
        notes=(
            *field_notes(row.field),
            *parts,
            *deployed_notes([costs]),
            CONVENTION,
            *uncounted_note(layer.network, costs.layers),
        )
    )
    if layer.alternatives:
        yield Table(
            name=layer.network,
            title=f"{title}, alternatives",
            columns=WHAT_AND_VALUE,
            rows=tuple(_alternative_rows(layer)),
            notes=("each has the stride and padding of this layer; biases are not counted",),
        )


def _rows(layer: LayerExplanation, kind: str) -> Iterator[tuple[Cell, ...]]:
    yield "network", layer.network
    yield "kind", kind
    if layer.note:
        yield "note", layer.note
    for source, shape in layer.inputs:
        yield "input", f"{shape.text}, from {source}"
    yield "output", layer.output.text
    for size in layer.sizes:
        yield " and ".join(size.axes), group_digits(f"{size.formula} = {size.value}")
    if layer.shared is not None:
        yield "weights", f"shared with {layer.shared}, and counted there"
    else:
        yield from _stored_rows(layer.products, layer.counts)
    if layer.uncounted:
        yield "macs", UNKNOWN_MACS
    else:
        yield "macs", _product_text(layer.products[Measure.MACS])
        if layer.stated:
            yield (
                "stated",
                STATED if layer.density is None else f"density {layer.density}: {PRUNED}",
            )
    if layer.matrix is not None:
        names, (rows, inner), (_, filters) = layer.matrix
        product = group_digits(f"({rows} × {inner}) · ({inner} × {filters})")
        yield "as a matrix product", f"{product}: {names}"
    yield from context_rows(layer.receptive_field, layer.share, macs_known=not layer.uncounted)


def _stored_rows(
    products: dict[Measure, ProductRecord], counts: Counts
) -> Iterator[tuple[Cell, ...]]:
    """What a layer stores; a part of its params only if it is not all of them."""
    weights, biases = products[Measure.WEIGHTS], products[Measure.BIASES]
    if counts.params:
        yield "weights", _product_text(weights)
        yield "biases", _product_text(biases)
    if biases.value:
        terms = f"{weights.value} + {biases.value}"
        yield "params", group_digits(f"weights + biases = {terms} = {counts.params}")
    else:
        yield "params", f"{'weights = ' if counts.params else ''}{format_count(counts.params)}"
    for part in PARTS:
        if counts.rest(part):
            yield part, part_text(part, counts)
    if counts.buffers:
        yield "buffers", _product_text(products[Measure.BUFFERS])


def part_text(part: Measure, counts: Counts) -> str:
    """`params − frozen = 1000 − 960 = 40`"""
    total, known = counts.count_of(Measure(part.part_of)).known, counts.count_of(part).known
    return group_digits(f"{part.part_of} − {part.rest} = {total} − {counts.rest(part)} = {known}")


def context_rows(
    field: FieldRecord, share: ShareRecord, *, macs_known: bool
) -> Iterator[tuple[Cell, ...]]:
    """The rows on the receptive field, in elements of the input, and on the shares. Macs that are
    not known have no share; of those of the network, the known ones are the whole."""
    if field.size:
        yield "receptive field", f"{'×'.join(map(str, field.size))} of the input"
        yield "step on the input", Size(field.step)
    shares = {Measure.PARAMS: share.params} | ({Measure.MACS: share.macs} if macs_known else {})
    for measure, (part, total) in shares.items():
        qualifier = "known " if measure == Measure.MACS and share.uncounted else ""
        text = f"{format_percent(part, total)} of the network's {qualifier}{format_count(total)}"
        yield f"share of {measure}", text


def _product_text(cost: ProductRecord) -> str:
    """`filters × channels = 64 × 3 = 192`; a single number is written once."""
    sides = dict.fromkeys((cost.formula, cost.work, str(cost.value)))
    return " = ".join(map(group_digits, sides))


def _alternative_rows(layer: LayerExplanation) -> Iterator[tuple[Cell, ...]]:
    for other in layer.alternatives:
        for measure, cost, current in (
            ("weights", other.weights, layer.products[Measure.WEIGHTS].value),
            ("macs", other.macs, layer.products[Measure.MACS].value),
        ):
            of_current = format_count(current)
            share = f" ({format_percent(cost.value, current)} of {of_current})" if current else ""
            yield f"{other.name}: {measure}", f"{_product_text(cost)}{share}"
