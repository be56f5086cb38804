"""Networks from layers: `repeat`, `when`, `side`, `sequence`, and shapes that do not fit."""

import pytest
from spec_texts import EIGHT, inputs_by_path, paths
from support import cost, messages, problems

from convcost.model.options import TYPES


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
    assert inputs_by_path(text) == dict(
        zip([*names, "relu_1"], ([name] for name in ["input", *names]), strict=True)
    )


def test_copies_without_a_name_are_numbered():
    text = EIGHT + "layers: [{relu: , repeat: 2}, relu]"
    assert paths(text) == ["relu_1", "relu_2", "relu_3"]


def test_the_name_of_a_repeated_layer_refers_to_its_last_copy():
    text = (
        EIGHT + "layers: [{relu: , repeat: 2, name: x}, tanh, {elu: , from: x}, {elu: , from: x_1}]"
    )
    assert inputs_by_path(text)["elu_1"] == ["x_2"]
    assert inputs_by_path(text)["elu_2"] == ["x_1"]


def test_the_name_of_a_layer_repeated_0_times_refers_to_its_input():
    text = EIGHT + "layers: [relu, {tanh: , repeat: 0, name: x}, {elu: , from: x}]"
    assert inputs_by_path(text)["elu_1"] == ["relu_1"]


def test_only_the_first_copy_uses_from():
    text = EIGHT + "layers: [{relu: , name: r}, tanh, {elu: , from: r, repeat: 3, name: x}]"
    found = inputs_by_path(text)
    assert [found["x_1"], found["x_2"], found["x_3"]] == [["r"], ["x_1"], ["x_2"]]


@pytest.mark.parametrize(
    ("layers", "copies"),
    [
        pytest.param("{side: [CONV], repeat: 3}", 3, id="a side"),
        pytest.param("{sequence: [{side: [CONV]}], repeat: 3}", 3, id="a sequence that ends in it"),
        pytest.param("{aside: 8, repeat: 3}", 3, id="a block that ends in it"),
        pytest.param(
            "{side: [{side: [CONV], repeat: 2}], repeat: 3}", 2 * 3, id="copies of copies"
        ),
        pytest.param("{side: [CONV], repeat: 3, when: in_channels > 1}", 3, id="under a condition"),
        pytest.param("{side: [CONV], repeat: 3, from: input}", 3, id="fed by name"),
        pytest.param("{sequence: [CONV, {relu: , from: input}], repeat: 3}", 3, id="fed inside"),
        pytest.param(
            "{sequence: [CONV, {sequence: [], from: input}], repeat: 3}", 3, id="handed on"
        ),
        pytest.param(
            "{side: [CONV], repeat: 3, name: x}, {relu: , from: x_3/conv_1}", 3, id="named"
        ),
    ],
)
def test_every_copy_counts_even_if_it_outputs_its_input(layers, copies):
    text = EIGHT + "blocks: {aside: {options: {n: }, layers: [{side: [{conv: n, kernel: 3}]}]}}\n"
    layers = layers.replace("CONV", "{conv: 8, kernel: 3}")
    assert cost(text + f"layers: [{layers}]").totals.params == copies * 8 * 8 * 3 * 3


def test_copies_without_layers_have_names_too():
    assert inputs_by_path(
        EIGHT + "layers: [{side: [], repeat: 3, name: x}, {relu: , from: x_2}]"
    ) == {"relu_1": ["input"]}


def test_a_problem_of_copies_is_reported_once():
    text = EIGHT + "layers: [{side: [{conv: 8, kernel: 9}], repeat: 1000}]"
    (message,) = messages(text)
    assert message.endswith("CC301 kernel 9 is larger than the input 8")


def test_each_copy_uses_the_output_of_the_copy_before_it():
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


def test_a_side_outputs_its_own_input():
    text = EIGHT + "layers: [relu, {side: [flatten, {linear: 10}], name: aux}, tanh]"
    assert inputs_by_path(text) == {
        "relu_1": ["input"],
        "aux/flatten_1": ["relu_1"],
        "aux/linear_1": ["aux/flatten_1"],
        "tanh_1": ["relu_1"],
    }
    assert cost(text).totals.macs == 10 * 8 * 8 * 8


def test_a_layer_can_use_the_output_inside_a_side_by_name():
    text = EIGHT + "layers: [{side: [{conv: 4, kernel: 1}], name: aux}, {relu: , from: aux}]"
    assert inputs_by_path(text)["relu_1"] == ["aux/conv_1"]


def test_a_sequence_is_a_name_for_its_layers():
    text = EIGHT + "layers: [{sequence: [relu, tanh], name: stem}, elu, {gelu: , from: stem}]"
    assert paths(text) == ["stem/relu_1", "stem/tanh_1", "elu_1", "gelu_1"]
    assert inputs_by_path(text)["gelu_1"] == ["stem/tanh_1"]
    assert [(g.path, g.kind) for g in cost(text).network.groups] == [("stem", "sequence")]


def test_an_empty_sequence_outputs_its_input():
    text = EIGHT + "layers: [relu, {sequence: [], name: s}, {tanh: , from: s}]"
    assert inputs_by_path(text)["tanh_1"] == ["relu_1"]


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        pytest.param(
            "{conv: 8, kernel: 9}", "CC301 kernel 9 is larger than the input 8", id="conv"
        ),
        pytest.param(
            "{conv: 8, kernel: 11, padding: 1}",
            "CC301 kernel 11 is larger than the padded input 10",
            id="padded conv",
        ),
        pytest.param("{max_pool: 9}", "CC301 kernel 9 is larger than the input 8", id="pool"),
        pytest.param(
            "{depthwise: 3, dilation: 4}",
            "CC301 kernel 3 at dilation 4 spans 9 and is larger than the input 8",
            id="dilated depthwise",
        ),
        pytest.param(
            "{conv: 8, kernel: [3, 3, 3]}",
            "CC304 kernel has 3 numbers, but the input has 2 axes",
            id="an axis too many",
        ),
        pytest.param(
            "{conv: 8, kernel: 1, groups: 3}",
            "CC302 input channels 8 cannot be divided by groups 3",
            id="groups of input channels",
        ),
        pytest.param(
            "{conv: 9, kernel: 1, groups: 2}",
            "CC302 filters 9 cannot be divided by groups 2",
            id="groups of filters",
        ),
        pytest.param(
            "{transposed_conv: 9, kernel: 1, groups: 2}",
            "CC302 filters 9 cannot be divided by groups 2",
            id="groups of a transposed conv",
        ),
        pytest.param(
            "{group_norm: 3}",
            "CC302 input channels 8 cannot be divided by groups 3",
            id="groups of a norm",
        ),
        pytest.param(
            "{pixel_shuffle: 3}",
            "CC302 input channels 8 cannot be divided by factor^2 = 9",
            id="a factor",
        ),
        pytest.param(
            "{linear: 10}", "CC304 linear needs a flat input, not 8×8×8", id="linear on a map"
        ),
        pytest.param(
            "{crop: 4}", "CC301 crop must leave elements: it removes 4 + 4 of 8", id="crop"
        ),
        pytest.param(
            "{slice: 5, start: 4}",
            "CC304 slice needs channels 4 to 8, counted from 0, but the input has 8",
            id="slice",
        ),
        pytest.param(
            "{concat: {a: [{conv: 4, kernel: 3}], b: []}}",
            "CC303 concat needs branches with the same size, not 6×6 and 8×8",
            id="branches of two sizes",
        ),
        pytest.param(
            "{add: {a: [{conv: 4, kernel: 1}], b: []}}",
            "CC303 add needs branches of one shape, not 8×8×8 and 8×8×4",
            id="branches of other channels",
        ),
        pytest.param(
            "{multiply: {a: [{conv: 8, kernel: [8, 7]}], b: []}}",
            "CC303 multiply needs branches of one shape, not 8×8×8 and 1×2×8",
            id="a gate of two columns",
        ),
    ],
)
def test_a_layer_that_does_not_fit_its_input_is_refused(layer, message):
    assert messages(f"{EIGHT}layers: [{layer}]") == [f"2:11 {message}"]


def test_linear_after_a_map_has_a_help_text():
    (problem,) = problems(EIGHT + "layers: [{linear: 10}]")
    assert problem.help == (
        "put `flatten` before it; or use a convolution with the same costs, "
        "{conv: 10, kernel: 8, bias: true}; or, for an output at every position, add "
        "`each_position: true`"
    )
    assert [note.message for note in problem.notes] == ["this has shape 8×8×8"]
    flat, convolution = "flatten, {linear: 10}", "{conv: 10, kernel: 8, bias: true}"
    of_flat, of_convolution = (cost(f"{EIGHT}layers: [{layers}]") for layers in (flat, convolution))
    assert of_flat.totals.params == of_convolution.totals.params == 10 * 8 * 8 * 8 + 10
    assert of_flat.totals.macs == of_convolution.totals.macs == 10 * 8 * 8 * 8


@pytest.mark.parametrize("kind", ["conv", "depthwise", "max_pool", "transposed_conv", "upsample"])
def test_a_window_over_a_flat_input_is_refused(kind):
    principal, kernel = (4, ", kernel: 1") if kind.endswith("conv") else (1, "")
    text = f"input: {{channels: 8, size: []}}\nlayers: [{{{kind}: {principal}{kernel}}}]"
    assert messages(text) == [
        f"2:11 CC304 {kind} needs an input with a size, and this input is flat"
    ]


@pytest.mark.parametrize(
    ("layers", "notes"),
    [
        pytest.param(
            "{conv: 8, kernel: 9}", ["1:8 this has shape 8×8×8"], id="the input, of the first layer"
        ),
        pytest.param(
            "relu, {max_pool: 9}", ["2:10 this has shape 8×8×8"], id="the layer before, a word"
        ),
        pytest.param(
            "{conv: 4, kernel: 1}, {conv: 3, kernel: 1, groups: 3}",
            ["2:11 this has shape 8×8×4"],
            id="the layer before, a mapping",
        ),
        pytest.param(
            "{conv: 4, kernel: 1, name: c}, tanh, {conv: 3, kernel: 9, from: c}",
            ["2:11 this has shape 8×8×4"],
            id="the layer that from names",
        ),
        pytest.param(
            "{pad: 1}, {crop: 5}", ["2:11 this has shape 10×10×8"], id="a pad before a crop"
        ),
        pytest.param(
            "{concat: {a: [{conv: 4, kernel: 3}], b: []}}",
            ["2:25 this has shape 6×6×4", "1:8 this has shape 8×8×8"],
            id="every branch of a concat",
        ),
        pytest.param(
            "{add: {a: [{conv: 4, kernel: 1}], b: []}}",
            ["2:22 this has shape 8×8×4", "1:8 this has shape 8×8×8"],
            id="every branch of an add",
        ),
    ],
)
def test_a_problem_of_shapes_has_notes_at_the_layers_that_made_them(layers, notes):
    (problem,) = problems(f"{EIGHT}layers: [{layers}]")
    found = [f"{note.span.line}:{note.span.column} {note.message}" for note in problem.notes]
    assert found == notes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            EIGHT + "layers: [{conv: 8, kernel: 9}, {conv: in_channels, kernel: 9}, {linear: 3}]",
            ["2:11 CC301 kernel 9 is larger than the input 8"],
            id="from a shape that is not known",
        ),
        pytest.param(
            EIGHT + "layers: [{conv: 8, kernl: 3, name: c}, {relu: , from: c}]",
            ["2:20 CC101 conv has no option `kernl`"],
            id="from a layer that could not be read",
        ),
        pytest.param(
            EIGHT + "layers: [{cnv: 8, name: c}, {relu: , from: c}, {concat: {a: [], b: c}}]",
            ["2:11 CC102 there is no kind or block `cnv`"],
            id="from a layer of an unknown kind",
        ),
        pytest.param(
            "input: {channels: 8, size: text}\nlayers: [{conv: in_channels, kernel: 99}, flatten]",
            [f"1:8 CC104 `input` of the network must be {TYPES['Tensor'].meaning}, not `text`"],
            id="from an input that could not be read",
        ),
        pytest.param(
            EIGHT + "layers: [{sequence: [{relu: , name: r}, cnv], name: s}, {tanh: , from: s/r}]",
            ["2:41 CC102 there is no kind or block `cnv`"],
            id="by a path into a sequence with a problem",
        ),
        pytest.param(
            EIGHT
            + "blocks: {b: {options: {n: }, layers: [{relu: , name: x}]}}\n"
            + "layers: [{b: foo, name: q}, {relu: , from: q/x}]",
            [f"3:14 CC104 `n` of b must be {TYPES['Variable'].meaning}, not `foo`"],
            id="by a path into a call with a problem",
        ),
        pytest.param(
            EIGHT
            + "layers: [{concat: {a: [{relu: , name: r}, cnv], b: []}, name: j}, "
            + "{relu: , from: j/a/r}]",
            ["2:43 CC102 there is no kind or block `cnv`"],
            id="by a path into a branch with a problem",
        ),
        pytest.param(
            EIGHT + "vars: {w: text}\nlayers: [{conv: 2*w, kernel: 1}]",
            [f"2:11 CC104 `w` of vars must be {TYPES['Variable'].meaning}, not `text`"],
            id="from a variable without a value",
        ),
        pytest.param(
            EIGHT + "blocks: {b: {layers: [b]}}\nlayers: [{b: , name: q}, {relu: , from: q}]",
            ["2:10 CC109 block `b` calls itself: b → b"],
            id="from a block that calls itself",
        ),
        pytest.param(
            EIGHT + "layers: [{cnv: 3, name: c}]\npublished: [{layer: c/x, params: 3, source: s}]",
            ["2:11 CC102 there is no kind or block `cnv`"],
            id="in figures of a layer that could not be read",
        ),
    ],
)
def test_one_mistake_is_one_problem(text, expected):
    assert messages(text) == expected


SIXTEEN = "{conv: 16, kernel: 1, name: wide}, {conv: 2, kernel: 1}"


@pytest.mark.parametrize("key", ["when: in_channels == 16", "repeat: in_channels // 16"])
def test_when_and_repeat_use_the_tensor_of_from(key):
    layer = f"{{conv: 16, kernel: 1, from: wide, {key}}}"
    found = cost(f"{EIGHT}layers: [{SIXTEEN}, {layer}]")
    assert [layer.weights for layer in found.layers] == [16 * 8, 2 * 16, 16 * 16]


def test_when_and_repeat_use_the_input_that_from_names():
    inputs = "inputs: {a: {channels: 3, size: 4}, b: {channels: 5, size: 4}}\n"
    layers = "{conv: 2, kernel: 1, from: b, when: in_channels == 5, repeat: in_channels - 4}"
    assert cost(f"{inputs}layers: [{layers}]").totals.params == 2 * 5


@pytest.mark.parametrize("key", ["when: in_channels > 1", "repeat: in_channels"])
@pytest.mark.parametrize("layer", ["relu: ", "sequence: [{relu: , from: a}]", "add: {x: [relu]}"])
def test_when_and_repeat_have_no_tensor_if_a_layer_names_none_of_several_inputs(layer, key):
    inputs = "inputs: {a: {channels: 3, size: 4}, b: {channels: 5, size: 4}}\n"
    expected = "2:11 CC108 the network has 2 inputs, and this layer does not name one"
    assert expected in messages(f"{inputs}layers: [{{{layer}, {key}}}]")


def test_when_with_variables_alone_does_not_need_the_layer_of_from():
    layers = "{conv: 4, kernel: 1, when: deep, name: a}, {relu: , from: a, when: deep}, sigmoid"
    assert paths(f"{EIGHT}vars: {{deep: false}}\nlayers: [{layers}]") == ["sigmoid_1"]


def test_when_over_a_layer_that_does_not_exist_is_an_error():
    assert messages(f"{EIGHT}layers: [{{relu: , from: a, when: in_channels > 1}}]") == [
        "2:25 CC108 there is no layer `a` before this one"
    ]
