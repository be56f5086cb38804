"""Exact arithmetic of expressions: integers, fractions and truth values, never a float."""

import operator
from collections.abc import Callable
from math import ceil, floor
from typing import Any, TypeAlias

from convcost.model.errors import ConstraintError
from convcost.model.options import show
from convcost.model.symbolic import Symbolic

Value: TypeAlias = Any  # int, Fraction, bool, or a symbolic number

MAX_BITS = 256  # in the numerator or the denominator of a value


def numeric(value: Value) -> Value:
    """The value, if it is a number. Raises ConstraintError."""
    if type(value) is bool or not hasattr(type(value), "denominator"):
        raise ConstraintError("CC106", f"arithmetic needs numbers, not {show(value)}")
    return value


def truth(value: Value) -> bool:
    """The value, if it is true or false. Raises ConstraintError."""
    if type(value) is not bool:
        message = f"`and`, `or`, `not` and `if` need true or false, not {show(value)}"
        raise ConstraintError("CC106", message)
    return value


def calculate(sign: str, a: Value, b: Value) -> Value:
    """The exact value of `a sign b`, such as `3 / 2`.

    Raises ConstraintError if it divides by 0, or if the value is too large.
    """
    numeric(a)
    numeric(b)
    try:
        number = a if isinstance(a, Symbolic) else b
        is_symbolic = isinstance(number, Symbolic)
        result = number.calculate(sign, a, b) if is_symbolic else whole(ARITHMETIC[sign](a, b))
    except ZeroDivisionError:
        raise ConstraintError("CC106", f"{show(a)} {sign} {show(b)} divides by 0") from None
    if bits(result) > MAX_BITS:
        raise ConstraintError("CC106", f"{show(a)} {sign} {show(b)} is too large")
    return result


def compare(sign: str, a: Value, b: Value) -> bool:
    """Whether `a sign b` is true, such as `3 < 4`. 3 equals 3.0, and 1 does not equal true.

    Raises ConstraintError.
    """
    if sign in ORDER:
        return ORDER[sign](numeric(a), numeric(b))
    equal = (type(a) is bool) == (type(b) is bool) and a == b
    return bool(equal == (sign == "=="))


def whole(value: Value) -> Value:
    """The value as an int if it is a fraction without a remainder, else unchanged."""
    if type(value) is int or isinstance(value, Symbolic):
        return value
    return int(value) if value.denominator == 1 else value


def _divisible(value: Value, by: Value) -> Value:
    """The nearest multiple of `by`, at least `by` and 90 % of the value, as in MobileNet."""
    if by <= 0:
        message = f"the divisor of `divisible` must be above 0, not {show(by)}"
        raise ConstraintError("CC106", message)
    nearest = max(by, (2 * value + by) // (2 * by) * by)
    return nearest + by if 10 * nearest < 9 * value else nearest


def _divide(a: Value, b: Value) -> Value:
    from fractions import Fraction

    return Fraction(a.numerator * b.denominator, a.denominator * b.numerator)


def _power(a: Value, b: Value) -> Value:
    if type(b) is not int:
        raise ConstraintError("CC106", f"an exponent must be a whole number, not {show(b)}")
    if bits(a) * abs(b) > MAX_BITS and abs(a) != 1:
        raise ConstraintError("CC106", f"{show(a)} ** {show(b)} is too large")
    from fractions import Fraction

    return Fraction(a.numerator, a.denominator) ** b if b < 0 else a**b


def bits(value: Value) -> int:
    """The bits of the numerator or denominator, whichever has more."""
    if isinstance(value, Symbolic):
        return value.bits
    return int(max(value.numerator.bit_length(), value.denominator.bit_length()))


# Each function, and its smallest and largest number of arguments.
FUNCTIONS: dict[str, tuple[Callable[..., Value], int, int]] = {
    "min": (min, 2, 16),
    "max": (max, 2, 16),
    "abs": (abs, 1, 1),
    "round": (round, 1, 1),  # rounds a half to the even number
    "floor": (floor, 1, 1),
    "ceil": (ceil, 1, 1),
    "divisible": (_divisible, 2, 2),
}
ARITHMETIC: dict[str, Callable[[Value, Value], Value]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": _divide,
    "//": operator.floordiv, "%": operator.mod, "**": _power,
}  # fmt: skip
ORDER: dict[str, Callable[[Value, Value], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
