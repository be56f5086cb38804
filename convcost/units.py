"""Numbers as people write and read them. Nothing here is a float.

macs: one multiply and one add count as one. The word *flop* stands only where another convention is
named.
"""

from string import ascii_letters
from typing import NamedTuple

from convcost.errors import Refusal

CONVENTION = (
    "macs: one multiply and one add count as 1, in convolutions, linear layers and matrix "
    "products; biases, norms, activations, pooling and joins count 0"
)

# Decimal for counts; the forms with an i are powers of 1024. K is left open: papers mean either.
SUFFIXES = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "B": 10**9, "T": 10**12}
BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
MOST_DIGITS = 30


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


def figure(text: str, *, byte: bool = False) -> Figure:
    """Reads `159K`, `1.6G`, `4e9`, `6,994,392`, `1_000_000`; with `byte` a B at the end is no unit
    of its own, `4MB` is 4M. Raises Refusal."""
    stripped = text.strip()
    counted = stripped.removesuffix("B") if byte else stripped
    head = counted.rstrip(ascii_letters)
    suffix = counted[len(head) :]
    sign, whole, part, power = _parts(head.strip())
    bare = power[1:] if power[:1] in ("+", "-") else power
    digits_only = (whole + part).replace(",", "").isdecimal()
    if not text.isascii() or not digits_only or not bare.isdecimal():
        raise _no_number(text)
    if len(text) > MOST_DIGITS or len(power) > len("-99") or abs(int(power)) > MOST_DIGITS:
        raise _no_number(text)
    if "," in stripped and (suffix or "e" in head.lower() or not _groups(whole, part)):
        raise unclear(stripped)
    if (byte and suffix == "B") or (suffix not in SUFFIXES and suffix not in BINARY):
        meant = next((s for s in (*SUFFIXES, *BINARY) if s.lower() == suffix.lower()), None)
        hint = (
            f"did you mean {head.strip()}{meant}?" if meant else "known: k, M, G, T, Ki, Mi, Gi, Ti"
        )
        raise Refusal("CC112", f"`{suffix[:MOST_DIGITS]}` is no unit", hint)
    digits = int(whole.replace(",", "") + part)
    return Figure(stripped, -digits if sign == "-" else digits, int(power) - len(part), suffix)


def _parts(text: str) -> tuple[str, str, str, str]:
    """Sign, digits before and after the point, power of ten; commas stay."""
    sign = text[:1] if text[:1] in ("+", "-") else ""
    mantissa, _, power = text[len(sign) :].lower().partition("e")
    whole, _, part = mantissa.partition(".")
    return sign, whole.replace("_", "") if "," not in whole else whole, part, power or "0"


def _groups(whole: str, part: str) -> bool:
    """Whether commas stand where they can only be between thousands: `6,994,392`."""
    bare = whole.replace(",", "")
    return bare.isdecimal() and f"{int(bare):,}" == whole and "," not in part


def unclear(text: str) -> Refusal:
    """A comma that may be a decimal one: `4,3M` is never read as 43M."""
    point = text.replace(",", ".") if text.count(",") == 1 and "." not in text else ""
    bare = text.replace(",", "")
    grouped_ = _groups(text.lstrip("+-").rstrip("% " + ascii_letters), "")
    hint = f"{point} or {bare}" if point and grouped_ else point or bare
    message = f"`{text}` is unclear: commas group thousands, and only where there is no unit"
    return Refusal("CC112", message, f"write {hint}")


def _no_number(text: str) -> Refusal:
    shown = text if len(text) <= MOST_DIGITS else text[:MOST_DIGITS] + "…"
    return Refusal("CC112", f"`{shown}` is not a number", "write 4300000, 4.3M, 1.6G or 4e9")


def whole_figure(text: str, *, byte: bool = False) -> int:
    """A figure that must be a whole number from 0. Raises Refusal."""
    numerator, denominator = figure(text, byte=byte).value()
    if numerator % denominator:
        raise Refusal("CC112", f"`{text}` is not a whole number")
    if numerator < 0:
        raise Refusal("CC112", f"`{text}` is below 0")
    return numerator // denominator


def grouped(number: int) -> str:
    """`1,582,671,872`."""
    return f"{number:,}"


def percent(part: int, whole: int, places: int = 1) -> str:
    """`40.6 %`, rounded half up from the exact ratio; 0 of nothing."""
    if not whole:
        return f"0.{0:0{places}d} %"
    scale = 10**places
    tenths = (2 * abs(part) * 100 * scale + whole) // (2 * whole)
    sign = "-" if part < 0 and tenths else ""
    return f"{sign}{tenths // scale}.{tenths % scale:0{places}d} %"


def change(part: int, whole: int) -> str:
    """`+0.6 %`, with as many places as it takes to be more than nothing: `+0.0002 %`."""
    return f"{'+' * (part > 0)}{percent(part, whole, _places(part, whole, 1))}"


def beside(part: int, whole: int) -> str:
    """`40.6 %`: the one of the other, `100.0 %` only if they are equal."""
    return percent(part, whole, _places(part - whole, whole, 1))


def _places(part: int, whole: int, least: int) -> int:
    """The fewest places at which a part, in percent of the whole, is not rounded to nothing."""
    places = least
    while part and 2 * abs(part) * 100 * 10**places < whole:
        places += 1
    return places


def signed(number: int) -> str:
    """`+864`, `-229,888`, `0`."""
    return f"{number:+,}" if number else "0"


def times(larger: int, smaller: int, places: int = 2) -> str:
    """How many times the one is of the other, `16.94`: rounded half up from the exact ratio, with
    as many places as it takes not to be 1 where they differ."""
    places = max(places, _places(larger - smaller, smaller, 0) + 2)
    scaled = (2 * larger * 10**places + smaller) // (2 * smaller)
    return f"{scaled // 10**places:,}.{scaled % 10**places:0{places}d}"
