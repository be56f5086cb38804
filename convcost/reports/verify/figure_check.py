"""Published figures compared with the exact counts: records and tables."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import count
from typing import Any

from convcost.model.costs import Costs, LayerCost, total_counts
from convcost.model.costs import costs as count_costs
from convcost.model.errors import ConstraintError
from convcost.model.measures import Measure
from convcost.model.network import IN_BYTES, Published, counted_label, path_prefixes
from convcost.model.number_format import counted, format_change
from convcost.model.options import json_number, show
from convcost.model.ratio import ratio
from convcost.model.record import NamedTuple
from convcost.reports.analyze.table import group_output
from convcost.reports.table import Column, Rounded, Table
from convcost.reports.verify.reading import Verdict, declaration_of, hint, read_figure

# The words for a reading, from those of its JSON value.
READING = {"equal": "", "rounded": "if rounded", "cut": "if truncated", "K = 1024": "with K = 1024"}
ONE_SAMPLE = "figures are checked for 1 sample"
COLUMNS = (
    Column("measure", "measure", "left"),
    Column("published", "published"),
    Column("exact", "exact", "right", 1),
    Column("verdict", "verdict", "left", folds=True, least=18),
    Column("source", "source", "left"),
    Column("note", "note", "left", 2, folds=True),
)


class PublishedEntry(NamedTuple):
    """A published entry, the exact count of each measure under its settings and size, and the types
    of its figures in bytes."""

    entry: Published
    counts: dict[str, int]
    dtypes: str = ""


class FigureRecord(NamedTuple):
    """A figure of `convcost.verify/1`: field names and order are stable.

    `difference` is published − exact, text like `1/2` if it is not a whole number. A figure is
    `expected` if it agrees, or if its entry notes it as off; an exact figure that is noted as off
    is unexpected.
    """

    network: str
    file: str
    layer: str
    measure: str
    published: str
    exact: int
    verdict: Verdict
    how: str
    difference: int | str
    source: str
    note: str
    expected: bool
    set: dict[str, Any]
    size: list[int] | None
    hint: str

    @property
    def settings(self) -> str:
        """The variables and the input size that it is for: `width=0.5 size=192`."""
        values = {name: show(v) if isinstance(v, bool) else v for name, v in self.set.items()}
        if self.size is not None:
            square = len(self.size) == len("hw") and len(set(self.size)) == 1
            values["size"] = "x".join(map(str, self.size[: 1 if square else None])) or "[]"
        return " ".join(f"{name}={value}" for name, value in values.items())

    @property
    def text(self) -> str:
        """The verdict as text: `agrees if rounded`, `off by +864 (+0.55 %), as noted`."""
        if self.verdict == "off":
            numerator, denominator = self._difference
            places = next(n for n in count() if 10**n % denominator == 0)
            by = Rounded(numerator * 10**places // denominator, places, numerator).text
            sign = "+" if numerator > 0 else ""
            percent = f" ({self.percent_off})" if self.percent_off else ""
            hint = f"; {self.hint}" if self.hint else ""
            return f"off by {sign}{by}{percent}{', as noted' if self.expected else ''}{hint}"
        words = filter(None, (READING.get(word, word) for word in self.how.split(", ")))
        text = " ".join(filter(None, (self.verdict, ", ".join(words))))
        return text if self.expected else f"{text}, though noted as off"

    @property
    def percent_off(self) -> str:
        """By how many percent the figure is off: `+0.55 %`. Empty if it is not off, or if the exact
        count is 0."""
        if self.verdict != "off" or not self.exact:
            return ""
        numerator, denominator = self._difference
        return format_change(numerator, self.exact * denominator, 2)

    @property
    def _difference(self) -> tuple[int, int]:
        numerator, _, denominator = str(self.difference).partition("/")
        return int(numerator), int(denominator or 1)


class UncheckedFigure(NamedTuple):
    """A published figure whose exact count is not known, and why."""

    layer: str
    measure: str
    published: str
    source: str
    reason: str


class CurrentFigures(NamedTuple):
    """The figures published for the settings and size of a network, and notes about the others."""

    records: tuple[FigureRecord, ...] = ()
    unchecked: tuple[UncheckedFigure, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def table_notes(self) -> tuple[str, ...]:
        """The notes, and why figures are not checked."""
        reasons = dict.fromkeys(f"not checked: {figure.reason}" for figure in self.unchecked)
        return (*self.notes, *reasons)


class FigureSummary(NamedTuple):
    """The number of figures by verdict; each figure is counted once."""

    checked: int
    exact: int
    agree: int
    off_as_noted: int
    off: int
    exact_though_noted: int

    @property
    def text(self) -> str:
        """The numbers in words: `3 figures checked: 0 exact, 1 agree, …`."""
        marked = f", {self.exact_though_noted:,} exact though noted as off"
        return (
            f"{counted(self.checked, 'figure')} checked: {self.exact:,} exact, "
            f"{self.agree:,} agree, {self.off_as_noted:,} off as noted, {self.off:,} off"
            f"{marked if self.exact_though_noted else ''}"
        )


class ExactCounts:
    """The counts of the layers and groups of one network that published figures name.

    One pass over the layers serves all of `names`. The empty name is the whole network.
    """

    def __init__(self, costs: Costs, names: Iterable[str]) -> None:
        self.costs = costs
        self._numbers: dict[str, tuple[int | None, ...]] = {}
        self._rows: dict[str, list[LayerCost]] = {name: [] for name in names if name}
        groups = costs.network.groups if self._rows else ()
        self._outputs = {group.path: group.output for group in groups}
        for row in costs.layers if self._rows else ():
            for path in path_prefixes(row.path):
                if path in self._rows:
                    self._rows[path].append(row)

    def counts_of_layer(self, layer: str) -> dict[str, int]:
        """Every measure of a layer, a group or the network.

        Raises ConstraintError if there is no such layer.
        """
        if not layer:
            counts, output = self.costs.totals, self.costs.network.output
            return {**counts.by_measure(), "channels": output.channels}
        rows = self._rows[layer]
        if not rows and layer not in self._outputs:
            raise ConstraintError("CC108", f"there is no layer `{layer}`")
        index = self._outputs[layer] if layer in self._outputs else rows[-1].step
        shape, _, _ = group_output(self.costs, index)
        return {**total_counts(rows).by_measure(), "channels": shape.channels}

    def counts_of_entry(self, entry: Published) -> dict[str, int]:
        """Every measure of the layer of a published entry, with the figures that conventions count.

        Raises ConstraintError also if the macs of a layer are not known, by the convention of a
        figure or without one.
        """
        count_by_measure = self.counts_of_layer(entry.layer)
        rows = self._rows[entry.layer] if entry.layer else self.costs.layers
        for measure, _ in entry.figures:
            if name := entry.convention(measure):
                count_by_measure[measure] = self._sum(name, rows)
            elif measure == Measure.MACS:
                _require_known_macs(rows)
            elif measure in IN_BYTES:
                count_by_measure[measure] = self._bytes(measure, rows, entry.dtype)
        return count_by_measure

    def checked(self, entry: Published) -> PublishedEntry:
        """An entry with its exact counts, and only the settings that differ from the spec."""
        network = self.costs.network
        changed = {name for name, _ in network.changed}
        settings = tuple(item for item in entry.settings if item[0] in changed)
        size = None if network.resized is None else entry.size
        short_entry = entry._replace(settings=settings, size=size)
        return PublishedEntry(short_entry, self.counts_of_entry(entry), self._dtypes_of(entry))

    def _dtypes_of(self, entry: Published) -> str:
        """The types of the figures in bytes of an entry, as text."""
        if not any(measure in IN_BYTES for measure, _ in entry.figures):
            return ""
        from convcost.model.dtypes import Dtypes

        return entry.dtype or (self.costs.network.dtypes or Dtypes()).text

    def _bytes(self, measure: str, rows: Sequence[LayerCost], dtype: str) -> int:
        """The peak memory of the network, or the flash of some layers."""
        from convcost.model.dtypes import Dtypes, parse_dtypes
        from convcost.model.peak_memory import peak_memory
        from convcost.model.stored_bytes import stored_bytes

        network = self.costs.network
        dtypes = parse_dtypes(dtype) if dtype else network.dtypes or Dtypes()
        if measure == "flash":
            return sum(layer.total for layer in stored_bytes(rows, dtypes))
        return peak_memory(network, dtypes=dtypes).bytes if network.steps else 0

    def _sum(self, name: str, rows: Sequence[LayerCost]) -> int:
        """The sum over layers by a convention. Raises ConstraintError if the convention does not
        count one of them."""
        from convcost.conventions import find_convention

        if name not in self._numbers:
            self._numbers[name] = find_convention(name).numbers(self.costs).layers
        total = 0
        for row in rows:
            number = self._numbers[name][row.step]
            if number is None:
                message = f"{name} does not count the {row.kind} `{row.path}`"
                hint = f"`convcost conventions {name}` shows its rules"
                raise ConstraintError("CC112", message, hint)
            total += number
        return total


def _require_known_macs(rows: Iterable[LayerCost]) -> None:
    """Raises ConstraintError if the macs of a layer are uncounted: the others are a lower bound."""
    for row in rows:
        if row.uncounted:
            message = f"the macs of the {row.kind} `{row.path}` are uncounted"
            hint = "a figure cannot be compared with a part of the macs; state those of the layer"
            raise ConstraintError("CC112", message, hint)


def check_figures(
    name: str, file: str, entries: Iterable[PublishedEntry]
) -> Iterator[FigureRecord]:
    """The records of all figures published for one network. Of equal figures, only the first."""
    rows: dict[str, FigureRecord] = {}
    for entry, counts, dtypes in entries:
        for measure, figure in entry.figures:
            reading = read_figure(figure, measure, counts, declaration_of(entry, measure))
            numerator, denominator = reading.value
            difference = ratio(numerator - reading.exact * denominator, denominator)
            is_off, noted_off = reading.verdict == "off", measure in entry.off
            record = FigureRecord(
                network=name,
                file=file,
                layer=entry.layer,
                measure=f"{measure} ({dtypes})"
                if measure in IN_BYTES
                else counted_label(measure, entry.counted_by),
                published=figure.text,
                exact=reading.exact,
                verdict=reading.verdict,
                how=reading.how,
                difference=difference.numerator if difference.denominator == 1 else str(difference),
                source=entry.source,
                note=entry.note,
                expected=noted_off == is_off or reading.verdict == "agrees",
                set={name: json_number(value) for name, value in entry.settings},
                size=None if entry.size is None else list(entry.size),
                hint=hint(entry, measure, figure, counts) if is_off and not noted_off else "",
            )
            rows.setdefault(repr(record), record)
    yield from rows.values()


def current_figures(costs: Costs) -> CurrentFigures:
    """The figures published for the settings and size of this network, which are for one sample,
    whatever the batch."""
    network = costs.network
    if not network.published:
        return CurrentFigures()
    one_sample = costs if costs.batch == 1 else count_costs(network)
    notes = [ONE_SAMPLE] if costs.batch > 1 else []
    entries, unchecked = [], []
    current = [entry for entry in network.published if entry.applies]
    exact = ExactCounts(one_sample, (entry.layer for entry in current))
    for entry in current:
        for measure, figure in entry.figures:  # of an entry, one may be known and another not
            try:
                entries.append(exact.checked(entry._replace(figures=((measure, figure),))))
            except ConstraintError as error:
                label, reason = counted_label(measure, entry.counted_by), error.message
                missing = UncheckedFigure(entry.layer, label, figure.text, entry.source, reason)
                unchecked.append(missing)
    if len(current) < len(network.published):
        notes.append("`convcost verify` also checks the figures published for other settings")
    records = check_figures(network.name, network.file, entries)
    return CurrentFigures(tuple(records), tuple(unchecked), tuple(notes))


def figure_table(name: str, figures: Collection[FigureRecord], notes: tuple[str, ...]) -> Table:
    """The figures of a network; sources are numbered, and listed below the table."""
    sources: dict[str, int] = {}
    rows = []
    for f in figures:
        number = sources.setdefault(f.source, len(sources) + 1)
        subject = " ".join(filter(None, (f.layer, f.settings)))
        rows.append((subject, f.measure, f.published, f.exact, f.text, f"[{number}]", f.note))
    heads = [head for head in ("layer", "settings") if any(getattr(f, head) for f in figures)]
    of_what = Column("_".join(heads), ", ".join(heads), "left", folds=True, least=12)
    notes = (*(f"[{number}] {source}" for source, number in sources.items()), *notes)
    table = Table(name, "Published figures", (of_what, *COLUMNS), tuple(rows), notes=notes)
    return table.without_empty_columns() if rows else table._replace(columns=COLUMNS)


def figure_records(figures: Iterable[FigureRecord]) -> Table:
    """The figures of all networks, for programs."""
    names = ("network", "layer", "settings", *(column.key for column in COLUMNS))
    rows = tuple(
        (f.network, f.layer, f.settings, f.measure, f.published, f.exact, f.text, f.source, f.note)
        for f in figures
    )
    return Table("", "", tuple(Column(name, name) for name in names), rows)


def summarize(figures: Iterable[FigureRecord]) -> FigureSummary:
    """The number of figures by verdict."""
    counts = Counter((figure.verdict, figure.expected) for figure in figures)
    return FigureSummary(
        checked=counts.total(),
        exact=counts["exact", True],
        agree=counts["agrees", True],
        off_as_noted=counts["off", True],
        off=counts["off", False],
        exact_though_noted=counts["exact", False],
    )
