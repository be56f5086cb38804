"""The spec language, sentence by sentence."""

from textwrap import dedent

import pytest
from support import cost, messages, problems, run

from convcost.errors import Source
from convcost.shapes import Shape
from convcost.spec.load import Settings, load

EIGHT = "input: {channels: 8, size: 8}\n"


def laid(text, **variables):
    """Paths and kinds of the layers of a text, in order."""
    return [f"{layer.path} {layer.kind}" for layer in cost(text, **variables).layers]


def paths(text, **variables):
    return [layer.path for layer in cost(text, **variables).layers]


def feeds(text):
    """Each layer and what feeds it, by path, or by the name of an input."""
    network = cost(text).network
    names = [name for name, _ in network.inputs]
    return {
        step.path: [network.steps[i].path if i >= 0 else names[-1 - i] for i in step.inputs]
        for step in network.steps
    }


def channels(expression, **variables):
    """The filters that a conv has whose filters are an expression."""
    declared = "vars: {w: 12, half: 0.5, deep: true}\n"
    text = f"{EIGHT}{declared}layers: [{{conv: {expression}, kernel: 1}}]"
    return cost(text, **variables).layers[0].output.channels


# Documents


TWO = """
    name: wide
    input: {channels: 3, size: 8}
    layers: [{conv: 8, kernel: 1}]
    ---
    name: narrow
    input: {channels: 3, size: 8}
    layers: [{conv: 4, kernel: 1}]
    """


def networks(text, pick=None, name="net.yaml"):
    return load(Source(name, dedent(text)), Settings(), pick)


def test_one_document_is_one_network():
    assert [network.name for network in networks(TWO)] == ["wide", "narrow"]


def test_a_document_is_picked_by_its_name():
    (network,) = networks(TWO, "narrow")
    assert network.steps[0].shape == Shape(4, (8, 8))


def test_a_spec_without_a_name_is_called_after_its_file():
    (network,) = networks("input: {channels: 3, size: 8}\nlayers: [relu]", name="dir/tiny.yaml")
    assert network.name == "tiny"


def test_documents_do_not_share_anchors_variables_or_blocks():
    text = """
        vars: {n: 4}
        blocks: {b: {layers: [relu]}}
        input: {channels: 3, size: 8}
        layers: [&conv {conv: n, kernel: 1}, b]
        ---
        input: {channels: 3, size: 8}
        layers: [{conv: n, kernel: 1}, b]
        """
    assert messages(text) == [
        "8:17 CC104 `filters` of conv must be a whole number from 1, not `n`",
        "8:32 CC102 there is no kind or block `b`",
    ]


def test_two_documents_of_one_name_are_refused():
    text = "name: a\n" + EIGHT + "layers: [relu]\n---\nname: a\n" + EIGHT + "layers: [relu]\n"
    assert messages(text) == ["5:7 CC107 two documents are named `a`"]


# Input


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
def test_the_size_of_an_input(size, meant):
    text = f"input: {{channels: 3, size: {size}}}\nlayers: [relu]"
    assert cost(text).layers[0].output == Shape(3, meant)


def test_an_input_may_hold_expressions_over_vars():
    text = "vars: {c: 3, s: 32}\ninput: {channels: c, size: [s, s//2]}\nlayers: [relu]"
    assert cost(text).layers[0].output == Shape(3, (32, 32 // 2))


def test_several_inputs_are_taken_by_name():
    text = """
        inputs: {image: {channels: 3, size: 8}, mask: {channels: 1, size: 8}}
        layers: [{conv: 4, kernel: 1, from: image, name: stem}, {concat: [stem, mask], name: both}]
        """
    assert feeds(text) == {"stem": ["image"], "both": ["stem", "mask"]}
    assert cost(text).layers[-1].output == Shape(4 + 1, (8, 8))


def test_a_join_may_be_the_first_layer_of_several_inputs():
    text = """
        inputs: {image: {channels: 3, size: 8}, mask: {channels: 1, size: 8}}
        layers: [{concat: [image, mask]}, relu]
        """
    assert feeds(text) == {"concat_1": ["image", "mask"], "relu_1": ["concat_1"]}


def test_with_several_inputs_the_first_layer_must_say_which_it_takes():
    text = """
        inputs: {image: {channels: 3, size: 8}, mask: {channels: 1, size: 8}}
        layers: [{conv: 4, kernel: 1}]
        """
    assert messages(text) == [
        "3:11 CC108 the network has 2 inputs, and this layer takes none of them"
    ]


def test_an_input_among_several_may_be_named_input():
    text = """
        inputs: {input: {channels: 3, size: 8}, mask: {channels: 3, size: 8}}
        layers: [{relu: , from: input}, {add: [relu_1, mask]}]
        """
    assert feeds(text) == {"relu_1": ["input"], "add_1": ["relu_1", "mask"]}


def test_one_input_of_inputs_flows_like_any_other():
    text = "inputs: {image: {channels: 3, size: 8}}\nlayers: [relu, {tanh: , from: image}]"
    assert feeds(text) == {"relu_1": ["image"], "tanh_1": ["image"]}


# Layers and their options


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


def test_linear_takes_features():
    text = "input: {channels: 8, size: []}\nlayers: [{linear: 5}]"
    assert cost(text).layers[0].output == Shape(5)


BLOCK = """
blocks:
  b:
    options: {width: , stride: 1, squeeze: in_channels//4, twice: 2*width}
    layers:
      - {conv: width, kernel: 1, stride: stride}
      - {conv: squeeze, kernel: 1}
      - {conv: twice, kernel: 1}
"""


@pytest.mark.parametrize(
    ("called", "outputs"),
    [
        pytest.param("b: 16", [(16, 8), (8 // 4, 8), (2 * 16, 8)], id="first option by value"),
        pytest.param("b: [16]", [(16, 8), (8 // 4, 8), (2 * 16, 8)], id="a list of one"),
        pytest.param("b: [16, 2]", [(16, 4), (8 // 4, 4), (2 * 16, 4)], id="in order by list"),
        pytest.param("b: [16, 2, 3, 5]", [(16, 4), (3, 4), (5, 4)], id="all by list"),
        pytest.param("b: {width: 16, squeeze: 3}", [(16, 8), (3, 8), (2 * 16, 8)], id="by mapping"),
        pytest.param("b: 16, stride: 2", [(16, 4), (8 // 4, 4), (2 * 16, 4)], id="by further keys"),
        pytest.param("b: , width: 16", [(16, 8), (8 // 4, 8), (2 * 16, 8)], id="only further keys"),
        pytest.param("b: [16, ~, 3]", [(16, 8), (3, 8), (2 * 16, 8)], id="null takes the default"),
        pytest.param("b: in_channels + 1", [(9, 8), (8 // 4, 8), (2 * 9, 8)], id="an expression"),
    ],
)
def test_the_options_of_a_block(called, outputs):
    found = [layer.output for layer in cost(f"{EIGHT}{BLOCK}layers: [{{{called}}}]").layers]
    assert found == [Shape(c, (n, n)) for c, n in outputs]


def test_a_default_sees_the_tensor_that_enters_the_block_at_each_call():
    text = """
        input: {channels: 8, size: 8}
        blocks: {half: {options: {to: in_channels//2}, layers: [relu, {conv: to, kernel: 1}]}}
        layers: [half, half, half]
        """
    found = [layer.output.channels for layer in cost(text).layers if layer.kind == "conv"]
    assert found == [8 // 2, 8 // 4, 8 // 8]


def test_a_default_sees_the_vars_until_an_option_of_that_name_is_declared():
    text = """
        input: {channels: 8, size: 8}
        vars: {v: 3}
        blocks:
          b: {options: {before: v, v: 2, after: v}, layers: [
            {conv: before, kernel: 1}, {conv: v, kernel: 1}, {conv: after, kernel: 1}]}
        layers: [b]
        """
    assert [layer.output.channels for layer in cost(text).layers] == [3, 2, 2]


def test_a_block_without_options_is_a_word():
    text = EIGHT + "blocks: {b: {layers: [relu, tanh]}}\nlayers: [b, {b: , name: again}]"
    assert paths(text) == ["b_1/relu_1", "b_1/tanh_1", "again/relu_1", "again/tanh_1"]


def test_blocks_call_blocks_whatever_their_order():
    text = """
        input: {channels: 8, size: 8}
        blocks:
          outer: {options: {n: }, layers: [{inner: n, repeat: 2}]}
          inner: {options: {n: }, layers: [{conv: n, kernel: 1}, relu]}
        layers: [{outer: 4}]
        """
    assert paths(text) == [
        "outer_1/inner_1/conv_1",
        "outer_1/inner_1/relu_1",
        "outer_1/inner_2/conv_1",
        "outer_1/inner_2/relu_1",
    ]


# Expressions


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
            "CC104 `filters` of conv must be a whole number from 1, not 2.5",
            id="2.5 where an integer is due",
        ),
        pytest.param(
            "1/3",
            "CC104 `filters` of conv must be a whole number from 1, not 1/3",
            id="a third where an integer is due",
        ),
        pytest.param(
            "1 < 2",
            "CC104 `filters` of conv must be a whole number from 1, not true",
            id="a truth value where an integer is due",
        ),
        pytest.param(
            "wdth",
            "CC104 `filters` of conv must be a whole number from 1, not `wdth`",
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
        pytest.param("1/0", "CC106 1 / 0 has no value", id="division by 0"),
        pytest.param("1//0", "CC106 1 // 0 has no value", id="rounded division by 0"),
        pytest.param("1 % 0", "CC106 1 % 0 has no value", id="remainder by 0"),
        pytest.param("0**-1", "CC106 0 ** -1 has no value", id="0 to a power below 0"),
        pytest.param("2**0.5", "CC106 an exponent must be a whole number, not 0.5", id="a root"),
        pytest.param(
            "9**9**9", "CC106 9 ** 387420489 is beyond what is counted", id="an enormous power"
        ),
        pytest.param("1e61", "CC106 `1e61` is beyond what is counted", id="an enormous number"),
        pytest.param("w + true", "CC106 arithmetic takes numbers, not true", id="a sum of a truth"),
        pytest.param(
            "1 if w else 2",
            "CC106 `and`, `or`, `not` and `if` take true or false, not 12",
            id="a number for a truth",
        ),
        pytest.param(
            '"divisible(3, 0)"', "CC106 divisible by 0 has no meaning", id="divisible by 0"
        ),
        pytest.param("sqrt(4)", "CC105 there is no function `sqrt`", id="an unknown function"),
        pytest.param(
            '"max()"',
            "CC105 expected a number or a name, not `)`, in the expression `max()`",
            id="a function of nothing",
        ),
        pytest.param("max(1)", "CC105 `max` takes 2 or more numbers, not 1", id="max of one"),
        pytest.param('"abs(1, 2)"', "CC105 `abs` takes 1 number, not 2", id="abs of two"),
        pytest.param(
            "w.real", "CC105 `.` has no meaning in the expression `w.real`", id="an attribute"
        ),
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
            "CC105 expected an operator, not `4`, in the expression `3 4`",
            id="two numbers",
        ),
        pytest.param(
            "1_000",
            "CC105 expected an operator, not `_000`, in the expression `1_000`",
            id="an underscore in a number",
        ),
        pytest.param(
            "w if deep",
            "CC105 expected `else`, not its end, in the expression `w if deep`",
            id="if without else",
        ),
        pytest.param('"(1"', "CC105 `(1` has a parenthesis without its pair", id="an open one"),
        pytest.param('"1)"', "CC105 `1)` has a parenthesis without its pair", id="a closed one"),
        pytest.param(
            f'"{"(" * 50}1{")" * 50}"',
            "CC105 an expression nests at most 40 levels",
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
def test_an_expression_sees_every_axis_of_a_volume(axis, value):
    text = f"input: {{channels: 3, size: [4, 5, 6]}}\nlayers: [{{conv: {axis}, kernel: 1}}]"
    assert cost(text).layers[0].output.channels == value


# Flow: branches, from, repeat, when, side, sequence


def test_a_layer_takes_the_previous_output_or_that_of_the_layer_it_names():
    text = EIGHT + "layers: [{relu: , name: a}, tanh, {elu: , from: a}, gelu]"
    assert feeds(text) == {"a": ["input"], "tanh_1": ["a"], "elu_1": ["a"], "gelu_1": ["elu_1"]}


@pytest.mark.parametrize("join", ["concat", "add", "multiply"])
@pytest.mark.parametrize(
    ("branches", "fed"),
    [
        pytest.param("{a: [elu], b: [gelu]}", ["a/elu_1", "b/gelu_1"], id="named lists"),
        pytest.param("{a: [elu], b: []}", ["a/elu_1", "tanh_1"], id="an empty branch"),
        pytest.param("{a: r, b: [elu]}", ["r", "b/elu_1"], id="a name among lists"),
        pytest.param("[r, input, tanh_1]", ["r", "input", "tanh_1"], id="names of layers"),
        pytest.param("{a: [elu], b: a}", ["a/elu_1", "a/elu_1"], id="the branch before"),
    ],
)
def test_a_join_takes_branches(join, branches, fed):
    text = f"{EIGHT}layers: [{{relu: , name: r}}, tanh, {{{join}: {branches}}}]"
    assert feeds(text)[f"{join}_1"] == fed


def test_a_join_takes_a_list_of_from_in_place_of_branches():
    text = EIGHT + "layers: [{relu: , name: r}, tanh, {concat: , from: [r, tanh_1]}]"
    assert feeds(text)["concat_1"] == ["r", "tanh_1"]


def test_from_of_a_join_is_what_its_branches_take():
    text = EIGHT + "layers: [{relu: , name: r}, tanh, {add: {a: [], b: [elu]}, from: r}]"
    assert feeds(text) == {
        "r": ["input"], "tanh_1": ["r"], "b/elu_1": ["r"], "add_1": ["r", "b/elu_1"]
    }  # fmt: skip


def test_branches_take_one_input_together():
    text = EIGHT + "layers: [{relu: , name: r}, tanh, {add: {a: [], b: [elu]}, from: [r, tanh_1]}]"
    assert messages(text) == ["2:67 CC108 the branches of add take one input, not 2"]


@pytest.mark.parametrize("branches", ["", "{}", "[]"])
def test_a_join_without_branches_is_refused(branches):
    text = f"{EIGHT}layers: [relu, {{concat: {branches}}}]"
    assert messages(text) == ["2:17 CC103 concat has no branches"]


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
    found = feeds(text)
    assert found["s/a/elu_1"] == ["s/x"]
    assert found["s/b/elu_1"] == ["y"]
    assert found["s/c/elu_1"] == ["input"]
    assert found["gelu_1"] == ["x"]


def test_a_block_sees_nothing_of_its_caller():
    text = """
        input: {channels: 8, size: 8}
        blocks: {b: {layers: [{relu: , from: outer}]}}
        layers: [{relu: , name: outer}, b]
        """
    assert messages(text) == ["3:38 CC108 there is no layer `outer` before this one"]


def test_a_block_sees_no_options_of_its_caller():
    text = """
        input: {channels: 8, size: 8}
        blocks:
          outer: {options: {q: 4}, layers: [inner]}
          inner: {layers: [{conv: q, kernel: 1}]}
        layers: [outer]
        """
    assert messages(text) == ["5:27 CC104 `filters` of conv must be a whole number from 1, not `q`"]


def test_input_in_a_block_is_the_tensor_that_enters_it():
    text = """
        input: {channels: 8, size: 8}
        blocks: {b: {layers: [relu, {tanh: , from: input}]}}
        layers: [{conv: 4, kernel: 1, name: stem}, {b: , name: b}, {elu: , from: input}]
        """
    assert feeds(text) == {
        "stem": ["input"], "b/relu_1": ["stem"], "b/tanh_1": ["stem"], "elu_1": ["input"]
    }  # fmt: skip


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
    found = feeds(text)
    assert [found[f"gelu_{n}"] for n in range(1, 7)] == [
        ["b/s/r"], ["b/s/r"], ["b/tanh_1"], ["j/one/e"], ["j/one/e"], ["j"]
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("times", "names"),
    [
        pytest.param("0", [], id="none"),
        pytest.param("1", ["x_1"], id="one"),
        pytest.param("3", ["x_1", "x_2", "x_3"], id="three"),
        pytest.param("in_channels//4", ["x_1", "x_2"], id="an expression"),
        pytest.param("deep - 1", ["x_1", "x_2"], id="an expression over vars"),
        pytest.param("2.0", ["x_1", "x_2"], id="two written as 2.0"),
    ],
)
def test_repeat_puts_copies_in_series(times, names):
    layer = f"{{conv: 8, kernel: 1, repeat: {times}, name: x}}"
    text = f"{EIGHT}vars: {{deep: 3}}\nlayers: [{layer}, relu]"
    assert paths(text) == [*names, "relu_1"]
    assert feeds(text) == dict(
        zip([*names, "relu_1"], ([name] for name in ["input", *names]), strict=True)
    )


def test_copies_without_a_name_count_on():
    text = EIGHT + "layers: [{relu: , repeat: 2}, relu]"
    assert paths(text) == ["relu_1", "relu_2", "relu_3"]


def test_the_name_of_a_repeated_layer_is_its_last_copy():
    text = (
        EIGHT + "layers: [{relu: , repeat: 2, name: x}, tanh, {elu: , from: x}, {elu: , from: x_1}]"
    )
    assert feeds(text)["elu_1"] == ["x_2"]
    assert feeds(text)["elu_2"] == ["x_1"]


def test_the_name_of_a_layer_repeated_0_times_is_what_would_have_come_in():
    text = EIGHT + "layers: [relu, {tanh: , repeat: 0, name: x}, {elu: , from: x}]"
    assert feeds(text)["elu_1"] == ["relu_1"]


def test_only_the_first_copy_takes_what_from_names():
    text = EIGHT + "layers: [{relu: , name: r}, tanh, {elu: , from: r, repeat: 3, name: x}]"
    found = feeds(text)
    assert [found["x_1"], found["x_2"], found["x_3"]] == [["r"], ["x_1"], ["x_2"]]


def test_each_copy_sees_what_the_one_before_it_hands_on():
    text = EIGHT + "layers: [{conv: 2*in_channels, kernel: 1, repeat: 3}]"
    assert [layer.output.channels for layer in cost(text).layers] == [16, 32, 64]


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        pytest.param("true", True, id="true"),
        pytest.param("false", False, id="false"),
        pytest.param("in_channels == 8", True, id="true of what comes in"),
        pytest.param("deep", False, id="a false variable"),
        pytest.param("not deep", True, id="not a false variable"),
    ],
)
def test_when_drops_a_layer(condition, kept):
    text = f"{EIGHT}vars: {{deep: false}}\nlayers: [{{relu: , when: {condition}}}, tanh]"
    assert paths(text) == ["relu_1", "tanh_1"][not kept :]


def test_a_dropped_layer_keeps_its_ordinal():
    text = EIGHT + "layers: [relu, {relu: , when: false}, relu]"
    assert paths(text) == ["relu_1", "relu_3"]


def test_two_layers_of_one_name_may_exclude_each_other():
    text = """
        input: {channels: 8, size: 8}
        vars: {wide: true}
        layers:
          - {conv: 16, kernel: 1, name: c, when: wide}
          - {conv: 4, kernel: 1, name: c, when: not wide}
          - {relu: , from: c}
        """
    assert cost(text).layers[-1].output.channels == 16
    assert cost(text, wide=False).layers[-1].output.channels == 4


def test_a_side_hands_on_its_own_input():
    text = EIGHT + "layers: [relu, {side: [flatten, {linear: 10}], name: aux}, tanh]"
    assert feeds(text) == {
        "relu_1": ["input"],
        "aux/flatten_1": ["relu_1"],
        "aux/linear_1": ["aux/flatten_1"],
        "tanh_1": ["relu_1"],
    }
    assert cost(text).totals.macs == 10 * 8 * 8 * 8


def test_what_a_side_made_can_be_taken_by_its_name():
    text = EIGHT + "layers: [{side: [{conv: 4, kernel: 1}], name: aux}, {relu: , from: aux}]"
    assert feeds(text)["relu_1"] == ["aux/conv_1"]


def test_a_sequence_is_a_name_for_its_layers():
    text = EIGHT + "layers: [{sequence: [relu, tanh], name: stem}, elu, {gelu: , from: stem}]"
    assert paths(text) == ["stem/relu_1", "stem/tanh_1", "elu_1", "gelu_1"]
    assert feeds(text)["gelu_1"] == ["stem/tanh_1"]
    assert [(g.path, g.kind) for g in cost(text).network.groups] == [("stem", "sequence")]


def test_an_empty_sequence_hands_on_what_comes_in():
    text = EIGHT + "layers: [relu, {sequence: [], name: s}, {tanh: , from: s}]"
    assert feeds(text)["tanh_1"] == ["relu_1"]


# Names


def test_a_name_not_given_is_the_kind_and_its_ordinal_in_the_scope():
    text = EIGHT + "layers: [relu, tanh, relu, {relu: , name: r}, relu, {sequence: [relu]}]"
    assert paths(text) == ["relu_1", "tanh_1", "relu_2", "r", "relu_4", "sequence_1/relu_1"]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        pytest.param(
            "relu, {add: {a: [relu], b: []}}, relu",
            ["relu_1", "a/relu_1", "add_1", "relu_2"],
            id="a join alone in its list adds no level",
        ),
        pytest.param(
            "{add: {a: [relu], b: []}}, {add: {a: [relu], b: []}}",
            ["add_1/a/relu_1", "add_1", "add_2/a/relu_1", "add_2"],
            id="of two each is a level",
        ),
        pytest.param(
            "{add: {a: [relu], b: []}}, {concat: {a: [relu], b: []}}",
            ["add_1/a/relu_1", "add_1", "concat_1/a/relu_1", "concat_1"],
            id="of two kinds each is a level",
        ),
        pytest.param(
            "{add: {a: [relu], b: []}, name: j}",
            ["j/a/relu_1", "j"],
            id="a named join is a level",
        ),
        pytest.param(
            "{add: {a: [relu], b: []}}, {add: {a: [relu], b: []}, name: j}",
            ["a/relu_1", "add_1", "j/a/relu_1", "j"],
            id="a named join beside it does not matter",
        ),
        pytest.param(
            "{add: {a: [relu], b: []}, repeat: 2}",
            ["add_1/a/relu_1", "add_1", "add_2/a/relu_1", "add_2"],
            id="a repeated join is a level",
        ),
        pytest.param(
            "{add: {a: [{add: {c: [relu], d: []}}], b: []}}",
            ["a/c/relu_1", "a/add_1", "add_1"],
            id="a join in a branch of another is alone in its list",
        ),
        pytest.param(
            "relu, {add: [relu_1, input]}, {add: {a: [relu], b: []}}",
            ["relu_1", "add_1", "add_2/a/relu_1", "add_2"],
            id="a join of names counts as one of two",
        ),
    ],
)
def test_the_paths_of_joins(layers, expected):
    assert paths(f"{EIGHT}layers: [{layers}]") == expected


def test_a_network_has_the_paths_of_its_blocks_and_branches_as_groups():
    text = """
        input: {channels: 8, size: 8}
        blocks: {b: {layers: [{add: {main: [relu], shortcut: []}}]}}
        layers: [{b: , name: one}]
        """
    groups = {group.path: group.kind for group in cost(text).network.groups}
    assert groups == {"one": "b", "one/main": "branch", "one/shortcut": "branch"}


# Defaults, vars and overrides, the author's own keys


def test_defaults_are_taken_unless_a_layer_says_otherwise():
    text = """
        input: {channels: 8, size: 8}
        defaults: {conv: {bias: true, kernel: 3}}
        blocks: {b: {layers: [{conv: 4, kernel: 1}]}}
        layers: [{conv: 4}, {conv: 4, kernel: 1}, {conv: 4, bias: false}, b]
        """
    assert [layer.params for layer in cost(text).layers] == [
        4 * 3 * 3 * 8 + 4,
        4 * 1 * 1 * 4 + 4,
        4 * 3 * 3 * 4,
        4 * 1 * 1 * 4 + 4,
    ]


def test_a_default_may_make_a_word_of_a_mapping():
    text = EIGHT + "defaults: {max_pool: {kernel: 2}}\nlayers: [max_pool]"
    assert cost(text).layers[0].output == Shape(8, (8 // 2, 8 // 2))


def test_a_default_is_an_expression_where_the_layer_stands():
    text = """
        input: {channels: 8, size: 8}
        defaults: {conv: {kernel: 1, groups: in_channels}}
        layers: [{conv: 16}, {conv: 32}]
        """
    assert [layer.params for layer in cost(text).layers] == [16 * 8 // 8, 32 * 16 // 16]


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
    "text",
    [
        pytest.param("x-a: [1]\n" + EIGHT + "layers: [relu]", id="in a spec"),
        pytest.param(EIGHT + "layers: [{relu: , x-a: {b: c}}]", id="in a layer"),
        pytest.param(EIGHT + "layers: [{sequence: [relu], x-a: 1}]", id="in a sequence"),
        pytest.param(EIGHT + "blocks: {b: {x-a: 1, layers: [relu]}}\nlayers: [b]", id="in a block"),
        pytest.param(
            EIGHT + "blocks: {b: {layers: [relu]}}\nlayers: [{b: , x-a: 1}]", id="in a call"
        ),
        pytest.param("input: {channels: 8, size: 8, x-a: 1}\nlayers: [relu]", id="in an input"),
        pytest.param(EIGHT + "defaults: {x-a: 1}\nlayers: [relu]", id="in defaults"),
        pytest.param(
            EIGHT + "defaults: {relu: {x-a: 1}}\nlayers: [relu]", id="in the defaults of a kind"
        ),
        pytest.param(EIGHT + "vars: {x-a: [1]}\nlayers: [relu]", id="in vars"),
        pytest.param(EIGHT + "blocks: {x-a: 1}\nlayers: [relu]", id="in blocks"),
        pytest.param(
            EIGHT + "layers: [relu]\nbudget: {x-a: 1, params: {max: 1, x-b: 1}}", id="in a budget"
        ),
        pytest.param(
            EIGHT + "layers: [relu]\npublished: [{x-a: 1, macs: 0, source: s}]",
            id="in a published figure",
        ),
    ],
)
def test_keys_that_begin_with_x_are_the_authors_own(text):
    assert messages(text) == []
    assert cost(text).layers[-1].kind == "relu"


# Scalars, anchors, merges


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
        pytest.param("!!int 4", 4, id="with the tag it has"),
    ],
)
def test_a_scalar_is_what_the_core_schema_of_yaml_1_2_says(scalar, value):
    assert channels(scalar) == value


@pytest.mark.parametrize("word", ["true", "True", "TRUE"])
def test_true_is_true(word):
    text = f"{EIGHT}layers: [{{conv: 4, kernel: 1, bias: {word}}}]"
    assert cost(text).layers[0].biases == 4


@pytest.mark.parametrize("word", ["on", "yes", "off", "no", "y", "tRue"])
def test_a_word_of_yaml_1_1_is_text(word):
    text = f"{EIGHT}layers: [{{conv: 4, kernel: 1, bias: {word}}}]"
    assert messages(text) == [f"2:37 CC104 `bias` of conv must be true or false, not `{word}`"]


@pytest.mark.parametrize("word", ["on", "no", "1:30", "010", "2026-01-01", "1e3"])
def test_a_name_is_the_text_as_written(word):
    text = f"name: {word}\n{EIGHT}layers: [{{relu: , name: {word}}}, tanh, {{elu: , from: {word}}}]"
    assert cost(text).network.name == word
    assert feeds(text)["elu_1"] == [word]


@pytest.mark.parametrize("null", ["", "~", "null", "Null", "NULL"])
def test_a_null_takes_the_default(null):
    text = f"{EIGHT}layers: [{{conv: 4, kernel: 1, stride: {null}}}]"
    assert cost(text).layers[0].output == Shape(4, (8, 8))


def test_an_anchor_stands_for_what_it_names_wherever_it_is_used():
    text = """
        input: {channels: 8, size: 8}
        vars: {w: &width 12}
        layers: [&conv {conv: *width, kernel: 1}, *conv, relu]
        """
    assert [layer.params for layer in cost(text).layers] == [12 * 8, 12 * 12, 0]


def test_a_merge_takes_what_the_mapping_does_not_write():
    text = """
        x-base: &base {kernel: 3, padding: 1, stride: 2}
        input: {channels: 8, size: 8}
        layers:
          - {conv: 4, <<: *base}
          - {<<: *base, conv: 4, stride: 1}
          - {conv: 4, stride: 1, <<: [{padding: 0}, *base]}
        """
    assert [layer.output.size for layer in cost(text).layers] == [(4, 4), (4, 4), (2, 2)]


# Figures


def test_published_figures_keep_their_digits_and_their_conditions():
    text = """
        input: {channels: 8, size: 8}
        vars: {classes: 10}
        layers: [{conv: 4, kernel: 1, name: c}]
        published:
          - {params: 6998552, source: counted}
          - {layer: c, params: 159K, macs: 1.28M, channels: 4, source: Table 1, note: K is 1024}
          - {params: 4e9, source: s, set: {classes: 100}, size: [9, 9], off: true}
        """
    whole, layer, other = cost(text).network.published
    assert [(name, figure.text) for name, figure in whole.figures] == [("params", "6998552")]
    assert [(name, figure.text) for name, figure in layer.figures] == [
        ("params", "159K"), ("macs", "1.28M"), ("channels", "4")
    ]  # fmt: skip
    assert [figure.value(1024) for _, figure in layer.figures] == [
        (159 * 1024, 1), (128 * 1024**2, 100), (4, 1)
    ]  # fmt: skip
    assert (whole.layer, layer.layer, layer.note) == ("", "c", "K is 1024")
    assert (other.settings, other.size, other.off) == ((("classes", 100),), (9, 9), ("params",))


def test_a_budget_limits_totals_layers_and_groups():
    text = """
        input: {channels: 8, size: 8}
        layers: [{sequence: [{conv: 4, kernel: 1}], name: stem}]
        budget:
          params: {max: 7M, min: 1k, warn: 6.5M, grow: 2%}
          macs: 1.6G
          layers: [{match: "stem/*", macs: {max: 4_000}}]
          groups: [{match: stem, params: {max: 1Ki}}]
          message: ask first
        """
    budget = cost(text).network.budget
    params, macs = budget.total
    assert (params.max, params.min, params.warn) == (7 * 10**6, 10**3, 65 * 10**5)
    assert params.grow == (2, 100)
    assert macs.max == 16 * 10**8
    assert [(rule.match, rule.limits[0].max) for rule in budget.layers] == [("stem/*", 4000)]
    assert [(rule.match, rule.limits[0].max) for rule in budget.groups] == [("stem", 1024)]
    assert budget.message == "ask first"


def test_a_kind_takes_its_options_by_name_too():
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
    ("layer", "said", "hint"),
    [
        pytest.param(
            "{conv: 8, kernel: 3, pad: 1}", "conv has no option `pad`", "did you mean `padding`?",
            id="another tool's word that is a kind here",
        ),
        pytest.param(
            "{type: conv, filters: 8, kernel: 3}", "this layer names no kind",
            "the kind is the key, its main option the value: {conv: 64, kernel: 3}", id="a type",
        ),
        pytest.param(
            "{conv: 8, kernel: 3, in_channels: 8}", "conv has no option `in_channels`",
            "what comes in is never written, it follows from the layer before", id="input channels",
        ),
        pytest.param(
            "{conv: 9/2, kernel: 3}", "`filters` of conv must be a whole number from 1, not 4.5",
            "round(…), // or divisible(…, 8) make it whole", id="a fraction of filters",
        ),
        pytest.param(
            '{conv: 8, kernel: "(3, 3)"}', "expected `)`, not `,`, in the expression `(3, 3)`",
            "a list is written [3, 3]", id="a tuple",
        ),
    ],
)  # fmt: skip
def test_what_a_beginner_writes_is_met_with_what_was_meant(layer, said, hint):
    (problem,) = problems(EIGHT + f"layers: [{layer}]")
    assert (problem.message, problem.help) == (said, hint)


def test_a_block_that_reaches_for_a_layer_of_its_caller_is_told_that_it_cannot():
    (problem,) = problems(
        EIGHT + "blocks: {b: {layers: [{relu: , from: first}]}}\nlayers: [{relu: , name: first}, b]"
    )
    assert problem.help == "a block sees `input` and its own layers, nothing of its caller"


def test_a_published_figure_is_checked_where_the_network_stands_as_it_was_printed():
    text = EIGHT + (
        "vars: {aux: true}\n"
        "layers: [relu, {conv: 4, kernel: 1, name: b, when: aux}]\n"
        "published: [{layer: b, weights: 32, source: s}, {macs: 0, set: {aux: false}, source: s}]"
    )
    assert messages(text) == []
    assert messages(text, aux=False) == []
    assert messages(text.replace("layer: b", "layer: c")) == ["4:21 CC108 there is no layer `c`"]


def test_a_layer_whose_macs_nobody_knows_says_so_wherever_it_is_told():
    spec = """
name: Net
input: {channels: 3, size: 32}
layers:
  - {conv: 8, kernel: 3}
  - {custom: magic, params: 18, macs: uncounted, name: magic}
"""

    def said(*arguments):
        return run(*arguments, text=spec).stdout.decode()

    assert run("analyze", "-", "--strict", text=spec).returncode == 1
    assert run("analyze", "-", "--strict", "--size", "16,32", text=spec).returncode == 1
    assert run("analyze", "vgg16", "--strict").returncode == 0
    told = "uncounted: 1 layer of Net, the macs leave it out: magic"
    assert told in said("analyze", "-")
    assert told in said("compare", "-", "vgg16")
    assert told in said("analyze", "-", "--size", "16,32")
    assert "custom (uncounted)  30×30×8      18        ?" in said("analyze", "-")
    assert "uncounted: nobody knows them" in said("explain", "-", "magic")
    assert f"<stdin>: {told}" in said("check", "-", "--max-macs", "1M")


def test_the_macs_of_a_custom_layer_are_a_number_or_uncounted():
    text = "{input: {channels: 3, size: 8}, layers: [{custom: x, params: 18, macs: unknown}]}"
    assert messages(text) == [
        "1:72 CC104 `macs` of custom must be a whole number from 0, or `uncounted`, not `unknown`"
    ]


def test_a_linear_layer_may_take_an_embedding_for_its_matrix_and_it_is_params_once():
    text = """
input: {channels: 16, size: []}
layers:
  - {embedding: 64, rows: 1000, name: tokens}
  - {linear: 1000, each_position: true, bias: false, weights: tokens}
"""
    totals = cost(text).totals
    assert (totals.params, totals.macs) == (1000 * 64, 1000 * 64 * 16)
    (problem,) = problems(text.replace("bias: false", "bias: true"))
    assert problem.message == ("linear needs weights 1000 × 64, `tokens` is no layer of this kind")
