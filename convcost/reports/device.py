"""A network on a device: whether it fits, and what limits each layer."""

from collections.abc import Iterator, Sequence

from convcost.model.costs import Costs
from convcost.model.dtypes import Dtypes
from convcost.model.errors import ConstraintError, UsageError
from convcost.model.measures import CONVENTION, Counts, Measure
from convcost.model.number_format import counted, format_count, format_percent
from convcost.model.record import NamedTuple
from convcost.model.roofline import Device, LayerBound, Traffic, bounds, traffic
from convcost.model.stored_bytes import StoredBytes
from convcost.reports.notes import uncounted_note
from convcost.reports.row_order import first_rows
from convcost.reports.table import UNKNOWN, Cell, Column, Rounded, Table, count_cell

LOWER_BOUND = (
    "a lower bound, not a measurement: each layer reads its inputs and weights once, "
    "writes its output once and multiplies as counted, at the peak rates of the device; a runtime "
    "that fuses layers, keeps tensors in a cache or multiplies less, as with Winograd, can be "
    "faster"
)
RUNTIME_MEMORY = "a runtime needs memory in addition, for its own state, its kernels and alignment"
MICROSECOND = 10**6  # picoseconds
COLUMNS = (
    Column("layer", "layer", "left", folds=True),
    Column("macs", "macs", scales=True, drop=2),
    Column("moved", "bytes moved", scales=True, drop=1),
    Column("intensity", "macs/byte"),
    Column("limit", "limited by", "left"),
    Column("microseconds", "at least µs"),
)


class DeviceRecord(NamedTuple):
    """A network on a device, in `convcost.memory/1`.

    `flash` and `ram` are the bytes that the network needs. `picoseconds` are the lower bounds of
    its time and of that of each layer; null if the device has no bandwidth.
    """

    name: str
    flash: int
    ram: int
    fits: bool
    picoseconds: int | None
    limits: tuple[LayerBound, ...]


def dtypes_of(costs: Costs) -> Dtypes:
    """The dtypes of a network; float32 if its spec states none."""
    return costs.network.dtypes or Dtypes()


def require_rates(costs: Costs, device: Device) -> None:
    """Raises UsageError if the device has no rate for a dtype of the network."""
    try:
        bounds(costs, dtypes_of(costs), device)
    except ConstraintError as error:
        raise UsageError(error.message, help=f"{error.help}; --dtype selects one") from None


def device_record(
    costs: Costs, device: Device, peak: int, stored: Sequence[StoredBytes]
) -> DeviceRecord:
    """Raises ConstraintError if the device has no rate for the dtype of a layer."""
    flash = sum(layer.total for layer in stored)
    ram = peak + (flash if device.flash is None else 0)
    limits: tuple[LayerBound, ...] = ()
    if device.bandwidth is not None:
        limits = tuple(bounds(costs, dtypes_of(costs), device))
    return DeviceRecord(
        device.name,
        flash,
        ram,
        ram <= device.ram and (device.flash is None or flash <= device.flash),
        sum(limit.picoseconds for limit in limits) if device.bandwidth is not None else None,
        limits,
    )


def fit_note(device: Device, record: DeviceRecord) -> str:
    """Whether the network fits, with the bytes that it needs and that the device has."""
    parts = [("RAM", record.ram, device.ram)]
    if device.flash is not None:
        parts.insert(0, ("flash", record.flash, device.flash))
    listed = ", ".join(
        f"{name} {format_count(needed)} of {format_count(available)} bytes"
        + (" (too much)" if needed > available else "")
        for name, needed, available in parts
    )
    verdict = f"fits {device.name}" if record.fits else f"does not fit {device.name}"
    both = "" if device.flash is not None else "; the weights are in RAM, too"
    return f"{verdict}: {listed}{both}; {RUNTIME_MEMORY}"


def roofline_table(costs: Costs, device: Device, top: int | None) -> Table:
    """What limits each layer on a device; with `top`, the layers that take longest."""
    dtypes = dtypes_of(costs)
    limits, layer_traffic = bounds(costs, dtypes, device), traffic(costs, dtypes)
    order, left_out = first_rows(
        [index for index, limit in enumerate(limits) if limit.limit != ""],
        top,
        None if top is None else "time",
        lambda index, _: limits[index].picoseconds,
    )
    time = sum(limit.picoseconds for limit in limits)
    total = Traffic(
        sum(traffic.read for traffic in layer_traffic),
        sum(traffic.written for traffic in layer_traffic),
    )
    return Table(
        name=f"{costs.network.name} on {device.name}",
        title=f"On {device.name}",
        columns=COLUMNS,
        rows=tuple(
            (
                costs.layers[index].path,
                *_numbers(costs.layers[index].counts, layer_traffic[index]),
                limit_cell(limits[index]),
                _microseconds(limits[index].picoseconds),
            )
            for index in order
        ),
        total=("total", *_numbers(costs.totals, total), None, _microseconds(time)),
        notes=(*left_out.notes(more=", counted in the total"), *_notes(costs, device, limits)),
        source=device.source,
    )


def _numbers(counts: Counts, traffic: Traffic) -> tuple[Cell, ...]:
    is_counted = not counts.uncounted
    intensity: Cell = ""
    if traffic.bytes:
        intensity = Rounded.of(counts.macs, traffic.bytes, 1) if is_counted else UNKNOWN
    return count_cell(counts.count_of(Measure.MACS)), traffic.bytes, intensity


def limit_cell(bound: LayerBound) -> str:
    """What limits a layer; `?` if that is not known."""
    return UNKNOWN if bound.limit is None else bound.limit


def _microseconds(picoseconds: int) -> Rounded:
    """Rounded down, because it is a lower bound."""
    return Rounded(picoseconds * 100 // MICROSECOND, 2, picoseconds)


def _notes(costs: Costs, device: Device, limits: Sequence[LayerBound]) -> Iterator[str]:
    time = sum(limit.picoseconds for limit in limits)
    times_by_limit: dict[str, list[int]] = {"memory": [], "compute": []}
    for bound in limits:
        times_by_limit.setdefault(limit_cell(bound), []).append(bound.picoseconds)
    for name, times in times_by_limit.items():
        share = format_percent(sum(times), time)
        text = "what limits is not known" if name == UNKNOWN else f"limited by {name}"
        if name:
            yield f"{text}: {counted(len(times), 'layer')}, {share} of the time"
    yield f"at least: {LOWER_BOUND}"
    if device.note:
        yield device.note
    yield CONVENTION
    yield from uncounted_note(costs.network.name, costs.layers)
