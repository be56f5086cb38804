"""Which sizes a spec takes: `input: {…, fixed: true}` and `input: {…, multiple: 32}`."""

import pytest
from support import cost

from convcost.language.load import load
from convcost.language.network_inputs import SIZE_OPTIONS, Settings
from convcost.model.errors import Source, SpecError
from convcost.model.options import INPUT_KEYS
from convcost.model.shape import Shape

LAYERS = "layers: [{conv: 8, kernel: 3, padding: 1}]"
FIXED = f"input: {{channels: 3, size: 224, fixed: true}}\n{LAYERS}"
MULTIPLE = f"input: {{channels: 3, size: 224, multiple: 32}}\n{LAYERS}"
MACS = 8 * 3 * 3 * 3


def test_a_misspelt_key_of_an_input_is_compared_with_its_known_keys():
    assert (*Shape._fields, *SIZE_OPTIONS) == INPUT_KEYS


def reported(text, size=None):
    """The one thing that is wrong with a text at a size, as `line:column CODE message (help)`."""
    with pytest.raises(SpecError) as caught:
        load(Source("net.yaml", text), Settings((), size))
    (p,) = caught.value.problems
    return f"{p.span.line}:{p.span.column} {p.code} {p.message} ({p.help})"


def test_a_fixed_input_accepts_its_own_size():
    assert cost(FIXED).totals.macs == MACS * 224 * 224
    assert cost(FIXED, size=(224,)).totals.macs == MACS * 224 * 224


def test_a_fixed_input_refuses_any_other_size():
    assert reported(FIXED, (256,)) == (
        "1:8 CC113 `net` cannot have size 256×256: its `input` is fixed at 224×224 "
        "(if this spec is imported, import the model again for another size)"
    )


@pytest.mark.parametrize("size", [(32,), (256,), (64, 96)])
def test_an_input_with_multiple_accepts_multiples(size):
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
def test_an_input_with_multiple_refuses_other_sizes_and_names_the_nearest(
    size, shown, off, nearest
):
    assert reported(MULTIPLE, size) == (
        f"1:8 CC113 `net` cannot have size {shown}: the size must be a multiple of 32; "
        f"{off} is not (the nearest is {nearest})"
    )


def test_the_size_in_the_spec_must_be_a_multiple_too():
    assert reported(MULTIPLE.replace("224", "[224, 230]")) == (
        "1:50 CC113 `input` cannot have size 224×230: the size must be a multiple of 32; 230 is "
        "not (the nearest is 224×224)"
    )
    assert cost(MULTIPLE.replace("224", "230"), size=(256,)).totals.macs == MACS * 256 * 256


def test_size_and_multiple_may_be_expressions_over_variables():
    text = f"vars: {{n: 4}}\ninput: {{channels: 3, size: 8 * n, multiple: 2 * n}}\n{LAYERS}"
    assert cost(text, size=(40,)).totals.macs == MACS * 40 * 40
    assert reported(text, (36,)) == (
        "2:8 CC113 `net` cannot have size 36×36: the size must be a multiple of 8; 36 is "
        "not (the nearest is 40×40)"
    )


@pytest.mark.parametrize("key", ["fixed: false", "multiple: 1", "fixed: ", "multiple: ", "x-a: 1"])
def test_an_input_without_size_options_accepts_all_sizes(key):
    assert cost(FIXED.replace("fixed: true", key), size=(225,)).totals.macs == MACS * 225 * 225


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("fixed: 1", "1:40 CC104 `fixed` of the network must be true or false, not 1 ()"),
        ("fixed: [true]", "1:40 CC104 `fixed` of the network must be true or false, not [true] ()"),
        (
            "multiple: 0",
            "1:43 CC104 `multiple` of the network must be a whole number of at least 1, not 0 ()",
        ),
        (
            "multiple: a",
            "1:43 CC104 `multiple` of the network must be a whole number of at least 1, not `a` ()",
        ),
        (
            "multipel: 32",
            "1:8 CC101 `input` of the network: unknown key `multipel` (did you mean `multiple`?)",
        ),
    ],
)
def test_an_invalid_fixed_or_multiple_is_refused(key, expected):
    assert reported(FIXED.replace("fixed: true", key)) == expected


def test_inputs_by_name_may_have_a_multiple():
    text = (
        "inputs: {a: {channels: 3, size: 30, multiple: 4}}\n"
        "layers: [{conv: 8, kernel: 3, padding: 1}]"
    )
    assert reported(text) == (
        "1:47 CC113 `a` cannot have size 30×30: the size must be a multiple of 4; 30 is not "
        "(the nearest is 32×32)"
    )
