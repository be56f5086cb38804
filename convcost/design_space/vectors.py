"""Polynomials over arrays of points, in exact integers.

A polynomial is computed in int64 where the largest absolute values of its factors prove that no sum
and no product overflows, else in Python's integers.
"""

from math import lcm, prod
from typing import Any, TypeAlias

import numpy as np

from convcost.design_space.polynomial import Atom, Monomial, Polynomial
from convcost.design_space.trace import Guard
from convcost.model.record import NamedTuple

Array: TypeAlias = Any  # elements are int64, or of Python's integers
INT64 = 2**63 - 1


def exact_array(numbers: list[int]) -> Array:
    """An array of int64, or of Python's integers if one is larger; never of unsigned integers or
    floats, which numpy chooses for large numbers."""
    fits = all(abs(number) <= INT64 for number in numbers)
    return np.array(numbers, dtype=np.int64 if fits else object)


class VariableColumn(NamedTuple):
    """The values of one variable: numerators/denominator."""

    numerators: Array
    denominator: int = 1

    def at(self, index: Any) -> "VariableColumn":
        return self._replace(numerators=self.numerators[index])


class Vectors:
    """The values of polynomials at the points of some columns. Each atom is computed once."""

    def __init__(self, columns: dict[str, VariableColumn]) -> None:
        self.columns = columns
        self._atoms: dict[Atom, tuple[Array, int]] = {}
        self._monomials: dict[Monomial, Array] = {}

    def integers(self, polynomial: Polynomial) -> Array:
        """The values of a polynomial that has integers as values."""
        numerators, denominator = self.fraction(polynomial)
        return numerators // denominator if denominator > 1 else numerators

    def fraction(self, polynomial: Polynomial) -> tuple[Array, int]:
        """The numerators of the values, and their positive denominator."""
        scales = {monomial: self._scale(monomial) for monomial in polynomial.terms}
        shared = lcm(*(c.denominator * scales[m] for m, c in polynomial.terms.items()))
        factors = {
            m: c.numerator * (shared // (c.denominator * scales[m]))
            for m, c in polynomial.terms.items()
            if self._largest(m)  # a product with 0 is 0, also if the other factor exceeds int64
        }
        largest = sum(abs(factor) * self._largest(m) for m, factor in factors.items())
        length = len(next(iter(self.columns.values())).numerators)
        if max(largest, *map(abs, factors.values()), shared) > INT64:
            total: Array = np.zeros(length, dtype=object)
            for monomial, factor in factors.items():
                powers = (self._atom(atom)[0].astype(object) ** power for atom, power in monomial)
                total = total + factor * prod(powers)
            return total, shared
        total = np.full(length, factors.pop((), 0), dtype=np.int64)
        scaled = np.empty(length, dtype=np.int64)  # one for all terms: memory is what takes time
        for monomial, factor in factors.items():
            total += np.multiply(self._monomial(monomial), factor, out=scaled)
        return total, shared

    def holds(self, guard: Guard) -> Array:
        """Whether a guard is true, for each point."""
        numerators, _ = self.fraction(guard.polynomial)
        compare = {">=": np.greater_equal, ">": np.greater, "==": np.equal, "!=": np.not_equal}
        return compare[guard.relation](numerators, 0).astype(bool)

    def _atom(self, atom: Atom) -> tuple[Array, int]:
        """The numerators of an atom's values, and the largest absolute one."""
        if atom not in self._atoms:
            values = self._values(atom)
            largest = max(-int(values.min()), int(values.max())) if len(values) else 0
            if values.dtype == object and largest <= INT64:
                values = values.astype(np.int64)
            self._atoms[atom] = values, largest
        return self._atoms[atom]

    def _values(self, atom: Atom) -> Array:
        if atom.name:
            return self.columns[atom.name].numerators
        dividend, denominator = self.fraction(atom.arguments[0])
        if len(atom.arguments) == 1:
            return dividend // denominator
        divisor, inverse = self.fraction(atom.arguments[1])
        # An earlier guard excludes points with a divisor of 0.
        divisor = np.where(divisor == 0, 1, divisor).astype(object) * denominator
        return dividend.astype(object) * inverse // divisor

    def _monomial(self, monomial: Monomial) -> Array:
        """The product of powers of numerators; the caller knows that it fits int64."""
        product = self._monomials.get(monomial)
        if product is None:
            (atom, power), rest = monomial[-1], monomial[:-1]
            if power > 1:
                rest = (*rest, (atom, power - 1))
            product = self._atom(atom)[0]
            if rest:
                product = self._monomial(rest) * product
            self._monomials[monomial] = product
        return product

    def _largest(self, monomial: Monomial) -> int:
        return prod(self._atom(atom)[1] ** power for atom, power in monomial)

    def _scale(self, monomial: Monomial) -> int:
        named = ((atom, power) for atom, power in monomial if atom.name)
        return prod(self.columns[atom.name].denominator ** power for atom, power in named)
