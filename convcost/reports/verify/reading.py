"""How a published figure is read: it is exact, rounded or truncated as declared, or off."""

from collections.abc import Iterator
from itertools import product, starmap
from typing import Literal, TypeAlias

from convcost.model.figures import Figure
from convcost.model.network import Published
from convcost.model.options import show
from convcost.model.record import NamedTuple

# The count of a figure, without and with biases. Other measures do not depend on biases.
WITH_BIASES = {
    ("params", False): ("weights", "without biases"),
    ("weights", True): ("params", "with biases"),
}
Verdict: TypeAlias = Literal["exact", "agrees", "off"]


class Declared(NamedTuple):
    """How a figure is to be read: K, rounding, and whether its count has biases."""

    binary: bool = False
    truncated: bool = False
    biases: bool = False


class Reading(NamedTuple):
    """A figure as it is declared: its verdict, how it agrees, and its exact count and value."""

    verdict: Verdict
    how: str
    exact: int
    value: tuple[int, int]


def declaration_of(entry: Published, measure: str) -> Declared:
    """How an entry declares a figure."""
    biases = (measure == "params") if entry.biases is None else entry.biases
    return Declared(measure in entry.binary, measure in entry.truncated, biases)


def read_figure(
    figure: Figure, measure: str, counts: dict[str, int], declared: Declared
) -> Reading:
    """A figure read as it is declared, and in no other way. `counts` has the exact values."""
    binary = declared.binary and figure.is_decimal
    kilo = 1024 if binary else 1000
    name, biases = WITH_BIASES.get((measure, declared.biases), (measure, ""))
    value = figure.value(kilo)
    fit = fit_figure(figure, counts[name], kilo, truncated=declared.truncated)
    assumed = ("K = 1024" if binary else "", biases)
    if fit == "equal" and not any(assumed):
        return Reading("exact", "", counts[name], value)
    how = ", ".join(filter(None, (fit, *assumed))) if fit else ""
    return Reading("agrees" if fit else "off", how, counts[name], value)


def fit_figure(figure: Figure, value: int, kilo: int, *, truncated: bool) -> str:
    """How the exact value agrees with the published digits: `equal`, `rounded` or `cut`
    (truncated); empty if it does not agree.

    The figure is rounded or truncated at its last published digit, so a whole number without suffix
    must be equal. K, M and G are powers of `kilo`, 1000 or 1024. `truncated` replaces rounding.
    """
    unit, denominator = figure._replace(digits=1).value(kilo)
    rest = value * denominator - figure.digits * unit
    if rest == 0:
        return "equal"
    if truncated:
        return "cut" if 0 < rest < unit else ""
    to_even = 2 * rest == unit and figure.digits % 2 == 0
    return "rounded" if -unit <= 2 * rest < unit or to_even else ""


def hint(entry: Published, measure: str, figure: Figure, counts: dict[str, int]) -> str:
    """What an entry would have to declare so that a figure agrees, with as few changes as possible;
    empty if no declaration helps."""
    current, conditions_by_count = declaration_of(entry, measure), dict[int, list[str]]()
    for other in starmap(Declared, product((False, True), repeat=3)):
        # `biases` cannot be a figure and a declaration.
        possible = other.biases == current.biases or "biases" not in dict(entry.figures)
        if possible and read_figure(figure, measure, counts, other).verdict != "off":
            changes = list(_changes(entry, measure, other))
            conditions_by_count.setdefault(len(changes), []).append(_condition(changes))
    if conditions_by_count:
        return f"agrees {', or '.join(conditions_by_count[min(conditions_by_count)])}"
    numerator, denominator = figure.value()
    doubled = 2 * counts[measure]
    if measure == "macs" and fit_figure(figure, doubled, 1000, truncated=False):
        return "twice the macs, so FLOPs"
    is_near = 100 * abs(numerator - doubled * denominator) <= doubled * denominator
    return "about twice the macs, so FLOPs" if measure == "macs" and is_near else ""


def _condition(changes: list[tuple[str, str, bool]]) -> str:
    """`if K = 1024 and truncated: add `k: 1024` and `truncated: true``."""
    words, keys, present = zip(*changes, strict=True)
    verb = "write" if any(present) else "add"
    return f"if {' and '.join(words)}: {verb} {' and '.join(f'`{key}`' for key in keys)}"


def _changes(entry: Published, measure: str, other: Declared) -> Iterator[tuple[str, str, bool]]:
    """How another declaration of a measure differs from that of the entry. Each difference has
    words, the key to write, and whether the entry has this key. The key also has the declarations
    of the other figures of the entry, which stay."""
    current = declaration_of(entry, measure)
    printed = [name for name, _ in entry.figures]
    binary, truncated = (
        [name for name in printed if (name in names) != (name == measure)]
        for names in (entry.binary, entry.truncated)
    )
    if other.binary != current.binary:
        if all(name in binary or not figure.is_decimal for name, figure in entry.figures):
            value = "1024"
        elif binary:
            value = f"{{{', '.join(f'{name}: 1024' for name in binary)}}}"
        else:
            value = "1000"
        yield f"K = {1024 if other.binary else 1000}", f"k: {value}", bool(entry.binary)
    if other.truncated != current.truncated:
        if truncated == printed:
            value = "true"
        elif len(truncated) > 1:
            value = f"[{', '.join(truncated)}]"
        else:
            value = truncated[0] if truncated else "false"
        words = "truncated" if other.truncated else "rounded"
        yield words, f"truncated: {value}", bool(entry.truncated)
    if other.biases != current.biases:
        words = "biases are counted" if other.biases else "biases are not counted"
        yield words, f"biases: {show(other.biases)}", entry.biases is not None
