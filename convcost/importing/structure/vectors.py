"""How the values of one place in all uses of a block go with those of another."""

from fractions import Fraction
from typing import Any

from convcost.importing.structure.template import ABSENT
from convcost.importing.structure.values import Expression, handy


def quotient(values: tuple[Any, ...], base: tuple[Any, ...]) -> Fraction:
    """How many times another vector one is, 0 if none."""
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
    fits = handy(factor) and all(value == factor * other for value, other in pairs)
    return factor if fits else Fraction(0)


def completed(
    values: tuple[Any, ...], base: tuple[Any, ...], factor: Fraction
) -> tuple[Any, ...] | None:
    """The base, completed where only the other has a value; None if that is no multiple."""
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


def halved(padding: Any, kernel: Any) -> bool:
    """Whether a padding keeps the size under a kernel."""
    if padding is ABSENT or kernel is ABSENT:
        return padding is kernel
    if isinstance(kernel, Expression):
        return bool(padding == f"{kernel} // 2")
    return type(padding) is type(kernel) is int and padding == kernel // 2
