"""A trace serves every point that meets its guards, and no other."""

import math
import random
import re
from fractions import Fraction
from itertools import islice
from math import ceil, floor, gcd

import numpy as np
import pytest
from fuzz.grammar import Grammar, written
from hypothesis import given, settings
from hypothesis import strategies as st

from convcost.design_space import polynomial
from convcost.design_space.network_function import MEASURES, NetworkFunction
from convcost.design_space.polynomial import number
from convcost.design_space.symbol import Symbol
from convcost.design_space.trace import Trace
from convcost.design_space.traced_function import TracedFunction, Variable
from convcost.language.arithmetic import FUNCTIONS, calculate, compare, whole
from convcost.language.load import Documents
from convcost.model.errors import ConstraintError, Source, SpecError, UsageError
from convcost.sources.spec_files import shipped_specs
from design_space.spaces import check, evaluate_traces, random_variables, shipped_functions

VALUES = {
    "n": (1, 2, 3, 5, 8, 13, 224),
    "m": (-7, -1, 0, 4, 9),
    "w": (Fraction(1, 4), Fraction(1, 2), 1, Fraction(7, 5), 2),
}
VARIABLES = tuple(Variable(name, values) for name, values in VALUES.items())


def symbol(trace, name, value, low=1, high=10**9):
    return Symbol(trace, trace.variable(name, value, (low, high), 1), value)


def every_point(variables):
    """The positions of all points of a grid."""
    axes = np.meshgrid(*(np.arange(len(variable.values)) for variable in variables), indexing="ij")
    return {variable.name: axis.ravel() for variable, axis in zip(variables, axes, strict=True)}


# Expressions


NUMBERS = st.integers(-9, 9) | st.fractions(-3, 3, max_denominator=6)
LEAVES = st.sampled_from(["n", "m", "w"]) | NUMBERS


def deeper(inner):
    return st.one_of(
        st.tuples(st.sampled_from(["+", "-", "*", "/", "//", "%"]), inner, inner),
        st.tuples(st.just("**"), inner, st.integers(0, 3)),
        st.tuples(st.sampled_from(["floor", "ceil", "round", "abs"]), inner),
        st.tuples(st.sampled_from(["min", "max", "divisible"]), inner, inner),
        st.tuples(st.just("if"), st.sampled_from(["<", "<=", "==", "!="]), *[inner] * 4),
    )


EXPRESSIONS = st.recursive(LEAVES, deeper, max_leaves=8)


def value_of(tree, values):
    if isinstance(tree, str):
        return values[tree]
    if not isinstance(tree, tuple):
        return number(tree)
    sign, *parts = tree
    if sign == "if":
        sign, *parts = parts
        left, right, then, other = (value_of(part, values) for part in parts)
        return then if compare(sign, left, right) else other
    parts = [value_of(part, values) for part in parts]
    if sign in FUNCTIONS:
        return whole(FUNCTIONS[sign][0](*parts))
    return calculate(sign, *parts)


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS)
def test_an_expression_has_the_same_value_traced_and_untraced(tree):
    def function(values):
        try:
            value = value_of(tree, values)
            return [floor(value), int(isinstance(value, int)), ceil(value * 7)]
        except (ConstraintError, ZeroDivisionError):
            return [0, -1, 0]

    traced = TracedFunction(function, VARIABLES, 3)
    points = every_point(VARIABLES)
    found = evaluate_traces(traced, points)
    for n in range(len(points["n"])):
        plain = {name: VALUES[name][index[n]] for name, index in points.items()}
        assert [int(column[n]) for column in found.results] == function(plain), plain


def test_equal_sizes_have_equal_keys():
    trace = Trace()
    n = symbol(trace, "n", 224)
    halved = -(-n // 2)
    assert halved.key == ((n + 1) // 2).key == ((n - 1) // 2 + 1).key
    assert (-(-halved // 2)).key == (-(-n // 4)).key
    assert ((4 * n + 3) // 4).key == n.key
    assert (6 * n % 3, n - n) == (0, 0)
    assert not trace.guards


def test_a_number_whose_double_and_triple_are_whole_is_whole():
    trace = Trace()
    w = Symbol(trace, trace.variable("w", 2, (0, 9), 20), 2)
    assert all((n * w).is_integer for n in range(2, 100))
    assert w.is_known_integer
    assert not Symbol(trace, w.polynomial.scaled(Fraction(1, 2)), 1).is_known_integer
    assert len(trace.guards) == 2


def test_the_bounds_of_a_product_of_variables_are_computed_once_until_one_is_narrowed(monkeypatch):
    seen = []
    plain = polynomial.multiply_bounds

    def multiply_bounds(*two):
        seen.append(two)
        return plain(*two)

    monkeypatch.setattr(polynomial, "multiply_bounds", multiply_bounds)
    trace = Trace()
    a, b = symbol(trace, "a", 5, high=10), symbol(trace, "b", 7, high=10)
    product = a * b
    assert all(product + n > 0 for n in range(100))
    first = len(seen)
    assert first < 10
    assert not a > 5  # a guard: a is at most 5
    assert product <= 50
    assert len(seen) == 2 * first


@pytest.mark.parametrize(
    ("use", "result"),
    [
        (lambda n: list(range(n)), [0, 1, 2, 3, 4, 5]),
        (lambda n: gcd(n, 4), 2),
        (lambda n: {n: "six"}[6], "six"),
        (lambda n: "abcdefgh"[n], "g"),
        (lambda n: (1,) * n, (1,) * 6),
        (lambda n: n & 3, 2),
        (lambda n: n.bit_length(), 3),
        (float, 6.0),
        (lambda n: n * 0.5 - n, -3.0),
        (lambda n: 10.5 - n, 4.5),
        (lambda n: n == 6.0, True),
        (lambda n: math.sqrt(n + 3), 3.0),
        (lambda n: f"{n:03d}", "006"),
        (str, "6"),
    ],
)
def test_what_loses_the_expression_pins_the_value(use, result):
    def function(values):
        found = use(values["n"])
        return [1 if found == result else 2, values["n"]]

    variable = Variable("n", (5, 6, 7))
    traced = TracedFunction(function, (variable,), 2)
    outcome = traced.trace({"n": 6})
    assert [guard.relation for guard in outcome.guards] == ["=="]
    assert outcome.results[1].value() == 6


def test_a_comparison_with_a_float_is_a_guard():
    def function(values):
        return [1 if values["n"] > 5.5 else 2 if values["n"] == 5.0 else 3]

    traced = TracedFunction(function, (Variable("n", tuple(range(1, 10))),), 1)
    found = evaluate_traces(traced, {"n": np.arange(9)})
    assert found.results[0].tolist() == [3, 3, 3, 3, 2, 1, 1, 1, 1]
    assert len(traced.outcomes) == 3


@pytest.mark.parametrize(
    "use",
    [
        lambda n: Fraction(1, 2) + n - n,
        lambda n: (Fraction(3, 2) * n) // 1,
        lambda n: n * (Fraction(5, 3) - n) // Fraction(2, 3),
        lambda n: floor(Fraction(1, 3) + n) * n,
        lambda n: max(Fraction(11, 2), n),
        lambda n: FUNCTIONS["divisible"][0](Fraction(7, 2), n),
    ],
)
def test_a_fraction_of_python_computes_with_symbols(use):
    def function(values):
        return [floor(12 * use(values["n"]))]

    traced = TracedFunction(function, (Variable("n", tuple(range(1, 13))),), 1)
    found = evaluate_traces(traced, {"n": np.arange(12)})
    assert found.results[0].tolist() == [function({"n": n})[0] for n in range(1, 13)]


def test_a_symbol_cannot_be_used_after_its_trace():
    trace = Trace()
    n = symbol(trace, "n", 6)
    trace.finish(failed=False)
    with pytest.raises(RuntimeError, match="after the end of its trace"):
        n == 5  # noqa: B015


def test_code_that_takes_a_symbol_for_no_number_is_found():
    def function(values):
        return [values["n"] if type(values["n"]) is int else 0]

    traced = TracedFunction(function, (Variable("n", (5, 6)),), 1)
    message = "the trace at n=5 counts (0,), and the layers (5,)"
    with pytest.raises(UsageError, match=re.escape(message)):
        traced.trace({"n": 5})


# Networks


def function_of(text, measures=("params", "macs", "activations")):
    return NetworkFunction(Documents(Source("net.yaml", text)), None, measures)


def check_points(function, variables):
    """Compares all points of a grid with the plain numbers."""
    traced = TracedFunction(function, variables, len(function.measures))
    points = every_point(variables)
    found = evaluate_traces(traced, points)
    for n in range(len(points[variables[0].name])):
        point = {variable.name: variable.values[points[variable.name][n]] for variable in variables}
        assert [int(column[n]) for column in found.results] == function(point), point


NET = """\
input: {channels: 3, size: 224}
vars: {width: 1, kernel: 3}
layers:
  - {conv: 32*width, kernel: kernel, stride: 2, padding: kernel//2}
  - {repeat: 2, conv: 64*width, kernel: 3}
"""


def test_one_trace_serves_all_points_that_take_the_same_way():
    sizes = tuple(range(32, 321))
    widths = (Fraction(1, 4), Fraction(1, 2), 1, Fraction(3, 2))
    variables = (Variable("size", sizes), Variable("width", widths))
    traced = TracedFunction(function_of(NET), variables, 3)
    found = evaluate_traces(traced, every_point(variables))
    assert len(traced.outcomes) == 1
    assert not found.failed.any()
    assert found.results[0].tolist() == [
        w * 32 * 3 * 9 + w * 32 * w * 64 * 9 + w * 64 * w * 64 * 9 for _ in sizes for w in widths
    ]


def test_one_trace_finds_all_points_with_one_error():
    variables = (Variable("size", tuple(range(1, 100))),)
    traced = TracedFunction(function_of(NET), variables, 3)
    found = evaluate_traces(traced, every_point(variables))
    assert found.failed.tolist() == [-(-n // 2) < 5 for n in range(1, 100)]
    assert len(traced.outcomes) == 3
    assert {
        str(outcome.error.problems[0].code) for outcome in traced.outcomes if outcome.error
    } == {"CC301"}


def test_numbers_beyond_64_bits_are_exact():
    text = "input: {channels: 3, size: 9}\nvars: {n: 4}\nlayers: [{conv: n, kernel: 1}]\n"
    traced = TracedFunction(function_of(text), (Variable("n", (1, 7, 10**9)), BATCH), 3)
    found = evaluate_traces(traced, every_point(traced.variables))
    assert found.results[1].tolist() == [
        3 * n * 9 * 9 * batch for n in (1, 7, 10**9) for batch in BATCH.values
    ]


BATCH = Variable("batch", (1, 2, 10**9))


def test_zero_times_a_number_beyond_64_bits_is_zero():
    text = (
        "input: {channels: 3, size: 9}\nvars: {n: 0, m: 1}\nlayers: [{conv: n*m + 1, kernel: 1}]\n"
    )
    variables = (Variable("n", (0, 1)), Variable("m", (10**25, 10**30)))
    traced = TracedFunction(function_of(text), variables, 3)
    found = evaluate_traces(traced, every_point(variables))
    assert found.failed.tolist() == [False, False, True, True]
    assert found.results[0].tolist()[:2] == [3, 3]


def test_points_that_share_no_trace_are_mostly_computed_with_plain_numbers():
    symbols = []

    def function(values):
        n = values["n"]
        symbols.append(isinstance(n, Symbol))
        return [next(k for k in range(300) if n <= k)]

    traced = TracedFunction(function, (Variable("n", tuple(range(300))),), 1)
    found = traced.evaluate(traced.columns({"n": np.arange(300)}))
    assert found.results[0].tolist() == list(range(300))
    # After the trace number k, k points are computed: 23 traces and 23 * 24 / 2 = 276 points.
    assert len(traced.outcomes) == sum(symbols) == 24
    assert len(symbols) == 300 + 24


def test_points_that_share_a_trace_need_no_plain_numbers():
    def function(values):
        return [1 if values["n"] < 3 else 2 if values["n"] < 6 else 3]

    traced = TracedFunction(function, (Variable("n", tuple(range(9))),), 1)
    found = traced.evaluate(traced.columns({"n": np.arange(9)}))
    assert found.results[0].tolist() == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert len(traced.outcomes) == 3


def test_pruned_weights_are_traced():
    text = """\
input: {channels: 3, size: 9}
vars: {n: 4, kernel: 3, share: 1}
layers: [{conv: n, kernel: kernel, padding: same, density: share}]
"""
    shares = (Fraction(1, 3), Fraction(1, 2), Fraction(9, 10), 1)
    variables = (
        Variable("n", tuple(range(1, 30))), Variable("kernel", (1, 3)), Variable("share", shares)
    )  # fmt: skip
    traced = TracedFunction(function_of(text), variables, 3)
    found = evaluate_traces(traced, every_point(variables))
    weights = [(3 * n * k * k, share) for n in range(1, 30) for k in (1, 3) for share in shares]
    kept = [n - round((1 - share) * n) for n, share in weights]
    assert found.results[0].tolist() == kept
    assert found.results[1].tolist() == [n * 9 * 9 for n in kept]
    assert len(traced.outcomes) < len(kept)


def test_a_search_traces_pruned_macs_once_for_many_widths():
    text = """\
input: {channels: 3, size: 9}
vars: {n: 4}
layers: [{conv: n, kernel: 3, density: 0.51}]
"""
    variables = (Variable("n", tuple(range(1, 51))),)
    traced = TracedFunction(function_of(text, ("macs", "flops")), variables, 2)
    found = evaluate_traces(traced, every_point(variables))
    kept = [27 * n - round(Fraction(49, 100) * 27 * n) for n in range(1, 51)]
    assert found.results[0].tolist() == [7 * 7 * left for left in kept]
    assert found.results[1].tolist() == [2 * 7 * 7 * left for left in kept]
    # 49/100 of 27·n is a half for n = 50 only.
    assert len(traced.outcomes) == 2


def test_a_transposed_convolution_of_any_stride_is_traced():
    text = """\
input: {channels: 3, size: 9}
vars: {kernel: 3, stride: 2}
layers: [{transposed_conv: 4, kernel: kernel, stride: stride}, {conv: 4, kernel: 3}]
"""
    function = function_of(text, MEASURES)
    variables = (Variable("kernel", (1, 2, 3, 4)), Variable("stride", (1, 2, 3, 4)))
    check_points(function, variables)


def test_the_peak_of_memory_is_traced_too():
    measures = [name for name in MEASURES if name != "receptive_field"]
    for _, function in shipped_functions(measures, ["mobilenet_v2", "googlenet"]):
        check(function, 4, random.Random(5))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(shipped_specs()))
def test_a_network_of_each_shipped_spec_costs_the_same_traced_and_untraced(name):
    for full_name, function in islice(shipped_functions(specs=[name]), 1):
        check(function, 2, random.Random(full_name))


@pytest.mark.slow
def test_random_specs_cost_the_same_traced_and_untraced():
    checked = 0
    for seed in range(150):
        rng = random.Random(seed)
        text = written(Grammar(rng).spec(), rng)
        try:
            function = function_of(text, MEASURES)
        except SpecError:
            continue
        if random_variables(function, rng):
            check(function, 5, rng)
            checked += 1
    assert checked > 75
