"""Parses plain scalars by the core schema of YAML 1.2: `010` is 10, `on` is text."""

import re
from collections.abc import Iterable
from typing import Any

from convcost.model.errors import ConstraintError, UsageError
from convcost.model.figures import split_decimal
from convcost.model.symbolic import is_symbolic

BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
MAX_DIGITS = 40  # of a number
MAX_EXPONENT = 60  # of ten


def parse_number(text: str) -> Any:
    """The exact number that a text is: an int, or a Ratio or Fraction; None if it is not a number.

    Raises ConstraintError for a number with too many digits or too large an exponent.
    """
    if text.isdecimal() and text.isascii() and len(text) <= MAX_DIGITS:
        return int(text)
    if text[:2] in ("0o", "0x"):
        return _based_number(text)
    parts = split_decimal(text)
    if parts is None:
        return None
    whole, part, exponent = parts
    if len(whole + part) > MAX_DIGITS + (whole[:1] == "-") or abs(exponent) > MAX_EXPONENT:
        raise _out_of_range(text)
    digits, exponent = int(whole + part), exponent - len(part)
    if exponent >= 0:
        return digits * 10**exponent
    if digits % 10**-exponent == 0:
        return digits // 10**-exponent
    from convcost.model.ratio import ratio

    return ratio(digits, 10**-exponent)


def _based_number(text: str) -> int | None:
    try:
        number = int(text, 0)
    except ValueError:
        return None
    if len(text) > MAX_DIGITS:
        raise _out_of_range(text)
    return None if "_" in text else number


def _out_of_range(text: str) -> ConstraintError:
    powers = f"an exponent from -{MAX_EXPONENT} to {MAX_EXPONENT}"
    hint = f"a number has at most {MAX_DIGITS} digits and {powers}"
    return ConstraintError("CC106", f"`{_shown(text)}` is out of range", hint)


def _shown(text: str) -> str:
    return text if len(text) <= MAX_DIGITS else f"{text[:MAX_DIGITS]}…"


def parse_extents(text: str) -> tuple[int, ...]:
    """Parses `256x320` to its numbers, each at least 1 and of at most 9 digits.

    Any other text gives an empty tuple."""
    parts = text.lower().replace("×", "x").split("x")
    is_valid = all(re.fullmatch("0*[1-9][0-9]{0,8}", part) for part in parts)
    return tuple(map(int, parts)) if is_valid else ()


def parse_variable(text: str) -> Any:
    """Parses a number, true or false, as in `--set name=value`. Raises ConstraintError."""
    if text in BOOLS:
        return BOOLS[text]
    value = parse_number(text.strip())
    if value is None:
        raise ConstraintError("CC104", f"`{_shown(text)}` is neither a number nor true or false")
    return value


def equal_settings(a: Any, b: Any) -> bool:
    """Whether two values of a variable are equal: 1 equals 1.0, but not true. False if one of them
    is symbolic, because it has many values."""
    if is_symbolic((a, b)):
        return False
    return (type(a) is bool) == (type(b) is bool) and bool(a == b)


def parse_convention(name: str, measures: Iterable[str] = ()) -> str:
    """Raises ConstraintError if there is no convention of that name, or if it does not count one of
    the measures."""
    from convcost.conventions import find_convention

    try:
        convention = find_convention(name.strip())
    except UsageError as error:
        message, _, hint = str(error).partition("; ")
        raise ConstraintError("CC112", message, hint) from None
    for measure in measures:
        if convention.counts_activations != (measure == "activations"):
            counted = "activations" if convention.counts_activations else "operations"
            message = f"`{convention.name}` counts {counted}, not {measure}"
            raise ConstraintError("CC112", message, "`convcost conventions` lists what each counts")
    return convention.name
