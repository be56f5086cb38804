"""Up to which width does a 1x1 pay? The width r at which a reduced convolution costs as much.

Naive: k²·Cin·Cout. With a 1x1 to r before it: r·Cin + k²·r·Cout, so
r* = k²·Cin·Cout / (Cin + k²·Cout). With a 1x1 from r back to Cout after it, too:
r·Cin + k²·r² + r·Cout, whose r* is a root. Biases are left aside. For macs each product is taken as
often as it has positions.
"""

from math import isqrt
from typing import NamedTuple


class BreakEven(NamedTuple):
    """The root r* ≥ 0 of square·r² + linear·r = naive."""

    square: int
    linear: int
    naive: int

    @property
    def most(self) -> int:
        """The largest whole width that costs less; 0 if none does."""
        found = _root(self, 1)
        return found - (_cost(self, found, 1) == self.naive)

    @property
    def text(self) -> str:
        """r* with two decimals, cut."""
        hundredths = _root(self, 100)
        return f"{hundredths // 100:,}.{hundredths % 100:02d}"

    @property
    def exact(self) -> str:
        """`9216/61`, or `(√4321 − 320)/18` where it is a root."""
        if not self.square:
            from fractions import Fraction

            return str(Fraction(self.naive, self.linear))
        inside = self.linear**2 + 4 * self.square * self.naive
        return f"(√{inside} − {self.linear})/{2 * self.square}"


def _cost(even: BreakEven, width: int, scale: int) -> int:
    """What a width of `width`/`scale` costs, times scale²."""
    return even.square * width * width + even.linear * width * scale


def _root(even: BreakEven, scale: int) -> int:
    """⌊scale · r*⌋, from whole numbers only."""
    wanted = even.naive * scale * scale
    if not even.square:
        return even.naive * scale // even.linear
    inside = (even.linear * scale) ** 2 + 4 * even.square * wanted
    found = (isqrt(inside) - even.linear * scale) // (2 * even.square)
    while _cost(even, found + 1, scale) <= wanted:
        found += 1
    while _cost(even, found, scale) > wanted:
        found -= 1
    return found
