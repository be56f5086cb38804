"""The sections `input`, `inputs` and `vars`."""

import pytest
from spec_texts import EIGHT, inputs_by_path
from support import cost, messages, problems

from convcost.model.shape import Shape


@pytest.mark.parametrize(
    ("size", "meant"),
    [
        pytest.param("224", (224, 224), id="n is a square"),
        pytest.param("[5, 7]", (5, 7), id="[h, w] is a map"),
        pytest.param("[9]", (9,), id="[n] is a row"),
        pytest.param("[4, 5, 6]", (4, 5, 6), id="[d, h, w] is a volume"),
        pytest.param("[]", (), id="[] is flat"),
    ],
)
def test_the_size_of_an_input_is_parsed(size, meant):
    text = f"input: {{channels: 3, size: {size}}}\nlayers: [relu]"
    assert cost(text).layers[0].output == Shape(3, meant)


def test_an_input_may_hold_expressions_over_vars():
    text = "vars: {c: 3, s: 32}\ninput: {channels: c, size: [s, s//2]}\nlayers: [relu]"
    assert cost(text).layers[0].output == Shape(3, (32, 32 // 2))


def test_layers_use_several_inputs_by_name():
    text = """
        inputs: {image: {channels: 3, size: 8}, mask: {channels: 1, size: 8}}
        layers: [{conv: 4, kernel: 1, from: image, name: stem}, {concat: [stem, mask], name: both}]
        """
    assert inputs_by_path(text) == {"stem": ["image"], "both": ["stem", "mask"]}
    assert cost(text).layers[-1].output == Shape(4 + 1, (8, 8))


def test_a_join_may_be_the_first_layer_of_several_inputs():
    text = """
        inputs: {image: {channels: 3, size: 8}, mask: {channels: 1, size: 8}}
        layers: [{concat: [image, mask]}, relu]
        """
    assert inputs_by_path(text) == {"concat_1": ["image", "mask"], "relu_1": ["concat_1"]}


def test_with_several_inputs_the_first_layer_needs_from():
    text = """
        inputs: {image: {channels: 3, size: 8}, mask: {channels: 1, size: 8}}
        layers: [{conv: 4, kernel: 1}]
        """
    assert messages(text) == [
        "3:11 CC108 the network has 2 inputs, and this layer does not name one"
    ]


def test_an_input_among_several_may_be_named_input():
    text = """
        inputs: {input: {channels: 3, size: 8}, mask: {channels: 3, size: 8}}
        layers: [{relu: , from: input}, {add: [relu_1, mask]}]
        """
    assert inputs_by_path(text) == {"relu_1": ["input"], "add_1": ["relu_1", "mask"]}


def test_a_single_input_of_inputs_enters_the_first_layer():
    text = "inputs: {image: {channels: 3, size: 8}}\nlayers: [relu, {tanh: , from: image}]"
    assert inputs_by_path(text) == {"relu_1": ["image"], "tanh_1": ["image"]}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("3",
            "1:8 CC104 `input` of the network must be {channels: n, size: n or [h, w]}, not 3",
            id="a number"),
        pytest.param("", "1:1 CC103 a spec needs `input`", id="null"),
        pytest.param("{channels: 3}", "1:8 CC103 `input` of the network: `size` is missing",
            id="no size"),
        pytest.param("{size: 3}", "1:8 CC103 `input` of the network: `channels` is missing",
            id="no channels"),
        pytest.param("{channels: 3, size: 3, dept: 3}",
            "1:8 CC101 `input` of the network: unknown key `dept`", id="an unknown key"),
        pytest.param("{channels: 0, size: 3}",
            "1:8 CC104 `input` of the network: channels must be a whole number "
            "of at least 1, not 0",
            id="no channel"),
        pytest.param("{channels: 3, size: [8, 0]}",
            "1:8 CC104 `input` of the network: size must be a whole number of at least 1, not 0",
            id="an axis of 0"),
        pytest.param("{channels: 3, size: [1, 2, 3, 4]}",
            "1:8 CC104 `input` of the network: size has at most 3 numbers, not 4",
            id="an axis too many"),
        pytest.param("{channels: 3, size: {h: 3}}",
            "1:8 CC104 `input` of the network: size must be a whole number of "
            "at least 1, not a mapping",
            id="a mapping for a size"),
    ],
)  # fmt: skip
def test_an_input_must_be_channels_and_a_size(written, expected):
    assert messages(f"input: {written}\nlayers: [relu]") == [expected]


def test_vars_are_expressions_over_those_before_them():
    text = EIGHT + "vars: {a: 2, b: a*3, c: b + a}\nlayers: [{conv: c, kernel: 1}]"
    assert cost(text).layers[0].output.channels == 2 * 3 + 2


def test_a_variable_that_is_set_changes_those_that_follow_from_it():
    text = EIGHT + "vars: {a: 2, b: a*3, c: b + a}\nlayers: [{conv: c, kernel: 1}]"
    assert cost(text, a=5).layers[0].output.channels == 5 * 3 + 5
    assert cost(text, b=1).layers[0].output.channels == 1 + 2


def test_a_variable_that_does_not_exist_cannot_be_set():
    text = EIGHT + "vars: {classes: 10}\nlayers: [relu]"
    assert messages(text, clases=5) == ["CC113 `net` has no variable `clases` to set"]


@pytest.mark.parametrize(
    "layer",
    [
        pytest.param("{relu: , from: input}", id="from"),
        pytest.param("{concat: [input, a]}", id="a branch by name"),
        pytest.param("{add: {x: input, y: a}}", id="a branch that is named"),
        pytest.param("{relu: , from: input, when: in_channels > 1}", id="when"),
    ],
)
def test_input_is_not_the_name_of_one_of_several_inputs(layer):
    inputs = "inputs: {a: {channels: 3, size: 4}, b: {channels: 3, size: 4}}\n"
    (problem,) = problems(f"{inputs}layers: [{layer}]")
    message = "`input` is not one tensor: the network has 2 inputs"
    assert (problem.code, problem.message) == ("CC108", message)
    assert problem.help == "write the name of one: `a`, `b`"


def test_an_input_may_have_a_name_that_begins_with_x_and_a_dash():
    counted = cost(
        """
        inputs: {a: {channels: 4, size: 8}, x-y: {channels: 3, size: 8}}
        layers: [{conv: 2, kernel: 1, from: x-y}]
        """
    )
    assert counted.totals.params == 2 * 3
