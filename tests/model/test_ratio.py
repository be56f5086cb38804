"""A Ratio behaves as the Fraction that it stands for."""

import copy
import math
import operator
import pickle
import subprocess
import sys
from fractions import Fraction

import pytest

from convcost.model.ratio import Ratio, ratio

NUMBERS = (0, 1, -3, Fraction(1, 2), Fraction(7, 10))


@pytest.mark.parametrize("other", [*NUMBERS, Ratio(7, 10), Ratio(-1, 3)])
@pytest.mark.parametrize(
    "name",
    ["add", "sub", "mul", "truediv", "floordiv", "mod", "eq", "ne", "lt", "le", "gt", "ge"],
)
def test_arithmetic_and_comparison_are_those_of_the_fraction(name, other):
    compute = getattr(operator, name)
    exact = Fraction(other.numerator, other.denominator)
    assert compute(other, Ratio(7, 10)) == compute(exact, Fraction(7, 10))
    if other or name not in ("truediv", "floordiv", "mod"):
        assert compute(Ratio(7, 10), other) == compute(Fraction(7, 10), exact)


@pytest.mark.parametrize(
    "function",
    [
        *(abs, hash, str, repr, int, float, round, bool, math.floor, math.ceil, math.trunc),
        *(operator.neg, operator.pos, "{:}".format, pickle.dumps, copy.deepcopy),
        *(lambda value: value**2, lambda value: divmod(value, 3)),
        lambda value: value.as_integer_ratio(),
    ],
)
def test_a_function_gives_what_it_gives_for_the_fraction(function):
    assert function(Ratio(-7, 10)) == function(Fraction(-7, 10))


def test_a_ratio_is_in_lowest_terms_and_a_fraction_once_fractions_are_loaded():
    assert type(ratio(35, 50)) is Fraction
    code = "from convcost.model.ratio import ratio; print(type(ratio(35, 50)).__name__, end=' ')"
    code += "; print(ratio(35, 50).numerator, ratio(35, 50))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "Ratio 7 7/10\n"
