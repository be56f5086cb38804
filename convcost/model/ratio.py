"""Exact numbers that are not whole, such as the rate of a dropout.

The import of `fractions` takes longer than the analysis of a small network, and most such numbers
are never used in a computation.
"""

import sys
from collections.abc import Callable
from math import gcd
from typing import Any


class Ratio:
    """Replaces a Fraction, and becomes one when something is computed with it.

    It is in lowest terms; `ratio` makes one.
    """

    __slots__ = ("denominator", "numerator")

    def __init__(self, numerator: int, denominator: int) -> None:
        self.numerator = numerator
        self.denominator = denominator

    def __getattr__(self, name: str) -> Any:
        return getattr(fraction(self), name)


def ratio(numerator: int, denominator: int) -> Any:
    """A Ratio, or a Fraction if `fractions` is already imported, for example by a plug-in."""
    if "fractions" in sys.modules:
        return fraction(Ratio(numerator, denominator))
    common = gcd(numerator, denominator)
    return Ratio(numerator // common, denominator // common)


def fraction(value: Any) -> Any:
    """A Ratio as a Fraction; any other value is unchanged."""
    from fractions import Fraction

    return Fraction(value.numerator, value.denominator) if isinstance(value, Ratio) else value


def _fraction_method(name: str) -> Callable[..., Any]:
    def method(self: Ratio, *others: Any) -> Any:
        return getattr(fraction(self), name)(*map(fraction, others))

    return method


METHODS = (
    "add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod divmod rdivmod pow "
    "rpow neg pos abs round floor ceil trunc int float lt le gt ge eq hash str repr format reduce"
)
for _name in METHODS.split():
    setattr(Ratio, f"__{_name}__", _fraction_method(f"__{_name}__"))
