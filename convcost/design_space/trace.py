"""A trace: the guards under which one run of code holds, and the atoms that its results contain."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil, floor, gcd, lcm
from typing import Any

from convcost.design_space.polynomial import (
    Atom,
    Bounds,
    Monomial,
    Number,
    Polynomial,
    atom_polynomial,
    constant,
    is_integer_monomial,
    number,
    single_atom,
    sort_key,
    split_integer_terms,
)
from convcost.model.errors import UsageError, brief
from convcost.model.record import NamedTuple

MAX_DEGREES = 1_000_000  # terms and factors of all polynomials of a trace
OPERATION = 50  # terms and factors that take as long as an operation of an expression
MONOMIAL = 10  # terms and factors that take as long as the bounds of a monomial
MAX_DEPTH = 100  # nested floors


class TraceLimitError(Exception):
    """The polynomials of a trace are too large."""


class Guard(NamedTuple):
    """A condition on the variables: the polynomial is `>=`, `>`, `==` or `!=` 0."""

    polynomial: Polynomial
    relation: str


class Trace:
    """Records the guards of one run. After `finish`, a further guard is an error, because no code
    may use a symbol after its run."""

    def __init__(self) -> None:
        self.atoms: list[Atom] = []
        self.guards: list[Guard] = []
        self._printed: list[Guard] = []  # guards of values that a text shows
        self._seen: set[object] = set()
        self._atoms: dict[object, Atom] = {}
        self._limits: dict[object, Bounds] = {}
        self._monomials: dict[Monomial, Bounds] = {}  # valid until the bounds of an atom change
        # By direction of a polynomial: a multiple of it that a guard requires to be an integer.
        self._integer_multiples: dict[object, Number] = {}
        self._finished = False
        self._degrees = 0

    def spend(self, degrees: int) -> None:
        """Counts work, in terms and factors of polynomials. Raises TraceLimitError."""
        self._degrees += degrees
        if self._degrees > MAX_DEGREES:
            raise TraceLimitError

    def variable(self, name: str, value: Number, bounds: Bounds, denominator: int) -> Polynomial:
        """A variable at the point `value`. Its values are multiples of 1/denominator."""
        return self._atom((name,), name, (), value, bounds, denominator)

    def finish(self, *, failed: bool) -> None:
        """Ends the run. A value in a text is a guard only if the run succeeded: the outcome of a
        failed run is that it failed, whatever values its message has."""
        self._finished = True
        if not failed:
            self.guards += self._printed

    # Decisions

    def is_positive(self, polynomial: Polynomial, value: Number) -> bool:
        """Whether a polynomial is above 0 at the point, with a guard unless it always or never is.

        `value` is that at the point.
        """
        low, high = self._bounds(polynomial)
        if low is not None and low > 0:
            return True
        if high is not None and high <= 0:
            return False
        if value <= 0:
            self._guard(Guard(polynomial.scaled(-1), ">="))
        elif polynomial.is_integer:
            self._guard(Guard(polynomial.plus(constant(-1)), ">="))
        else:
            self._guard(Guard(polynomial, ">"))
        return bool(value > 0)

    def is_zero(self, polynomial: Polynomial, value: Number) -> bool:
        """Whether a polynomial is 0 at the point, with a guard unless it always is or never is."""
        if polynomial.is_constant:
            return bool(polynomial.constant == 0)
        low, high = self._bounds(polynomial)
        if low == high == 0:
            return True
        if (low is not None and low > 0) or (high is not None and high < 0):
            return False
        self._guard(Guard(polynomial, "!=" if value else "=="))
        return not value

    def is_integer(self, polynomial: Polynomial, value: Number) -> bool:
        """Whether a polynomial is an integer at the point, with a guard unless it always is."""
        if polynomial.is_integer or self.is_known_integer(polynomial):
            return True
        rest = split_integer_terms(polynomial)[1]
        is_integer = bool(value.denominator == 1)
        part = rest.plus(self.floor(rest), -1)
        self.is_zero(part, part.value())
        if is_integer:
            direction, multiple = _direction(rest)
            integer_multiple = self._integer_multiples.get(direction, 0)
            self._integer_multiples[direction] = _common_divisor(multiple, integer_multiple)
            ((monomial, coefficient), *others) = rest.terms.items()
            atom = single_atom(monomial)
            if not others and coefficient == 1 and atom is not None:
                atom.denominator = 1  # an integer at all points of this trace
        return is_integer

    def pin(self, polynomial: Polynomial, value: Number, *, text: bool = False) -> None:
        """Guards that a polynomial has its value at the point, see `finish` for `text`."""
        difference = polynomial.plus(constant(-value))
        if text and not difference.is_constant:
            self._printed.append(Guard(difference, "=="))
        elif not text:
            self.is_zero(difference, 0)

    # Operations

    def floor(self, quotient: Polynomial) -> Polynomial:
        """⌊quotient⌋ in its normal form."""
        integers, rest = split_integer_terms(quotient)
        if rest.is_constant:
            return integers
        if self.is_known_integer(rest):
            return integers.plus(rest)
        if all(map(is_integer_monomial, rest.terms)):
            q = lcm(*(c.denominator for monomial, c in rest.terms.items() if monomial))
            # The other terms are multiples of 1/q, so the constant can be rounded down to one.
            spare = rest.constant % Fraction(1, q)
            rest = rest.plus(constant(-spare))
            first = min(filter(None, rest.terms), key=sort_key)
            if rest.terms[first] < 0:  # ⌊−a/q⌋ is −⌊(a + q − 1)/q⌋
                mirrored = rest.scaled(-1).plus(constant(Fraction(q - 1, q)))
                return integers.plus(self.floor(mirrored), -1)
            atom = single_atom(first)
            if atom is not None and len(rest.terms) - (() in rest.terms) == 1:
                factor = rest.terms[first]
                # ⌊(⌊x⌋ + k)/q⌋ is ⌊(x + k)/q⌋ for integers k and q.
                if factor.numerator == 1 and len(atom.arguments) == 1:
                    (x,) = atom.arguments
                    nested = x.scaled(factor).plus(constant(rest.constant))
                    return integers.plus(self.floor(nested))
        low, high = self.bounds(rest)
        bounds = None if low is None else floor(low), None if high is None else floor(high)
        return integers.plus(self._atom(rest.key, "", (rest,), floor(rest.value()), bounds))

    def floor_divide(self, dividend: Polynomial, divisor: Polynomial) -> Polynomial:
        """⌊dividend/divisor⌋. The divisor is not 0."""
        quotient = dividend.divided_by(divisor)
        if quotient is not None:
            return self.floor(quotient)
        low, high = self._bounds(dividend)
        least, most = self._bounds(divisor)
        bounds: Bounds = (None, None)
        if low is not None and low >= 0 and least is not None and least > 0:
            bounds = 0 if most is None else low // most, None if high is None else high // least
        value = dividend.value() // divisor.value()
        key = (dividend.key, divisor.key)
        return self._atom(key, "", (dividend, divisor), value, bounds)

    def _atom(
        self,
        key: object,
        name: str,
        arguments: tuple[Polynomial, ...],
        value: Number,
        bounds: Bounds,
        denominator: int = 1,
    ) -> Polynomial:
        atom = self._atoms.get(key)
        if atom is None:
            atom = Atom(len(self.atoms), name, arguments, value, bounds, denominator)
            if atom.depth > MAX_DEPTH:
                raise TraceLimitError
            self._atoms[key] = atom
            self.atoms.append(atom)
        return atom_polynomial(atom)

    # Guards

    def _guard(self, guard: Guard) -> None:
        if self._finished:
            raise RuntimeError("a symbol is used after the end of its trace")
        key = (guard.polynomial.key, guard.relation)
        if key not in self._seen:
            self._seen.add(key)
            self.guards.append(guard)
            if guard.relation != "!=":
                self._limit(guard)

    def _limit(self, guard: Guard) -> None:
        """Narrows the bounds of a polynomial that a guard limits."""
        linear, factor, offset = split_linear(guard.polynomial)
        limit = number(Fraction(-offset) / factor)
        low, high = self._limits.get(linear.key, (None, None))
        if guard.relation == "==" or factor > 0:
            low = limit if low is None else max(low, limit)
        if guard.relation == "==" or factor < 0:
            high = limit if high is None else min(high, limit)
        self._limits[linear.key] = low, high
        if len(linear.terms) == 1:
            (monomial,) = linear.terms
            atom = single_atom(monomial)
            if atom is not None:
                if low is not None and (atom.low is None or low > atom.low):
                    atom.low = ceil(low) if atom.denominator == 1 else low
                    self._forget_bounds()
                if high is not None and (atom.high is None or high < atom.high):
                    atom.high = floor(high) if atom.denominator == 1 else high
                    self._forget_bounds()

    def bounds(self, polynomial: Polynomial) -> Bounds:
        """The least and the largest value that the bounds of the atoms allow. Raises
        TraceLimitError."""
        self.spend(polynomial.operation_cost)
        return polynomial.bounds(self._monomials)

    def _forget_bounds(self) -> None:
        """Counts the work to compute the bounds of monomials again. Raises TraceLimitError."""
        self.spend(MONOMIAL * len(self._monomials))
        self._monomials.clear()

    def _bounds(self, polynomial: Polynomial) -> Bounds:
        """The bounds of a polynomial, narrowed by the guards on its multiples if the bounds of its
        atoms do not decide its sign."""
        low, high = self.bounds(polynomial)
        decided = (low is not None and low > 0) or (high is not None and high < 0)
        if decided or polynomial.is_constant:
            return low, high
        linear, factor, offset = split_linear(polynomial)
        if linear.key in self._limits:
            ends = self._limits[linear.key]
            least, most = ends if factor > 0 else ends[::-1]
            if least is not None:
                least = least * factor + offset
                low = least if low is None else max(low, least)
            if most is not None:
                most = most * factor + offset
                high = most if high is None else min(high, most)
        return low, high

    def is_known_integer(self, polynomial: Polynomial) -> bool:
        """Whether a polynomial is an integer at all points of the trace: because of its terms, or
        because a guard requires that of a polynomial of which it is a multiple."""
        if polynomial.is_integer:
            return True
        rest = split_integer_terms(polynomial)[1]
        if rest.is_constant:
            return False
        direction, multiple = _direction(rest)
        known = self._integer_multiples.get(direction)
        return known is not None and (Fraction(multiple) / known).denominator == 1


def _direction(polynomial: Polynomial) -> tuple[object, Number]:
    """The key of a polynomial divided by its first coefficient, and this coefficient."""
    factor = split_linear(polynomial)[1]
    return polynomial.scaled(Fraction(1) / factor).key, factor


def _common_divisor(first: Number, second: Number) -> Number:
    """The largest number of which both are multiples by integers."""
    bottom = lcm(first.denominator, second.denominator)
    return Fraction(gcd(int(first * bottom), int(second * bottom)), bottom)


def split_linear(polynomial: Polynomial) -> tuple[Polynomial, Number, Number]:
    """Splits a polynomial to `linear · factor + offset`, where the first coefficient of `linear` is
    1."""
    offset = polynomial.constant
    factor = polynomial.terms[min(filter(None, polynomial.terms), key=sort_key)]
    linear = polynomial.plus(constant(-offset)) if offset else polynomial
    return linear.scaled(Fraction(1) / factor) if factor != 1 else linear, factor, offset


def check_trace(values: Sequence[Any], expected: Sequence[Any], point: Mapping[str, Any]) -> None:
    """Raises UsageError if a trace differs from the plain costs at its own point."""
    values, expected = tuple(values), tuple(expected)
    if values != expected:
        at = ", ".join(f"{name}={value}" for name, value in point.items())
        raise UsageError(
            f"the trace at {at} counts {brief(values)}, and the layers {brief(expected)}",
            help="a plug-in must test for integers with isinstance(value, int), not type(value)",
        )
