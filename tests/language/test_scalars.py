"""What a scalar means, by the core schema of YAML 1.2."""

import pytest
from spec_texts import EIGHT
from support import cost, messages

from convcost.model.shape import Shape


def channels(expression, **variables):
    """The filters that a conv has whose filters are an expression."""
    declared = "vars: {w: 12, half: 0.5, deep: true}\n"
    text = f"{EIGHT}{declared}layers: [{{conv: {expression}, kernel: 1}}]"
    return cost(text, **variables).layers[0].output.channels


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        pytest.param("010", 10, id="a leading 0 is nothing"),
        pytest.param("0o10", 8, id="octal"),
        pytest.param("0x1F", 31, id="hexadecimal"),
        pytest.param("4e0", 4, id="an exponent of 0"),
        pytest.param("1e3", 1000, id="an exponent without a point"),
        pytest.param("+4", 4, id="a plus"),
        pytest.param("4.0", 4, id="a point"),
        pytest.param("4.", 4, id="a point at the end"),
        pytest.param(".5e1", 5, id="a point at the start"),
        pytest.param('"4"', 4, id="in quotes it is an expression"),
    ],
)
def test_a_scalar_is_what_the_core_schema_of_yaml_1_2_says(scalar, value):
    assert channels(scalar) == value


@pytest.mark.parametrize("word", ["true", "True", "TRUE"])
def test_each_yaml_1_2_word_for_true_is_true(word):
    text = f"{EIGHT}layers: [{{conv: 4, kernel: 1, bias: {word}}}]"
    assert cost(text).layers[0].biases == 4


@pytest.mark.parametrize("word", ["on", "yes", "off", "no", "y", "tRue"])
def test_a_word_of_yaml_1_1_is_text(word):
    text = f"{EIGHT}layers: [{{conv: 4, kernel: 1, bias: {word}}}]"
    assert messages(text) == [f"2:37 CC104 `bias` of conv must be true or false, not `{word}`"]


@pytest.mark.parametrize("null", ["", "~", "null", "Null", "NULL"])
def test_null_gives_the_default(null):
    text = f"{EIGHT}layers: [{{conv: 4, kernel: 1, stride: {null}}}]"
    assert cost(text).layers[0].output == Shape(4, (8, 8))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param("4000000000.5", "4000000000.5", id="with a half"),
        pytest.param("-4000000000.5", "-4000000000.5", id="below 0"),
        pytest.param("4000000001/3", "4000000001/3", id="that no decimal is"),
        pytest.param("4000000000", "4000000000", id="that is whole"),
    ],
)
def test_a_number_beyond_the_largest_is_shown_as_it_is(value, shown):
    assert messages(f"{EIGHT}layers: [{{leaky_relu: {value}}}]") == [
        f"2:23 CC104 `slope` of leaky_relu must be at most 1,000,000,000, not {shown}"
    ]


def test_white_space_of_any_kind_around_a_value_is_ignored():
    assert messages(EIGHT + 'layers: [{conv: "3\\r", kernel: 1}]') == []
