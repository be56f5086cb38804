"""The scan of Mamba, one layer however many steps there are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import cost, problems, shipped

from convcost.conventions import find_convention

SPEC = """
input: {{channels: {channels}, size: {size}}}
layers:
  - selective_scan:
      x: []
      delta: [{{conv: {delta}, kernel: 1}}]
      b: [{{conv: {states}, kernel: 1}}]
      c: [{{conv: {states}, kernel: 1}}]
    name: scan
    {more}
"""


def scan(channels=8, size="[16]", delta=8, states=4, more=""):
    text = SPEC.format(channels=channels, size=size, delta=delta, states=states, more=more)
    return cost(text), text


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
def test_each_state_of_a_step_has_three_multiply_adds(channels, states, steps):
    costs, _ = scan(channels, f"[{steps}]", channels, states)
    macs = 0
    for _ in range(steps):
        for _ in range(channels):
            macs += 3 * states  # exp(ΔA)·h, + Δx·B, and C·h
            macs += 1  # D·x
    layer = costs.layers[-1]
    assert (layer.macs, layer.params) == (macs, channels * states + channels)


def test_a_scan_of_4096_steps_is_one_layer():
    costs, _ = scan(1536, "[4096]", 1536, 16)
    assert [layer.kind for layer in costs.layers] == ["conv"] * 3 + ["selective_scan"]
    assert costs.layers[-1].macs == 3 * 1536 * 16 * 4096 + 1536 * 4096


def test_outer_axes_are_separate_sequences():
    one, _ = scan(size="[16]")
    four, _ = scan(size="[2, 2, 16]")
    assert four.layers[-1].macs == 4 * one.layers[-1].macs
    assert four.layers[-1].params == one.layers[-1].params


def test_heads_have_one_number_each_and_groups_share_their_states():
    costs, _ = scan(8, "[16]", 2, 3 * 4, "heads: 2\n    groups: 4\n    skip: false")
    layer = costs.layers[-1]
    assert (layer.params, layer.macs) == (2, 3 * 8 * 3 * 16)


def test_the_published_operations_are_9_for_each_state_and_step():
    costs, _ = scan(more="skip: false")
    assert find_convention("flops").numbers(costs).layers[-1] == 9 * 8 * 4 * 16
    costs, _ = scan()
    assert find_convention("flops").numbers(costs).layers[-1] == 9 * 8 * 4 * 16 + 2 * 8 * 16


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delta": 7}, "selective_scan needs `delta` of 16×8, not 16×7"),
        ({"more": "heads: 3"}, "channels 8 cannot be divided by heads 3"),
        ({"more": "heads: 4"}, "selective_scan needs `delta` of 16×4, not 16×8"),
        ({"more": "groups: 8"}, "channels of `b` 4 cannot be divided by groups 8"),
    ],
)
def test_branches_of_other_shapes_are_refused(options, message):
    given_options = {"channels": 8, "size": "[16]", "delta": 8, "states": 4, "more": ""} | options
    assert [problem.message for problem in problems(SPEC.format(**given_options))] == [message]


def test_mamba_has_the_published_params():
    inner, rank, states = 2 * 768, 768 // 16, 16
    layer = 768 + 768 * 2 * inner + inner * 4 + inner + inner * (rank + 2 * states)
    layer += rank * inner + inner + inner * states + inner + inner * 768
    params = 50280 * 768 + 24 * layer + 768
    assert shipped("mamba_130m").totals.params == params == 129_135_360
