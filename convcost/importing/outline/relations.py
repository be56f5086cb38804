"""Relations between the values of two places in all uses of a block."""

from fractions import Fraction
from typing import Any

from convcost.importing.outline.anti_unify import ABSENT
from convcost.importing.outline.values import OptionExpression, is_readable


def integer_factor(values: tuple[Any, ...], base: tuple[Any, ...]) -> Fraction:
    """The integer factor from one vector to another; 0 if there is none."""
    pairs = [
        (value, other) for value, other in zip(values, base, strict=True)
        if value is not ABSENT and other is not ABSENT
    ]  # fmt: skip
    if not pairs:
        return Fraction(0)
    if all(value == other and type(value) is type(other) for value, other in pairs):
        return Fraction(1)
    if any(type(value) is not int or type(other) is not int or not other for value, other in pairs):
        return Fraction(0)
    factor = Fraction(*pairs[0])
    fits = is_readable(factor) and all(value == factor * other for value, other in pairs)
    return factor if fits else Fraction(0)


def with_missing_values(
    values: tuple[Any, ...], base: tuple[Any, ...], factor: Fraction
) -> tuple[Any, ...] | None:
    """The base vector, with missing values computed from the other vector; None if the other vector
    is not a multiple."""
    found = []
    for value, other in zip(values, base, strict=True):
        if other is not ABSENT or value is ABSENT:
            found.append(other)
        elif factor == 1:
            found.append(value)
        elif (value / factor).denominator != 1:
            return None
        else:
            found.append(int(value / factor))
    return tuple(found)


def keeps_size(padding: Any, kernel: Any) -> bool:
    """Whether a padding keeps the size with a kernel."""
    if padding is ABSENT or kernel is ABSENT:
        return padding is kernel
    if isinstance(kernel, OptionExpression):
        return bool(padding == f"{kernel} // 2")
    return type(padding) is type(kernel) is int and padding == kernel // 2
