"""One printed figure held against the exact count: exact, rounded or cut to it, or off."""

from collections import Counter
from collections.abc import Iterable, Iterator
from math import gcd
from typing import Literal, NamedTuple, TypeAlias

from convcost.costs import Costs, LayerCost, summed
from convcost.errors import Refusal
from convcost.network import Published
from convcost.units import BINARY, Figure, grouped, percent

KILO = 1000, 1024
OTHERWISE = {"params": ("weights", "without biases"), "weights": ("params", "with biases")}

Verdict: TypeAlias = Literal["exact", "agrees", "off"]


class Held(NamedTuple):
    """A printed entry, and what the network costs under the entry's own settings and size."""

    entry: Published
    costs: Costs


class FigureRecord(NamedTuple):
    """A figure of `convcost.verify/1`: names and order are a promise.

    `difference` is published − exact, text like `1/2` where it is no whole number. What is not
    `expected` makes the answer no: a figure that is off unnoted, or exact though noted as off.
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


class Judged(NamedTuple):
    """A figure with its verdict in words; `by` is how far off it is, in percent, where it is."""

    record: FigureRecord
    text: str
    by: str = ""


class Summary(NamedTuple):
    """How many figures came out how; each is counted once."""

    checked: int
    exact: int
    agree: int
    off_as_noted: int
    off: int
    exact_though_noted: int

    @property
    def text(self) -> str:
        figures = "1 figure" if self.checked == 1 else f"{grouped(self.checked)} figures"
        text = (
            f"{figures} checked: {grouped(self.exact)} exact, {grouped(self.agree)} agree, "
            f"{grouped(self.off_as_noted)} off as noted, {grouped(self.off)} off"
        )
        more = grouped(self.exact_though_noted)
        return f"{text}, {more} exact though marked off" if self.exact_though_noted else text


class Reading(NamedTuple):
    """One way to take a figure: how exact it is, in which words, with K as a power of `kilo`."""

    verdict: Verdict
    how: str
    kilo: int


def exact(costs: Costs, layer: str) -> dict[str, int]:
    """Every measure of a layer, of a group, or of the whole network where `layer` is empty.

    Raises Refusal if there is nothing of that name.
    """
    rows = [
        row
        for row in costs.layers
        if not layer or row.path == layer or row.path.startswith(f"{layer}/")
    ]
    group = next((group for group in costs.network.groups if group.path == layer), None)
    if layer and not rows and group is None:
        raise Refusal("CC108", f"there is no layer `{layer}`")
    total = summed(rows)
    last = group.output if group else rows[-1] if rows else -1
    channels = _channels(costs, last) if layer else costs.network.output.channels
    return {**total._asdict(), "params": total.params, "channels": channels}


def _channels(costs: Costs, output: int | LayerCost) -> int:
    """The channels of a layer; below 0, of an input of the network that was handed on."""
    if isinstance(output, LayerCost):
        return output.output.channels
    if output < 0:
        return costs.network.inputs[-1 - output][1].channels
    return costs.layers[output].output.channels


def judged(name: str, file: str, held: Iterable[Held]) -> Iterator[Judged]:
    """All figures printed about one network. Refuses what `exact` refuses."""
    for entry, costs in held:
        counted = exact(costs, entry.layer)
        for measure, figure in entry.figures:
            reading = read(figure, measure, counted)
            noted = measure in entry.off
            difference = _difference(figure, counted[measure], reading.kilo)
            record = FigureRecord(
                network=name,
                file=file,
                layer=entry.layer,
                measure=measure,
                published=figure.text,
                exact=counted[measure],
                verdict=reading.verdict,
                how=reading.how,
                difference=_plain(difference),
                source=entry.source,
                note=entry.note,
                expected=noted == (reading.verdict == "off") or reading.verdict == "agrees",
            )
            by = _by(difference, counted[measure]) if reading.verdict == "off" else ""
            yield Judged(record, _text(reading, difference, by, noted=noted), by)


# One figure


def read(figure: Figure, measure: str, counted: dict[str, int]) -> Reading:
    """The first reading that fits: the measure itself before its neighbour, K = 1000 before 1024.

    `counted` has the exact values; params may be printed without biases, weights with them.
    """
    takes = [(measure, ""), *([OTHERWISE[measure]] if measure in OTHERWISE else [])]
    bases = KILO if figure.suffix and figure.suffix not in BINARY else KILO[:1]
    for name, aside in takes:
        for kilo in bases:
            fit = _fit(figure, counted[name], kilo)
            words = (fit, "" if kilo == KILO[0] else "K = 1024", aside)
            if fit == "equal" and not any(words[1:]):
                return Reading("exact", "", kilo)
            if fit:
                return Reading("agrees", ", ".join(word for word in words if word), kilo)
    return Reading("off", "", KILO[0])


def _fit(figure: Figure, value: int, kilo: int) -> str:
    """How the exact value becomes the printed digits, or nothing if it does not.

    The last digit printed is the unit: a whole number without suffix must be met exactly.
    """
    unit, denominator = figure._replace(digits=1).value(kilo)
    over = value * denominator - figure.digits * unit
    if over == 0:
        return "equal"
    to_even = 2 * over == unit and figure.digits % 2 == 0
    if -unit <= 2 * over < unit or to_even:
        return "rounded"
    return "cut" if 0 < over < unit else ""


def _difference(figure: Figure, value: int, kilo: int) -> tuple[int, int]:
    """Published − exact, as numerator and denominator."""
    numerator, denominator = figure.value(kilo)
    return numerator - value * denominator, denominator


# What is shown


def _plain(difference: tuple[int, int]) -> int | str:
    numerator, denominator = difference
    common = gcd(numerator, denominator)
    numerator, denominator = numerator // common, denominator // common
    return numerator if denominator == 1 else f"{numerator}/{denominator}"


def _by(difference: tuple[int, int], value: int) -> str:
    """`+0.55 %`; nothing where there is nothing to take it of."""
    numerator, denominator = difference
    sign = "+" if numerator > 0 else "-"
    return f"{sign}{percent(abs(numerator), value * denominator, 2)}" if value else ""


def _text(reading: Reading, difference: tuple[int, int], by: str, *, noted: bool) -> str:
    if reading.verdict != "off":
        text = f"{reading.verdict}: {reading.how}" if reading.how else reading.verdict
        return f"{text}, though marked off" if noted else text
    numerator, denominator = difference
    count = _plain((abs(numerator), denominator))
    sign = "+" if numerator > 0 else "-"
    text = f"off by {sign}{count if isinstance(count, str) else grouped(count)}"
    if by:
        text = f"{text} ({by})"
    return f"{text}, as noted" if noted else text


def summary(rows: Iterable[Judged]) -> Summary:
    counts = Counter((row.record.verdict, row.record.expected) for row in rows)
    return Summary(
        checked=counts.total(),
        exact=counts["exact", True],
        agree=counts["agrees", True],
        off_as_noted=counts["off", True],
        off=counts["off", False],
        exact_though_noted=counts["exact", False],
    )
