"""Exact polynomials in a normal form: equal costs have equal polynomials.

A polynomial is a sum of terms, each a coefficient times powers of atoms. An atom is a variable, or
the floor of a quotient. ⌈n/32⌉ is ⌊n/32 + 31/32⌋, and n mod k is n − k·⌊n/k⌋.
"""

from fractions import Fraction
from math import floor, lcm, prod
from typing import Any, TypeAlias

Number: TypeAlias = Any  # int, or a Fraction that is not whole
Bound: TypeAlias = Any  # a Number, or None for no bound
Bounds: TypeAlias = tuple[Bound, Bound]
HUGE = 2**512  # bounds are not computed beyond it


class Atom:
    """A factor of terms: a variable, or ⌊quotient⌋ or ⌊numerator/denominator⌋ of polynomials.

    Atoms are numbered in the order of definition. `value` is its value at the point of the trace,
    `low` and `high` are bounds of its value at any point. Every value is a multiple of
    1/`denominator`. `depth` is the number of nested floors, and `length` the number of
    factors to write.
    """

    __slots__ = (
        "arguments", "denominator", "depth", "high", "length", "low", "name", "number", "value",
    )  # fmt: skip

    def __init__(
        self,
        number: int,
        name: str,
        arguments: "tuple[Polynomial, ...]",
        value: Number,
        bounds: Bounds,
        denominator: int = 1,
    ) -> None:
        self.number = number
        self.name = name  # the name of a variable; else empty
        self.arguments = arguments  # a floor has the quotient, or numerator and denominator
        self.value = value
        self.low, self.high = bounds
        self.denominator = denominator
        inner = [
            atom for argument in arguments for monomial in argument.terms for atom, _ in monomial
        ]
        self.depth: int = 1 + max((atom.depth for atom in inner), default=-1)
        self.length: int = 1 + sum(argument.length for argument in arguments)


Monomial: TypeAlias = tuple[tuple[Atom, int], ...]  # atoms with their powers, by number


class Polynomial:
    """A sum of terms. Values never change after they are made."""

    __slots__ = ("_key", "terms")

    def __init__(self, terms: dict[Monomial, Number]) -> None:
        self.terms = terms
        self._key: frozenset[tuple[Monomial, Number]] | None = None

    @property
    def key(self) -> frozenset[tuple[Monomial, Number]]:
        """Equal polynomials have equal keys."""
        if self._key is None:
            self._key = frozenset(self.terms.items())
        return self._key

    @property
    def constant(self) -> Number:
        """The term without atoms."""
        return self.terms.get((), 0)

    @property
    def is_constant(self) -> bool:
        return not self.terms or (len(self.terms) == 1 and () in self.terms)

    @property
    def operation_cost(self) -> int:
        """The number of terms, and of factors in them: what an operation on it costs."""
        return sum(1 + sum(power for _, power in monomial) for monomial in self.terms)

    @property
    def length(self) -> int:
        """The number of terms and factors to write, also those inside of floors."""
        return sum(1 + sum(atom.length for atom, _ in monomial) for monomial in self.terms)

    @property
    def is_integer(self) -> bool:
        """Whether every value is an integer because every coefficient and every atom is one."""
        return all(
            type(coefficient) is int and is_integer_monomial(monomial)
            for monomial, coefficient in self.terms.items()
        )

    def plus(self, other: "Polynomial", factor: Number = 1) -> "Polynomial":
        """The sum of this and `factor` times another."""
        terms = self.terms.copy()
        for monomial, coefficient in other.terms.items():
            total = terms.get(monomial, 0) + coefficient * factor
            if total:
                terms[monomial] = total if type(total) is int else number(total)
            else:
                terms.pop(monomial, None)
        return Polynomial(terms)

    def times(self, other: "Polynomial") -> "Polynomial":
        terms: dict[Monomial, Number] = {}
        for first, a in self.terms.items():
            for second, b in other.terms.items():
                monomial = _product(first, second)
                terms[monomial] = terms.get(monomial, 0) + a * b
        return Polynomial({monomial: number(c) for monomial, c in terms.items() if c})

    def scaled(self, factor: Number) -> "Polynomial":
        return Polynomial({m: number(c * factor) for m, c in self.terms.items()} if factor else {})

    def divided_by(self, divisor: "Polynomial") -> "Polynomial | None":
        """The quotient if it is a polynomial: the divisor has one term, which divides each."""
        if len(divisor.terms) != 1:
            return None
        ((monomial, coefficient),) = divisor.terms.items()
        needed = dict(monomial)
        terms = {}
        for dividend_monomial, factor in self.terms.items():
            powers = dict(dividend_monomial)
            if any(powers.get(atom, 0) < power for atom, power in needed.items()):
                return None
            left = ((atom, power - needed.get(atom, 0)) for atom, power in dividend_monomial)
            rest = tuple((atom, power) for atom, power in left if power)
            terms[rest] = number(Fraction(factor) / coefficient)
        return Polynomial(terms)

    def value(self) -> Number:
        """The value at the point of the trace."""
        return number(
            sum(
                coefficient * prod(atom.value**power for atom, power in monomial)
                for monomial, coefficient in self.terms.items()
            )
        )

    def bounds(self, bounds_by_monomial: dict[Monomial, Bounds]) -> Bounds:
        """The least and the largest value that the bounds of the atoms allow. Reads the bounds of
        monomials from `bounds_by_monomial`, and adds those that it computes."""
        low: Bound = 0
        high: Bound = 0
        for monomial, coefficient in self.terms.items():
            bounds = bounds_by_monomial.get(monomial)
            if bounds is None:
                bounds = bounds_by_monomial[monomial] = _monomial_bounds(monomial)
            least, most = _scaled(bounds, coefficient)
            low = None if low is None or least is None else low + least
            high = None if high is None or most is None else high + most
        return low, high


def number(value: Number) -> Number:
    """A Fraction without a remainder as an int; any other number is unchanged."""
    return value if type(value) is int or value.denominator != 1 else value.numerator


def constant(value: Number) -> Polynomial:
    return Polynomial({(): number(value)} if value else {})


def atom_polynomial(atom: Atom) -> Polynomial:
    return Polynomial({((atom, 1),): 1})


def denominator(polynomial: Polynomial) -> int:
    """A common denominator of all of its values."""
    return lcm(
        *(
            coefficient.denominator * prod(atom.denominator**power for atom, power in monomial)
            for monomial, coefficient in polynomial.terms.items()
        )
    )


def split_integer_terms(quotient: Polynomial) -> tuple[Polynomial, Polynomial]:
    """Two polynomials whose sum is the given one: one with integers as values, and the rest, whose
    constant is from 0 to below 1."""
    integers: dict[Monomial, Number] = {}
    rest: dict[Monomial, Number] = {}
    for monomial, coefficient in quotient.terms.items():
        if not monomial:
            integers[monomial], rest[monomial] = floor(coefficient), coefficient % 1
        elif type(coefficient) is int and is_integer_monomial(monomial):
            integers[monomial] = coefficient
        else:
            rest[monomial] = coefficient
    clean = ({m: number(c) for m, c in part.items() if c} for part in (integers, rest))
    return Polynomial(next(clean)), Polynomial(next(clean))


def single_atom(monomial: Monomial) -> Atom | None:
    """The atom of a monomial that is one atom with the power 1; else None."""
    if len(monomial) == 1:
        ((atom, power),) = monomial
        return atom if power == 1 else None
    return None


def is_integer_monomial(monomial: Monomial) -> bool:
    return all(atom.denominator == 1 for atom, _ in monomial)


def sort_key(monomial: Monomial) -> tuple[tuple[int, int], ...]:
    """The sort key of a term that is not a constant: a term whose first atom was defined later
    comes first; of terms with the same first atom, the one with the lower power."""
    return tuple((-atom.number, power) for atom, power in monomial)


def _product(first: Monomial, second: Monomial) -> Monomial:
    if not first or not second:
        return first or second
    powers = dict(first)
    for atom, power in second:
        powers[atom] = powers.get(atom, 0) + power
    if len(powers) == 1:
        return tuple(powers.items())
    return tuple(sorted(powers.items(), key=lambda item: item[0].number))


def _monomial_bounds(monomial: Monomial) -> Bounds:
    if (single := single_atom(monomial)) is not None:
        return single.low, single.high
    bounds: Bounds = (1, 1)
    for atom, power in monomial:
        square: Bounds = (atom.low, atom.high)
        for bit in range(power.bit_length()):
            if power >> bit & 1:
                bounds = _without_huge(multiply_bounds(bounds, square))
            square = _without_huge(multiply_bounds(square, square))
        if bounds == (None, None):
            break
    return bounds


def _without_huge(bounds: Bounds) -> Bounds:
    """The bounds without those that no number of a network reaches."""
    low, high = (None if bound is None or abs(bound) > HUGE else bound for bound in bounds)
    return low, high


def _scaled(bounds: Bounds, factor: Number) -> Bounds:
    low, high = (None if bound is None else bound * factor for bound in bounds)
    return (low, high) if factor > 0 else (high, low)


def multiply_bounds(first: Bounds, second: Bounds) -> Bounds:
    """The bounds of a product. Without bounds on all sides, only factors from 0 have one."""
    (a, b), (c, d) = first, second
    if a is not None and c is not None and a >= 0 and c >= 0:
        return a * c, None if b is None or d is None else b * d
    if None in (a, b, c, d):
        return None, None
    corners = (a * c, a * d, b * c, b * d)
    return min(corners), max(corners)
