"""Polynomials as text, as LaTeX, and as expressions of Python."""

from collections.abc import Callable
from fractions import Fraction
from keyword import iskeyword
from math import lcm

from convcost.design_space.polynomial import Atom, Monomial, Number, Polynomial, constant
from convcost.model.number_format import format_count
from convcost.model.options import show
from convcost.model.record import NamedTuple

SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Notation(NamedTuple):
    """How the parts of a formula are written. `floor` and `ceil` get the text of the dividend and
    that of the divisor, which is empty for 1."""

    times: str
    number: Callable[[int], str]
    variable: Callable[[str], str]
    power: Callable[[str, int], str]
    fraction: Callable[[str, str], str]
    floor: Callable[[str, str], str]
    ceil: Callable[[str, str], str]
    divides_once: bool = False  # the sum of all terms, because it is whole and they may not be

    def formula(self, polynomial: Polynomial) -> str:
        """The terms with the most factors come first, a constant last."""
        shared = lcm(*(coefficient.denominator for coefficient in polynomial.terms.values()))
        if self.divides_once and shared > 1:
            return self.floor(self.formula(polynomial.scaled(shared)), self.number(shared))
        text = ""
        for monomial in sorted(polynomial.terms, key=by_degree):
            coefficient = polynomial.terms[monomial]
            factors = [self._power(atom, power) for atom, power in monomial]
            if abs(coefficient.numerator) != 1 or not factors:
                factors.insert(0, self.number(abs(coefficient.numerator)))
            term = self.times.join(factors)
            if coefficient.denominator != 1:
                term = self.fraction(term, self.number(coefficient.denominator))
            sign = "-" if coefficient < 0 else "+"
            text += f" {sign} {term}"
        return text.removeprefix(" + ").replace(" - ", "-", not text.startswith(" + ")) or "0"

    def _power(self, atom: Atom, power: int) -> str:
        text = self.variable(atom.name) if atom.name else self._quotient(*atom.arguments)
        return self.power(text, power) if power > 1 else text

    def _quotient(self, dividend: Polynomial, divisor: Polynomial | None = None) -> str:
        """The floor of dividend/divisor, or without a divisor, of the dividend. If the constant of
        the dividend is (q − 1)/q for terms with the denominator q, the text is a ceiling."""
        if divisor is not None:
            return self.floor(self.formula(dividend), f"({self.formula(divisor)})")
        variable_part = dividend.plus(constant(-dividend.constant))
        q = lcm(*(coefficient.denominator for coefficient in variable_part.terms.values()))
        rounds_up = q > 1 and dividend.constant == Fraction(q - 1, q)
        if rounds_up:
            dividend = variable_part
        denominator = lcm(q, dividend.constant.denominator)
        denominator_text = self.number(denominator) if denominator > 1 else ""
        write = self.ceil if rounds_up else self.floor
        return write(self.formula(dividend.scaled(denominator)), denominator_text)


def _divided(text: str, divisor: str) -> str:
    if not divisor:
        return text
    return f"({text})/{divisor}" if " " in text else f"{text}/{divisor}"


def _latex_name(name: str) -> str:
    escaped = name.replace("_", r"\_")
    return name if len(name) == 1 else rf"\mathit{{{escaped}}}"


def _latex_over(text: str, divisor: str) -> str:
    return rf"\frac{{{text}}}{{{divisor.strip('()')}}}" if divisor else text


def _python_name(name: str) -> str:
    return f"{name}_" if iskeyword(name) else name


TEXT = Notation(
    times="·",
    number=format_count,
    variable=str,
    power=lambda text, power: text + str(power).translate(SUPERSCRIPTS),
    fraction=_divided,
    floor=lambda text, divisor: f"⌊{_divided(text, divisor)}⌋",
    ceil=lambda text, divisor: f"⌈{_divided(text, divisor)}⌉",
)
LATEX = Notation(
    times=r"\,",
    number=lambda number: f"{number:,}".replace(",", "{,}"),
    variable=_latex_name,
    power=lambda text, power: f"{text}^{{{power}}}",
    fraction=_latex_over,
    floor=lambda text, divisor: rf"\left\lfloor{{{_latex_over(text, divisor)}}}\right\rfloor",
    ceil=lambda text, divisor: rf"\left\lceil{{{_latex_over(text, divisor)}}}\right\rceil",
)
PYTHON = Notation(
    times="*",
    number=str,
    variable=_python_name,
    power=lambda text, power: f"{text}**{power}",
    fraction=_divided,
    floor=lambda text, divisor: f"(({text})//{divisor or 1})",
    ceil=lambda text, divisor: f"(-(-({text})//{divisor or 1}))",
    divides_once=True,
)
NOTATIONS = {"text": TEXT, "latex": LATEX, "python": PYTHON}


def number_text(value: Number) -> str:
    """A number in a condition: `1,000,000`, `0.5` or `1/3`."""
    return format_count(int(value)) if value.denominator == 1 else show(value)


def by_degree(monomial: Monomial) -> tuple[int, tuple[tuple[int, int], ...]]:
    """The sort key of a term in a formula: its degree, then the order of definition of its atoms.
    The term with the smallest key is written first."""
    powers = tuple((atom.number, -power) for atom, power in monomial)
    return sum(power for _, power in powers), powers
