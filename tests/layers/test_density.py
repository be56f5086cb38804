"""A share of the weights is pruned: it has neither params nor macs."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import cost, problems, run

from convcost.conventions import find_convention
from convcost.model.dtypes import Dtypes
from convcost.model.network import Density
from convcost.model.training import training
from convcost.reports.explain.layer import explain_layer
from convcost.reports.notes import PRUNED, costs_notes

CONV = "{conv: 5, kernel: 3, bias: true, name: a"


def net(layers, channels=3, variables="{}"):
    return f"vars: {variables}\ninput: {{channels: {channels}, size: 8}}\nlayers: [{layers}]"


def test_half_of_the_weights_is_half_of_the_macs_and_all_biases():
    totals = cost(net("{conv: 64, kernel: 3, bias: true, density: 0.5}", 64)).totals
    assert (totals.weights, totals.biases) == (64 * 3 * 3 * 64 // 2, 64)
    assert totals.macs == 64 * 3 * 3 * 64 // 2 * 6 * 6


@given(st.fractions(Fraction(1, 20), 1), st.integers(1, 9))
def test_the_weights_that_are_left_are_whole_and_each_runs_at_every_position(density, filters):
    totals = cost(net(f"{{conv: {filters}, kernel: 3, density: {density}}}")).totals
    weights = filters * 3 * 3 * 3
    assert totals.weights == weights - round((1 - density) * weights)
    assert totals.macs == totals.weights * 6 * 6


@pytest.mark.parametrize(
    "layer",
    [
        "{depthwise: 3, density: 1/3}",
        "{transposed_conv: 4, kernel: 2, stride: 2, density: 1/3}",
        "{locally_connected: 4, kernel: 3, density: 1/3}",
        "{linear: 6, each_position: true, density: 1/3}",
        "{lstm: 6, layers: 2, bidirectional: true, density: 1/3}",
        "{embedding: 6, rows: 9, density: 1/3}",
    ],
)
def test_any_layer_whose_macs_are_those_of_its_weights_has_a_density(layer):
    channels = 1 if "embedding" in layer else 3
    pruned, dense = (
        cost(net(text, channels)).totals for text in (layer, layer.replace(", density: 1/3", ""))
    )
    kept = dense.weights - round(dense.weights * Fraction(2, 3))
    assert (pruned.weights, pruned.biases) == (kept, dense.biases)
    assert pruned.macs * dense.weights == dense.macs * kept


def test_a_density_is_stated_and_explained():
    costs = cost(net(f"{CONV}, density: 0.3}}"))
    (layer,) = costs.layers
    assert layer.stated
    assert f"density: {PRUNED}" in costs_notes((costs,))
    explained = explain_layer(costs, layer)
    assert explained.products["weights"] == (
        41,  # of 135, of which 94.5 are pruned, to even
        "filters × kernel × kernel × channels/groups × density",
        "5 × 3 × 3 × 3 × 41/135",
    )


def test_a_density_of_1_changes_nothing():
    assert cost(net(f"{CONV}, density: 1}}")).layers == cost(net(f"{CONV}}}")).layers


def test_a_variable_can_be_a_density():
    text = net(f"{CONV}, density: d}}", 3, "{d: 1}")
    assert cost(text).totals.weights == 5 * 3 * 3 * 3
    assert cost(text, d=Fraction(1, 5)).totals.weights == 3 * 3 * 3


def test_a_layer_that_uses_pruned_weights_has_the_macs_of_those():
    shared = "{conv: 3, kernel: 1, name: a, density: 1/3}, {conv: 3, kernel: 1, weights: a}"
    totals = cost(net(shared)).totals
    assert (totals.params, totals.macs) == (3, 2 * 3 * 8 * 8)


def test_experts_are_pruned_one_by_one():
    totals = cost(
        net(
            "{experts: {gate: [{conv: 4, kernel: 1}], "
            "each: [{conv: 3, kernel: 1, bias: true, density: 2/9}]}, of: 4, take: 2}"
        )
    ).totals
    assert totals.params == 4 * 3 + 4 * (2 + 3)
    assert totals.active == 4 * 3 + 2 * (2 + 3)
    assert totals.macs == (4 * 3 + 2 * 2) * 8 * 8


def test_other_tools_count_pruned_weights_too():
    costs = cost(net(f"{CONV}, density: 0.2}}"))
    assert find_convention("macs").numbers(costs).total == 3 * 3 * 3 * 6 * 6
    assert find_convention("fvcore").numbers(costs).total == 5 * 3 * 3 * 3 * 6 * 6
    assert find_convention("flops").numbers(costs).total == 2 * 3 * 3 * 3 * 6 * 6 + 5 * 6 * 6


def test_copies_of_a_layer_are_pruned_once(monkeypatch):
    pruned = []

    def counted(stated, weights):
        pruned.append(weights)
        return of_weights(stated, weights)

    of_weights = Density.of_weights
    monkeypatch.setattr(Density, "of_weights", counted)
    totals = cost(net("{conv: 3, kernel: 1, density: 1/3, repeat: 50}")).totals
    assert totals.params == 50 * 3 * 3 // 3
    assert pruned == [3 * 3]


def test_the_macs_of_the_backward_pass_are_whole_for_any_density():
    # 57 of 4·4·(3 + 4) = 112 weights are left. The input needs no gradients of its 48 weights.
    lstm = cost("input: {channels: 3, size: [10]}\nlayers: [{lstm: 4, density: 0.51}]")
    macs = training(lstm, "adam", Dtypes()).backward_macs
    assert macs == 2 * 57 * 10 - 48 * 10 * 57 // 112
    assert type(macs) is int


def problem_messages(text):
    return [problem.message for problem in problems(text)]


def test_a_density_without_a_meaning_is_refused():
    assert problem_messages(net("{max_pool: 2, density: 0.5}")) == [
        "max_pool has no option `density`"
    ]
    assert problem_messages(net("{conv: 3, kernel: 1, density: 1.5}")) == [
        "`density` of a layer must be at most 1, not 1.5"
    ]
    assert problem_messages(net("{conv: 3, kernel: 1, density: 0}")) == [
        "`density` of a layer must be above 0, not 0"
    ]
    assert problem_messages(net("{conv: 3, kernel: 1, buffer: true, density: 0.5}")) == [
        "conv has no weights here, so it has no density"
    ]
    assert problem_messages(
        net(f"{CONV}}}, {{conv: 5, kernel: 3, bias: true, weights: a, density: 0.5}}", 5)
    ) == ["conv has the density of `a`, whose weights it uses"]
    assert problem_messages(net("{conv: 3, kernel: 1, density: 0.01}")) == [
        "a density of 1/100 leaves none of 9 weights"
    ]
    scan = "{selective_scan: {x: [], delta: [], b: [], c: []}, density: 0.5}"
    assert problem_messages(net(scan)) == [
        "selective_scan uses its weights for some of its macs only"
    ]


def test_a_sweep_says_that_a_density_is_stated():
    text = net("{conv: 4, kernel: 1, density: d}", 8, "{d: 1}")
    done = run("analyze", "-", "--set", "d=0.5,0.25", "--columns", "params", text=text)
    printed = done.stdout.decode()
    rows = (line.split() for line in printed.splitlines())
    assert [row for row in rows if row[:1] in (["0.5"], ["0.25"])] == [["0.5", "16"], ["0.25", "8"]]
    assert f"density: {PRUNED}" in printed
