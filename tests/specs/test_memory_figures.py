"""Published figures of memory, checked by hand from the shapes of the tensors."""

import pytest

import convcost


def figures(spec):
    found = convcost.verify(spec).tree()["figures"]
    return {
        (entry.measure, entry.published): (entry.exact, entry.verdict)
        for entry in found
        if entry.measure.startswith(("flash", "peak_memory"))
    }


def test_resnet_50_needs_7_mb_and_102_mb_as_mcunet_prints():
    params, statistics = 25_557_032, 2 * 26_560
    assert figures("resnet50") == {
        ("flash (float32)", "102MB"): (4 * (params + statistics), "agrees"),
        ("peak_memory (float32)", "7.2MB"): (4 * 56 * 56 * (64 + 256 + 256), "agrees"),
    }


@pytest.mark.parametrize(
    ("spec", "published", "exact"),
    [
        ("mobilenet_v1", "1204224", 112 * 112 * 32 + 112 * 112 * 64),
        ("mobilenet_v2", "1505280", 112 * 112 * 96 + 56 * 56 * 96),
        ("mobilenet_v3", "1003520", 112 * 112 * 16 + 112 * 112 * 64),
    ],
)
def test_mobilenets_need_to_the_byte_what_an_analyser_of_tflite_models_prints(
    spec, published, exact
):
    assert figures(spec)["peak_memory (int8)", published] == (exact, "exact")


@pytest.mark.parametrize(
    ("measure", "published", "exact"),
    [
        # A depthwise convolution reads 96 channels and writes 96 of half the size.
        ("peak_memory (int8)", "1372KB", 112 * 112 * 96 + 56 * 56 * 96),
        ("peak_memory (float32)", "6.8MB", 4 * (112 * 112 * 96 + 56 * 56 * 96)),
        ("peak_memory (int8)", "308kB", 72 * 72 * 48 + 36 * 36 * 48),
    ],
)
def test_figures_of_mobilenet_v2_with_other_rules_are_marked_off(measure, published, exact):
    assert figures("mobilenet_v2")[measure, published] == (exact, "off")
    assert convcost.verify("mobilenet_v2").confirmed


def test_figures_of_mcunet_in_its_own_runtime_are_marked_off():
    assert figures("mcunet") == {
        ("peak_memory (int8)", "293kB"): (44 * 44 * (16 + 80 + 80), "off"),
        ("flash (int8,biases=int32)", "897kB"): (728_720 + 4 * (7_688 + 1_000) + 2 * 7_688, "off"),
    }
    assert convcost.verify("mcunet").confirmed
    # The first expansion, from 8 to 24 channels, has the most elements in its input and output.
    assert 88 * 88 * (8 + 24) == 247_808


def test_1372_kb_are_the_input_and_output_of_the_first_expansion():
    assert 112 * 112 * (16 + 96) == 1372 * 1024
