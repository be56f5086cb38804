"""The specs that ship with convcost."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from convcost.model.measures import CONVENTION
from convcost.model.record import NamedTuple
from convcost.model.shape import Shape
from convcost.reports.report import Report, versioned
from convcost.reports.sweep.selection import PointFilter
from convcost.reports.table import Cell, Column, CountRange, Size, Table, cell_text, shape_size

SCHEMA = "convcost.specs/1"
PEAKS = ("peak_memory_int8", "peak_memory_float32")
NUMBERS = ("params", "macs", "activations", *PEAKS, "year")  # numbers that filter networks


class ShippedSpec(NamedTuple):
    """A shipped spec: its name, the names of its variants or documents, and the source.

    `networks` is the name of the network if it is the only one. `params` and `macs` have the counts
    of each network.
    """

    spec: str
    networks: tuple[str, ...]
    source: str
    params: tuple[int, ...]
    macs: tuple[int, ...]

    @property
    def row(self) -> tuple[Cell, ...]:
        params, macs = (CountRange(min(each), max(each)) for each in (self.params, self.macs))
        return (self.spec, ", ".join(self.networks), params, macs, self.source)


class ShippedNetwork(NamedTuple):
    """A network of `convcost.specs/1`: field names and order are stable.

    `spec` is the argument that names it. The peaks of memory are in bytes, for one sample.
    `receptive_field` is that of the last layer with several positions, or the size of the input if
    they depend on all of it. `year` is that of the source, 0 if it has none.
    """

    spec: str
    name: str
    inputs: dict[str, Shape]
    params: int
    macs: int
    activations: int
    peak_memory_int8: int
    peak_memory_float32: int
    receptive_field: tuple[int, ...]
    year: int
    source: str

    @property
    def row(self) -> tuple[Cell, ...]:
        first, *others = map(shape_size, self.inputs.values())
        shapes = Size((", ".join(map(cell_text, (first, *others))),)) if others else first
        counts = self.params, self.macs, self.activations
        peaks = self.peak_memory_int8, self.peak_memory_float32
        field = Size(self.receptive_field) if self.receptive_field else None
        return (
            self.spec,
            self.name,
            shapes,
            *counts,
            *peaks,
            field,
            str(self.year) if self.year else None,
            self.source,
        )


class ShippedSpecs(Report):
    """All shipped specs, one row for each, with the range of its counts. Records and JSON have
    their networks with their costs, from `compute`. With conditions `where`, each table has the
    networks that meet them all."""

    name = "specs"
    specs: tuple[ShippedSpec, ...]
    compute: Callable[[], Iterable[ShippedNetwork]]
    where: tuple[PointFilter, ...] = ()

    def tables(self) -> Iterator[Table]:
        networks = sum(len(spec.networks) for spec in self.specs)
        if self.where:
            table = self.records()
            conditions = " and ".join(condition.text for condition in self.where)
            title = (
                f"{len(table.rows)} of {networks} networks that ship with convcost: {conditions}"
            )
            yield table._replace(title=title)
            return
        yield Table(
            name="specs",
            title=f"{len(self.specs)} specs with {networks} networks ship with convcost",
            columns=(
                Column("spec", "spec", "left"),
                Column("networks", "networks", "left", folds=True, least=12),
                Column("params", "params", folds=True, least=14, scales=True),
                Column("macs", "macs", drop=1, folds=True, least=17, scales=True),
                Column("source", "source", "left", 2, folds=True, least=12),
            ),
            rows=tuple(spec.row for spec in self.specs),
            notes=(
                "`resnet50` and `resnet#50` name one network of a spec, `resnet` all",
                "`convcost compare SPEC` prints the costs, `convcost show SPEC` the text",
                "the params and macs of several networks are the least and the most",
                "`convcost specs --format csv` prints the costs of all networks",
                "`convcost specs --where 'macs <= 300M'` prints the networks that meet a condition",
                CONVENTION,
            ),
        )

    def records(self) -> Table:
        return Table(
            name="specs",
            title="Networks that ship with convcost",
            columns=(
                Column("spec", "spec", "left", folds=True),
                Column("name", "network", "left", 1),
                Column("input", "input", "right", 4),
                Column("params", "params", scales=True),
                Column("macs", "macs", scales=True),
                Column("activations", "activations", "right", 5, scales=True),
                Column("peak_memory_int8", "peak memory, int8", "right", 6),
                Column("peak_memory_float32", "peak memory, float32", "right", 7),
                Column("receptive_field", "receptive field", "right", 3),
                Column("year", "year", "right", 2),
                Column("source", "source", "left", 8, folds=True),
            ),
            rows=tuple(network.row for network in self._networks()),
            notes=("1 sample", "peak memory in bytes, without params", CONVENTION),
        )

    def tree(self) -> dict[str, Any]:
        return versioned(SCHEMA, networks=list(self._networks()))

    def _networks(self) -> Iterator[ShippedNetwork]:
        """The networks that meet all conditions. One without a year meets none on the year."""
        names_year = any("year" in condition.expression.names for condition in self.where)
        for network in self.compute():
            numbers = network._asdict()
            if network.year == 0 and names_year:
                continue
            if all(condition.matches(numbers.__getitem__) for condition in self.where):
                yield network
