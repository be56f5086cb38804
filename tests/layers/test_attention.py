"""Tokens, heads and sequences: what transformers and recurrent networks are made of."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import cost, messages, problems

from convcost.reports.reduce.dataflow import Dataflow

TOKENS = "input: {channels: 24, size: [10]}\n"
MAP = "input: {channels: 8, size: [4, 6]}\n"


def layers(text):
    return cost(text).layers


def shapes(text):
    return [layer.output.text for layer in layers(text)]


def extents(text):
    return [tuple(sight.extent for sight in layer.field) for layer in layers(text)]


# Attention


@pytest.mark.parametrize("heads", [1, 2, 3, 8, 24])
def test_attention_costs_what_its_two_matrix_products_cost(heads):
    split = f"[{{heads: {heads}}}]"
    written_out = cost(
        f"""
        {TOKENS}
        blocks: {{heads: {{options: {{n: }}, layers: [
          {{reshape: {{channels: in_channels/n, size: [n, in_width]}}}}]}}}}
        layers:
          - matmul:
              weights: [{{matmul: {{q: {split}, k: {split}}}, transpose: true}}, softmax]
              values: {split}
          - {{reshape: {{channels: 24, size: [10]}}}}
        """
    )
    short = cost(f"{TOKENS}layers: [{{attention: [input, input, input], heads: {heads}}}]")
    assert short.totals.macs == written_out.totals.macs == 2 * 24 * 10 * 10
    assert short.layers[-1].output == written_out.layers[-1].output


def test_heads_are_channels_or_an_axis_of_the_size():
    inside = layers(f"{TOKENS}layers: [{{attention: [input, input, input], heads: 4}}]")[-1]
    outside = layers(
        "input: {channels: 6, size: [4, 10]}\nlayers: [{attention: [input, input, input]}]"
    )[-1]
    assert (inside.output.text, outside.output.text) == ("10×24", "4×10×6")
    assert inside.macs == outside.macs == 4 * (10 * 10 * 6 + 10 * 10 * 6)


def test_a_causal_window_of_512_over_2048_tokens_has_917760_pairs():
    text = "input: {channels: 64, size: [8, 2048]}\nlayers: [{attention: [input, input, input]"
    (layer,) = layers(f"{text}, causal: true, window: 512}}]")
    pairs = 512 * 513 // 2 + (2048 - 512) * 512
    assert (pairs, layer.macs) == (917_760, 2 * 8 * 64 * pairs)
    (layer,) = layers(f"{text}, causal: true}}]")
    assert layer.macs == 2 * 8 * 64 * (2048 * 2049 // 2)


def test_a_window_of_keys_is_the_receptive_field_of_attention():
    text = f"{TOKENS}layers: [{{attention: [input, input, input]"
    assert extents(f"{text}, window: 4}}]") == [(5,)]
    assert extents(f"{text}, causal: true, window: 4}}]") == [(4,)]
    assert extents(f"{text}, causal: true}}]") == [(10,)]


def test_a_window_around_a_query_does_not_see_more_positions_than_there_are_keys():
    text = f"{TOKENS}layers: [{{attention: [input, input, input]"
    for window in (10, 11, 12, 18, 20, 40):  # over 10 tokens
        assert extents(f"{text}, window: {window}}}]") == [(10,)]
    for queries, field in ((1, 3), (2, 4), (3, 5), (10, 5)):  # 2 keys before, up to 2 after
        last = f"{{slice: {queries}, start: {10 - queries}, along: 1, name: last}}"
        text = f"{TOKENS}layers: [{last}, {{attention: [last, input, input], window: 4}}]"
        assert extents(text)[-1] == (field,)


def test_attention_by_position_needs_a_key_for_every_query():
    text = """\
    inputs: {q: {channels: 8, size: [5]}, k: {channels: 8, size: [4]}}
    layers: [{attention: [q, k, k], causal: true}]
    """
    assert messages(text) == [
        (
            "2:11 CC303 attention with `causal` or `window` needs a key for every query, not "
            "5 queries and 4 keys"
        )
    ]


def test_keys_and_values_may_have_fewer_heads_of_another_length_and_width():
    layer = layers(
        """
        inputs:
          query: {channels: 8 * 16, size: [5]}
          key: {channels: 2 * 16, size: [7]}
          value: {channels: 2 * 9, size: [7]}
        layers: [{attention: [query, key, value], heads: 8}]
        """
    )[-1]
    assert layer.output.text == f"5×{8 * 9}"
    assert layer.macs == 8 * (5 * 7 * 16 + 5 * 7 * 9)


def test_options_of_a_join_may_be_expressions_of_a_block():
    text = """
        input: {channels: 24, size: [10]}
        blocks:
          attend:
            options: {heads: , flip: false}
            layers:
              - {attention: {q: [], k: [], v: []}, heads: heads}
              - {matmul: [input, input], transpose: flip}
        layers: [{attend: [in_channels//8, true]}]
        """
    attention, product = layers(text)
    assert (attention.output.text, product.output.text) == ("10×24", "10×10")


def test_defaults_apply_to_the_options_of_a_join():
    text = f"{MAP}defaults: {{concat: {{along: 2}}}}\nlayers: [{{concat: [input, input]}}]"
    assert shapes(text) == ["4×12×8"]


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        pytest.param("{matmul: [input, input]}",
            "CC303 matmul sums over the 8 channels of 4×6×8, but 4×6×8 has 6 rows", id="inner"),
        pytest.param("{matmul: {a: [], b: [{conv: 4, kernel: 1}]}, transpose: true}",
            "CC303 matmul sums over the 8 channels of 4×6×8, but 4×6×4 has 4 channels",
            id="inner of a transposed one"),
        pytest.param("{matmul: {a: [], b: [{slice: 3, along: 1}]}, transpose: true}",
            "CC303 matmul needs outer axes that broadcast, not 4 and 3", id="matrices"),
        pytest.param("{matmul: [input, input, input]}",
            "CC303 matmul needs two inputs, not 3", id="three"),
        pytest.param("{matmul: {a: [], b: [flatten]}}",
            "CC304 matmul needs an input with a size, and this input is flat", id="a flat one"),
        pytest.param("{matmul: , from: input}", "CC103 matmul has no branches", id="one"),
        pytest.param("{matmul: [input, input], transpose: 2}",
            "CC104 `transpose` of matmul must be true or false, not 2", id="no flag"),
        pytest.param("{attention: [input, input]}",
            "CC303 attention needs query, key and value, not 2 inputs", id="two of three"),
        pytest.param("{attention: [input]}",
            "CC303 attention needs query, key and value, not 1 input", id="one of three"),
        pytest.param("{attention: [input, input, input], heads: 3}",
            "CC302 query channels 8 cannot be divided by heads 3", id="heads"),
        pytest.param("{attention: {q: [], k: [{conv: 5, kernel: 1}], v: []}, heads: 2}",
            "CC302 key channels 5 cannot be divided by the channels of a head, 4", id="keys"),
        pytest.param("{attention: {q: [], k: [{conv: 5, kernel: 1}], v: []}}",
            "CC303 attention needs queries and keys with the same number of channels, not 8 and 5",
            id="widths"),
        pytest.param("{attention: {q: [], k: [{slice: 5, along: 2}], v: []}}",
            "CC303 attention needs one value for each key, not 5 keys and 6 values", id="values"),
        pytest.param("{attention: {q: [], k: [{slice: 3, along: 1}], v: []}}",
            "CC303 attention needs inputs with the same outer axes, not 4×6×8, 3×6×8, 4×6×8",
            id="outer axes"),
        pytest.param("{concat: [input, input], along: 3}",
            "CC304 concat needs axis 3, but the input has 2 axes", id="no such axis"),
        pytest.param("{concat: {a: [], b: [{conv: 4, kernel: 1}]}, along: 1}",
            "CC303 concat along axis 1 needs branches with equal other axes, "
            "not 4×6×8 and 4×6×4", id="other channels"),
        pytest.param("{concat: {a: [], b: [{slice: 2, along: 2}]}, along: 1}",
            "CC303 concat along axis 1 needs branches with equal other axes, "
            "not 4×6×8 and 4×2×8", id="another axis"),
        pytest.param("{concat: [input, input], alone: 1}",
            "CC101 concat has no option `alone`", id="an unknown option"),
    ],
)  # fmt: skip
def test_a_join_of_branches_that_do_not_fit_is_refused(layer, expected):
    found = messages(f"{MAP}layers: [{layer}]")
    assert [line.split(" ", 1)[1] for line in found] == [expected]


@pytest.mark.parametrize(
    ("branch", "message"),
    [
        pytest.param("{conv: 4, kernel: 1}", "channels", id="channels"),
        pytest.param("{slice: 3, along: 1}", "sizes", id="sizes"),
        pytest.param("{conv: 4, kernel: 3}", "channels and sizes", id="both"),
    ],
)
def test_the_message_of_a_join_names_what_differs(branch, message):
    (problem,) = problems(f"{MAP}layers: [{{add: {{a: [], b: [{branch}]}}}}]")
    assert problem.help == f"their {message} differ, and only an axis of size 1 broadcasts"


# Shapes


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.data())
@settings(max_examples=60, deadline=None)
def test_a_reshape_keeps_every_element_and_computes_rest(numbers, data):
    channels, *size = numbers
    place = data.draw(st.integers(0, len(numbers) - 1))
    written = [str(n) for n in numbers]
    written[place] = "rest"
    total = 1
    for n in numbers:
        total *= n
    form = f"{{channels: {written[0]}, size: [{', '.join(written[1:])}]}}"
    (layer,) = layers(f"input: {{channels: {total}, size: []}}\nlayers: [{{reshape: {form}}}]")
    assert layer.output == (channels, tuple(size))
    assert (layer.params, layer.macs) == (0, 0)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        pytest.param("{channels: 7, size: [7]}",
            "CC304 reshape keeps all elements: 4×6×8 has 192, but 7×7 has 49", id="other number"),
        pytest.param("{channels: 7, size: [rest]}",
            "CC304 reshape: 4×6×8 has 192 elements, not a multiple of 7", id="no rest"),
        pytest.param("{channels: rest, size: [rest]}",
            "CC104 `shape` of reshape must have `rest` at most once",
            id="two rests"),
        pytest.param("{channels: 1, size: [1, 1, 1, 1, 1, 1, 1, 192]}",
            "CC104 `shape` of reshape: size has at most 7 numbers, not 8", id="eight axes"),
    ],
)  # fmt: skip
def test_a_reshape_that_loses_elements_is_refused(form, expected):
    found = messages(f"{MAP}layers: [{{reshape: {form}}}]")
    assert [line.split(" ", 1)[1] for line in found] == [expected]


def test_only_reshape_accepts_rest():
    found = messages(f"{MAP}layers: [{{learned: {{channels: rest, size: []}}}}]")
    assert found == [
        "2:20 CC104 `shape` of learned must be {channels: n, size: n or [h, w]}, not `rest`"
    ]


def test_an_input_has_at_most_three_axes_and_other_tensors_seven():
    assert messages("input: {channels: 1, size: [1, 1, 1, 1]}\nlayers: [relu]") == [
        "1:8 CC104 `input` of the network: size has at most 3 numbers, not 4"
    ]
    assert shapes(
        "input: {channels: 2, size: [4, 6, 8]}\nlayers: [{reshape: {channels: 1, "
        "size: [2, 2, 6, 8, rest]}}, {linear: 3, each_position: true}, "
        "{custom: x, params: 0, macs: 0, output: {channels: 1, size: [1, 2, 3, 4, 5, 6, 7]}}]"
    ) == ["2×2×6×8×2×1", "2×2×6×8×2×3", "1×2×3×4×5×6×7×1"]


def test_the_help_for_a_linear_layer_on_four_axes_names_no_convolution():
    text = f"{MAP}layers: [{{reshape: {{channels: 1, size: [2, 2, 6, 8]}}}}, {{linear: 3}}]"
    (problem,) = problems(text)
    assert problem.help == (
        "put `flatten` before it, or apply it at every position with `each_position: true`"
    )


@pytest.mark.parametrize(
    ("over", "dropped", "expected"),
    [
        ("channels", False, "4×6×1"),
        ("channels", True, "4×6×1"),
        ("size", False, "1×1×8"),
        ("size", True, "8"),
        ("all", False, "1×1×1"),
        ("all", True, "1"),
        ("2", True, "4×8"),
    ],
)
def test_a_mean_is_over_channels_positions_or_both(over, dropped, expected):
    keep = str(not dropped).lower()
    assert shapes(f"{MAP}layers: [{{mean: {over}, keep: {keep}}}]") == [expected]


def test_the_spatial_attention_of_cbam_is_a_gate_of_one_channel():
    text = f"""{MAP}
layers:
  - multiply:
      map: []
      gate:
        - concat: {{mean: [{{mean: channels}}], max: [{{max: channels}}]}}
        - {{conv: 1, kernel: 7, padding: 3}}
        - sigmoid
"""
    counted = cost(text)
    assert counted.layers[-1].output.text == "4×6×8"
    assert counted.totals.macs == 7 * 7 * 2 * 4 * 6


@pytest.mark.parametrize(
    ("layer", "each"),
    [
        ("relu", True),
        ("{elementwise: exp}", True),
        ("{linear: 8, each_position: true}", False),
        ("{linear: 8, each_position: true, inputs: 8}", False),
        ("{reshape: {channels: 8, size: [4, 6]}}", False),
        ("{reshape: {channels: rest, size: [4, 6]}}", False),
        ("l2_norm", False),
        ("{learned: {channels: 8, size: [4, 6]}}", False),
    ],
)
def test_a_layer_with_fixed_channels_is_not_elementwise(layer, each):
    network = cost(f"{MAP}layers: [{layer}]").network
    assert Dataflow(network).is_elementwise(0) is each


# Learned numbers


def test_a_learned_tensor_is_params_or_a_buffer_for_any_input():
    learned, fixed = layers(
        f"{MAP}layers: [{{learned: {{channels: 3, size: [5]}}}}, "
        "{learned: {channels: 3, size: [5]}, buffer: true}]"
    )
    assert (learned.weights, learned.buffers) == (3 * 5, 0)
    assert (fixed.weights, fixed.buffers) == (0, 3 * 5)


def test_a_learned_tensor_used_again_is_learned_once():
    first, again = layers(
        f"{MAP}layers: [{{learned: {{channels: 3, size: [5]}}, name: a}}, "
        "{learned: {channels: 3, size: [5]}, weights: a}]"
    )
    assert (first.params, again.params) == (3 * 5, 0)


def test_an_embedding_of_ids_that_have_channels_is_refused():
    assert messages(f"{MAP}layers: [{{embedding: 3, rows: 9}}]") == [
        "2:11 CC304 embedding needs one number at each position, not 8"
    ]


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ("{scale: , factor: false}", "scale needs a factor, a shift or both"),
        ("{scale: , shared: true, over: all}", "scale accepts `shared` or `over: all`, not both"),
        ("{lstm: 3, bias: false, one_bias: true}", "lstm needs `bias: true` for `one_bias`"),
    ],
)
def test_options_that_contradict_each_other_are_refused(layer, expected):
    assert messages(f"{TOKENS}layers: [{layer}]") == [f"2:11 CC104 {expected}"]


@pytest.mark.parametrize(
    ("layer", "weights", "biases"),
    [
        ("scale", 8, 0),
        ("{scale: , shift: true}", 8, 8),
        ("{scale: , factor: false, shift: true}", 0, 8),
        ("{scale: , shift: true, shared: true}", 1, 1),
        ("{scale: , over: all}", 8 * 4 * 6, 0),
        ("rms_norm", 8, 0),
        ("{rms_norm: , scale: false}", 0, 0),
        ("global_response_norm", 8, 8),
        ("l2_norm", 0, 0),
    ],
)
def test_a_layer_has_learned_numbers_for_each_channel(layer, weights, biases):
    (found,) = layers(f"{MAP}layers: [{layer}]")
    assert (found.weights, found.biases, found.macs) == (weights, biases, 0)
    assert found.output.text == "4×6×8"


# Sequences


def test_a_recurrent_layer_uses_the_innermost_axis_as_steps_and_others_as_sequences():
    rows, row = (
        layers(f"input: {{channels: 8, size: {size}}}\nlayers: [{{lstm: 5}}]")[0]
        for size in ("[4, 6]", "[6]")
    )
    assert (rows.output.text, row.output.text) == ("4×6×5", "6×5")
    assert rows.params == row.params == 4 * 5 * (8 + 5) + 2 * 4 * 5
    assert rows.macs == 4 * row.macs == 4 * 6 * 4 * 5 * (8 + 5)


def test_the_last_step_of_a_recurrent_layer_is_flat_and_can_be_classified():
    assert shapes(
        f"{TOKENS}layers: [{{gru: 7, last: true, bidirectional: true}}, {{linear: 3}}]"
    ) == [
        "14",
        "3",
    ]


# What an element sees


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        pytest.param("{attention: [input, input, input]}", (1, 6), id="attention"),
        pytest.param("{matmul: [input, input], transpose: true}", (1, 6), id="matmul"),
        pytest.param("{lstm: 3}", (1, 6), id="lstm"),
        pytest.param("{mean: channels}", (1, 1), id="mean of channels"),
        pytest.param("{mean: size}", (4, 6), id="mean of positions"),
        pytest.param("{max: 1, keep: false}", (4, 1), id="max of an axis"),
        pytest.param("{slice: 2, along: 1, step: 2}", (1, 1), id="slice"),
        pytest.param("{reshape: {channels: 4, size: [2, 4, 6]}}", (1, 1), id="heads"),
        pytest.param("{reshape: {channels: 8 * 4, size: [6]}}", (4, 6), id="rows to channels"),
        pytest.param("{reshape: {channels: 8, size: [24]}}", (4, 6), id="new positions"),
        pytest.param("{reshape: {channels: 8 * 24, size: []}}", (4, 6), id="all to channels"),
        pytest.param("{reshape: {channels: 4, size: [6, 8]}}", (4, 6), id="axes exchanged"),
    ],
)
def test_the_receptive_field_of_an_element_has_all_that_it_depends_on(layer, expected):
    assert extents(f"{MAP}layers: [{layer}]") == [expected]


def test_an_element_that_depends_on_several_tokens_may_depend_on_the_whole_image():
    heads = "{reshape: {channels: 4, size: [2, 4, 6]}, name: x}"
    assert extents(f"{MAP}layers: [{heads}, {{attention: [x, x, x]}}]") == [(1, 1), (4, 6)]


def test_the_receptive_field_of_a_mean_over_all_positions_is_the_input():
    text = f"{MAP}layers: [{{mean: size}}, {{upsample: 4}}, {{conv: 8, kernel: 3}}]"
    assert extents(text)[-1] == (4, 6)
    assert [sight.step for sight in layers(text)[-1].field] == [0, 0]
