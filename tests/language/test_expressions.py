"""Expressions: their values, and what is refused."""

import re
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spec_texts import EIGHT
from support import cost, messages, problems

from convcost.language.expressions import parse
from convcost.model.errors import ConstraintError


def channels(expression, **variables):
    """The filters that a conv has whose filters are an expression."""
    declared = "vars: {w: 12, half: 0.5, deep: true}\n"
    text = f"{EIGHT}{declared}layers: [{{conv: {expression}, kernel: 1}}]"
    return cost(text, **variables).layers[0].output.channels


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("1 + 2*3", 1 + 2 * 3, id="products before sums"),
        pytest.param("(1 + 2)*3", (1 + 2) * 3, id="parentheses"),
        pytest.param("2**3**2", 2 ** (3**2), id="powers from the right"),
        pytest.param("-2**2 + 5", -(2**2) + 5, id="a power before its sign"),
        pytest.param('"- -3"', 3, id="two signs"),
        pytest.param("7//2", 3, id="division rounded down"),
        pytest.param("-7//2 + 10", -4 + 10, id="division rounded down below 0"),
        pytest.param("7/2*2", 7, id="exact division"),
        pytest.param("1/3*3", 1, id="a third three times"),
        pytest.param("0.1*30", 3, id="a tenth is a tenth"),
        pytest.param("7 % 4", 3, id="remainder"),
        pytest.param("-7 % 4", 1, id="remainder below 0"),
        pytest.param("2.0", 2, id="2.0 is 2"),
        pytest.param("2.5*2", 5, id="half of ten"),
        pytest.param("2**-1 * 4", 2, id="a power below 0"),
        pytest.param('"max(8, w)"', 12, id="max"),
        pytest.param('"min(8, w, 5)"', 5, id="min of three"),
        pytest.param("abs(-3)", 3, id="abs"),
        pytest.param("round(2.5)", 2, id="round to even below"),
        pytest.param("round(3.5)", 4, id="round to even above"),
        pytest.param("floor(7/2)", 3, id="floor"),
        pytest.param("ceil(7/2)", 4, id="ceil"),
        pytest.param('"divisible(37, 8)"', 40, id="divisible rounds to the nearest"),
        pytest.param('"divisible(10, 8)"', 16, id="divisible stays above 90 percent"),
        pytest.param('"divisible(3, 8)"', 8, id="divisible gives one multiple at least"),
        pytest.param('"divisible(16*0.75, 8)"', 16, id="divisible rounds a half up"),
        pytest.param('"divisible(7, 3)"', 3 * 3, id="divisible by an odd number"),
        pytest.param('"divisible(10**30 + 1, 3) - 10**30"', 2, id="divisible is exact"),
        pytest.param("w", 12, id="a variable"),
        pytest.param("w*half", 6, id="a variable that is no integer"),
        pytest.param("in_channels//2", 8 // 2, id="the channels that come in"),
        pytest.param("in_height*in_width", 8 * 8, id="the size that comes in"),
        pytest.param("w if w > 3 else 4", 12, id="a choice"),
        pytest.param("1 if w < 3 else 2 if w < 20 else 3", 2, id="choices in a row"),
        pytest.param("1 if w > 3 and w < 20 else 2", 1, id="and"),
        pytest.param("1 if not w > 3 or w == 12 else 2", 1, id="not and or"),
        pytest.param("1 if 1 < 2 < 3 else 5", 1, id="relations in a row"),
        pytest.param("1 if 1 < 2 > 3 else 5", 5, id="relations in a row that fail"),
        pytest.param("1 if w != 12 else 6", 6, id="inequality"),
        pytest.param("1 if deep else 2", 1, id="a truth value"),
        pytest.param("5 if 3 == 3.0 else 4", 5, id="3 is 3.0"),
        pytest.param("5 if 1 == true else 4", 4, id="1 is not true"),
        pytest.param("5 if false and 1/0 > 1 else 4", 4, id="and stops at the first false"),
        pytest.param("w if deep else 1/0", 12, id="a choice looks at one side only"),
    ],
)
def test_an_expression_has_a_value(text, value):
    assert channels(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "10/4",
            "CC104 `filters` of conv must be a whole number of at least 1, not 2.5",
            id="2.5 where an integer is due",
        ),
        pytest.param(
            "1/3",
            "CC104 `filters` of conv must be a whole number of at least 1, not 1/3",
            id="a third where an integer is due",
        ),
        pytest.param(
            "1 < 2",
            "CC104 `filters` of conv must be a whole number of at least 1, not true",
            id="a truth value where an integer is due",
        ),
        pytest.param(
            "wdth",
            "CC104 `filters` of conv must be a whole number of at least 1, not `wdth`",
            id="a word",
        ),
        pytest.param(
            "wdth*2",
            "CC105 there is no name `wdth` here, in the expression `wdth*2`",
            id="an unknown name",
        ),
        pytest.param(
            "in_depth", "CC106 in_depth has no value: the input is 8×8×8", id="a depth of a map"
        ),
        pytest.param("1/0", "CC106 1 / 0 divides by 0", id="division by 0"),
        pytest.param("1//0", "CC106 1 // 0 divides by 0", id="rounded division by 0"),
        pytest.param("1 % 0", "CC106 1 % 0 divides by 0", id="remainder by 0"),
        pytest.param("0**-1", "CC106 0 ** -1 divides by 0", id="0 to a power below 0"),
        pytest.param("2**0.5", "CC106 an exponent must be a whole number, not 0.5", id="a root"),
        pytest.param("9**9**9", "CC106 9 ** 387420489 is too large", id="an enormous power"),
        pytest.param("1e61", "CC106 `1e61` is out of range", id="an enormous number"),
        pytest.param("w + true", "CC106 arithmetic needs numbers, not true", id="a sum of a truth"),
        pytest.param(
            "1 if w else 2",
            "CC106 `and`, `or`, `not` and `if` need true or false, not 12",
            id="a number for a truth",
        ),
        pytest.param(
            '"divisible(3, 0)"',
            "CC106 the divisor of `divisible` must be above 0, not 0",
            id="divisible by 0",
        ),
        pytest.param("sqrt(4)", "CC105 there is no function `sqrt`", id="an unknown function"),
        pytest.param(
            '"max()"',
            "CC105 `max` needs 2 to 16 numbers, not 0",
            id="a function of nothing",
        ),
        pytest.param("max(1)", "CC105 `max` needs 2 to 16 numbers, not 1", id="max of one"),
        pytest.param('"abs(1, 2)"', "CC105 `abs` needs 1 number, not 2", id="abs of two"),
        pytest.param("w.real", "CC105 `w.real` is not an expression", id="an attribute"),
        pytest.param('"w[0]"', "CC105 `[` has no meaning in the expression `w[0]`", id="an index"),
        pytest.param(
            "\"__import__('os')\"",
            "CC105 `'` has no meaning in the expression `__import__('os')`",
            id="a string",
        ),
        pytest.param(
            '"lambda: 1"', "CC105 `:` has no meaning in the expression `lambda: 1`", id="a lambda"
        ),
        pytest.param(
            "w = 1", "CC105 `=` has no meaning in the expression `w = 1`", id="an assignment"
        ),
        pytest.param(
            "3 4",
            "CC105 `3 4` is not an expression",
            id="two numbers",
        ),
        pytest.param(
            "1_000",
            "CC105 `1_000` is not an expression",
            id="an underscore in a number",
        ),
        pytest.param(
            "w if deep",
            "CC105 `w if deep` is not an expression",
            id="if without else",
        ),
        pytest.param('"(1"', "CC105 `(1` is not an expression", id="an open one"),
        pytest.param('"1)"', "CC105 `1)` is not an expression", id="a closed one"),
        pytest.param(
            f'"{"(" * 50}1{")" * 50}"',
            "CC105 an expression has at most 40 parentheses",
            id="fifty parentheses",
        ),
        pytest.param(
            "1+" * 300 + "1",
            "CC105 an expression has at most 400 characters, not 601",
            id="an endless sum",
        ),
        pytest.param(
            "٣", "CC105 `٣` has no meaning in the expression `٣`", id="a digit of another script"
        ),
    ],
)
def test_an_expression_without_a_value_is_refused(text, message):
    spec = f"{EIGHT}vars: {{w: 12, half: 0.5, deep: true}}\nlayers: [{{conv: {text}, kernel: 1}}]"
    assert messages(spec) == [f"3:17 {message}"]


@pytest.mark.parametrize(
    ("axis", "value"), [("in_depth", 4), ("in_height", 5), ("in_width", 6), ("in_channels", 3)]
)
def test_an_expression_can_use_every_axis_of_a_volume(axis, value):
    text = f"input: {{channels: 3, size: [4, 5, 6]}}\nlayers: [{{conv: {axis}, kernel: 1}}]"
    assert cost(text).layers[0].output.channels == value


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param(
            EIGHT + "vars: {w: 3}\nlayers: [{conv: max(8, w), kernel: 3}]",
            "3:17 CC105 `max(8`",
            id="in a layer",
        ),
        pytest.param(
            EIGHT + "layers: [{conv: max(8, 9, 7), kernel: 3}]", "2:17 CC105 `max(8`", id="in three"
        ),
        pytest.param(
            EIGHT + "blocks: {b: {options: {n: }, layers: [relu]}}\nlayers: [{b: {n: max(8, 9)}}]",
            "3:18 CC105 `max(8`",
            id="in the mapping of a block",
        ),
        pytest.param(
            EIGHT + "vars: {w: max(3, 4)}\nlayers: [relu]", "2:11 CC105 `max(3`", id="in vars"
        ),
    ],
)
def test_an_expression_split_by_a_comma_is_reported(text, place):
    assert messages(text) == [f"{place} is only a part of an expression"]
    assert [problem.help for problem in problems(text)] == [
        'inside { } an expression with a comma needs quotes: "max(8, width)"'
    ]


@pytest.mark.parametrize("name", ["class", "lambda", "is", "None", "for", "_", "match", "True_"])
def test_a_variable_may_have_the_name_of_a_python_keyword(name):
    text = f"{EIGHT}vars: {{{name}: 3}}\nlayers: [{{conv: 2*{name}, kernel: 1}}]"
    assert cost(text).layers[0].output.channels == 2 * 3


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("1 # two", "`#` has no meaning in the expression `1 # two`", id="a comment"),
        pytest.param("max(*w)", "`max(*w)` is not an expression",
            id="a starred argument"),
        pytest.param("max(1, 2)(3)", "`max(1, 2)(3)` is not an expression",
            id="a call of a result"),
        pytest.param("1)(2", "`1)(2` is not an expression",
            id="parentheses in the wrong order"),
        pytest.param("max(w if deep, 1)",
            "`max(w if deep, 1)` is not an expression",
            id="a choice without else in a call"),
        pytest.param("1 +\n", "`1 +\n` is not an expression",
            id="a line break at the end"),
        pytest.param("w := 1", "`:` has no meaning in the expression `w := 1`",
            id="an assignment expression"),
        pytest.param("1 is 1", "`1 is 1` is not an expression",
            id="an operator of Python alone"),
        pytest.param("0o9", "`0o9` is not a number", id="an octal number with a 9"),
        pytest.param("\x00", "`\x00` has no meaning in the expression `\x00`", id="a zero byte"),
        pytest.param("(" * 41 + "1" + ")" * 41, "an expression has at most 40 parentheses",
            id="41 parentheses"),
    ],
)  # fmt: skip
def test_a_text_that_is_not_an_expression_is_refused(text, found):
    with pytest.raises(ConstraintError) as caught:
        parse(text)
    assert (caught.value.code, caught.value.message) == ("CC105", found)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-" * 399 + "1", -1),
        ("not " * 98 + "true", True),
        ("1+" * 199 + "1", 200),
        ("(" * 40 + "1" + ")" * 40, 1),
        ("1 if true else " * 26 + "2", 1),
    ],
)
def test_a_long_expression_has_a_value(text, value):
    assert parse(text).evaluate(dict[str, Any]().get) == value


NUMBERS = st.integers(0, 30).map(str)
EXPRESSIONS = st.recursive(
    NUMBERS,
    lambda inner: st.one_of(
        st.builds(
            "{} {} {}".format, inner, st.sampled_from(["+", "-", "*", "/", "//", "%"]), inner
        ),
        st.builds("({})".format, inner),
        st.builds("-{}".format, inner),
        st.builds("({} if {} < {} else {})".format, inner, inner, inner, inner),
        st.builds("{}({}, {})".format, st.sampled_from(["min", "max"]), inner, inner),
    ),
    max_leaves=8,
)


@given(EXPRESSIONS)
def test_an_expression_has_the_value_that_python_gives_it_with_fractions(text):
    exact = re.sub(r"\d+", r"Fraction(\g<0>)", text)
    try:
        expected = eval(exact, {"Fraction": Fraction})
    except ZeroDivisionError:
        with pytest.raises(ConstraintError, match="divides by 0"):
            parse(text).evaluate(dict[str, Any]().get)
    else:
        assert parse(text).evaluate(dict[str, Any]().get) == expected
