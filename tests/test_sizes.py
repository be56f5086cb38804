"""Which sizes a spec takes: `input: {…, fixed: true}` and `input: {…, multiple: 32}`."""

import pytest
from support import cost

from convcost.errors import Source, SpecError
from convcost.options import INPUT_KEYS
from convcost.shapes import Shape
from convcost.spec.entry import Settings
from convcost.spec.load import load
from convcost.spec.sizes import SAYS

LAYERS = "layers: [{conv: 8, kernel: 3, padding: 1}]"
FIXED = f"input: {{channels: 3, size: 224, fixed: true}}\n{LAYERS}"
MULTIPLE = f"input: {{channels: 3, size: 224, multiple: 32}}\n{LAYERS}"
MACS = 8 * 3 * 3 * 3


def test_what_an_input_may_say_is_what_a_misspelt_key_is_compared_with():
    assert (*Shape._fields, *SAYS) == INPUT_KEYS


def said(text, size=None):
    """The one thing that is wrong with a text at a size, as `line:column CODE message (help)`."""
    with pytest.raises(SpecError) as caught:
        load(Source("net.yaml", text), Settings((), size))
    (p,) = caught.value.problems
    return f"{p.place.line}:{p.place.column} {p.code} {p.message} ({p.help})"


def test_a_fixed_input_takes_its_own_size():
    assert cost(FIXED).totals.macs == MACS * 224 * 224
    assert cost(FIXED, size=(224,)).totals.macs == MACS * 224 * 224


def test_a_fixed_input_refuses_any_other_size():
    assert said(FIXED, (256,)) == (
        "1:8 CC113 `net` is asked for size 256×256, but it takes 224×224 alone: its input is "
        "`fixed` (its layers hold for that size; what was imported is imported again at another)"
    )


@pytest.mark.parametrize("size", [(32,), (256,), (64, 96)])
def test_an_input_of_multiples_takes_them(size):
    height, width = size * 2 if len(size) == 1 else size
    assert cost(MULTIPLE, size=size).totals.macs == MACS * height * width


@pytest.mark.parametrize(
    ("size", "shown", "off", "nearest"),
    [
        ((250,), "250×250", 250, "256×256"),
        ((256, 239), "256×239", 239, "256×224"),
        ((240,), "240×240", 240, "256×256"),
        ((1,), "1×1", 1, "32×32"),
    ],
)
def test_an_input_of_multiples_refuses_what_is_none_and_names_the_nearest(
    size, shown, off, nearest
):
    assert said(MULTIPLE, size) == (
        f"1:8 CC113 `net` is asked for size {shown}, but it takes multiples of 32 alone, "
        f"which {off} is not (the nearest is {nearest})"
    )


def test_the_size_in_the_spec_is_such_a_multiple_too():
    assert said(MULTIPLE.replace("224", "[224, 230]")) == (
        "1:50 CC113 `input` has size 224×230, but it takes multiples of 32 alone, which 230 is "
        "not (the nearest is 224×224)"
    )
    assert cost(MULTIPLE.replace("224", "230"), size=(256,)).totals.macs == MACS * 256 * 256


def test_both_may_be_expressions_over_variables():
    text = f"vars: {{n: 4}}\ninput: {{channels: 3, size: 8 * n, multiple: 2 * n}}\n{LAYERS}"
    assert cost(text, size=(40,)).totals.macs == MACS * 40 * 40
    assert said(text, (36,)) == (
        "2:8 CC113 `net` is asked for size 36×36, but it takes multiples of 8 alone, which 36 is "
        "not (the nearest is 40×40)"
    )


@pytest.mark.parametrize("key", ["fixed: false", "multiple: 1", "fixed: ", "multiple: ", "x-a: 1"])
def test_an_input_that_says_nothing_of_sizes_takes_all(key):
    assert cost(FIXED.replace("fixed: true", key), size=(225,)).totals.macs == MACS * 225 * 225


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("fixed: 1", "1:40 CC104 `fixed` of the network must be true or false, not 1 ()"),
        ("fixed: [true]", "1:40 CC104 `fixed` of the network must be true or false, not [true] ()"),
        (
            "multiple: 0",
            "1:43 CC104 `multiple` of the network must be a whole number from 1, not 0 ()",
        ),
        (
            "multiple: a",
            "1:43 CC104 `multiple` of the network must be a whole number from 1, not `a` ()",
        ),
        (
            "multipel: 32",
            "1:8 CC101 `input` of the network: unknown key `multipel` (did you mean `multiple`?)",
        ),
    ],
)
def test_what_is_no_answer_is_refused(key, expected):
    assert said(FIXED.replace("fixed: true", key)) == expected


def test_inputs_by_name_may_say_it_too():
    text = (
        "inputs: {a: {channels: 3, size: 30, multiple: 4}}\n"
        "layers: [{conv: 8, kernel: 3, padding: 1}]"
    )
    assert said(text) == (
        "1:47 CC113 `a` has size 30×30, but it takes multiples of 4 alone, which 30 is not "
        "(the nearest is 32×32)"
    )
