"""The sections `blocks` and `defaults`, and calls of blocks."""

import pytest
from spec_texts import EIGHT, inputs_by_path, paths
from support import cost, messages, problems

from convcost.model.options import TYPES
from convcost.model.shape import Shape

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


def test_a_default_can_use_the_input_of_each_call():
    text = """
        input: {channels: 8, size: 8}
        blocks: {half: {options: {to: in_channels//2}, layers: [relu, {conv: to, kernel: 1}]}}
        layers: [half, half, half]
        """
    found = [layer.output.channels for layer in cost(text).layers if layer.kind == "conv"]
    assert found == [8 // 2, 8 // 4, 8 // 8]


def test_a_default_uses_vars_until_an_option_of_that_name_is_declared():
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


def test_a_block_cannot_use_names_of_its_caller():
    text = """
        input: {channels: 8, size: 8}
        blocks: {b: {layers: [{relu: , from: outer}]}}
        layers: [{relu: , name: outer}, b]
        """
    assert messages(text) == [
        "3:38 CC108 `outer` is outside of this block, and a block cannot use it"
    ]


def test_a_block_cannot_use_options_of_its_caller():
    text = """
        input: {channels: 8, size: 8}
        blocks:
          outer: {options: {q: 4}, layers: [inner]}
          inner: {layers: [{conv: q, kernel: 1}]}
        layers: [outer]
        """
    assert messages(text) == [
        "5:27 CC104 `filters` of conv must be a whole number of at least 1, not `q`"
    ]


def test_input_in_a_block_is_the_tensor_that_enters_it():
    text = """
        input: {channels: 8, size: 8}
        blocks: {b: {layers: [relu, {tanh: , from: input}]}}
        layers: [{conv: 4, kernel: 1, name: stem}, {b: , name: b}, {elu: , from: input}]
        """
    assert inputs_by_path(text) == {
        "stem": ["input"], "b/relu_1": ["stem"], "b/tanh_1": ["stem"], "elu_1": ["input"]
    }  # fmt: skip


def test_a_reference_to_a_layer_of_the_caller_has_a_help_text():
    (problem,) = problems(
        EIGHT + "blocks: {b: {layers: [{relu: , from: first}]}}\nlayers: [{relu: , name: first}, b]"
    )
    assert problem.help == (
        "a block can use its own layers and its inputs: write `from: first` in the call, give the "
        "block `inputs`, join `first` after the call, or write a `sequence`, which can use all "
        "names around it"
    )
    (note,) = problem.notes
    assert (note.message, note.span[:2]) == ("in this call", (3, 33))


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("skip", "`skip` is outside of this block, and a block cannot use it"),
        ("image", "`image` is outside of this block, and a block cannot use it"),
        ("later", "there is no layer `later` before this one"),
        ("s/skip", "there is no layer `s/skip` before this one"),
    ],
)
def test_a_block_in_a_block_cannot_use_the_names_of_any_caller(reference, message):
    text = f"""
        inputs: {{image: {{channels: 8, size: 8}}, mask: {{channels: 8, size: 8}}}}
        blocks:
          inner: {{layers: [{{concat: [input, {reference}]}}]}}
          outer: {{layers: [relu, {{sequence: [inner]}}]}}
        layers: [{{relu: , name: skip, from: image}}, outer, {{relu: , name: later}}]
        """
    (problem,) = problems(text)
    assert problem.message == message


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param("{b: , from: first}", id="from in the call"),
        pytest.param("{two: [1], from: [first, elu_1]}", id="inputs"),
        pytest.param("b, {concat: [b_1, first]}", id="a join after the call"),
        pytest.param("{sequence: [{relu: , from: first}]}", id="a sequence"),
    ],
)
def test_each_way_that_the_help_names_is_a_valid_spec(layers):
    two = "two: {inputs: [x, y], options: {n: }, layers: [{conv: n, kernel: 1, from: x}]}"
    blocks = f"blocks: {{b: {{layers: [{{relu: , from: input}}]}}, {two}}}\n"
    layers = f"{{relu: , name: first}}, elu, {layers}"
    assert not messages(f"{EIGHT}{blocks}layers: [{layers}]")


STREAMS = """
input: {channels: 3, size: 8}
blocks:
  exchange:
    inputs: [low, high]
    options: {n: in_channels}
    layers:
      - {conv: n, kernel: 1, from: low, name: down}
      - {conv: in_channels, kernel: 1, from: high, name: up}
      - {add: {own: high, up: up}, name: sum}
    outputs: [down, sum]
layers: [{conv: 4, kernel: 1, name: a}, {conv: 5, kernel: 1, name: b}, CALL]
"""


def test_a_block_has_the_inputs_that_a_call_lists_in_their_order():
    text = STREAMS.replace("CALL", "{exchange: , from: [a, b], name: e}")
    assert inputs_by_path(text) == {
        "a": ["input"],
        "b": ["a"],
        "e/down": ["a"],
        "e/up": ["b"],
        "e/sum": ["b", "e/up"],
    }
    params = [layer.params for layer in cost(text).layers]
    assert params == [3 * 4, 4 * 5, 4 * 4, 5 * 5, 0]  # n is the channels of the first input


def test_each_copy_of_a_block_has_the_outputs_of_the_copy_before_it_as_inputs():
    call = (
        "{exchange: , from: [a, b], repeat: 3, name: e}, {relu: , from: e/down}, {tanh: , from: e}"
    )
    found = inputs_by_path(STREAMS.replace("CALL", call))
    assert [found[f"e_{copy}/down"] for copy in (1, 2, 3)] == [["a"], ["e_1/down"], ["e_2/down"]]
    assert [found[f"e_{copy}/up"] for copy in (1, 2, 3)] == [["b"], ["e_1/sum"], ["e_2/sum"]]
    assert (found["relu_1"], found["tanh_1"]) == (["e_3/down"], ["e_3/sum"])


def test_a_block_with_one_named_input_is_called_as_any_other():
    text = EIGHT + "blocks: {b: {inputs: [x], layers: [relu, {add: [relu_1, x]}]}}\n"
    call = "{b: , repeat: 2}, {b: , from: b_1}"
    found = inputs_by_path(f"{text}layers: [{call}]")
    expected = (["input", "b_1/add_1", "b_1/add_1"], ["b_2/relu_1", "b_1/add_1"])
    assert ([found[f"b_{n}/relu_1"][0] for n in (1, 2, 3)], found["b_2/add_1"]) == expected


def test_an_output_of_a_block_may_be_one_of_its_inputs_or_a_path():
    block = "inputs: [x, y], layers: [{sequence: [{conv: 8, kernel: 1}], from: y}]"
    text = f"{EIGHT}blocks: {{b: {{{block}, outputs: [x, sequence_1/conv_1]}}}}\n"
    found = inputs_by_path(
        text + "layers: [{relu: , name: s}, {b: , from: [input, s], repeat: 2, name: b}]"
    )
    assert found["b_2/sequence_1/conv_1"] == ["b_1/sequence_1/conv_1"]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        pytest.param("{exchange: }", ["12:73 CC108 exchange needs 2 inputs, not 1"], id="no from"),
        pytest.param(
            "{exchange: , from: a}", ["12:91 CC108 exchange needs 2 inputs, not 1"], id="one"
        ),
        pytest.param(
            "{exchange: , from: [a, b, a]}",
            ["12:92 CC108 exchange needs 2 inputs, not 3"],
            id="three",
        ),
        pytest.param(
            "{exchange: , from: [a, b], repeat: 0}",
            ["12:107 CC104 exchange has 2 inputs, so `repeat` must be 1 or more"],
            id="no copy",
        ),
    ],
)
def test_a_call_lists_a_layer_for_each_input(call, expected):
    assert messages(STREAMS.replace("CALL", call)) == expected


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        pytest.param(
            "inputs: [x, x], layers: [relu]", "CC107 block `b` has two inputs `x`", id="one twice"
        ),
        pytest.param("inputs: [x/y], layers: [relu]", "CC107 `x/y` cannot be a name", id="a path"),
        pytest.param("inputs: x, layers: [relu]", "CC104 `inputs` must be a list of names", id="x"),
        pytest.param(
            "inputs: [], layers: [relu]", "CC104 `inputs` must be a list of names", id="0"
        ),
        pytest.param(
            "inputs: [x, y], layers: [{relu: , from: x}], outputs: [relu_1]",
            "CC104 block `b` has 2 inputs and 1 output",
            id="fewer outputs",
        ),
        pytest.param(
            "layers: [relu], outputs: [relu_1]",
            "CC104 block `b` has 0 inputs and 1 output",
            id="outputs alone",
        ),
    ],
)
def test_the_inputs_and_outputs_of_a_block_are_names(block, expected):
    found = messages(f"{EIGHT}blocks: {{b: {{{block}}}}}\nlayers: [relu]")
    assert [message.partition(" ")[2] for message in found] == [expected]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        pytest.param(
            "layers: [relu], outputs: [x, y]",
            "CC108 the block has 2 inputs, and this layer does not name one",
            id="a layer without from",
        ),
        pytest.param(
            "layers: [{relu: , from: input}], outputs: [x, y]",
            "CC108 `input` is not one tensor: the block has 2 inputs",
            id="input",
        ),
        pytest.param(
            "layers: [{relu: , from: x, when: false}], outputs: [x, y]",
            "CC108 block `b` has 2 inputs, but every layer of it is left out",
            id="no layers",
        ),
        pytest.param(
            "layers: [{relu: , from: x}]",
            "CC103 `repeat` of block `b` needs `outputs`",
            id="no outputs",
        ),
        pytest.param(
            "layers: [{relu: , from: x}], outputs: [x, z]",
            "CC108 there is no layer `z` before this one",
            id="an output that is no layer",
        ),
        pytest.param(
            "layers: [{relu: , from: x, name: y}], outputs: [x, y]",
            "CC107 the name `b_1/y` is already used",
            id="a layer called like an input",
        ),
    ],
)
def test_the_layers_of_a_block_with_several_inputs_name_them(block, expected):
    text = f"{EIGHT}blocks: {{b: {{inputs: [x, y], {block}}}}}\n"
    found = messages(text + "layers: [{b: , from: [input, input], repeat: 2, name: b}, relu]")
    assert [message.partition(" ")[2] for message in found] == [expected]


CALLED = "blocks: {b: {options: {width: , stride: 1}, layers: [relu]}, z: {layers: [relu]}}\n"


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        pytest.param(
            "b", ["3:10 CC103 b needs `width` (an option of block b)"], id="one is missing"
        ),
        pytest.param(
            "{b: [1, 2, 3]}", ["3:14 CC104 `b` has 3 values, but only 2 options"], id="too many"
        ),
        pytest.param("{z: 1}", ["3:14 CC104 `z` accepts no value"], id="one where there are none"),
        pytest.param(
            "{b: 1, wdith: 3}", ["3:17 CC101 b has no option `wdith`"], id="an unknown one"
        ),
        pytest.param(
            "{b: 1, width: 3}", ["3:17 CC003 `width` of b is given twice"], id="one twice"
        ),
        pytest.param(
            "{b: {width: 1}, width: 3}",
            ["3:26 CC003 `width` of b is given twice"],
            id="one in the mapping and beside it",
        ),
    ],
)
def test_the_options_of_a_block_are_checked_where_it_is_called(layer, expected):
    assert messages(f"{EIGHT}{CALLED}layers: [{layer}]") == expected


def test_options_in_a_list_are_one_problem():
    block = "{options: [width, size], layers: [{conv: width, kernel: size}]}"
    calls = "layers: [{b: [4, 3]}, {b: 4, size: 1}]"
    (problem,) = problems(f"{EIGHT}blocks: {{b: {block}}}\n{calls}")
    assert problem.message == "`options` must be a mapping"
    assert problem.help == "write options: {width: , size: }"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        pytest.param("n: , m: 1/0", "2:32 CC106 1 / 0 divides by 0", id="after it"),
        pytest.param("m: 1/0, n: ", "2:27 CC106 1 / 0 divides by 0", id="before it"),
        pytest.param(
            "n: , m: k, k: 1",
            "2:32 CC104 `m` of b must be a number, true or false, a list of numbers, "
            "`same` or `valid`, not `k`",
            id="of an option that comes later",
        ),
        pytest.param(
            "n: , repeat: 1", "2:29 CC107 `repeat` cannot be the name of an option", id="a word"
        ),
    ],
)
def test_a_missing_option_is_reported_beside_a_default_with_a_problem(options, problem):
    text = f"{EIGHT}blocks: {{b: {{options: {{{options}}}, layers: [relu]}}}}\nlayers: [b]"
    assert messages(text) == [problem, "3:10 CC103 b needs `n` (an option of block b)"]


def test_a_default_with_a_problem_is_reported_once():
    block = "{b: {options: {n: , m: 1/0}, layers: [relu]}}"
    text = f"{EIGHT}blocks: {block}\nlayers: [{{b: 1}}, {{b: 2}}]"
    assert messages(text) == ["2:32 CC106 1 / 0 divides by 0"]


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        pytest.param("{b: {layers: [b]}}", "2:10 CC109 block `b` calls itself: b → b", id="itself"),
        pytest.param(
            "{a: {layers: [{sequence: [b]}]}, b: {layers: [{add: {x: [c], y: []}}]}, "
            "c: {layers: [a]}}",
            "2:10 CC109 block `a` calls itself: a → b → c → a",
            id="over two others",
        ),
        pytest.param(
            "{b: {options: {n: 3}, layers: [{b: n - 1, when: n > 0}]}}",
            "2:10 CC109 block `b` calls itself: b → b",
            id="with an end in sight",
        ),
    ],
)
@pytest.mark.parametrize("used", [True, False])
def test_a_block_that_calls_itself_is_refused(blocks, expected, used):
    name = blocks[1]
    layers = f"[{name}]" if used else "[relu]"
    assert messages(f"{EIGHT}blocks: {blocks}\nlayers: {layers}") == [expected]


def test_a_problem_of_a_block_is_reported_once_however_often_it_is_called():
    text = EIGHT + "blocks: {b: {layers: [{conv: 8, kernel: 9}]}}\nlayers: [b, b, {b: , repeat: 9}]"
    assert messages(text) == ["2:24 CC301 kernel 9 is larger than the input 8"]


def test_defaults_apply_unless_a_layer_gives_the_option():
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


def test_a_default_is_evaluated_at_each_layer():
    text = """
        input: {channels: 8, size: 8}
        defaults: {conv: {kernel: 1, groups: in_channels}}
        layers: [{conv: 16}, {conv: 32}]
        """
    assert [layer.params for layer in cost(text).layers] == [16 * 8 // 8, 32 * 16 // 16]


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        pytest.param(
            "vars: {in_x: 1}", "2:8 CC107 `in_x` cannot be the name of a variable", id="in_ in vars"
        ),
        pytest.param(
            "vars: {if: 1}",
            "2:8 CC107 `if` cannot be the name of a variable",
            id="a word of its own",
        ),
        pytest.param(
            "blocks: {b: {options: {in_x: 1}, layers: [relu]}}",
            "2:24 CC107 `in_x` cannot be the name of an option",
            id="in_ in a block",
        ),
        pytest.param(
            "blocks: {b: {options: {repeat: 1}, layers: [relu]}}",
            "2:24 CC107 `repeat` cannot be the name of an option",
            id="a common key",
        ),
        pytest.param(
            "vars: {a: in_channels}",
            "2:11 CC106 in_channels has no value here: there is no incoming tensor",
            id="channels before the input",
        ),
        pytest.param("vars: {a: }", "2:11 CC103 `a` of vars has no value", id="no value"),
        pytest.param(
            "vars: {a: text}",
            f"2:11 CC104 `a` of vars must be {TYPES['Variable'].meaning}, not `text`",
            id="text",
        ),
        pytest.param(
            "vars: {a: b, b: 1}",
            f"2:11 CC104 `a` of vars must be {TYPES['Variable'].meaning}, not `b`",
            id="one that comes later",
        ),
        pytest.param(
            "defaults: {cnv: {bias: true}}",
            "2:12 CC102 there is no kind `cnv`",
            id="a default kind",
        ),
        pytest.param(
            "defaults: {conv: {biass: true}}",
            "2:19 CC101 conv has no option `biass`",
            id="a default option",
        ),
        pytest.param(
            "defaults: {conv: {bias: 3}}",
            "2:25 CC104 `bias` of conv must be true or false, not 3",
            id="a default value",
        ),
    ],
)
def test_a_declaration_is_checked_whether_used_or_not(section, expected):
    assert messages(f"{EIGHT}{section}\nlayers: [relu]") == [expected]


@pytest.mark.parametrize("call", ["{b: [2, ~]}", "{b: 2, m: ~}", "{b: {n: 2, m: }}", "{b: 2}"])
def test_a_null_for_an_option_of_a_block_is_its_default_also_an_expression(call):
    block = "{options: {n: , m: n + 1}, layers: [{conv: m, kernel: 1}]}"
    text = f"input: {{channels: 3, size: 4}}\nblocks: {{b: {block}}}\nlayers: [{call}]"
    assert cost(text).totals.params == (2 + 1) * 3
