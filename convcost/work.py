"""A cost as a sum of products of named factors: the integer and its printed work from one value."""

from math import prod
from typing import NamedTuple


class Factor(NamedTuple):
    name: str
    value: int


class Work(NamedTuple):
    """A sum of products; each term is a tuple of factors, in the order the field writes them."""

    terms: tuple[tuple[Factor, ...], ...] = ()

    @property
    def value(self) -> int:
        return sum(prod(factor.value for factor in term) for term in self.terms)

    @property
    def text(self) -> str:
        """The numbers: `64 × 7 × 7 × 3`."""
        return " + ".join(" × ".join(str(f.value) for f in term) for term in self.terms) or "0"

    @property
    def formula(self) -> str:
        """The names: `filters × kernel × kernel × channels`."""
        return " + ".join(" × ".join(f.name for f in term) for term in self.terms) or "0"

    def times(self, **factors: int | tuple[int, ...]) -> "Work":
        """Every term multiplied by further factors."""
        more = _factors(factors)
        return Work(tuple(term + more for term in self.terms))

    def plus(self, other: "Work") -> "Work":
        return Work(self.terms + other.terms)


NOTHING = Work()


def product(**factors: int | tuple[int, ...]) -> Work:
    """`product(filters=64, kernel=(7, 7), channels=3)` is 64 × 7 × 7 × 3.

    A tuple gives one factor for each of its numbers; `_per_` in a name prints as a slash, other
    underscores as spaces.
    """
    return Work((_factors(factors),))


def _factors(factors: dict[str, int | tuple[int, ...]]) -> tuple[Factor, ...]:
    listed: list[Factor] = []
    for key, value in factors.items():
        name = key.replace("_per_", "/").replace("_", " ")
        listed += [Factor(name, n) for n in (value if isinstance(value, tuple) else (value,))]
    return tuple(listed)
