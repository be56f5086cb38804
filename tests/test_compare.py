"""Networks side by side: the figures that the comparisons were asked for, and their laws."""

import json

import pytest
from support import run, shipped

from convcost.questions.compare import Comparison, ratio, share
from convcost.report import Difference

# name of a spec, its weights naive and reduced, and what the one is of the other
REDUCED = [
    (
        "inception_3a",
        64 * 192 + 128 * 9 * 192 + 32 * 25 * 192,
        157_184,
        "40.6 %",
        "2.46 times less",
    ),
    ("bottleneck_256", 2 * 256 * 9 * 256, 69_632, "5.9 %", "16.94 times less"),
    ("reduce_5x5", 64 * 25 * 512, 24 * 512 + 64 * 25 * 24, "6.2 %", "16.16 times less"),
    ("reduce_4x4", 256 * 16 * 256, 278_528, "26.6 %", "3.76 times less"),
    ("reduce_3x3", 256 * 9 * 256, 69_632, "11.8 %", "8.47 times less"),
]


@pytest.mark.parametrize(("spec", "naive", "reduced", "part", "less"), REDUCED)
def test_a_reduction_saves_what_its_weights_say(spec, naive, reduced, part, less):
    both = tuple(shipped(spec, name) for name in ("naive", "reduced"))
    assert tuple(costs.totals.weights for costs in both) == (naive, reduced)
    table = next(Comparison(both).tables())
    rows = {}
    for row in table.rows:
        rows.setdefault(row[0].strip(), row[1:])
    assert rows["weights"] == (naive, reduced)
    assert rows["of naive"] == (None, part)
    assert rows["ratio"] == (None, less)


def test_the_work_of_inception_3a_stands_under_the_table_beside_what_is_printed():
    text = run("compare", "inception_3a").stdout.decode()
    assert "naive 64 × 1 × 1 × 192 + 128 × 3 × 3 × 192 + 32 × 5 × 5 × 192 = 387,072\n" in text
    assert "158,048 published" in text
    assert "157,184 exact, off by +864 (+0.55 %)" in text


def test_the_whole_modules_have_416_and_256_channels():
    text = run("compare", "inception_3a", "--set", "pool=true", "--format", "json").stdout
    networks = json.loads(text)["networks"]
    assert [network["output"]["channels"] for network in networks] == [416, 256]
    assert [network["totals"]["weights"] for network in networks] == [387_072, 163_328]


def test_a_network_compared_with_itself_differs_in_nothing():
    (same,) = json.loads(run("compare", "vgg16", "vgg16", "--layers", "--format", "json").stdout)[
        "networks"
    ][1:]
    assert {item["difference"] for item in same["changes"]} == {0}
    assert {item["state"] for item in same["layers"]} == {"unchanged"}


def test_swapping_two_networks_negates_every_difference():
    there = json.loads(run("compare", "vgg16", "resnet50", "--layers", "--format", "json").stdout)
    back = json.loads(run("compare", "resnet50", "vgg16", "--layers", "--format", "json").stdout)
    one, other = there["networks"][1], back["networks"][1]
    for item, opposite in zip(one["changes"], other["changes"], strict=True):
        assert item["difference"] == -opposite["difference"]
    negated = {item["path"]: -item["macs_change"] for item in other["layers"]}
    assert {item["path"]: item["macs_change"] for item in one["layers"]} == negated


def test_layers_are_aligned_by_path_and_the_largest_change_comes_first():
    text = run("compare", "inception_3a", "--layers", "--no-bars").stdout.decode()
    table = text.split("Layers: naive to reduced\n\n")[1].splitlines()
    assert table[1].split()[:2] == ["3x3/conv_1", "removed"]
    assert table[-1] == "2 layers are unchanged"


def test_the_baseline_is_the_first_or_the_one_that_is_named():
    arguments = ("compare", "vgg16", "googlenet", "--format", "json")
    assert json.loads(run(*arguments).stdout)["baseline"] == "VGG-16"
    named = run(*arguments, "--baseline", "GoogLeNet").stdout
    assert json.loads(named)["networks"][0]["changes"][2]["difference"] == 138_357_544 - 6_998_552
    wrong = run(*arguments, "--baseline", "googlnet")
    assert (wrong.returncode, wrong.stdout) == (2, b"")
    assert b"did you mean `GoogLeNet`?" in wrong.stderr


def test_one_network_alone_is_no_comparison():
    done = run("compare", "vgg16")
    assert done.returncode == 2
    assert done.stderr == b"error: compare takes two networks or more, this is one\n"


def test_networks_with_different_inputs_are_compared_and_it_is_said():
    text = run("compare", "vgg16", "inception_v3").stdout.decode()
    assert "the inputs differ: VGG-16 224×224×3; Inception v3 299×299×3; 1 sample" in text


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (387_072, 157_184, ("-229,888 (-59.4 %)", "40.6 %", "2.46 times less")),
        (10, 15, ("+5 (+50.0 %)", "150.0 %", "1.50 times as much")),
        (0, 7, ("+7", None, None)),
        (7, 0, ("-7 (-100.0 %)", "0.0 %", None)),
        (7, 7, ("0 (0.0 %)", "100.0 %", "the same")),
    ],
)
def test_a_change_is_said_in_counts_percent_and_times(before, after, said):
    assert (Difference(before, after), share(before, after), ratio(before, after)) == said


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_table_of_a_comparison_fits(width):
    text = run("compare", "bottleneck_256", "--format", "table", "--width", str(width)).stdout
    assert max(map(len, text.decode().splitlines())) <= width
    assert "1,179,648" in text.decode()


def test_a_figure_printed_for_other_settings_is_not_set_beside_this_network():
    assert "158,048" not in run("compare", "inception_3a", "--set", "pool=true").stdout.decode()
    assert "158,048" in run("compare", "inception_3a", "--set", "pool=false").stdout.decode()


def test_published_macs_are_held_against_one_sample_whatever_the_batch():
    one, many = (
        run("compare", "googlenet", "vgg16", "--batch", batch).stdout.decode() for batch in "18"
    )
    for line in (line for line in one.splitlines() if "published" in line):
        assert line in many
