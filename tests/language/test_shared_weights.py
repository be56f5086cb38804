"""Layers that use the weights of another layer."""

import pytest
from spec_texts import EIGHT
from support import cost, messages, problems


@pytest.mark.parametrize(
    ("other", "message"),
    [
        pytest.param("{conv: 8, kernel: 1, weights: a}",
            "2:71 CC306 conv needs weights 8 × 1 × 1 × 8, but `a` has weights 8 × 3 × 3 × 8",
            id="of another form"),
        pytest.param("{depthwise: 3, weights: a}",
            "2:65 CC306 depthwise needs weights 8 × 3 × 3, but `a` is a layer of another kind",
            id="of another kind"),
        pytest.param("{relu: , weights: a}", "2:50 CC101 relu has no option `weights`",
            id="by what has none"),
        pytest.param("{conv: 8, kernel: 3, weights: b}",
            "2:71 CC108 there is no layer `b` before this one", id="of nobody"),
    ],
)  # fmt: skip
def test_weights_are_shared_only_where_they_fit(other, message):
    text = f"{EIGHT}layers: [{{conv: 8, kernel: 3, name: a}}, {other}]"
    assert messages(text) == [message]


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
    assert problem.message == (
        "linear needs weights 1000 × 64, but `tokens` is a layer of another kind"
    )


@pytest.mark.parametrize(
    ("owner", "message"),
    [
        pytest.param("{conv: 8, kernel: 3, buffer: true, name: a}",
            "2:99 CC306 conv needs buffers 8 × 1 × 1 × 8, but `a` has buffers 8 × 3 × 3 × 8",
            id="of another form"),
        pytest.param("{conv: 8, kernel: 1, name: a}",
            "2:85 CC306 conv needs weights 0, but `a` has weights 8 × 1 × 1 × 8",
            id="that are params there"),
    ],
)  # fmt: skip
def test_buffers_are_shared_only_where_they_fit(owner, message):
    layer = "{conv: 8, kernel: 1, buffer: true, weights: a}"
    assert messages(f"{EIGHT}layers: [{owner}, {layer}]") == [message]


def test_shared_buffers_count_once():
    blur = "conv: 8, kernel: 1, buffer: true"
    totals = cost(f"{EIGHT}layers: [{{{blur}, name: a}}, {{{blur}, weights: a}}]").totals
    assert (totals.buffers, totals.macs) == (8 * 8, 2 * 8 * 8 * 8 * 8)
