"""Notes that lead from the totals to those of Keras and PyTorch."""

import pytest
from support import cost, run, shipped, shipped_text, totals

from convcost.reports.notes import framework_notes

INPUT = "input: {channels: 3, size: 8}\n"
CONV = "the default; `bias: true` adds"
KINDS = ("conv", "depthwise", "locally_connected")
BIASED = f"defaults: {{{', '.join(f'{kind}: {{bias: true}}' for kind in KINDS)}}}\n"
KERAS = "params + buffers = {}, which Keras prints as total params"


def notes(layers, head=""):
    return list(framework_notes(cost(f"{INPUT}{head}layers: [{layers}]")))


def test_the_buffers_of_norms_are_in_the_total_of_keras():
    assert notes("batch_norm") == [KERAS.format(4 * 3)]
    assert notes("layer_norm, {conv: 2, kernel: 1, bias: true}") == []


@pytest.mark.parametrize(
    ("layers", "note"),
    [
        (
            "{conv: 2, kernel: 1}",
            f"1 convolution has no bias, {CONV} 2 params",
        ),
        (
            "{conv: 4, kernel: 1}, {depthwise: 3}, {conv: 5, kernel: 1}",
            f"3 convolutions have no bias, {CONV} 13 params",
        ),
        (
            "{conv: 3, kernel: 1, name: a}, {conv: 3, kernel: 1, weights: a}",
            f"1 convolution has no bias, {CONV} 3 params",
        ),
        (
            "{experts: {gate: [{conv: 4, kernel: 1}], each: [{depthwise: 1}]}, of: 4, take: 1}",
            f"2 convolutions have no bias, {CONV} {4 + 4 * 3} params",
        ),
        ("{locally_connected: 2, kernel: 3}", f"1 convolution has no bias, {CONV} 72 params"),
    ],
)
def test_convolutions_without_a_bias_have_a_note(layers, note):
    assert notes(layers) == [note]
    added = int(note.split()[-2])
    with_biases = cost(f"{INPUT}{BIASED}layers: [{layers}]")
    assert with_biases.totals.params == cost(f"{INPUT}layers: [{layers}]").totals.params + added
    assert list(framework_notes(with_biases)) == []


@pytest.mark.parametrize(
    ("layers", "head"),
    [
        ("{conv: 2, kernel: 1, bias: false}", ""),
        ("{conv: 2, kernel: 1}, {conv: 2, kernel: 1, bias: true}", ""),
        ("{conv: 2, kernel: 1}", "defaults: {conv: {bias: false}}\n"),
        ("{conv: 2, kernel: 1}, flatten, {linear: 3, bias: false}", ""),
        ("flatten, {linear: 3}", ""),
    ],
)
def test_a_spec_that_mentions_bias_or_has_no_convolution_has_no_note(layers, head):
    assert notes(layers, head) == []


def test_the_notes_of_resnet_50_have_the_total_of_keras():
    costs = shipped("resnet50")
    assert list(framework_notes(costs)) == [
        KERAS.format("25,610,152"),
        f"53 convolutions have no bias, {CONV} 26,560 params",
    ]
    text = shipped_text("resnet50") + "\ndefaults: {conv: {bias: true}}\n"
    biased = totals(cost(text))
    # keras.applications.ResNet50().summary(): total params, trainable params
    assert (biased["params"] + biased["buffers"], biased["params"]) == (25_636_712, 25_583_592)


def test_analyze_prints_the_notes_last():
    done = run("analyze", "resnet18", "--top", "1")
    assert done.stdout.decode().splitlines()[-2:] == [
        KERAS.format("11,699,112"),
        f"20 convolutions have no bias, {CONV} 4,800 params",
    ]
    assert b"no bias" not in run("analyze", "resnet18", "--deploy", "--top", "1").stdout
