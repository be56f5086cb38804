"""A cost as a sum of products of named factors, which gives both the integer and its text."""

from math import prod

from convcost.model.record import NamedTuple
from convcost.model.symbolic import is_integer


class Factor(NamedTuple):
    """A named number in a product: `kernel` 7."""

    name: str
    value: int


class CostProduct(NamedTuple):
    """A sum of products; each term is a tuple of factors, in the order of the literature."""

    terms: tuple[tuple[Factor, ...], ...] = ()

    @property
    def value(self) -> int:
        """The exact integer."""
        total = sum(prod(factor.value for factor in term) for term in self.terms)
        if is_integer(total) or total != round(total):
            return total
        return getattr(total, "numerator", total)  # a density makes `total` a Fraction

    @property
    def text(self) -> str:
        """The numbers: `64 × 7 × 7 × 3`."""
        return " + ".join(" × ".join(str(f.value) for f in term) for term in self.terms) or "0"

    @property
    def formula(self) -> str:
        """The names: `filters × kernel × kernel × channels`."""
        return " + ".join(" × ".join(f.name for f in term) for term in self.terms) or "0"

    def is_proportional(self, other: "CostProduct") -> bool:
        """Whether each term of `other` is the same multiple of a term of this one, or 0."""
        pairs = list(zip(self.terms, other.terms, strict=False))
        values = [(CostProduct((a,)).value, CostProduct((b,)).value) for a, b in pairs]
        alike = all(a * values[0][1] == b * values[0][0] for a, b in values)
        return not other.value or (len(self.terms) == len(other.terms) and alike)

    def times(self, **factors: int | tuple[int, ...]) -> "CostProduct":
        """The product of every term with further factors."""
        more = _factors(factors)
        return CostProduct(tuple(term + more for term in self.terms))

    def plus(self, other: "CostProduct") -> "CostProduct":
        """The sum of this and another sum of products."""
        return CostProduct(self.terms + other.terms)


NOTHING = CostProduct()


def product(**factors: int | tuple[int, ...]) -> CostProduct:
    """`product(filters=64, kernel=(7, 7), channels=3)` is 64 × 7 × 7 × 3.

    A tuple gives one factor for each of its numbers. `_per_` in a name prints as a slash, any other
    underscore as a space.
    """
    return CostProduct((_factors(factors),))


def _factors(factors: dict[str, int | tuple[int, ...]]) -> tuple[Factor, ...]:
    listed: list[Factor] = []
    for key, value in factors.items():
        name = key.replace("_per_", "/").replace("_", " ") if "_" in key else key
        if isinstance(value, tuple):
            listed += [Factor(name, n) for n in value]
        else:
            listed.append(Factor(name, value))
    return tuple(listed)
