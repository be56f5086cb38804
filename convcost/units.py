"""Numbers as people write and read them. Nothing here is a float.

macs: one multiply and one add count as one. The word *flop* stands only where another convention is
named.
"""

import re
from typing import NamedTuple

from convcost.errors import Refusal

CONVENTION = (
    "macs: one multiply and one add count as 1, in convolutions, linear layers and matrix products; "
    "biases, norms, activations, pooling and joins count 0"
)

# Decimal for counts; the forms with an i are powers of 1024. K is left open: papers mean either.
SUFFIXES = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "B": 10**9, "T": 10**12}
BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
MOST_DIGITS = 30

_FIGURE = re.compile(
    r"(?P<sign>[+-]?)(?P<whole>\d[\d_,]*)?(?:\.(?P<part>\d+))?(?:[eE](?P<power>[+-]?\d{1,3}))?"
    r"\s*(?P<suffix>[A-Za-z]{0,2})"
)


class Figure(NamedTuple):
    """A number as printed: `numerator`·10^`exponent`, times what `suffix` means.

    `159K` is (159, 0, "K"), `1.43M` is (143, -2, "M"): the printed digits are kept, so that it can
    be told what rounds to them.
    """

    text: str
    digits: int
    exponent: int
    suffix: str

    def value(self, kilo: int = 1000) -> tuple[int, int]:
        """Exact (numerator, denominator), with K, M, G as powers of `kilo`."""
        factor = SUFFIXES.get(self.suffix, 0) or BINARY[self.suffix]
        if kilo != 1000 and self.suffix in SUFFIXES:  # noqa: PLR2004  SI
            power = (len(str(factor)) - 1) // 3
            factor = kilo**power
        if self.exponent >= 0:
            return self.digits * 10**self.exponent * factor, 1
        return self.digits * factor, 10**-self.exponent


def figure(text: str) -> Figure:
    """Reads `159K`, `1.6G`, `4e9`, `6,994,392`, `1_000_000`. Raises Refusal."""
    match = _FIGURE.fullmatch(text.strip())
    if not match or not (match["whole"] or match["part"]) or len(text) > MOST_DIGITS:
        shown = text if len(text) <= MOST_DIGITS else text[:MOST_DIGITS] + "…"
        raise Refusal("CC112", f"`{shown}` is not a number", "write 4300000, 4.3M, 1.6G or 4e9")
    suffix = match["suffix"]
    if suffix not in SUFFIXES and suffix not in BINARY:
        meant = next((s for s in (*SUFFIXES, *BINARY) if s.lower() == suffix.lower()), None)
        number = text.strip()[: -len(suffix)].strip()
        hint = f"did you mean {number}{meant}?" if meant else "known: k, M, G, T, Ki, Mi, Gi, Ti"
        raise Refusal("CC112", f"`{suffix}` is no unit", hint)
    whole = (match["whole"] or "").replace("_", "").replace(",", "")
    part = match["part"] or ""
    power = int(match["power"] or 0)
    if abs(power) > MOST_DIGITS:
        raise Refusal("CC112", f"`{text}` is beyond what is counted")
    digits = int(whole + part)
    return Figure(
        text.strip(), -digits if match["sign"] == "-" else digits, power - len(part), suffix
    )


def whole_figure(text: str) -> int:
    """A figure that must be a whole number from 0. Raises Refusal."""
    numerator, denominator = figure(text).value()
    if numerator % denominator:
        raise Refusal("CC112", f"`{text}` is not a whole number")
    if numerator < 0:
        raise Refusal("CC112", f"`{text}` is below 0")
    return numerator // denominator


def grouped(number: int) -> str:
    """`1,582,671,872`."""
    return f"{number:,}"


def percent(part: int, whole: int, places: int = 1) -> str:
    """`40.6 %`, rounded half up from the exact ratio; `0 %` of nothing."""
    if not whole:
        return "0 %"
    scale = 10**places
    tenths = (2 * abs(part) * 100 * scale + whole) // (2 * whole)
    sign = "-" if part < 0 and tenths else ""
    return f"{sign}{tenths // scale}.{tenths % scale:0{places}d} %"
