"""The guards of a trace as conditions for people: the tightest ones, solved for variables."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import ceil, floor, lcm

from convcost.design_space.notation import TEXT, by_degree, number_text
from convcost.design_space.polynomial import Number, Polynomial
from convcost.design_space.trace import Guard, split_linear

FLIPPED = {">=": "<=", ">": "<", "==": "==", "!=": "!="}


def conditions(guards: Iterable[Guard]) -> list[str]:
    """The conditions under which a trace is valid, such as `32·width is whole` and `size ≥ 7`."""
    integer_texts: list[str] = []
    limits: dict[object, _Limits] = {}
    for guard in guards:
        quotient = _fractional_argument(guard.polynomial)
        if quotient is not None and guard.relation in ("==", "!="):
            isnt = "is" if guard.relation == "==" else "is not"
            integer_texts.append(f"{TEXT.formula(quotient)} {isnt} whole")
            continue
        linear, factor, offset = split_linear(guard.polynomial)
        # Print whole coefficients, and a positive one first.
        scale = lcm(*(coefficient.denominator for coefficient in linear.terms.values()))
        if linear.terms[min(linear.terms, key=by_degree)] < 0:
            scale = -scale
        linear, factor = linear.scaled(scale), Fraction(factor) / scale
        relation = guard.relation if factor > 0 else FLIPPED[guard.relation]
        limits.setdefault(linear.key, _Limits(linear)).add(relation, -offset / factor)
    return [*(text for limit in limits.values() for text in limit.texts()), *integer_texts]


def _fractional_argument(polynomial: Polynomial) -> Polynomial | None:
    """The polynomial x of a guard that is `x − ⌊x⌋`, else None."""
    for monomial, coefficient in polynomial.terms.items():
        if coefficient == -1 and len(monomial) == 1 and monomial[0][1] == 1:
            arguments = monomial[0][0].arguments
            if len(arguments) == 1:
                rest = Polynomial({m: c for m, c in polynomial.terms.items() if m != monomial})
                if rest.key == arguments[0].key:
                    return rest
    return None


class _Limits:
    """The limits of one polynomial."""

    def __init__(self, polynomial: Polynomial) -> None:
        self.polynomial = polynomial
        self.low: tuple[Number, bool] | None = None  # and whether the interval excludes it
        self.high: tuple[Number, bool] | None = None
        self.unequal: dict[Number, None] = {}

    def add(self, relation: str, value: Number) -> None:
        limit = (value, relation in ("<", ">"))
        if relation in (">=", ">", "=="):
            self.low = limit if self.low is None else max(self.low, limit)
        if relation in ("<=", "<", "=="):
            old = self.high or limit
            self.high = min(old, limit, key=lambda bound: (bound[0], not bound[1]))
        if relation == "!=":
            self.unequal[value] = None

    def texts(self) -> Iterator[str]:
        text = TEXT.formula(self.polynomial)
        if self.polynomial.is_integer:
            self.low = self.low and (_next_integer(*self.low), False)
            self.high = self.high and (-_next_integer(-self.high[0], self.high[1]), False)
        if self.low and self.high and self.low[0] == self.high[0]:
            yield f"{text} = {number_text(self.low[0])}"
            return
        if self.low is not None:
            yield f"{text} {'>' if self.low[1] else '≥'} {number_text(self.low[0])}"
        if self.high is not None:
            yield f"{text} {'<' if self.high[1] else '≤'} {number_text(self.high[0])}"
        for value in self.unequal:
            below = self.low is not None and value < self.low[0]
            above = self.high is not None and value > self.high[0]
            if not below and not above:
                yield f"{text} ≠ {number_text(value)}"


def _next_integer(limit: Number, excluded: bool) -> int:
    """The least integer from a limit on, or above the limit if that is excluded."""
    integer: int = floor(limit) + 1 if excluded else ceil(limit)
    return integer
