"""A symbol: a number that the kinds and the language compute with as with an int or a Fraction.

Arithmetic gives a new symbol. A comparison records a guard, and the code continues as at the point
of the trace. What would lose the expression (an index, a hash, a text, a bit operation) pins it: a
guard that it equals its value at the point. A symbol is not a subclass of int, because functions of
C such as `range` and `gcd` read the value of an int without a call of its methods.
"""

from fractions import Fraction
from math import floor, isfinite
from operator import index
from typing import Any, TypeAlias

from convcost.design_space.polynomial import Number, Polynomial, constant, denominator, number
from convcost.design_space.trace import OPERATION, Trace
from convcost.language.arithmetic import MAX_BITS, bits, calculate
from convcost.model.ratio import Ratio, fraction
from convcost.model.symbolic import Symbolic

Operand: TypeAlias = tuple[Polynomial, Number]  # an expression, and its value at the point


class Symbol(Symbolic):
    """An expression of the variables of a trace, and its value at the point of the trace."""

    __slots__ = ("_is_integer", "polynomial", "trace", "value")

    def __init__(
        self, trace: Trace, polynomial: Polynomial, value: Number, *, is_integer: bool = False
    ) -> None:
        self.trace = trace
        self.polynomial = polynomial
        self.value = value if type(value) is int else number(value)
        self._is_integer = is_integer

    # `isinstance` reads it. Whether a number is whole is only decided if code wants to know.
    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return int if self.is_integer else Fraction

    @property
    def is_integer(self) -> bool:
        """Whether it is an integer, with a guard unless that is known."""
        self._is_integer = self._is_integer or self.trace.is_integer(self.polynomial, self.value)
        return self._is_integer

    @property
    def is_known_integer(self) -> bool:
        """Whether it is an integer at all points of the trace, as far as is known yet."""
        self._is_integer = self._is_integer or self.trace.is_known_integer(self.polynomial)
        return self._is_integer

    @property
    def key(self) -> object:
        return self.polynomial.key

    def __repr__(self) -> str:
        return f"<Symbol {self.value}>"

    # Arithmetic

    def _new(self, polynomial: Polynomial, value: Number, *, is_integer: bool = False) -> Any:
        if polynomial.is_constant:
            return number(polynomial.constant)
        self.trace.spend(polynomial.operation_cost)
        return Symbol(self.trace, polynomial, value, is_integer=is_integer)

    def __add__(self, other: object) -> Any:
        return self._sum(other, 1)

    __radd__ = __add__

    def __sub__(self, other: object) -> Any:
        return self._sum(other, -1)

    def __rsub__(self, other: object) -> Any:
        return (-self)._sum(other, 1)

    def _sum(self, other: object, sign: int) -> Any:
        if type(other) is int and other == 0:
            return self
        operand = expression(other)
        if operand is None:
            return self.pin() + sign * other if isinstance(other, float) else NotImplemented
        polynomial, value = self.polynomial.plus(operand[0], sign), self.value + sign * operand[1]
        return self._new(
            polynomial, value, is_integer=self.is_known_integer and _is_known_integer(other)
        )

    def __mul__(self, other: object) -> Any:
        if type(other) is int and other == 1:
            return self
        operand = expression(other)
        if operand is None:
            return self.pin() * other if isinstance(other, float) else NotImplemented
        polynomial, value = self.polynomial.times(operand[0]), self.value * operand[1]
        return self._new(
            polynomial, value, is_integer=self.is_known_integer and _is_known_integer(other)
        )

    __rmul__ = __mul__

    def __neg__(self) -> Any:
        return self._new(self.polynomial.scaled(-1), -self.value, is_integer=self._is_integer)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return -self if self < 0 else self

    def __floordiv__(self, other: object) -> Any:
        if type(other) is int and other == 1 and self.is_known_integer:
            return self
        return self._floor_divide((self.polynomial, self.value), expression(other))

    def __rfloordiv__(self, other: object) -> Any:
        return self._floor_divide(expression(other), (self.polynomial, self.value))

    def _floor_divide(self, a: Operand | None, b: Operand | None) -> Any:
        if a is None or b is None:
            return NotImplemented
        if self.trace.is_zero(*b):
            raise ZeroDivisionError
        return self._new(self.trace.floor_divide(a[0], b[0]), a[1] // b[1], is_integer=True)

    def __mod__(self, other: Any) -> Any:
        quotient = self.__floordiv__(other)
        return quotient if quotient is NotImplemented else self - quotient * other

    def __rmod__(self, other: Any) -> Any:
        quotient = self.__rfloordiv__(other)
        return quotient if quotient is NotImplemented else other - quotient * self

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __pow__(self, exponent: Any, modulo: Any = None) -> Any:
        times = index(exponent)
        if modulo is not None or times < 0:
            return pow(self.pin(), times, modulo)
        result: Any = 1
        for _ in range(times):
            result = self * result
        return result

    def __rpow__(self, base: Any) -> Any:
        return base ** self.pin()

    def __floor__(self) -> Any:
        if self.is_known_integer:
            return self
        return self._new(self.trace.floor(self.polynomial), floor(self.value), is_integer=True)

    def __ceil__(self) -> Any:
        return -(-self).__floor__()

    def __trunc__(self) -> Any:
        return self.__ceil__() if self < 0 else self.__floor__()

    def __round__(self, digits: int | None = None) -> Any:
        if digits is not None:
            return round(self.pin(), digits)
        up = (self + Fraction(1, 2)).__floor__()
        tie = 2 * self % 2 == 1
        return up - up % 2 if tie else up

    # Decisions

    def __lt__(self, other: object) -> Any:
        return self._is_above(_comparable(other), (self.polynomial, self.value))

    def __gt__(self, other: object) -> Any:
        return self._is_above((self.polynomial, self.value), _comparable(other))

    def __le__(self, other: object) -> Any:
        return _negated(self.__gt__(other))

    def __ge__(self, other: object) -> Any:
        return _negated(self.__lt__(other))

    def _is_above(self, a: Operand | None, b: Operand | None) -> Any:
        if a is None or b is None:
            return NotImplemented
        return self.trace.is_positive(a[0].plus(b[0], -1), a[1] - b[1])

    def __eq__(self, other: object) -> bool:
        operand = _comparable(other)
        if operand is None:
            return NotImplemented
        return self.trace.is_zero(self.polynomial.plus(operand[0], -1), self.value - operand[1])

    def __bool__(self) -> bool:
        return not self.trace.is_zero(self.polynomial, self.value)

    # Pins

    def pin(self) -> Any:
        """The value at the point. Adds a guard: the trace is valid only where the expression has
        this value."""
        self.trace.pin(self.polynomial, self.value)
        return self.value

    def __hash__(self) -> int:
        return hash(self.pin())

    def __index__(self) -> int:
        return index(self.pin())

    def __int__(self) -> int:
        return int(self.pin())

    def __float__(self) -> float:
        return float(self.pin())

    def __str__(self) -> str:
        self.trace.pin(self.polynomial, self.value, text=True)
        return str(self.value)

    def __format__(self, spec: str) -> str:
        self.trace.pin(self.polynomial, self.value, text=True)
        return format(self.value, spec)

    @property
    def numerator(self) -> Any:
        return self if self.is_integer else self.pin().numerator

    @property
    def denominator(self) -> Any:
        return 1 if self.is_integer else self.pin().denominator

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.pin(), name)

    # Expressions of a spec

    def calculate(self, sign: str, a: Any, b: Any) -> Any:
        first, second = expression(a), expression(b)
        assert first is not None
        assert second is not None
        self.trace.spend(OPERATION)
        if sign == "/":
            result = self._divide(first, second)
        elif sign == "**":
            result = self._power(a, b)
        elif isinstance(a, Symbol):
            result = _METHODS[sign](a, b)
        else:
            result = _METHODS[sign](Symbol(self.trace, *first), b)
        return result

    @property
    def bits(self) -> int:
        """An upper bound of the bits of the number, from the bounds of the variables. Without one
        up to MAX_BITS, pins the number, and returns the bits of its value."""
        bounds = self.trace.bounds(self.polynomial)
        divisor = denominator(self.polynomial)
        if None not in bounds:
            largest = max(abs(bound) for bound in bounds)
            bit_bound = max(int(largest * divisor) + 1, divisor).bit_length()
            if bit_bound <= MAX_BITS:
                return bit_bound
        return bits(self.pin())

    def _divide(self, a: Operand, b: Operand) -> Any:
        if self.trace.is_zero(*b):
            raise ZeroDivisionError
        quotient = a[0].divided_by(b[0])
        value = number(Fraction(a[1]) / b[1])
        if quotient is None:
            floored = self.trace.floor_divide(a[0], b[0])
            rest = a[0].plus(floored.times(b[0]), -1)
            if self.trace.is_zero(rest, a[1] % b[1]):
                quotient = floored
            else:
                self.trace.pin(*b)
                quotient = a[0].scaled(Fraction(1) / b[1])
        return self._new(quotient, value)

    def _power(self, a: Any, b: Any) -> Any:
        exponent = b.pin() if isinstance(b, Symbol) else b
        if isinstance(a, Symbol):
            if type(exponent) is int and exponent >= 0 and a.bits * exponent <= MAX_BITS:
                return a**exponent
            a = a.pin()
        return calculate("**", a, exponent)


def expression(number: object) -> Operand | None:
    """An expression and its value at the point; None for anything that is not a number."""
    if type(number) is Symbol:
        return number.polynomial, number.value
    if isinstance(number, int):
        return constant(int(number)), int(number)
    if isinstance(number, Fraction | Ratio):
        top, bottom = fraction(number).numerator, fraction(number).denominator
        # Python's Fraction computes with a symbol, and then contains it.
        if isinstance(bottom, Symbol):
            bottom = bottom.pin()
        if isinstance(top, Symbol):
            return top.polynomial.scaled(Fraction(1, bottom)), Fraction(top.value, bottom)
        value = Fraction(top, bottom)
        return constant(value), value
    return None


def _comparable(number: object) -> Operand | None:
    """Like `expression`, also for a float: Python compares a float by its exact value."""
    if isinstance(number, float) and isfinite(number):
        return expression(Fraction(number))
    return expression(number)


def _is_known_integer(other: object) -> bool:
    return other.is_known_integer if type(other) is Symbol else isinstance(other, int)


def _negated(result: Any) -> Any:
    return result if result is NotImplemented else not result


_METHODS: dict[str, Any] = {
    "+": Symbol.__add__, "-": Symbol.__sub__, "*": Symbol.__mul__, "//": Symbol.__floordiv__,
    "%": Symbol.__mod__,
}  # fmt: skip


def _pinning(name: str) -> Any:
    def method(self: Symbol, *others: Any) -> Any:
        plain = (other.pin() if isinstance(other, Symbol) else other for other in others)
        return getattr(self.pin(), name)(*plain)

    return method


_PINNED = "truediv rtruediv and rand or ror xor rxor lshift rlshift rshift rrshift invert"
for _name in _PINNED.split():
    setattr(Symbol, f"__{_name}__", _pinning(f"__{_name}__"))
