"""Figures as people write them, read without a float: `159K`, `1.6G`, `4e9`, `6,994,392`."""

from convcost.model.errors import ConstraintError
from convcost.model.record import NamedTuple
from convcost.model.suggestions import did_you_mean

# Suffixes of counts; those with an i are powers of 1024. Papers use K for 1000 and for 1024.
SUFFIXES = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "B": 10**9, "T": 10**12}
BINARY_SUFFIXES = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
SHOWN = 30  # characters of a longer text
MAX_DIGITS = 100  # of a figure
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Figure(NamedTuple):
    """A number as printed: `digits`·10^`exponent`, times the value of `suffix`.

    `159K` is (159, 0, "K"), `1.43M` is (143, -2, "M"). The printed digits are kept, because they
    decide which exact counts round to the figure.
    """

    text: str
    digits: int
    exponent: int
    suffix: str

    @property
    def is_decimal(self) -> bool:
        """Whether it has a suffix that is a power of 1000, or of 1024 where K is 1024."""
        return self.suffix != "" and self.suffix in SUFFIXES

    def value(self, kilo: int = 1000) -> tuple[int, int]:
        """Exact (numerator, denominator), with K, M, G as powers of `kilo`."""
        factor = SUFFIXES.get(self.suffix, 0) or BINARY_SUFFIXES[self.suffix]
        if kilo != 1000 and self.suffix in SUFFIXES:  # noqa: PLR2004  SI
            power = (len(str(factor)) - 1) // 3
            factor = kilo**power
        if self.exponent >= 0:
            return self.digits * 10**self.exponent * factor, 1
        return self.digits * factor, 10**-self.exponent


def parse_figure(text: str, *, byte: bool = False) -> Figure:
    """Parses a number of at least 0: `159K`, `1.6G`, `4e9`, `6,994,392`, `1_000_000`. Raises
    ConstraintError.

    With `byte`, a B at the end is ignored: `4MB` is 4M.
    """
    stripped = text.strip()
    counted = stripped.removesuffix("B") if byte else stripped
    head = counted.rstrip(LETTERS)
    suffix = counted[len(head) :]
    head = head.strip()
    grouped = "," in head
    if grouped and len(text) <= MAX_DIGITS and (suffix or not _is_grouped(head)):
        raise ambiguous_comma(stripped)
    whole = head.partition(".")[0].lower().partition("e")[0]
    # A sign after a separator is an error, so the first character stays.
    bare = whole[:1] + whole[1:].replace("," if grouped else "_", "")
    parts = split_decimal(bare + head[len(whole) :])
    hint = "write 4300000, 4.3M, 1.6G or 4e9"
    if len(text) > MAX_DIGITS:
        message = f"`{text[:SHOWN]}…` has more than {MAX_DIGITS} characters"
        raise ConstraintError("CC112", message, hint)
    if parts is None or abs(parts[2]) > MAX_DIGITS:
        raise ConstraintError("CC112", f"`{text}` is not a number", hint)
    units = {name: value for name, value in {**SUFFIXES, **BINARY_SUFFIXES}.items() if name}
    if suffix and (suffix not in units or (byte and suffix == "B")):
        hint = did_you_mean(suffix, units)
        raise ConstraintError("CC112", f"there is no unit `{suffix[:SHOWN]}`", hint)
    whole, part, power = parts
    digits = int(whole + part)
    if digits < 0:
        raise ConstraintError("CC112", f"`{stripped}` is below 0")
    return Figure(stripped, digits, power - len(part), suffix)


def split_decimal(text: str) -> tuple[str, str, int] | None:
    """Signed digits before the point, digits after it, and the power of ten: `-1.43e3` is
    ("-1", "43", 3). None for any other text. A power beyond 999 is 1000."""
    sign = "-" if text[:1] == "-" else ""
    mantissa, e, power = text[text[:1] in ("+", "-") :].lower().partition("e")
    whole, _, part = mantissa.partition(".")
    bare = power[power[:1] in ("+", "-") :]
    if not text.isascii() or not (whole + part).isdecimal() or (e and not bare.isdecimal()):
        return None
    return sign + whole, part, int(power or 0) if len(power) <= len("-999") else 1000


def _is_grouped(text: str) -> bool:
    """Whether all commas are between thousands: `6,994,392`."""
    whole, _, part = text.lstrip("+-").partition(".")
    bare = whole.replace(",", "")
    return bare.isdecimal() and f"{int(bare):,}" == whole and (part or "0").isdecimal()


def ambiguous_comma(text: str) -> ConstraintError:
    """The error for a comma that may be a decimal one: `4,3M` is not 43M."""
    message = f"`{text}` is ambiguous: commas may only group thousands, without a unit"
    return ConstraintError("CC112", message, "write a decimal point, or no comma")


def parse_whole_figure(text: str, *, byte: bool = False) -> int:
    """Parses a whole number of at least 0. Raises ConstraintError."""
    numerator, denominator = parse_figure(text, byte=byte).value()
    if numerator % denominator:
        raise ConstraintError("CC112", f"`{text}` is not a whole number")
    return numerator // denominator
