"""What the limit of a measure takes: how its numbers are written, and which mean nothing."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from convcost.errors import Refusal
from convcost.units import Figure, figure, unclear, whole_figure

LIMIT_KEYS = ("max", "min", "warn", "grow", "grow_floor", "dtype")


def reader(measure: str, key: str) -> Callable[[str], Any]:
    """Text to the value of a key; each raises Refusal."""
    whole = in_bytes if measure == "bytes" else whole_figure
    return (lambda text: growth(text, whole)) if key == "grow" else whole


def in_bytes(text: str) -> int:
    """`500B`, `4MB`, `4MiB`, `4Mi`: a B at the end is a byte, never a billion."""
    return whole_figure(text, byte=True)


def growth(text: str, whole: Callable[[str], int] = whole_figure) -> tuple[int, int] | int:
    """`2%` as an exact fraction, or a count. Raises Refusal."""
    stripped = text.strip()
    if not stripped.endswith("%"):
        try:
            return whole(text)
        except Refusal as refusal:
            raise Refusal(
                refusal.code, refusal.message, _as_percent(text) or refusal.help
            ) from None
    read = figure(stripped[:-1].replace(",", ""))
    if "," in stripped:
        raise unclear(stripped)
    if read.suffix:
        raise Refusal("CC112", f"`{text}` has a unit and a percent sign", "write 2% or 20k")
    numerator, denominator = read.value()
    if numerator < 0:
        raise Refusal("CC112", f"`{text}` is below 0")
    return numerator, denominator * 100


def _as_percent(text: str) -> str:
    """What was meant by a part of a count: `0.02` by 2%, `2.5` by 2.5%."""
    from decimal import Decimal

    try:
        read: Figure = figure(text)
    except Refusal:
        return ""
    numerator, denominator = read.value()
    if read.suffix or numerator < 0 or not numerator % denominator:
        return ""
    shift = 2 if numerator < denominator else 0
    return f"did you mean {Decimal(read.digits).scaleb(read.exponent + shift).normalize():f}%?"


def meaningless(measure: str, read: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The keys of a limit that cannot do anything: key, what is wrong, help."""
    if "grow_floor" in read and "grow" not in read:
        yield "grow_floor", f"grow_floor of {measure} is for `grow`", "add `grow: 2%`"
    if "dtype" in read and measure != "bytes":
        yield (
            "dtype",
            f"{measure} have no dtype: it is for `bytes`",
            "bytes: {max: 4Mi, dtype: int8}",
        )
    least, most, near = (read.get(key) for key in ("min", "max", "warn"))
    if least is not None and most is not None and least > most:
        yield "min", f"min of {measure} is above its max", ""
    if near is not None and most is not None and near > most:
        yield "warn", f"warn of {measure} is above its max", "a warning comes before the max"
