"""A mixture of experts: all copies are stored, those taken run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import cost, problems, shipped

from convcost.conventions import find_convention
from convcost.model.dtypes import Dtypes
from convcost.model.peak_memory import peak_memory
from convcost.model.roofline import traffic
from convcost.model.training import training
from convcost.reports.explain.layer import explain_layer
from convcost.reports.notes import costs_notes

SPEC = """
name: mixture
input: {{channels: 64, size: [32]}}
defaults: {{linear: {{each_position: true, bias: {bias}}}}}
layers:
  - experts:
      gate: [{{linear: 8, bias: false}}]
      each: [{{linear: 128}}, silu, {{linear: 64}}]
      {shared}
    of: 8
    take: {take}
    name: mixture
"""
ONE = 64 * 128 + 128 * 64
BIASES = 128 + 64


def mixture(take=2, bias="false", shared=""):
    return cost(SPEC.format(take=take, bias=bias, shared=shared))


def problem_messages(text):
    return [problem.message for problem in problems(text)]


def test_every_expert_is_stored_and_those_taken_are_active():
    totals = mixture().totals
    assert totals.params == 64 * 8 + 8 * ONE == 131_584
    assert totals.active == 64 * 8 + 2 * ONE == 33_280
    assert totals.macs == (64 * 8 + 2 * ONE) * 32 == 1_064_960


@given(st.integers(1, 8))
def test_biases_are_idle_like_weights_and_activations_are_those_of_the_experts_taken(take):
    totals = mixture(take, "true").totals
    assert totals.biases == 8 * BIASES
    assert totals.idle == (8 - take) * (ONE + BIASES)
    assert totals.activations == (8 + take * (128 + 128 + 64) + 64) * 32


def test_a_shared_expert_runs_at_every_position():
    with_shared = mixture(shared="shared: [{linear: 64}]").totals
    without = mixture().totals
    assert with_shared.active - without.active == 64 * 64
    assert with_shared.macs - without.macs == 64 * 64 * 32


def test_experts_inside_experts_multiply():
    inner = "{experts: {gate: [{linear: 3}], each: [{linear: 64}]}, of: 3, take: 1}"
    totals = cost(f"""
        input: {{channels: 64, size: [32]}}
        defaults: {{linear: {{each_position: true, bias: false}}}}
        layers: [{{experts: {{gate: [{{linear: 4}}], each: [{inner}]}}, of: 4, take: 2}}]
    """).totals
    assert totals.params == 4 * 64 + 4 * (3 * 64 + 3 * 64 * 64)
    assert totals.active == 4 * 64 + 2 * (3 * 64 + 1 * 64 * 64)
    assert totals.macs == totals.active * 32


def test_shared_weights_of_experts_are_stored_once():
    totals = cost("""
        input: {channels: 64, size: [32]}
        layers:
          - experts:
              gate: [{conv: 4, kernel: 1}]
              each: [{conv: 64, kernel: 1, name: a}, {conv: 64, kernel: 1, weights: a}]
            of: 4
            take: 2
    """).totals
    assert (totals.params, totals.active) == (4 * 64 + 4 * 64 * 64, 4 * 64 + 2 * 64 * 64)
    assert totals.macs == (4 * 64 + 2 * 2 * 64 * 64) * 32


def test_conventions_count_the_experts_that_run():
    costs = mixture()
    assert find_convention("macs").numbers(costs).total == costs.totals.macs
    silu = next(n for n, layer in enumerate(costs.layers) if layer.kind == "silu")
    assert find_convention("flops").numbers(costs).layers[silu] == 5 * 2 * 128 * 32


def test_the_outputs_of_all_experts_that_run_are_alive():
    expected = 8 * 32 + 2 * 128 * 32 + 2 * 64 * 32  # the gate, and around the last linear layer
    assert peak_memory(mixture().network).elements == expected


def test_reports_say_what_is_not_counted_and_what_active_is():
    notes = costs_notes((mixture(),))
    assert "33,280 of 131,584 params are active, 98,304 are idle" in notes
    assert (
        "experts: params of experts that a position does not take are idle; choosing experts and "
        "weighing their outputs are not counted"
    ) in notes


def test_branches_are_known_by_name_in_any_order():
    assert problem_messages("""
        input: {channels: 64, size: [32]}
        layers: [{experts: {gat: [{conv: 8, kernel: 1}], each: input}, of: 8, take: 2}]
    """) == [
        "experts needs a branch `gate`",
        "experts has no branch `gat`",
        "branch `each` must be a list of layers, which are copied",
    ]
    totals = cost("""
        input: {channels: 64, size: [32]}
        layers:
          - {experts: {each: [{conv: 64, kernel: 1}], gate: [{conv: 8, kernel: 1}]}, of: 8, take: 1}
    """).totals
    assert totals.active == 8 * 64 + 64 * 64


def test_a_gate_has_one_channel_for_each_expert():
    assert problem_messages("""
        input: {channels: 64, size: [32]}
        layers:
          - {experts: {gate: [{conv: 7, kernel: 1}], each: [{conv: 64, kernel: 1}]}, of: 8, take: 1}
    """) == ["experts needs a gate of 32×8, one channel for each expert, not 32×7"]


def test_more_experts_than_there_are_cannot_be_taken():
    assert problem_messages("""
        input: {channels: 64, size: [32]}
        layers: [{experts: {gate: [{conv: 8, kernel: 1}], each: []}, of: 8, take: 9}]
    """) == ["experts takes 9 of 8 experts"]


def test_a_layer_outside_cannot_use_a_tensor_of_which_each_expert_has_one():
    assert problem_messages("""
        input: {channels: 8, size: [5]}
        layers:
          - experts: {gate: [{conv: 4, kernel: 1}], each: [{conv: 8, kernel: 1, name: inner}]}
            of: 4
            take: 2
            name: moe
          - {conv: 8, kernel: 1, from: moe/each/inner}
    """) == ["conv uses `moe/each/inner`, which each of 4 experts has"]


INNER, INNER_AGAIN = (
    f"{{experts: {{gate: [{{conv: 4, kernel: 1}}], each: [{{conv: 8, kernel: 1, {own}}}]}}, "
    f"of: 4, take: {take}, name: {name}}}"
    for own, take, name in (("name: a", 1, "m"), ("weights: m/each/a", 2, "n"))
)
SHARED = """
    input: {{channels: 8, size: [5]}}
    layers:
      - {{conv: 8, kernel: 1, name: before}}
      - experts: {{gate: [{{conv: 4, kernel: 1}}], each: [{{conv: 8, kernel: 1, name: inner}}]}}
        of: 4
        take: 2
        name: moe
      - {layer}
"""


def test_a_layer_outside_cannot_use_weights_of_which_each_expert_has_some():
    assert problem_messages(
        SHARED.format(layer="{conv: 8, kernel: 1, weights: moe/each/inner}")
    ) == ["conv uses the weights of `moe/each/inner`, which each of 4 experts has"]


@pytest.mark.parametrize("owner", ["before", "moe/each/inner"])
def test_experts_can_share_the_weights_of_one_layer_or_of_as_many_experts(owner):
    each = f"{{conv: 8, kernel: 1, weights: {owner}}}"
    layer = f"{{experts: {{gate: [{{conv: 4, kernel: 1}}], each: [{each}]}}, of: 4, take: 2}}"
    totals = cost(SHARED.format(layer=layer)).totals
    assert totals.params == 8 * 8 + 2 * (4 * 8) + 4 * (8 * 8)
    assert totals.macs == 5 * (8 * 8 + 2 * (4 * 8) + 2 * 2 * (8 * 8))


GATE = "[{conv: 4, kernel: 1, from: before}]"
TWO_MOES = """
    input: {{channels: 8, size: [5]}}
    layers:
      - {{identity: , name: before}}
      - experts: {{gate: [{{conv: 4, kernel: 1}}], each: [{{conv: 8, kernel: 1, name: inner}}]}}
        of: 4
        take: 1
        name: moe
      - experts: {{gate: {gate}, each: {each}}}
        of: 4
        take: {take}
"""


@pytest.mark.parametrize(("take", "most"), [(1, 1 + 1), (2, 1 + 2), (3, 4), (4, 4)])
def test_active_params_of_weights_that_two_moes_share_are_the_most_that_a_position_takes(
    take, most
):
    each = "[{conv: 8, kernel: 1, weights: moe/each/inner}]"
    totals = cost(TWO_MOES.format(gate=GATE, each=each, take=take)).totals
    assert totals.params == 2 * (4 * 8) + 4 * (8 * 8)
    assert totals.active == 2 * (4 * 8) + most * (8 * 8)


@pytest.mark.parametrize(
    ("each", "most"),
    [
        ("[{conv: 8, kernel: 1, name: a}, {conv: 8, kernel: 1, weights: a}]", 2),
        (f"[{INNER}, {INNER_AGAIN}]", 2 * (1 + 2)),
    ],
)
def test_layers_of_one_expert_use_the_same_copy_of_shared_weights(each, most):
    gate, of = "[{conv: 4, kernel: 1}]", 4
    found = cost(f"""
        input: {{channels: 8, size: [5]}}
        layers: [{{experts: {{gate: {gate}, each: {each}}}, of: {of}, take: 2}}]
    """)
    layer = next(layer for layer in found.layers if layer.path.endswith("a"))
    assert layer.active == most * (8 * 8)


@pytest.mark.parametrize(
    ("gate", "each", "take", "label"),
    [
        ("moe/each/inner", "[{conv: 8, kernel: 1}]", "1", "experts"),
        (GATE, "[]", "1\n        from: moe/each/inner", "experts"),
        (GATE, "[{conv: 8, kernel: 1, from: moe/each/inner}]", "1", "conv"),
        ("[{conv: 4, kernel: 1, from: moe/each/inner}]", "[{conv: 8, kernel: 1}]", "1", "conv"),
    ],
)
def test_experts_cannot_use_a_tensor_of_the_experts_of_another_join(gate, each, take, label):
    message = f"{label} uses `moe/each/inner`, which each of 4 experts has"
    assert problem_messages(TWO_MOES.format(gate=gate, each=each, take=take))[0] == message


def test_experts_cannot_share_the_weights_of_another_number_of_experts():
    each = "{conv: 8, kernel: 1, weights: moe/each/inner}"
    layer = f"{{experts: {{gate: [{{conv: 8, kernel: 1}}], each: [{each}]}}, of: 8, take: 2}}"
    assert problem_messages(SHARED.format(layer=layer)) == [
        "conv uses the weights of `moe/each/inner`, which each of 4 experts has"
    ]


def test_a_device_reads_the_shared_weights_of_the_experts_that_run():
    each = "[{conv: 8, kernel: 1, weights: moe/each/inner}]"
    moved = traffic(cost(TWO_MOES.format(gate=GATE, each=each, take=3)), Dtypes())
    outputs, x = (moved[5].written, 4 * 8 * 5)
    assert outputs == 3 * x
    assert moved[5].read == 4 * 3 * (8 * 8) + x


def test_mixtral_has_the_published_params():
    attention = 4096 * 4096 * 2 + 2 * 4096 * 1024
    expert, gate, norms = 3 * 4096 * 14336, 4096 * 8, 2 * 4096
    others = 2 * 32000 * 4096 + 4096 + 32 * (attention + gate + norms)
    totals = shipped("mixtral_8x7b").totals
    assert totals.params == others + 32 * 8 * expert == 46_702_792_704
    assert totals.active == others + 32 * 2 * expert == 12_879_925_248


def test_training_keeps_the_tensors_of_all_experts_that_run():
    costs = mixture()
    gradients = costs.totals.params
    x, gate, wide, out = 64 * 32, 8 * 32, 2 * 128 * 32, 2 * 64 * 32
    kept = training(costs, "sgd", Dtypes())
    assert kept.gradients == 4 * gradients
    # The linear layers read the input and the second `wide`, silu the first; the sum its branches.
    assert kept.saved == 4 * (x + gate + 2 * wide + out)
    # The gradients of the weights, and those of the inputs that are not the input of the network.
    assert kept.backward_macs == costs.totals.macs + 2 * 64 * 128 * 32


def test_a_layer_of_an_expert_is_explained_with_all_copies_and_without_alternatives():
    costs = cost("""
        input: {channels: 16, size: 8}
        layers:
          - experts: {gate: [{conv: 4, kernel: 1}], each: [{conv: 16, kernel: 3, padding: 1}]}
            of: 4
            take: 2
    """)
    row = next(layer for layer in costs.layers if layer.path == "each/conv_1")
    explained = explain_layer(costs, row)
    assert explained.products["weights"].work == "16 × 3 × 3 × 16 × 4"
    assert explained.products["macs"].work == "16 × 3 × 3 × 16 × 8 × 8 × 2"
    assert explained.counts.active == 16 * 3 * 3 * 16 * 2
    assert explained.alternatives == []
