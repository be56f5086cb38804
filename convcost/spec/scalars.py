"""What a plain scalar means, by the core schema of YAML 1.2: `010` is 10, `on` is text."""

import re
from typing import Any

from convcost.errors import Refusal

BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
LONGEST_NUMBER = 40
LARGEST_EXPONENT = 60

_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")


def number(text: str) -> Any:
    """The exact number a text is: an int, or a Fraction where it is not whole; None if it is none.

    Raises Refusal for what nobody needs to write out.
    """
    if text.isdecimal() and text.isascii() and len(text) <= LONGEST_NUMBER:
        return int(text)
    if _BASED.fullmatch(text) and len(text) <= LONGEST_NUMBER:
        return int(text[2:], 8 if text[1] == "o" else 16)
    if not _NUMBER.fullmatch(text):
        return None
    mantissa, _, power = text.lower().partition("e")
    if len(mantissa) > LONGEST_NUMBER or len(power) > 4 or abs(int(power or 0)) > LARGEST_EXPONENT:  # noqa: PLR2004
        shown = text if len(text) <= LONGEST_NUMBER else f"{text[:LONGEST_NUMBER]}…"
        raise Refusal("CC106", f"`{shown}` is beyond what is counted")
    whole, _, part = mantissa.partition(".")
    digits = int(whole + part) if whole + part not in ("+", "-", "") else 0
    exponent = int(power or 0) - len(part)
    if exponent >= 0:
        return digits * 10**exponent
    from fractions import Fraction

    exact = Fraction(digits, 10**-exponent)
    return exact.numerator if exact.denominator == 1 else exact
