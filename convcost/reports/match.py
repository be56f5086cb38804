"""Finds the counts that print as a given figure.

Such a count is a reading of the figure: a measure, or the number of a convention,
possibly under other settings, doubled, or of a batch. The simplest reading comes first.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from convcost.conventions import CONVENTIONS, Convention, distinct_layer_uses
from convcost.model.costs import Costs
from convcost.model.figures import Figure
from convcost.model.measures import Measure
from convcost.model.number_format import counted, format_change, format_count, format_difference
from convcost.model.record import NamedTuple
from convcost.reports.notes import author_notes, first_texts, uncounted_note
from convcost.reports.report import Report, versioned
from convcost.reports.table import Column, Table
from convcost.reports.verify.reading import fit_figure

SCHEMA = "convcost.match/1"
KILO = 1000, 1024  # what K can mean: 10³ or 2¹⁰
BATCHES = (2, 4, 8, 16, 32, 64, 128, 256)
MAX_SHOWN = 12  # readings of a figure
MAX_NAMES = 2  # other names of a reading
MAX_ASSUMPTIONS = 4  # assumptions of a reading; with more, every figure would have a reading
# The measures of figures. A figure without a measure may be any of them.
OPERATIONS = ("macs", "flops")
MATCHED = ("params", *OPERATIONS, "activations")
# Figure, exact count, names of a reading, and layers that it leaves out.
_Count: TypeAlias = tuple[str, int, tuple[str, ...], int]
FIT_WORDS = {"equal": "exact", "rounded": "rounded", "cut": "truncated"}
FIT_STEPS = {"equal": 0, "rounded": 0, "cut": 1}


class PossibleCount(NamedTuple):
    """A count that the given figure may stand for. `steps` is the number of assumptions that this
    reading needs. `uncounted` is the number of layers that are not in the count, because their
    macs are not known."""

    measure: str
    words: tuple[str, ...]
    exact: int
    steps: int
    uncounted: int = 0


class NetworkSettings(NamedTuple):
    """A network under settings.

    `settings` are those that differ from the given ones, as in `--set`; with `deployed`, the
    network is as inference runs it. `steps` is the number of assumptions that they need.
    """

    settings: str
    steps: int
    costs: Costs
    deployed: bool = False

    @property
    def text(self) -> str:
        """The settings and `deployed`."""
        return f"{self.settings}{' deployed' if self.deployed else ''}".strip()


class MatchRecord(NamedTuple):
    """A reading of `convcost.match/1`: field names and order are stable.

    `names` are all conventions that give this count. `settings` is empty for the settings of the
    spec, or the given ones. `uncounted` is the number of layers that are not in the count.
    """

    figure: str
    measure: str
    names: tuple[str, ...]
    settings: str
    exact: int
    how: str
    kilo: int
    assumptions: int
    uncounted: int

    @property
    def text(self) -> str:
        """The simplest name and some others: `2 × macs; also torch FLOPs and 3 more`, and how many
        layers they leave out."""
        first, *others = self.names
        part = f"without {counted(self.uncounted, 'uncounted layer')}" if self.uncounted else ""
        if not others:
            return f"{first} {part}".strip()
        text = f"{first}; also {first_texts(others, MAX_NAMES)}"
        return f"{text}; all {part}" if part else text


class Match(Report):
    """The readings of figures. `nearest` has the nearest count of each figure without a reading.

    All readings have the settings that are `given`, as in `--set`. `untried` are further settings,
    which would take too long. `notes` say which counts are stated, and which macs no reading
    includes. `matched_separately` are the figures that have a reading, but at no settings at which
    all other figures have one.
    """

    name = "match"
    network: str
    source: str
    figures: tuple[str, ...]
    readings: tuple[MatchRecord, ...]
    nearest: tuple[MatchRecord, ...]
    shown: int = MAX_SHOWN
    given: str = ""
    untried: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    matched_separately: tuple[str, ...] = ()

    @property
    def found(self) -> bool:
        """Whether every figure has a reading."""
        return not self.nearest

    def tables(self) -> Iterator[Table]:
        for figure in self.figures:
            readings = [record for record in self.readings if record.figure == figure]
            left_out = len(readings) - self.shown
            nearest = [record for record in self.nearest if record.figure == figure]
            yield Table(
                name=self.network,
                title=f"{self.network}: {figure}",
                source=self.source,
                columns=(
                    Column("measure", "measure", "left", 2),
                    Column("reading", "reading", "left", folds=True),
                    Column("settings", "settings", "left", 1),
                    Column("exact", "exact"),
                    Column("how", "printed as the figure", "left", folds=True),
                ),
                rows=tuple(map(_cells, readings[: self.shown])),
                notes=(
                    *([f"with {self.given}"] if self.given else []),
                    *map(self._nearest_text, nearest),
                    *([f"{format_count(left_out)} more; add --all"] if left_out > 0 else []),
                    *([self._untried] if self.untried else []),
                    *self.notes,
                ),
            )

    def _nearest_text(self, record: MatchRecord) -> str:
        figure = record.figure
        missing = f"no reading found for {figure}"
        if figure in self.matched_separately:
            missing = f"no settings fit all figures; {figure} alone has a reading"
        settings = f" with {record.settings}" if record.settings else ""
        return (
            f"{missing}; nearest: {record.text}{settings}, "
            f"{format_count(record.exact)} ({record.how})"
        )

    @property
    def _untried(self) -> str:
        settings = ", ".join(self.untried)
        return f"not tried, because they would take too long: {settings}"

    def tree(self) -> dict[str, Any]:
        return versioned(
            SCHEMA,
            network=self.network,
            settings=self.given,
            figures=self.figures,
            found=self.found,
            readings=self.readings,
            nearest=self.nearest,
            matched_separately=self.matched_separately,
            untried=self.untried,
            notes=self.notes,
        )


def _cells(record: MatchRecord) -> tuple[str | int, ...]:
    how = FIT_WORDS[record.how]
    words = f"{how}, with K = {record.kilo}" if record.kilo != KILO[0] else how
    return record.measure, record.text, record.settings, record.exact, words


def match(
    points: Iterable[NetworkSettings],
    pairs: tuple[tuple[str, Figure], ...],
    shown: int = MAX_SHOWN,
    settings_text: str = "",
) -> Match:
    """The readings of each figure at the points.

    `pairs` has pairs of a measure and a figure; an empty measure means any. The readings of a
    point count only if each figure has a reading at this point. A deployed network follows the
    network as it is trained. Readings whose settings do not change the count are left out.
    """
    match_records: list[MatchRecord] = []
    plain_counts: set[_Count] = set()  # counts without other settings
    trained: set[_Count] = set()
    closest: dict[str, tuple[int, int, MatchRecord]] = {}
    read: set[str] = set()
    network = source = ""
    notes: dict[str, None] = {}
    for point in points:
        network = network or point.costs.network.name
        if not point.deployed:
            notes |= dict.fromkeys(author_notes([point.costs]))
            notes |= dict.fromkeys(uncounted_note(network, point.costs.layers))
        source = source or point.costs.network.source
        candidates = list(_candidates(point))
        here = [list(_readings(point, candidates, measure, figure)) for measure, figure in pairs]
        earlier_counts = plain_counts | (trained if point.deployed else set())
        records = [record for readings in here for record in readings]
        read |= {record.figure for record in records}
        records = records if all(here) else []
        new = [record for record in records if _count(record) not in earlier_counts]
        match_records += new
        trained = set(map(_count, new))
        if not point.settings:
            plain_counts |= trained
        for measure, figure in pairs if not point.steps else ():
            for candidate in _counts_of_measure(measure, candidates):
                near = _distance(point, candidate, figure)
                if figure.text not in closest or near[:2] < closest[figure.text][:2]:
                    closest[figure.text] = near
    figures = tuple(figure.text for _, figure in pairs)
    readings = _merged(match_records)
    matched = {reading.figure for reading in readings}
    missing = tuple(figure for figure in figures if figure not in matched)
    return Match(
        network=network,
        source=source,
        figures=figures,
        readings=readings,
        nearest=tuple(closest[figure][2] for figure in missing),
        shown=shown,
        given=settings_text,
        notes=tuple(notes),
        matched_separately=tuple(figure for figure in missing if figure in read),
    )


def _readings(
    point: NetworkSettings, candidates: list[PossibleCount], measure: str, figure: Figure
) -> Iterator[MatchRecord]:
    for candidate in _counts_of_measure(measure, candidates):
        for kilo in KILO if figure.is_decimal else KILO[:1]:
            fit = _fit(figure, candidate.exact, kilo)
            steps = point.steps + candidate.steps + FIT_STEPS.get(fit, 0)
            if kilo != KILO[0]:
                steps += 3 if candidate.measure in OPERATIONS else 1
            if fit and steps <= MAX_ASSUMPTIONS:
                yield _record(point, candidate, figure, fit, kilo, steps)
                break


def _record(
    point: NetworkSettings,
    candidate: PossibleCount,
    figure: Figure,
    how: str,
    kilo: int,
    steps: int,
) -> MatchRecord:
    measure, words, exact, _, uncounted = candidate
    return MatchRecord(figure.text, measure, words, point.text, exact, how, kilo, steps, uncounted)


def _count(record: MatchRecord) -> _Count:
    return record.figure, record.exact, record.names, record.uncounted


def _fit(figure: Figure, exact: int, kilo: int) -> str:
    """`equal`, `rounded` or `cut`; empty if the count does not print as the figure."""
    rounded = fit_figure(figure, exact, kilo, truncated=False)
    return rounded or fit_figure(figure, exact, kilo, truncated=True)


def _counts_of_measure(measure: str, candidates: list[PossibleCount]) -> Iterator[PossibleCount]:
    for candidate in candidates:
        both = candidate.measure in OPERATIONS and measure in OPERATIONS
        if not measure or candidate.measure == measure or both:
            yield candidate


def _distance(
    point: NetworkSettings, candidate: PossibleCount, figure: Figure
) -> tuple[int, int, MatchRecord]:
    """The distance of a count from a figure in millionths of the figure, the number of assumptions,
    and the record. From 0 the distance has no percentage."""
    numerator, denominator = figure.value()
    off = candidate.exact * denominator - numerator
    parts = abs(off) * 10**6 // max(abs(numerator), 1)
    text = (
        format_change(off, abs(numerator), 2) if numerator else format_difference(candidate.exact)
    )
    steps = point.steps + candidate.steps
    record = _record(point, candidate, figure, text, KILO[0], steps)
    return parts, steps, record


def _merged(records: list[MatchRecord]) -> tuple[MatchRecord, ...]:
    """The readings, the simplest first. Equal counts of several conventions become one reading."""
    order = list(FIT_WORDS)
    records.sort(key=lambda record: (record.assumptions, order.index(record.how)))
    merged: dict[tuple[str, str, int, int], MatchRecord] = {}
    for record in records:
        key = record.figure, record.settings, record.exact, record.uncounted
        reading = merged.setdefault(key, record)
        merged[key] = reading._replace(names=tuple(dict.fromkeys((*reading.names, *record.names))))
    return tuple(merged.values())


# Counts that a figure may stand for


def _candidates(point: NetworkSettings) -> Iterator[PossibleCount]:
    yield from _counts_of_params(point.costs)
    yield from _counts_of_operations(point)
    totals = point.costs.totals
    yield PossibleCount("activations", ("outputs of all layers",), totals.activations, 0)


def _counts_of_params(costs: Costs) -> Iterator[PossibleCount]:
    totals = costs.totals
    norms = [
        layer.counts
        for layer, step in zip(costs.layers, costs.network.steps, strict=True)
        if step.layer.operation == "norm"
    ]
    scales = sum(counts.weights for counts in norms)
    shifts = sum(counts.biases for counts in norms)
    yield PossibleCount("params", ("params",), totals.params, 0)
    yield PossibleCount("params", ("weights, without biases",), totals.weights, 1)
    if norms:
        yield PossibleCount(
            "params", ("params, without norms",), totals.params - scales - shifts, 1
        )
        without = totals.weights - scales
        yield PossibleCount("params", ("weights, without biases and norms",), without, 2)
    if totals.frozen:
        yield PossibleCount("params", ("trainable params",), totals.trainable, 1)
    if totals.buffers:
        yield PossibleCount("params", ("params and buffers",), totals.params + totals.buffers, 1)


def _counts_of_operations(point: NetworkSettings) -> Iterator[PossibleCount]:
    totals: dict[str, int] = {}
    # No total includes a layer whose macs are not known.
    every = distinct_layer_uses(point.costs)
    uses = {use: times for use, times in every.items() if use.layer.counted()}
    uncounted = sum(every.values()) - sum(uses.values())
    for name, convention in CONVENTIONS.items():  # the registry has a tool before its variants
        tool, _, variant = name.partition(":")
        steps = _steps_of(name) + bool(uncounted)
        if point.steps + steps > MAX_ASSUMPTIONS:
            continue
        total = totals[name] = convention.total(uses) or 0
        is_macs = tool == "macs"
        if not (total or name == "macs") or (variant and total == totals[tool]):
            continue
        measure, words = _measure_of(convention), convention.title
        yield PossibleCount(measure, (words,), total, steps, uncounted)
        if measure == "macs":
            twice = steps + (1 if is_macs else 2)
            yield PossibleCount("flops", (f"2 × {words}",), 2 * total, twice, uncounted)
        if name in ("macs", "flops") and not point.settings:
            for batch in BATCHES:
                samples = f"{words} of {batch} samples"
                of_batch = 3 + bool(uncounted)
                yield PossibleCount(measure, (samples,), batch * total, of_batch, uncounted)


def _measure_of(convention: Convention) -> str:
    """The measure of a convention: `flops` or `activations` if that is its word, else `macs`."""
    if convention.counts_activations:
        return "activations"
    return "flops" if convention.word == "FLOPs" else "macs"


def _steps_of(name: str) -> int:
    """The number of assumptions: 0 for macs, 1 for flops, 2 for a tool; 1 more for a variant."""
    tool, _, variant = name.partition(":")
    is_measure = tool in (Measure.MACS, "flops")
    return (0 if tool == "macs" else 1 if is_measure else 2) + (1 if variant else 0)
