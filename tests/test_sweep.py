"""Lists of settings: each point as if it were asked for alone, figures of others beside it."""

import csv
import io
import json
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ROOT, cost, run, shipped

from convcost.cli import _sweeps
from convcost.questions.points import Axis, counted, points, where
from convcost.questions.sweep import Sweep, View

WIDTHS = ("0.25", "0.5", "0.75", "1")
SIZES = (128, 160, 192, 224)
SIXTEEN = ("mobilenet_v1", "--size", "128,160,192,224", "--set", "width=0.25,0.5,0.75,1")
PARAMS = {"0.25": 470_072, "0.5": 1_331_592, "0.75": 2_585_560, "1": 4_231_976}
# Filters and strides of the separable convolutions, Howard et al., Table 1.
SEPARABLE = [
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2),
    (1024, 1),
]  # fmt: skip
# What TensorFlow's table has that the exact count does not round to.
OFF = {
    (128, "0.75"), (160, "0.75"), (192, "0.75"), (224, "0.75"), (224, "0.5"), (192, "0.25"),
}  # fmt: skip
SLIM = "tensorflow/models, research/slim/nets/mobilenet_v1.md"
NET = """\
name: net
input: {channels: 3, size: 8}
vars: {n: 4, more: false, twice: 2*n}
layers:
  - {conv: n, kernel: 3, padding: 1, bias: true}
  - {conv: 10, kernel: 1, name: head}
  - {conv: 5, kernel: 1, name: extra, when: more}
"""
PRINTING = NET + "published:\n"


def mobilenet_macs(width: str, size: int) -> int:
    """The sum of products by hand."""
    width = Fraction(width)
    side, channels = size // 2, 32 * width
    macs = side * side * channels * 3 * 3 * 3
    for filters, stride in SEPARABLE:
        side //= stride
        macs += side * side * (channels * 3 * 3 + width * filters * channels)
        channels = width * filters
    return int(macs + channels * 1000)


def swept(*arguments: str, text: str | None = None):
    """The networks of the JSON of an analysis."""
    done = run("analyze", *arguments, "--format", "json", text=text)
    assert done.stderr == b""
    report = json.loads(done.stdout)
    assert report["schema"] == "convcost.analyze/1"
    return report["networks"]


def refused(*arguments: str, text: str | None = None) -> str:
    done = run(*arguments, text=text)
    assert (done.returncode, done.stdout) == (2, b"")
    return done.stderr.decode()


def table(axes, text=NET, view=View(), batch=1):  # noqa: B008
    """The one table of a text at every point."""
    found = []
    for point in points(axes):
        variables = dict(point.settings.variables)
        costs = cost(text, batch=batch, size=point.settings.size, **variables)
        found.append(counted(point, costs))
    (made,) = Sweep((tuple(found),), view).tables()
    return made


# The sixteen of MobileNet


def test_all_sixteen_mobilenets_come_out_in_one_command_with_what_is_published_beside_each():
    rows = list(
        csv.DictReader(io.StringIO(run("analyze", *SIXTEEN, "--format", "csv").stdout.decode()))
    )
    assert [(row["width"], int(row["size"])) for row in rows] == list(product(WIDTHS, SIZES))
    for row in rows:
        width, size = row["width"], int(row["size"])
        assert int(row["macs"]) == mobilenet_macs(width, size)
        assert int(row["params"]) == PARAMS[width]
        assert row["published_macs"]
        assert bool(row["published_params"]) == (size == 224)


def test_every_figure_of_tensorflows_table_stands_at_its_own_point():
    file = ROOT.parent / "shared" / "truth" / "published.csv"
    if not file.exists():
        pytest.skip("the table of published figures is not here")
    printed = {
        tuple(row["network"].split()[2].split("-")): f"{row['value']}M"
        for row in csv.DictReader(file.read_text("utf-8").splitlines())
        if row["network"].startswith("MobileNet v1") and row["quantity"] == "MACs"
        and "slim" in row["source"]
    }  # fmt: skip
    assert len(printed) == 16
    for network in swept(*SIXTEEN):
        width, (size, _) = network["set"]["width"], network["size"]
        (figure,) = [
            one
            for one in network["published"]
            if one["source"] == SLIM and one["measure"] == "macs"
        ]
        assert figure["published"] == printed["1.0" if width == 1 else str(width), str(size)]
        assert figure["verdict"] == ("off" if (size, str(width)) in OFF else "agrees")
        assert figure["exact"] == mobilenet_macs(str(width), size)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_sixteen_rows_fit_a_terminal_and_what_does_not_is_named(width):
    text = run("analyze", *SIXTEEN, "--format", "table", "--width", str(width)).stdout.decode()
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert sum(line[:5].strip() in WIDTHS for line in lines) == 16
    assert "34M[4] off +12.54 %" in text
    hidden = {60: "published params, activations", 80: "activations"}.get(width)
    assert lines[-1].endswith(f"not shown at this width: {hidden}" if hidden else "joins count 0")


def test_figures_of_several_sources_are_told_once_each_with_the_number_of_its_source():
    text = run("analyze", *SIXTEEN).stdout.decode()
    assert "569M[1,4] agrees, 575M[5] off +1.10 %, 529M[6] off -6.99 %" in text
    assert f"\n[1] Tables 6 and 7\n[2] Table 6\n[3] Table 7\n[4] {SLIM}\n[5] " in text
    assert "\n34 figures checked: 0 exact, 24 agree, 10 off as noted, 0 off\n" in text


# A sweep is its points


SIDES = st.lists(st.sampled_from((1, 7, 33, *SIZES)), min_size=1, max_size=3, unique=True)
PARTS = st.lists(st.sampled_from((1, 8, 16, 24, 31, 32)), min_size=1, max_size=3, unique=True)


@settings(max_examples=15, deadline=None)
@given(sides=SIDES, parts=PARTS, batch=st.integers(1, 3))
def test_a_sweep_costs_what_its_points_cost_one_by_one(sides, parts, batch):
    size = ",".join(map(str, sides))
    width = ",".join(str(part / 32) for part in parts)
    asked = _sweeps.axes([f"width={width}"], size)
    (found,) = _sweeps.read(["mobilenet_v1"], asked, batch)
    wanted = list(product(parts, sides))
    assert len(found) == len(wanted)
    for one, (part, side) in zip(found, wanted, strict=True):
        alone = shipped("mobilenet_v1", size=(side,), width=Fraction(part, 32))
        assert one.costs.totals.macs == batch * alone.totals.macs
        assert one.costs.totals.activations == batch * alone.totals.activations
        assert [layer.params for layer in one.costs.layers] == [
            layer.params for layer in alone.layers
        ]
        # Figures hold for one sample, whatever the batch.
        assert all(figure.record.exact == getattr(alone.totals, figure.record.measure)
                   for figure in one.judged)  # fmt: skip


def test_in_json_each_point_is_as_if_it_were_analyzed_alone_with_three_keys_more():
    found = swept("mobilenet_v1", "--size", "128x160,64", "--set", "width=1,0.5", "--batch", "2")
    asked = [("1", "128x160"), ("1", "64"), ("0.5", "128x160"), ("0.5", "64")]
    for network, (width, size) in zip(found, asked, strict=True):
        (alone,) = swept("mobilenet_v1", "--size", size, "--set", f"width={width}", "--batch", "2")
        assert network.pop("set") == {"width": float(width)}
        assert network.pop("size") == ([128, 160] if "x" in size else [64, 64])
        assert network.pop("published") == []
        assert network == alone


def test_the_json_of_single_values_has_no_new_keys():
    (network,) = swept("mobilenet_v1", "--size", "128", "--set", "width=0.5")
    assert not {"set", "size", "published"} & set(network)


def test_values_are_told_as_they_were_set_truth_as_truth_and_decimals_with_all_their_digits():
    found = swept("-", "--set", "more=true,false", "--set", "n=2", text=NET)
    assert [network["set"] for network in found] == [
        {"more": True, "n": 2}, {"more": False, "n": 2},
    ]  # fmt: skip
    assert [type(value) for value in found[0]["set"].values()] == [bool, int]
    assert [network["size"] for network in found] == [None] * 2
    long = "0.1000000000000000000000001"
    spec = "input: {channels: 1, size: 1}\nvars: {a: 1}\nlayers: [relu]"
    found = swept("-", "--set", f"a=0.1,{long},true,1", text=spec)
    assert [network["set"]["a"] for network in found] == [0.1, long, True, 1]


def test_every_network_of_every_argument_has_a_table_of_its_own():
    text = run("analyze", "inception_3a", "--set", "pool=true,false").stdout.decode()
    heads = [line for line in text.splitlines() if line.startswith(" pool")]
    assert len(heads) == 2
    assert text.index("\nreduced (") > text.index(heads[0])
    assert "158048[" in text


# Rows, columns and notes


N = Axis("n", (4, 8))
PRINTED = [
    "  - {weights: 148, source: a}",
    "  - {weights: 149, source: b, off: true}",
    "  - {weights: 296, source: a, set: {n: 8}}",
    "  - {macs: 9K, source: a}",
    "  - {channels: 10, source: c, set: {n: 8}}",
    "  - {layer: head, weights: 80, source: d, set: {n: 8}}",
]
WEIGHTS = 4 * 3 * 3 * 3 + 10 * 4


def test_a_row_has_the_settings_the_counts_and_what_is_published_for_exactly_these():
    made = table((N,), PRINTING + "\n".join(PRINTED))
    assert [column.key for column in made.columns] == [
        "n", "params", "macs", "published_macs", "activations", "weights", "published_weights",
        "channels", "published_channels",
    ]  # fmt: skip
    (_, params, macs, kmacs, activations, weights, figures, channels, last), second = made.rows
    assert (params, macs, activations) == (WEIGHTS + 4, WEIGHTS * 64, 14 * 64)
    assert (weights, figures, channels, last) == (
        WEIGHTS, "148[1] exact, 149[2] off +0.68 %", 10, "",
    )  # fmt: skip
    assert kmacs == "9K[1] agrees"
    assert second[5:] == (2 * WEIGHTS, "296[1] exact", 10, "10[3] exact")
    assert made.notes[:4] == (
        "[1] a", "[2] b", "[3] c",
        "5 figures checked: 3 exact, 1 agree, 1 off as noted, 0 off",
    )  # fmt: skip


def test_a_figure_that_is_off_unnoted_or_exact_though_noted_has_a_line_of_its_own():
    printed = "  - {weights: 149, source: a}\n  - {macs: 9472, source: b, off: true}"
    made = table((N,), PRINTING + printed)
    assert made.notes[2:5] == (
        "2 figures checked: 0 exact, 0 agree, 0 off as noted, 1 off, 1 exact though marked off",
        "n=4: weights 149 (a) off by +1 (+0.68 %)",
        "n=4: macs 9472 (b) exact, though marked off",
    )


def test_columns_are_chosen_and_figures_of_the_others_are_not_kept_quiet():
    made = table((N,), PRINTING + "\n".join(PRINTED), View(columns=("output", "macs")))
    assert [column.key for column in made.columns] == ["n", "output", "macs", "published_macs"]
    assert "published too, of columns that are not chosen: weights, channels" in made.notes
    assert "[2] b" not in made.notes


def test_points_are_sorted_by_a_measure_and_the_first_are_kept():
    axes = (Axis("n", (4, 16, 8)), Axis("", ((8,), (16,))))
    made = table(axes, view=View(("macs",), "macs", 3))
    assert [row[-1] for row in made.rows] == [
        4 * WEIGHTS * 16 * 16, 2 * WEIGHTS * 16 * 16, WEIGHTS * 16 * 16,
    ]  # fmt: skip
    assert made.notes[0] == "3 more points"
    found = swept("-", "--set", "n=4,16,8", "--sort", "params", "--top", "2", text=NET)
    assert [network["set"]["n"] for network in found] == [16, 8]


def test_the_notes_say_what_holds_for_all_points_and_no_more():
    made = table((N,), batch=2)
    assert made.notes[:3] == (
        "no figure is published for exactly these settings",
        "input 8×8×3; a batch of 2 samples",
        "with more false",
    )
    made = table((Axis("", ((8,), (4, 6))),), PRINTING + PRINTED[0], batch=2)
    assert made.notes[2:4] == (
        "inputs 8×8×3, 4×6×3; a batch of 2 samples, published figures held against 1",
        "with n 4, more false, twice 8",
    )


def test_figures_are_held_against_one_sample_whatever_the_batch():
    one, two = (table((N,), PRINTING + PRINTED[3], batch=batch).rows[0] for batch in (1, 2))
    assert (two[2], two[3]) == (2 * one[2], one[3]) == (2 * WEIGHTS * 64, "9K[1] agrees")


def test_a_variable_with_the_name_of_a_column_is_told_apart():
    spec = "input: {channels: 1, size: 8}\nvars: {size: 1, macs: 1}\nlayers: [{conv: size*macs}]\n"
    spec = spec.replace("size*macs", "size*macs, kernel: 1")
    done = run(
        "analyze", "-", "--set", "size=1,2", "--set", "macs=3,4", "--size", "4,5", "--format",
        "csv", text=spec,
    )  # fmt: skip
    header, first, *_ = done.stdout.decode().splitlines()
    assert header == "network,set_size,set_macs,size,params,macs,activations"
    assert first == f"<stdin>,1,3,4,3,{3 * 4 * 4},{3 * 4 * 4}"


def test_channels_come_first_where_asked():
    text = run(
        "analyze", "-", "--set", "n=4,8", "--columns", "output", "--layout", "chw",
        text=NET,
    ).stdout.decode()  # fmt: skip
    assert "\n4  10×8×8\n" in text


# Side by side


def test_compare_has_a_column_for_each_point_of_one_network_and_the_first_is_the_baseline():
    arguments = ("compare", "mobilenet_v1", "--set", "width=0.25,1", "--size", "128,224")
    text = run(*arguments, "--no-bars").stdout.decode()
    heads = ("width=0.25 128", "width=0.25 224", "width=1 128", "width=1 224")
    assert text.startswith(f"MobileNet v1: {', '.join(heads[1:])} against {heads[0]}\n\n")
    macs = [mobilenet_macs(width, size) for width in ("0.25", "1") for size in (128, 224)]
    (row,) = [line for line in text.splitlines() if line.startswith("macs  ")]
    assert row.split()[1:] == [f"{count:,}" for count in macs]
    report = json.loads(run(*arguments, "--format", "json").stdout)
    assert report["baseline"] == "MobileNet v1 width=0.25 128"
    assert [network["name"] for network in report["networks"]] == [
        f"MobileNet v1 {head}" for head in heads
    ]
    assert [network["set"] for network in report["networks"]] == [{"width": 0.25}] * 2 + [
        {"width": 1}
    ] * 2
    assert report["networks"][3]["size"] == [224, 224]
    assert report["networks"][3]["changes"][3]["difference"] == macs[3] - macs[0]
    assert [one["published"] for one in report["networks"][0]["published"]] == ["14M"]


@pytest.mark.parametrize("name", ["width=0.5", "MobileNet v1 width=0.5"])
def test_any_point_may_be_the_baseline(name):
    arguments = ("compare", "mobilenet_v1", "--set", "width=1,0.5", "--format", "json")
    report = json.loads(run(*arguments, "--baseline", name).stdout)
    assert report["baseline"] == "MobileNet v1 width=0.5"
    assert report["networks"][0]["changes"][2]["difference"] == PARAMS["1"] - PARAMS["0.5"]
    assert refused(*arguments, "--baseline", "width=0.6") == (
        "error: there is no network `width=0.6` among these; did you mean `width=0.5`?\n"
    )


def test_the_points_of_several_networks_are_named_by_network_and_settings():
    text = run(
        "compare", "vgg16", "googlenet", "--set", "classes=10,20", "--no-bars"
    ).stdout.decode()
    assert text.startswith(
        "VGG-16 classes=20, GoogLeNet classes=10, GoogLeNet classes=20 against VGG-16 classes=10\n"
    )


@pytest.mark.parametrize("width", [60, 80, 200])
def test_points_that_do_not_fit_a_terminal_are_named_below(width):
    arguments = ("compare", "mobilenet_v1", "--set", "width=1,0.5,0.25", "--size", "64,128,224")
    text = run(*arguments, "--format", "table", "--width", str(width), "--no-bars").stdout
    lines = text.decode().splitlines()
    assert max(map(len, lines)) <= width
    (heads,) = [line for line in lines if line.startswith("   ") and "width=1 64" in line]
    hidden = " ".join(lines).partition("not shown at this width: ")[2]
    every = [f"width={part} {side}" for part in ("1", "0.5", "0.25") for side in (64, 128, 224)]
    assert [head for head in every if head not in heads] == hidden.split(", ")


# What is refused


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--size", "128,,160"], "--size has an empty item: `128,,160`"),
        (["--size", "128,"], "--size has an empty item: `128,`"),
        (["--set", "width=,1"], "--set width has an empty item: `,1`"),
        (["--size", "128,160,128"], "--size has 128 twice: `128,160,128`"),
        (["--size", "128,128x128"], "--size has 128x128 twice: `128,128x128`"),
        (["--set", "width=0.5,.50"], "--set width has .50 twice: `0.5,.50`"),
        (["--set", "width=1,true,1.0"], "--set width has 1.0 twice: `1,true,1.0`"),
        (["--set", "width=0.5,1", "--set", "width=2"],
            "--set gives width twice; did you mean --set width=0.5,1,2?"),
        (["--size", "128,big"], "--size is like 256 or 256x320, not `big`"),
        (["--set", "width=1,much"], "--set width: `much` is neither a number nor true or false"),
        (["--set", "=1,2"], "--set takes name=value, not `=1,2`"),
        (["--size", ",".join(map(str, range(1, 102))), "--set", "width=1,2,3,4,5,6,7,8,9,10"],
            "1,010 points are asked for; a sweep has at most 1,000"),
        (["--size", "1,2", "--depth", "1"],
            "--depth is about layers; a sweep has one row for each point"),
        (["--size", "1,2", "--work", "macs"],
            "--work is about layers; a sweep has one row for each point"),
        (["--size", "1,2", "--sort", "path"],
            ("a sweep is sorted by weights, biases, params, buffers, macs, activations, "
            "not by path")),
        (["--size", "1,2", "--sort", "mac"], "cannot sort by `mac`; did you mean `macs`?"),
        (["--size", "1,2", "--columns", "macs,share"],
            ("a sweep has no column `share`, only output, weights, biases, params, buffers, macs, "
            "activations, channels")),
        (["--size", "1,2", "--columns", "mac"],
            "there is no column `mac`; did you mean `macs`?"),
        (["--size", "1,2", "--columns", ","],
            ("--columns names none of output, weights, biases, params, buffers, macs, activations, "
            "channels")),
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_met_is_refused_in_one_line(arguments, said):
    assert refused("analyze", "mobilenet_v1", *arguments) == f"error: {said}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--size", "128,160"], "--size takes one value here, not the list `128,160`"),
        (["--set", "width=1,0.5"], "--set width takes one value here, not the list `1,0.5`"),
    ],
)
def test_a_command_for_one_network_takes_one_value(arguments, said):
    assert refused("explain", "mobilenet_v1", "conv1", *arguments) == f"error: {said}\n"


SMALL = """\
name: small
input: {channels: 4, size: 8}
vars: {n: 4, stop: false}
layers:
  - {conv: 2, kernel: 5}
  - {conv: 2, kernel: 3, when: n < 9}
  - {conv: n/2, kernel: 1}
"""


def test_a_point_that_does_not_lay_out_is_named_with_every_other_and_nothing_is_printed():
    said = refused("analyze", "-", "--set", "n=2,3,4", "--size", "8,4,6", text=SMALL)
    assert [line for line in said.splitlines() if line.startswith("error")] == [
        "error[CC301]: kernel 5 is larger than the input 4 (with size=4)",
        "error[CC301]: kernel 3 is larger than the input 2 (with size=6)",
        "error[CC104]: `filters` of conv must be a whole number from 1, not 1.5 (with n=3)",
    ]
    assert said.endswith("\n3 problems in <stdin>\n")


def test_what_is_wrong_at_every_point_is_told_once_without_one():
    said = refused("compare", "mobilenet_v1", "--set", "wdith=1,2")
    assert said == (
        "error[CC113]: `MobileNet v1` has no variable `wdith` to set\n --> mobilenet_v1.yaml\n"
        "  = help: did you mean `width`?\n\n1 problem in mobilenet_v1.yaml\n"
    )


def test_what_is_wrong_with_one_argument_hides_nothing_of_another():
    said = refused("compare", "mobilenet_v1", "no.yaml", "vgg16", "--set", "classes=0,10")
    assert said.count("must be a whole number from 1, not 0 (with classes=0)") == 2
    assert "there is no file `no.yaml`" in said


def test_points_are_told_as_a_request_where_they_are_one_and_else_one_by_one():
    axes = (Axis("a", (1, 2, 3)), Axis("b", (True, False)), Axis("", ((8,), (8, 6))))
    every = list(points(axes))
    assert where(axes, every) == ""
    assert where(axes, every[:4]) == "a=1"
    assert where(axes, every[1::2]) == "size=8x6"
    assert where(axes, [every[0], every[4]]) == "a=1,2 b=true size=8"
    assert where(axes, [every[0], every[7]]) == "a=1 b=true size=8; a=2 b=false size=8x6"


@given(st.lists(st.sampled_from([f"x{n}" for n in range(4)]), unique=True, min_size=1), st.data())
def test_points_are_every_combination_with_the_last_list_fastest(names, data):
    axes = tuple(
        Axis(name, tuple(range(data.draw(st.integers(1, 3), label=name)))) for name in names
    )
    found = [tuple(value for _, value in point.settings.variables) for point in points(axes)]
    assert found == sorted(set(found))
    assert found == list(product(*(axis.values for axis in axes)))
