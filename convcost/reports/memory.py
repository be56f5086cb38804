"""The memory of a network: the tensors that are alive while each layer runs, peak and weights."""

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from convcost.model.costs import Costs
from convcost.model.dtypes import Dtypes
from convcost.model.measures import CONVENTION, Measure
from convcost.model.number_format import counted, format_count
from convcost.model.peak_memory import Amount, Buffer, alive_at_steps, buffers, peak_of
from convcost.model.record import NamedTuple
from convcost.model.roofline import Device, LayerBound, traffic
from convcost.model.shape import Shape
from convcost.model.stored_bytes import StoredBytes, stored_bytes
from convcost.model.training import Training, training
from convcost.reports.device import (
    DeviceRecord,
    device_record,
    dtypes_of,
    fit_note,
    limit_cell,
    roofline_table,
)
from convcost.reports.notes import author_notes, first_texts, input_note, uncounted_note
from convcost.reports.report import Report, versioned
from convcost.reports.row_order import first_rows
from convcost.reports.table import Cell, Column, Rounded, Table, cell_text, count_cell, shape_size

if TYPE_CHECKING:
    from convcost.reports.chart_model import Chart
    from convcost.reports.page_model import Page

SCHEMA = "convcost.memory/1"
ALIVE = (
    "alive: the tensors that a layer reads and writes, and those that later layers still read, in "
    "the order of {}; a view such as flatten needs no memory of its own"
)
IN_PLACE = "in place: an elementwise layer writes over an input that nothing reads later"
TRAINING = (
    "a lower bound: a framework also keeps indices, masks and statistics, and often more tensors; "
    "recomputing tensors needs fewer"
)


class OrderRecord(NamedTuple):
    """The order of the least peak: whether no other order has a lower one, what the peak is at
    least in any order, and the peak in the order of the spec; in bytes."""

    exact: bool
    at_least: int
    spec_peak: int


class TensorRecord(NamedTuple):
    """A tensor that is alive at the peak: the output of a layer, or an input of the network."""

    name: str
    elements: int
    bytes: int


class LayerMemory(NamedTuple):
    """The memory that is alive while a layer runs, and the bytes that it stores (`flash`)."""

    path: str
    kind: str
    output: Shape
    elements: int
    bytes: int
    flash: int
    dtype: str
    macs: int
    read: int
    written: int
    uncounted: bool


# In CSV, the macs of an uncounted layer are `?`, so it needs no column of its own.
LAYER_COLUMNS = tuple(name for name in LayerMemory._fields if name != "uncounted")


class NetworkMemory(NamedTuple):
    """A network of `convcost.memory/1`: field names and order are stable.

    `all_tensors` is the sum of all tensors of a run if no tensor is written over another. `flash`
    are the weights, biases and buffers together. `device`, `order` and
    `training` are null unless they are requested.
    """

    name: str
    file: str
    batch: int
    dtype: str
    in_place: bool
    peak: Amount
    peak_layer: str
    peak_tensors: list[TensorRecord]
    all_tensors: Amount
    params: Amount
    buffers: Amount
    layers: list[LayerMemory]
    weights: Amount
    biases: Amount
    flash: Amount
    device: DeviceRecord | None
    order: OrderRecord | None
    training: Training | None


class Memory(Report):
    """The memory of one or more networks; with `top`, the layers with the most memory alive."""

    name = "memory"
    networks: tuple[Costs, ...]
    in_place: bool = True
    top: int | None = None
    device: Device | None = None
    orders: tuple[OrderRecord, ...] = ()
    optimizer: str = ""

    def tables(self) -> Iterator[Table]:
        for costs, order in self._ordered():
            yield self._table(costs, order)
            if self.device is not None and self._is_bounded():
                yield roofline_table(costs, self.device, self.top)

    def records(self) -> Table | None:
        """With a device, one row for each layer with its bytes and its bound."""
        if not self._is_bounded():
            return None
        rows: list[tuple[Cell, ...]] = []
        for costs, order in self._ordered():
            usage = self.network_memory(costs, order)
            assert usage.device is not None
            layers = list(zip(usage.layers, costs.layers, usage.device.limits, strict=True))
            if self.top is not None:
                layers = sorted(layers, key=lambda layer: -layer[0].bytes)[: self.top]
            for memory, layer, bound in layers:
                cells = {**memory._asdict(), "output": shape_size(memory.output)}
                cells["macs"] = count_cell(layer.counts.count_of(Measure.MACS))
                limits = limit_cell(bound), bound.picoseconds
                rows.append((usage.name, *(cells[name] for name in LAYER_COLUMNS), *limits))
        names = ("network", *LAYER_COLUMNS, *LayerBound._fields)
        return Table("", "", tuple(Column(name, name) for name in names), tuple(rows))

    def tree(self) -> dict[str, Any]:
        return versioned(SCHEMA, networks=[self.network_memory(*pair) for pair in self._ordered()])

    def charts(self) -> "Iterator[Chart]":
        from convcost.reports.chart_model import Curve

        for number, pair in enumerate(self._ordered()):
            network_memory = self.network_memory(*pair)
            yield Curve(
                f"alive#{network_memory.name}" if number else "alive",
                f"{network_memory.name}: bytes alive while each layer runs, {network_memory.dtype}",
                "bytes",
                tuple(layer.path for layer in network_memory.layers),
                tuple(layer.bytes for layer in network_memory.layers),
            )

    def page(self) -> "Page":
        """A chapter for each network: the peak and the flash, then the curve and the tables."""
        from convcost.reports.page_model import Chapter, Fact, Page, Section

        tables = iter(self.tables())
        chapters = []
        for pair, curve in zip(self._ordered(), self.charts(), strict=True):
            memory = self.network_memory(*pair)
            facts = (
                Fact("peak in bytes", memory.peak.bytes, f"while {memory.peak_layer} runs"),
                Fact("flash in bytes", memory.flash.bytes),
            )
            sections = [Section("Along the depth", (curve,)), Section("Layers", (next(tables),))]
            if self._is_bounded():
                bound = next(tables)
                sections.append(Section(bound.heading, (bound,)))
            source = pair[0].network.source
            chapters.append(Chapter(memory.name, source, facts, sections=tuple(sections)))
        names = first_texts([chapter.title for chapter in chapters])
        return Page(self.name, names, tuple(chapters))

    def _is_bounded(self) -> bool:
        """Whether the device has a bandwidth, so that each layer has a least time."""
        return self.device is not None and self.device.bandwidth is not None

    def _ordered(self) -> "zip_longest[tuple[Costs, OrderRecord | None]]":
        return zip_longest(self.networks, self.orders)

    def network_memory(self, costs: Costs, order: OrderRecord | None = None) -> NetworkMemory:
        """The record of one network."""
        network = costs.network
        dtypes = dtypes_of(costs)
        run_buffers = buffers(network, costs.batch, in_place=self.in_place, dtypes=dtypes)
        separate_buffers = buffers(network, costs.batch, in_place=False, dtypes=dtypes)
        peak = peak_of(network, run_buffers)
        stored = tuple(stored_bytes(costs.layers, dtypes))
        parts = [
            Amount(costs.totals.count_of(measure).known, sum(layer[index] for layer in stored))
            for index, measure in enumerate((Measure.WEIGHTS, Measure.BIASES, Measure.BUFFERS))
        ]
        flash = _sum(parts)
        return NetworkMemory(
            name=network.name,
            file=network.file,
            batch=costs.batch,
            dtype=dtypes.text,
            in_place=self.in_place,
            peak=Amount(peak.elements, peak.bytes),
            peak_layer=network.steps[peak.step].path,
            peak_tensors=[
                TensorRecord(network.name_of(buffer.tensor), buffer.elements, buffer.bytes)
                for buffer in peak.buffers
            ],
            all_tensors=_sum(Amount(amount.elements, amount.bytes) for amount in separate_buffers),
            params=_sum(parts[:2]),
            buffers=parts[2],
            layers=list(_layers(costs, run_buffers, stored, dtypes)),
            weights=parts[0],
            biases=parts[1],
            flash=flash,
            device=self.device and device_record(costs, self.device, peak.bytes, stored),
            order=order,
            training=training(costs, self.optimizer, dtypes) if self.optimizer else None,
        )

    def _table(self, costs: Costs, order: OrderRecord | None) -> Table:
        network_memory = self.network_memory(costs, order)
        key = None if self.top is None else "bytes alive"
        layers, left_out = first_rows(network_memory.layers, self.top, key, lambda m, _: m.bytes)
        mixed = bool(dtypes_of(costs).rules)
        return Table(
            name=network_memory.name,
            title=network_memory.name,
            columns=(
                Column("layer", "layer", "left", folds=True),
                Column("kind", "kind", "left", 2),
                Column("output", "output", "right", 1),
                Column("elements", "elements alive", scales=True, drop=3),
                Column("bytes", "bytes alive", scales=True),
                Column("flash", "bytes of flash", scales=True),
                *([Column("dtype", "dtype", "left")] if mixed else []),
            ),
            rows=tuple(
                (
                    layer.path,
                    layer.kind,
                    shape_size(layer.output),
                    layer.elements,
                    layer.bytes,
                    layer.flash,
                    *([layer.dtype] if mixed else []),
                )
                for layer in layers
            ),
            total=("peak", None, None, *network_memory.peak, None, *([None] if mixed else [])),
            notes=(*left_out.notes(), *self._notes(costs, network_memory)),
            source=costs.network.source,
        )

    def _notes(self, costs: Costs, memory: NetworkMemory) -> Iterator[str]:
        tensors = ", ".join(
            f"{tensor.name} {format_count(tensor.bytes)}" for tensor in memory.peak_tensors
        )
        peak = f"peak: {format_count(memory.peak.bytes)} bytes, while {memory.peak_layer} runs"
        yield f"{peak}: {tensors}"
        parts = {"weights": memory.weights, "biases": memory.biases, "buffers": memory.buffers}
        listed = (
            f"{name} {format_count(amount.bytes)}"
            for name, amount in parts.items()
            if amount.elements or name == "weights"
        )
        yield f"flash: {format_count(memory.flash.bytes)} bytes: {', '.join(listed)}"
        yield (
            f"all tensors of a run: {format_count(memory.all_tensors.elements)} elements, "
            f"{format_count(memory.all_tensors.bytes)} bytes"
        )
        if self.device is not None and memory.device is not None:
            yield fit_note(self.device, memory.device)
        if memory.training is not None:
            yield from _training_notes(costs, memory.training)
        yield dtype_note(dtypes_of(costs))
        yield ALIVE.format("the list" if memory.order else "the spec")
        if memory.order:
            yield order_note(memory.order, memory.peak.bytes)
        if self.in_place:
            yield IN_PLACE
        if costs.network.deployed:
            yield costs.network.deployed
        yield from author_notes([costs])
        yield input_note((costs,))


def order_note(order: OrderRecord, peak: int) -> str:
    """What is known of the order: `order: no other order has a lower peak`."""
    peak_text = f"in the order of the spec the peak is {format_count(order.spec_peak)} bytes"
    if order.exact:
        return f"order: no other order has a lower peak; {peak_text}"
    least = f"the least peak is at most {format_count(peak)} bytes"
    return f"order: {least} and at least {format_count(order.at_least)} bytes; {peak_text}"


def dtype_note(dtypes: Dtypes) -> str:
    """The dtypes of a network: `numbers of int8, 8 bits each`."""
    default = dtypes.default
    if dtypes.rules or len(set(default)) > 1 or default.weights.group:
        return f"numbers of {dtypes.text}"
    bits = counted(default.weights.bits, "bit")
    return f"numbers of {default.weights.name}, {bits} each"


def _training_notes(costs: Costs, record: Training) -> Iterator[str]:
    """The memory of training, and the work of the backward pass."""
    yield (
        f"training with {record.optimizer}: at least {format_count(record.at_least)} bytes: "
        f"the params and buffers, the state of the optimizer ({format_count(record.state)}), and "
        f"the larger of the saved tensors ({format_count(record.saved)}) and the gradients "
        f"({format_count(record.gradients)})"
    )
    macs, forward = record.backward_macs, costs.totals.count_of(Measure.MACS).exact
    times = ""
    if macs is not None and forward:
        times = f", {Rounded.of(macs, forward, 2).text} times those of the forward pass"
    yield f"backward pass: {cell_text(count_cell(macs))} macs{times}"
    yield TRAINING
    yield CONVENTION
    yield from uncounted_note(costs.network.name, costs.layers)


def _layers(
    costs: Costs, run_buffers: list[Buffer], stored: tuple[StoredBytes, ...], dtypes: Dtypes
) -> Iterator[LayerMemory]:
    rows = zip(
        costs.layers,
        alive_at_steps(costs.network, run_buffers),
        stored,
        dtypes.for_paths(layer.path for layer in costs.layers),
        traffic(costs, dtypes),
        strict=True,
    )
    previous, text = None, ""
    for layer, alive, stored_of_layer, dtype, layer_traffic in rows:
        if dtype is not previous:  # layers in a row often share it
            previous, text = dtype, dtype.text
        path, kind, output = layer.path, layer.kind, layer.output
        yield LayerMemory(
            path,
            kind,
            output,
            *alive,
            stored_of_layer.total,
            text,
            layer.macs,
            *layer_traffic,
            layer.counts.uncounted > 0,
        )


def _sum(amounts: Iterable[Amount]) -> Amount:
    return Amount(*map(sum, zip((0, 0), *amounts, strict=True)))
