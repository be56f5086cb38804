"""Names of layers, and references to them."""

import pytest
from spec_texts import EIGHT, inputs_by_path, paths
from support import messages


def test_the_input_of_a_layer_is_the_previous_output_or_that_of_the_layer_it_names():
    text = EIGHT + "layers: [{relu: , name: a}, tanh, {elu: , from: a}, gelu]"
    assert inputs_by_path(text) == {
        "a": ["input"],
        "tanh_1": ["a"],
        "elu_1": ["a"],
        "gelu_1": ["elu_1"],
    }


def test_a_name_is_looked_up_from_the_inside_out():
    text = """
        input: {channels: 8, size: 8}
        layers:
          - {relu: , name: x}
          - {relu: , name: y}
          - sequence:
              - {tanh: , name: x}
              - add:
                  a: [{elu: , from: x}]
                  b: [{elu: , from: y}]
                  c: [{elu: , from: input}]
            name: s
          - {gelu: , from: x}
        """
    found = inputs_by_path(text)
    assert found["s/a/elu_1"] == ["s/x"]
    assert found["s/b/elu_1"] == ["y"]
    assert found["s/c/elu_1"] == ["input"]
    assert found["gelu_1"] == ["x"]


def test_a_path_reaches_into_blocks_branches_and_sequences():
    text = """
        input: {channels: 8, size: 8}
        blocks: {b: {layers: [{sequence: [{relu: , name: r}], name: s}, tanh]}}
        layers:
          - {b: , name: b}
          - {add: {one: [{elu: , name: e}], two: []}, name: j}
          - {gelu: , from: b/s/r}
          - {gelu: , from: b/s}
          - {gelu: , from: b}
          - {gelu: , from: j/one/e}
          - {gelu: , from: j/one}
          - {gelu: , from: j}
        """
    found = inputs_by_path(text)
    assert [found[f"gelu_{n}"] for n in range(1, 7)] == [
        ["b/s/r"], ["b/s/r"], ["b/tanh_1"], ["j/one/e"], ["j/one/e"], ["j"]
    ]  # fmt: skip


def test_a_name_not_given_is_the_kind_and_its_ordinal_in_the_scope():
    text = EIGHT + "layers: [relu, tanh, relu, {relu: , name: r}, relu, {sequence: [relu]}]"
    assert paths(text) == ["relu_1", "tanh_1", "relu_2", "r", "relu_4", "sequence_1/relu_1"]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        pytest.param("relu, {tanh: , from: nope}",
            "2:31 CC108 there is no layer `nope` before this one", id="nothing"),
        pytest.param("{relu: , from: x, name: x}",
            "2:25 CC108 there is no layer `x` before this one",
            id="itself"),
        pytest.param("{relu: , from: x}, {tanh: , name: x}",
            "2:25 CC108 there is no layer `x` before this one", id="later"),
        pytest.param("{relu: , name: x, when: false}, {tanh: , from: x}",
            "2:57 CC108 `x` is left out here, because its `when` is false", id="what is dropped"),
        pytest.param("{sequence: [relu], name: x, when: false}, {tanh: , from: x/relu_1}",
            "2:67 CC108 `x/relu_1` is left out here, because its `when` is false",
            id="inside of what is dropped"),
        pytest.param("{sequence: [{relu: , from: s}], name: s}",
            "2:37 CC108 there is no layer `s` before this one", id="the sequence it is in"),
        pytest.param("{concat: {a: [{relu: , from: j}], b: []}, name: j}",
            "2:39 CC108 there is no layer `j` before this one", id="the join it is in"),
        pytest.param("{sequence: [{relu: , name: r}], name: s}, {tanh: , from: s/x}",
            "2:67 CC108 there is no layer `s/x` before this one", id="nothing inside"),
        pytest.param("{relu: , name: r}, {tanh: , from: r/x}",
            "2:44 CC108 there is no layer `r/x` before this one", id="the inside of a layer"),
        pytest.param("{relu: , from: []}", "2:25 CC108 `from` is empty", id="an empty list"),
        pytest.param("{relu: , from: [input, input]}",
            "2:33 CC108 relu accepts one input, not 2", id="two where one is taken"),
        pytest.param("{concat: {a: x, b: []}}",
            "2:23 CC108 there is no layer `x` before this one", id="nothing in a branch"),
    ],
)  # fmt: skip
def test_a_reference_that_names_nothing_is_refused(layers, expected):
    assert messages(f"{EIGHT}layers: [{layers}]") == [expected]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        pytest.param("{relu: , name: a}, {tanh: , name: a}",
            "2:30 CC107 the name `a` is already used",
            id="two layers"),
        pytest.param("{relu: , name: relu_2}, relu", "2:34 CC107 the name `relu_2` is already used",
            id="a name and an ordinal"),
        pytest.param("{concat: {relu_2: [tanh], b: []}}, relu, relu",
            "2:51 CC107 the name `relu_2` is already used", id="a branch and an ordinal"),
        pytest.param("{sequence: [{relu: , name: a}, {tanh: , name: a}], name: s}",
            "2:42 CC107 the name `s/a` is already used", id="two layers of a sequence"),
        pytest.param("{relu: , name: input}",
            "2:25 CC107 `input` cannot be a name", id="input"),
        pytest.param("{relu: , name: a/b}",
            "2:25 CC107 `a/b` cannot be a name", id="a path"),
        pytest.param("{relu: , name: ''}", "2:25 CC107 `` cannot be a name", id="no letters"),
        pytest.param("{relu: , name: [a]}", "2:25 CC107 a name must be a word", id="a list"),
    ],
)  # fmt: skip
def test_a_name_that_is_not_allowed_is_refused(layers, expected):
    assert messages(f"{EIGHT}layers: [{layers}]") == [expected]
