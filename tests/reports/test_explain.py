"""`convcost explain`: every count of a layer is the value of its printed product."""

import csv
import io
import json
import re

import pytest
from support import SHIPPED, cost, first_costs, run, shipped

from convcost.model.costs import inputs_of
from convcost.model.measures import CONVENTION, Measure
from convcost.reports.explain import Explanation, explain_group, paths
from convcost.reports.explain.layer import explain_layer
from convcost.reports.table import cell_text

CONV = "input: {{channels: {0}, size: {1}}}\nlayers: [{{conv: {2}, kernel: {3}{4}}}]"


def layer_explanation(counted, path):
    (row,) = [row for row in counted.layers if row.path == path]
    return explain_layer(counted, row)


def message(counted, path):
    """What a reader is shown, by the left column."""
    rows = [
        row for table in Explanation((counted,), path).tables() for row in table.rows
        if len(row) == 2
    ]  # fmt: skip
    return {what: cell_text(value) for what, value in rows}


def evaluated(text):
    """The integer that a printed formula of numbers comes to."""
    plain = text.replace("×", "*").replace("·", "*").replace("−", "-").replace(",", "")
    plain = re.sub(r"⌊(.*)/(\d+)⌋", r"(\1//\2)", plain)
    plain = re.sub(r"⌈(.*)/(\d+)⌉", r"(-(-\1//\2))", plain)
    assert re.fullmatch(r"[0-9+*/() -]+", plain), text
    return eval(plain)


def different_layers(counted):
    """The rows of a network without those that have the layer, the inputs and the counts of an
    earlier one."""
    rows = {}
    for row in counted.layers:
        step = counted.network.steps[row.step]
        inputs = inputs_of(counted.network, step)
        rows.setdefault((step.layer, inputs, step.copies[:2], step.density, row.counts), row)
    return rows.values()


def test_googlenet_conv1_is_explained_in_full():
    counted = shipped("googlenet")
    reported = message(counted, "conv1/conv_1")
    macs, all_macs, weights = 64 * 7 * 7 * 3 * 112 * 112, 1582671872, 64 * 7 * 7 * 3
    apart, reduced = 3 * 7 * 7 + 64 * 3, 1 * 3 + 64 * 7 * 7 * 1
    apart_macs = (3 * 7 * 7 + 64 * 3) * 112 * 112
    reduced_macs = 1 * 3 * 224 * 224 + 64 * 7 * 7 * 1 * 112 * 112
    names = counted.network.steps[0].layer.weights(counted.network.inputs[0][1]).formula
    assert names.startswith("filters × kernel × kernel × channels")
    window = "channels·kernel·kernel"
    thin = "reduced × channels", "filters × kernel × kernel × reduced"
    wide = "channels × kernel × kernel", "filters × channels"
    at = "positions × positions"
    assert reported == {
        "network": "GoogLeNet",
        "kind": "Convolution: each filter is a weighted sum over a window of all channels of its "
        "group.",
        "input": "224×224×3, from input",
        "output": "112×112×64",
        "height and width": "⌊(224 − 7 + 2·3)/2⌋ + 1 = 112",
        "weights": f"{names} = 64 × 7 × 7 × 3 = 9,408",
        "biases": "filters = 64",
        "params": "weights + biases = 9,408 + 64 = 9,472",
        "macs": f"{names} × output × output = 64 × 7 × 7 × 3 × 112 × 112 = {macs:,}",
        "as a matrix product": (
            f"(12,544 × 147) · (147 × 64): (positions × {window}) · ({window} × filters)"
        ),
        "receptive field": "7×7 of the input",
        "step on the input": "2×2",
        "share of params": "0.1 % of the network's 6,998,552",
        "share of macs": f"7.5 % of the network's {all_macs:,}",
        "depthwise, then 1x1: weights": (
            f"{wide[0]} + {wide[1]} = 3 × 7 × 7 + 64 × 3 = {apart} (3.6 % of {weights:,})"
        ),
        "depthwise, then 1x1: macs": (
            f"{wide[0]} × {at} + {wide[1]} × {at} = 3 × 7 × 7 × 112 × 112 + 64 × 3 × 112 × 112 = "
            f"{apart_macs:,} (3.6 % of {macs:,})"
        ),
        "1x1 to 1, then this: weights": (
            f"{thin[0]} + {thin[1]} = 1 × 3 + 64 × 7 × 7 × 1 = {reduced:,} (33.4 % of {weights:,})"
        ),
        "1x1 to 1, then this: macs": (
            f"{thin[0]} × {at} + {thin[1]} × {at} = "
            f"1 × 3 × 224 × 224 + 64 × 7 × 7 × 1 × 112 × 112 = "
            f"{reduced_macs:,} (33.5 % of {macs:,})"
        ),
    }


def test_a_layer_without_params_has_no_empty_product():
    macs = shipped("googlenet").totals.macs
    assert message(shipped("googlenet"), "max_pool_1") == {
        "network": "GoogLeNet",
        "kind": "The largest element of every window. No params and no macs.",
        "input": "112×112×64, from conv1/relu_1",
        "output": "56×56×64",
        "height and width": "⌈(112 − 3 + 2·0)/2⌉ + 1 = 56",
        "params": "0",
        "macs": "0",
        "receptive field": "11×11 of the input",
        "step on the input": "4×4",
        "share of params": "0.0 % of the network's 6,998,552",
        "share of macs": f"0.0 % of the network's {macs:,}",
    }


def test_each_output_position_is_a_row_of_the_matrix_product():
    counted = shipped("one_by_one", "pixel_is_a_row")
    matrix = layer_explanation(counted, "conv_1").matrix
    assert (matrix.left, matrix.right) == ((3 * 3, 3), (3, 1))
    assert message(counted, "conv_1")["as a matrix product"].startswith("(9 × 3) · (3 × 1): ")


def test_a_matrix_product_has_the_macs_of_the_convolution():
    for spec in SHIPPED:
        counted = first_costs(spec)
        for row in different_layers(counted):
            matrix = explain_layer(counted, row).matrix
            if matrix is not None:
                (rows, seen), (again, filters) = matrix.left, matrix.right
                assert seen == again
                assert rows * seen * filters == row.macs


@pytest.mark.parametrize("spec", SHIPPED)
def test_every_formula_of_a_shipped_spec_evaluates_to_its_value(spec):
    counted = first_costs(spec)
    network = counted.network
    for row in different_layers(counted):
        reported = explain_layer(counted, row)
        for name in ("weights", "biases", "buffers", "macs"):
            record = reported.products[Measure(name)]
            assert evaluated(record.work) == record.value == getattr(row, name)
            assert record.formula.count("×") == record.work.count("×")
        for size in reported.sizes:
            assert evaluated(size.formula) == size.value
        for other in reported.alternatives:
            for record in (other.weights, other.macs):
                assert evaluated(record.work) == record.value
        step = network.steps[row.step]
        if step.layer.windows(step.layer.select_inputs(inputs_of(network, step))):
            axes = ("height", "width") if len(row.output.size) == 2 else None
            found = {axis: size.value for size in reported.sizes for axis in size.axes}
            assert tuple(found.get(axis) for axis in axes or found) == row.output.size


@pytest.mark.parametrize("name", ["googlenet", "unet", "audio_m5", "c3d", "mobilenet_v1"])
def test_every_equation_is_true(name):
    counted = shipped(name)
    for path in paths(counted.network):
        for text in message(counted, path).values():
            sides = [side for side in text.partition(" (")[0].split(" = ") if text.count(" = ")]
            sides = text.split(" = ") if "⌊" in text or "⌈" in text or "·(" in text else sides
            numbers = [evaluated(side) for side in sides if not re.search("[a-zA-Z]", side)]
            assert len(set(numbers)) <= 1, text


@pytest.mark.parametrize(
    ("layer", "size", "formula", "value"),
    [
        ("{conv: 8, kernel: 7, stride: 2, padding: same}", 224, "⌈224/2⌉", 112),
        ("{conv: 8, kernel: 3, dilation: 2}", 9, "⌊(9 + 0 + 0 − 2·(3 − 1) − 1)/1⌋ + 1", 5),
        ("{conv: 8, kernel: 3, padding: valid}", 9, "⌊(9 − 3 + 2·0)/1⌋ + 1", 7),
        ("{max_pool: 2}", 9, "⌊(9 − 2 + 2·0)/2⌋ + 1", 4),
        ("{max_pool: 2, ceil: true}", 9, "⌈(9 − 2 + 2·0)/2⌉ + 1", 5),
        (
            "{max_pool: 2, stride: 3, padding: 1, ceil: true}",
            9,
            "⌈(9 − 2 + 2·1)/3⌉ + 1",
            4,
        ),
        (
            "{transposed_conv: 4, kernel: 3, stride: 2, padding: 1, output_padding: 1}",
            8,
            "(8 − 1)·2 − 1 − 1 + 1·(3 − 1) + 1 + 1",
            16,
        ),
        ("{transposed_conv: 4, kernel: 3, stride: 2, padding: same}", 8, "8·2", 16),
    ],
)
def test_a_size_formula_has_the_numbers_of_the_layer(layer, size, formula, value):
    counted = cost(f"input: {{channels: 4, size: {size}}}\nlayers: [{layer}]")
    (filled,) = layer_explanation(counted, counted.layers[0].path).sizes
    assert filled == (("height", "width"), formula, value)
    assert evaluated(formula) == value


def test_the_formula_shows_a_dropped_last_window():
    counted = cost(
        "input: {channels: 1, size: 2}\n"
        "layers: [{max_pool: 1, stride: 2, padding: 0, ceil: true}]"
    )  # fmt: skip
    (filled,) = layer_explanation(counted, "max_pool_1").sizes
    assert filled.formula == "⌈(2 − 1 + 2·0)/2⌉ + 1 − 1"
    assert evaluated(filled.formula) == filled.value == 1


def test_axes_with_different_windows_have_their_own_formulas():
    counted = cost(CONV.format(2, "[17, 19]", 4, "[1, 7]", ""))
    assert [(size.axes, size.value) for size in layer_explanation(counted, "conv_1").sizes] == [
        (("height",), 17),
        (("width",), 13),
    ]
    volume = cost(CONV.format(2, "[4, 8, 8]", 4, 3, ", padding: 1"))
    assert [size.axes for size in layer_explanation(volume, "conv_1").sizes] == [
        ("depth",),
        ("height", "width"),
    ]


def test_a_wide_kernel_has_two_alternatives():
    counted = cost(CONV.format(256, 14, 512, 3, ", padding: 1, stride: 2"))
    apart, thin = layer_explanation(counted, "conv_1").alternatives
    assert apart.weights.value == 256 * 3 * 3 + 512 * 256
    assert apart.macs.value == (256 * 3 * 3 + 512 * 256) * 7 * 7
    assert thin.weights.value == 64 * 256 + 512 * 3 * 3 * 64
    assert thin.macs.value == 64 * 256 * 14 * 14 + 512 * 3 * 3 * 64 * 7 * 7


def test_alternatives_cost_the_same_when_written_as_a_spec():
    start = "input: {channels: 10, size: [15, 9]}\nlayers: ["
    apart = "{depthwise: [3, 5], stride: 2}, {conv: 24, kernel: 1}]"
    thin = "{conv: 2, kernel: 1}, {conv: 24, kernel: [3, 5], stride: 2}]"
    reported = layer_explanation(
        cost(f"{start}{{conv: 24, kernel: [3, 5], stride: 2}}]"), "conv_1"
    ).alternatives
    for other, written in zip(reported, (apart, thin), strict=True):
        totals = cost(start + written).totals
        assert (other.weights.value, other.macs.value) == (totals.weights, totals.macs)


@pytest.mark.parametrize(
    ("channels", "kernel", "more"),
    [(1, 3, ""), (4, 1, ""), (4, "[1, 1]", ""), (4, 3, ", groups: 2")],
)
def test_one_channel_a_1x1_kernel_and_groups_have_no_alternatives(channels, kernel, more):
    assert (
        layer_explanation(cost(CONV.format(channels, 8, 4, kernel, more)), "conv_1").alternatives
        == []
    )


def test_a_grouped_convolution_has_no_matrix_product():
    counted = cost(CONV.format(4, 8, 4, 3, ", groups: 2"))
    assert layer_explanation(counted, "conv_1").matrix is None
    assert "as a matrix product" not in message(counted, "conv_1")


def test_a_convolution_that_is_pruned_or_of_an_expert_has_no_matrix_product():
    """The macs are those of half a matrix product, and of two."""
    counted = cost(
        """
        input: {channels: 4, size: 8}
        layers:
          - {conv: 4, kernel: 3, density: 0.5, name: pruned}
          - {conv: 4, kernel: 3, weights: pruned, name: same}
          - experts: {gate: [{conv: 3, kernel: 1}], each: [{conv: 4, kernel: 1, name: one}]}
            of: 3
            take: 2
        """
    )
    macs = (36 * 36 * 4 // 2, 16 * 36 * 4 // 2, 2 * 16 * 4 * 4)
    for path, number in zip(("pruned", "same", "each/one"), macs, strict=True):
        reported = layer_explanation(counted, path)
        assert (reported.counts.macs, reported.matrix) == (number, None)
        assert "as a matrix product" not in message(counted, path)


def test_a_batch_multiplies_macs_and_rows_of_the_matrix():
    counted = cost(CONV.format(3, 8, 4, 3, ""), batch=5)
    reported = layer_explanation(counted, "conv_1")
    assert reported.products[Measure.MACS].value == counted.totals.macs == 4 * 3 * 3 * 3 * 6 * 6 * 5
    assert reported.products[Measure.MACS].formula.endswith(" × samples")
    assert reported.matrix.left == (5 * 6 * 6, 3 * 3 * 3)
    assert reported.alternatives[0].macs.value == (3 * 3 * 3 + 4 * 3) * 6 * 6 * 5


def test_shared_weights_are_counted_at_the_other_layer():
    counted = cost(
        """
        input: {channels: 4, size: 8}
        layers:
          - {conv: 4, kernel: 3, padding: 1, name: a}
          - {conv: 4, kernel: 3, padding: 1, weights: a, name: b, note: again}
        """
    )
    reported = layer_explanation(counted, "b")
    assert reported.shared == "a"
    assert reported.products[Measure.WEIGHTS].value == reported.counts.params == 0
    assert reported.products[Measure.MACS].value == 4 * 3 * 3 * 4 * 8 * 8
    shows = message(counted, "b")
    assert shows["weights"] == "shared with a, and counted there"
    assert shows["note"] == "again"
    assert "params" not in shows


def test_stated_counts_are_shown_as_stated():
    counted = cost("input: {channels: 4, size: 8}\nlayers: [{custom: fold, params: 7, macs: 9}]")
    reported = message(counted, "custom_1")
    assert reported["macs"] == "stated = 9"
    assert "author" in reported["stated"]


def test_a_join_names_its_inputs():
    reported = layer_explanation(shipped("googlenet"), "inception_3a/concat_1")
    assert [(taken.source, taken.shape.channels) for taken in reported.inputs] == [
        ("inception_3a/1x1/relu_1", 64),
        ("inception_3a/3x3/relu_2", 128),
        ("inception_3a/5x5/relu_2", 32),
        ("inception_3a/pool/relu_1", 32),
    ]


def test_a_group_is_the_sum_of_its_layers():
    counted = shipped("googlenet")
    reported = explain_group(counted, "inception_3a/3x3")
    assert reported["weights"] == 96 * 192 + 128 * 3 * 3 * 96
    assert reported["biases"] == 96 + 128
    assert reported["macs"] == (96 * 192 + 128 * 3 * 3 * 96) * 28 * 28
    assert reported["share"].macs == (reported["macs"], counted.totals.macs)
    assert reported["layers"] == [
        f"inception_3a/3x3/{name}" for name in ("reduce", "relu_1", "conv_2", "relu_2")
    ]


def test_a_group_has_the_layers_whose_macs_are_not_in_its_share():
    counted = cost(
        """
        name: net
        input: {channels: 4, size: 8}
        layers:
          - {sequence: [{conv: 4, kernel: 3, padding: 1}], name: known}
          - {sequence: [{custom: magic, params: 0, macs: uncounted}], name: unknown}
        """
    )
    known, unknown = (explain_group(counted, path) for path in ("known", "unknown"))
    assert (known["stated"], known["uncounted"]) == (False, False)
    assert (unknown["stated"], unknown["uncounted"]) == (True, True)
    assert known["share"].uncounted == unknown["share"].uncounted == (("custom", 1),)
    note = (
        "uncounted: the macs of 1 layer of net are unknown and not in the total: unknown/custom_1"
    )
    for path in ("known", "unknown", "known/conv_1"):
        first, *_ = Explanation((counted,), path).tables()
        assert first.notes == (CONVENTION, note)


def test_an_identity_shortcut_outputs_its_input():
    counted = cost(
        """
        input: {channels: 4, size: 8}
        layers: [{add: {main: [{conv: 4, kernel: 3, padding: 1}], shortcut: []}, name: join}]
        """
    )
    reported = explain_group(counted, "join/shortcut")
    assert (reported["output"], reported["macs"], reported["layers"]) == ((4, (8, 8)), 0, [])
    assert message(counted, "join/shortcut")["layers"] == "0"


def test_a_join_with_branches_is_explained_as_layer_and_as_group():
    counted = cost(
        """
        input: {channels: 4, size: 8}
        layers: [{add: {main: [{conv: 4, kernel: 3, padding: 1}], shortcut: []}, name: join}]
        """
    )
    tree = Explanation((counted,), "join").tree()
    assert [layer["macs"].value for layer in tree["layers"]] == [0]
    assert [group["macs"] for group in tree["groups"]] == [4 * 3 * 3 * 4 * 8 * 8]
    assert [group["layers"] for group in tree["groups"]] == [["join/main/conv_1", "join"]]


def test_every_path_is_explained_and_no_other():
    for spec in SHIPPED:
        counted = first_costs(spec)
        known = paths(counted.network)
        assert {group.path for group in counted.network.groups} <= set(known)
        assert {row.path for row in counted.layers} <= set(known)
        for path in known[:40]:
            assert list(Explanation((counted,), path).tables())


def test_each_network_with_the_layer_is_explained():
    done = run("explain", "one_by_one", "conv_1", "--format", "json")
    report = json.loads(done.stdout)
    assert report["schema"] == "convcost.explain/1"
    assert [layer["network"] for layer in report["layers"]] == [
        "one_filter", "reduction", "embedding", "any_depth", "pixel_is_a_row",
    ]  # fmt: skip
    picked = run("explain", "one_by_one#pixel_is_a_row", "conv_1", "--format", "json")
    (layer,) = json.loads(picked.stdout)["layers"]
    assert list(layer["weights"]) == ["value", "formula", "work"]
    assert layer["weights"]["value"] == 1 * 1 * 1 * 3
    assert layer["weights"]["work"] == "1 × 1 × 1 × 3"
    assert layer["share"]["macs"] == {"part": 1 * 1 * 1 * 3 * 3 * 3, "whole": 3 * 3 * 3}
    assert layer["receptive_field"] == {"size": [1, 1], "step": [1, 1], "exact": True}


def test_an_unknown_layer_names_the_nearest_one():
    done = run("explain", "googlenet", "inception_3a/concat")
    assert done.returncode == 2
    assert done.stdout == b""
    assert b"did you mean `inception_3a/concat_1`?" in done.stderr
    lost = run("explain", "googlenet", "\x1b[1mnothing of this kind")
    assert lost.returncode == 2
    assert b"\x1b" not in lost.stderr


@pytest.mark.parametrize("width", [60, 80, 120])
def test_an_explanation_fits_its_width(width):
    for path in ("conv1/conv_1", "inception_3a"):
        done = run("explain", "googlenet", path, "--format", "table", "--width", str(width))
        assert max(map(len, done.stdout.decode().splitlines())) <= width


def test_csv_has_one_header_for_all_of_a_layer():
    done = run("explain", "googlenet", "conv1/conv_1", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert {row["network"] for row in rows} == {"GoogLeNet"}
    assert len({row["what"] for row in rows}) == len(rows) == 18
