"""How a layer is written: its kind, its options and its keys."""

import pytest
from spec_texts import EIGHT
from support import cost, messages, problems

from convcost.model.shape import Shape


def laid(text, **variables):
    """Paths and kinds of the layers of a text, in order."""
    return [f"{layer.path} {layer.kind}" for layer in cost(text, **variables).layers]


@pytest.mark.parametrize(
    ("written", "path"),
    [
        pytest.param("relu", "relu_1", id="a word"),
        pytest.param("{relu: }", "relu_1", id="a mapping"),
        pytest.param("{relu: ~}", "relu_1", id="a mapping with a null"),
        pytest.param("{relu: , name: r}", "r", id="a mapping with a name"),
        pytest.param("{name: r, relu: }", "r", id="a mapping whose name comes first"),
        pytest.param("{note: why, relu: }", "relu_1", id="a mapping with a note"),
    ],
)
def test_a_layer_is_a_word_or_a_mapping(written, path):
    assert laid(f"{EIGHT}layers: [{written}]") == [f"{path} relu"]


@pytest.mark.parametrize(
    ("written", "shape"),
    [
        pytest.param("{conv: 4, kernel: 3}", Shape(4, (6, 6)), id="conv takes filters"),
        pytest.param("{conv: , filters: 4, kernel: 3}", Shape(4, (6, 6)), id="or its name"),
        pytest.param("{max_pool: 2}", Shape(8, (4, 4)), id="max_pool takes a kernel"),
        pytest.param("{depthwise: 3}", Shape(8, (6, 6)), id="depthwise takes a kernel"),
        pytest.param("{upsample: 2}", Shape(8, (16, 16)), id="upsample takes a scale"),
        pytest.param("{slice: 3}", Shape(3, (8, 8)), id="slice takes channels"),
        pytest.param("{concat: [input, input]}", Shape(16, (8, 8)), id="concat takes branches"),
    ],
)
def test_the_value_of_the_kind_is_its_principal_option(written, shape):
    assert cost(f"{EIGHT}layers: [{written}]").layers[-1].output == shape


def test_linear_accepts_features():
    text = "input: {channels: 8, size: []}\nlayers: [{linear: 5}]"
    assert cost(text).layers[0].output == Shape(5)


def test_a_kind_accepts_its_options_by_name_too():
    text = (
        EIGHT
        + "layers: [{conv: {filters: 4, kernel: 3}, padding: 1}, {batch_norm: {scale: false}}]"
    )
    assert cost(text).totals.params == 4 * 3 * 3 * 8 + 4
    joined = EIGHT + "layers: [{add: , branches: {a: [], b: [relu]}}, {sequence: , layers: [relu]}]"
    assert [layer.path for layer in cost(joined).layers] == [
        "b/relu_1",
        "add_1",
        "sequence_1/relu_1",
    ]


@pytest.mark.parametrize(
    ("layer", "message", "hint"),
    [
        pytest.param(
            "{conv: 8, kernel: 3, pad: 1}", "conv has no option `pad`", "did you mean `padding`?",
            id="another tool's word that is a kind here",
        ),
        pytest.param(
            "{type: conv, filters: 8, kernel: 3}", "this layer has no kind",
            "the kind is the key, its main option the value: {conv: 64, kernel: 3}", id="a type",
        ),
        pytest.param(
            "{conv: 8, kernel: 3, in_channels: 8}", "conv has no option `in_channels`",
            "remove it: the input channels are those of the layer before",
            id="input channels",
        ),
        pytest.param(
            "{conv: 9/2, kernel: 3}",
            "`filters` of conv must be a whole number of at least 1, not 4.5",
            "round(…), // or divisible(…, 8) make it whole", id="a fraction of filters",
        ),
        pytest.param(
            '{conv: 8, kernel: "(3, 3)"}',
            "`(3, 3)` is not an expression",
            "write a list as [3, 3]", id="a tuple",
        ),
    ],
)  # fmt: skip
def test_a_beginners_mistake_has_a_help_text(layer, message, hint):
    (problem,) = problems(EIGHT + f"layers: [{layer}]")
    assert (problem.message, problem.help) == (message, hint)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(EIGHT, ["1:1 CC103 a spec needs `layers`"], id="no layers"),
        pytest.param("layers: [relu]", ["1:1 CC103 a spec needs `input`"], id="no input"),
        pytest.param(
            "inputs: {}\nlayers: [relu]", ["1:1 CC103 a spec needs `input`"], id="inputs of none"
        ),
        pytest.param(
            "inputs:\nlayers: [relu]", ["1:1 CC103 a spec needs `input`"], id="inputs of null"
        ),
        pytest.param(
            EIGHT + "inputs: {a: {channels: 3, size: 8}}\nlayers: [relu]",
            ["2:9 CC104 a spec must not have both `input` and `inputs`"],
            id="input and inputs",
        ),
        pytest.param(EIGHT + "layers: []", ["2:9 CC103 a spec needs `layers`"], id="none listed"),
        pytest.param(
            EIGHT + "layers: relu", ["2:9 CC104 `layers` must be a list of layers"], id="a word"
        ),
        pytest.param(
            EIGHT + "layers: {conv: 3, kernel: 1}",
            ["2:9 CC104 `layers` must be a list of layers"],
            id="a mapping",
        ),
        pytest.param(
            EIGHT + "layers: [relu, ~, [tanh], {name: x}, {kernel: 3}]",
            [
                "2:16 CC111 a layer is missing here",
                "2:19 CC111 a layer must be a word or a mapping, not a list",
                "2:27 CC111 this layer has no kind",
                "2:38 CC111 this layer has no kind",
            ],
            id="layers that are none",
        ),
        pytest.param(
            EIGHT + "layers: [{conv: 3, kernel: 1, relu: }]",
            ["2:10 CC111 a layer can have one kind, not `conv` and `relu`"],
            id="two kinds in one layer",
        ),
        pytest.param(
            EIGHT + "blocks: {conv: {layers: [relu]}}\nlayers: [relu]",
            ["2:10 CC107 `conv` is a kind and cannot be a block"],
            id="a block with the name of a kind",
        ),
        pytest.param(
            EIGHT + "blocks: {b: [relu]}\nlayers: [b]",
            ["2:10 CC104 block `b` must have `layers`"],
            id="a block that is a list",
        ),
        pytest.param(
            EIGHT + "blocks: {b: {options: {n: 1}}}\nlayers: [b]",
            ["2:10 CC103 block `b` needs `layers`"],
            id="a block without layers",
        ),
    ],
)
def test_a_spec_that_lacks_something_is_refused(text, expected):
    assert messages(text) == expected


@pytest.mark.parametrize(
    ("layer", "column", "message", "help_"),
    [
        pytest.param("cnv", 10, "CC102 there is no kind or block `cnv`", "conv", id="misspelt"),
        pytest.param("Relu", 10, "CC102 there is no kind or block `Relu`", "relu", id="capital"),
        pytest.param(
            "{maxpool: 3}",
            11,
            "CC102 there is no kind or block `maxpool`",
            "max_pool",
            id="a synonym",
        ),
        pytest.param(
            "{conv2d: 3, kernel: 1}",
            11,
            "CC102 there is no kind or block `conv2d`",
            "conv",
            id="a synonym with options",
        ),
        pytest.param(
            "{conv: 3, kernel: 1, strides: 2}",
            31,
            "CC101 conv has no option `strides`",
            "stride",
            id="a synonym of an option",
        ),
        pytest.param(
            "{conv: 3, kernl: 1}",
            20,
            "CC101 conv has no option `kernl`",
            "kernel",
            id="a misspelt option that is required",
        ),
        pytest.param(
            "{relu: , nmae: x}", 19, "CC101 relu has no option `nmae`", "name", id="a common key"
        ),
    ],
)
def test_the_help_for_an_unknown_word_names_the_nearest_one(layer, column, message, help_):
    text = f"{EIGHT}layers: [{layer}]"
    assert messages(text) == [f"2:{column} {message}"]
    assert [problem.help for problem in problems(text)] == [f"did you mean `{help_}`?"]


def test_the_help_for_an_unknown_section_names_the_nearest_one():
    text = EIGHT + "layer: [relu]\nlayers: [relu]"
    assert messages(text) == ["2:1 CC101 a spec has no section `layer`"]
    assert problems(text)[0].help == "did you mean `layers`?"


def test_the_help_for_a_word_like_no_kind_names_the_list_of_kinds():
    (problem,) = problems(EIGHT + "layers: [zzzzzz]")
    assert problem.message == "there is no kind or block `zzzzzz`"
    assert problem.help == "`convcost kinds` lists the kinds; `custom` accepts costs that you state"


def test_a_very_long_word_is_shortened_in_a_message():
    (problem,) = problems(f"{EIGHT}layers: [{'a' * 100_000}]")
    assert len(problem.message) < 200


@pytest.mark.parametrize(
    ("times", "shown"),
    [("-1", "-1"), ("1.5", "1.5"), ("true", "true"), ("two", "`two`"), ("[2]", "[2]")],
)
def test_repeat_is_a_whole_number(times, shown):
    text = f"{EIGHT}layers: [{{relu: , repeat: {times}}}]"
    assert messages(text) == [
        f"2:27 CC104 `repeat` of a layer must be a whole number of at least 0, not {shown}"
    ]


def test_when_is_true_or_false():
    text = EIGHT + "layers: [{relu: , when: 1}]"
    assert messages(text) == ["2:25 CC104 `when` of a layer must be true or false, not 1"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: [a]\n" + EIGHT + "layers: [relu]", "1:7 CC104 `name` must be text"),
        ("note: {a: b}\n" + EIGHT + "layers: [relu]", "1:7 CC104 `note` must be text"),
        (
            EIGHT + "layers: [{add: {a: [], b: []}, branches: {c: [relu], d: []}}]",
            "2:32 CC003 `branches` of add is given twice",
        ),
    ],
)
def test_a_value_that_would_be_ignored_is_refused(text, expected):
    assert messages(text) == [expected]


def test_the_macs_of_a_custom_layer_are_a_number_or_uncounted():
    text = "{input: {channels: 3, size: 8}, layers: [{custom: x, params: 18, macs: unknown}]}"
    (message,) = messages(text)
    assert message == (
        "1:72 CC104 `macs` of custom must be a whole number of at least 0, or `uncounted`, "
        "not `unknown`"
    )
