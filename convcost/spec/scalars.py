"""What a plain scalar means, by the core schema of YAML 1.2: `010` is 10, `on` is text."""

from typing import Any

from convcost.errors import Refusal

BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
LONGEST_NUMBER = 40
LARGEST_EXPONENT = 60


def number(text: str) -> Any:
    """The exact number a text is: an int, or a Fraction where it is not whole; None if it is none.

    Raises Refusal for what nobody needs to write out.
    """
    if text.isdecimal() and text.isascii() and len(text) <= LONGEST_NUMBER:
        return int(text)
    if text[:2] in ("0o", "0x"):
        return _based(text)
    parts = _parts(text)
    if parts is None:
        return None
    negative, whole, part, power = parts
    if len(whole + part) > LONGEST_NUMBER or len(power) > len("-999"):
        raise _beyond(text)
    exponent = int(power or 0)
    if abs(exponent) > LARGEST_EXPONENT:
        raise _beyond(text)
    digits = -int(whole + part) if negative else int(whole + part)
    exponent -= len(part)
    if exponent >= 0:
        return digits * 10**exponent
    if digits % 10**-exponent == 0:
        return digits // 10**-exponent
    from fractions import Fraction

    return Fraction(digits, 10**-exponent)


def _parts(text: str) -> tuple[bool, str, str, str] | None:
    """Sign, digits before and after the point, and the power of ten; None if it is no number."""
    if not text.isascii():
        return None
    unsigned = text[1:] if text[:1] in ("+", "-") else text
    mantissa, e, power = unsigned.lower().partition("e")
    whole, _, part = mantissa.partition(".")
    bare = power[1:] if power[:1] in ("+", "-") else power
    if not (whole + part).isdecimal() or (e and not bare.isdecimal()):
        return None
    return text[:1] == "-", whole, part, power


def _based(text: str) -> int | None:
    digits = text[2:].lower()
    base = 8 if text[1] == "o" else 16
    if not digits or any(d not in "0123456789abcdef"[:base] for d in digits):
        return None
    if len(text) > LONGEST_NUMBER:
        raise _beyond(text)
    return int(digits, base)


def _beyond(text: str) -> Refusal:
    shown = text if len(text) <= LONGEST_NUMBER else f"{text[:LONGEST_NUMBER]}…"
    return Refusal("CC106", f"`{shown}` is beyond what is counted")
