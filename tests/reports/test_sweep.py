"""Sweeps: each point costs the same as alone, and has its published figures beside it."""

import csv
import io
import json
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_forms import validator
from support import ROOT, cost, run, shipped

from convcost.cli import _sweep_options
from convcost.commands.sweep import analyze_sweep
from convcost.model.measures import CONVENTION
from convcost.reports.sweep import Sweep
from convcost.reports.sweep.points import Axis, cost_point, points, points_text
from convcost.reports.sweep.selection import SweepView, select_points

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
    scale = Fraction(width)
    side, channels = size // 2, 32 * scale
    macs = side * side * channels * 3 * 3 * 3
    for filters, stride in SEPARABLE:
        side //= stride
        macs += side * side * (channels * 3 * 3 + scale * filters * channels)
        channels = scale * filters
    return int(macs + channels * 1000)


def swept(*arguments: str, text: str | None = None):
    """The networks of the JSON of an analysis."""
    done = run("analyze", *arguments, "--format", "json", text=text)
    assert done.stderr == b""
    report = json.loads(done.stdout)
    assert report["schema"] == "convcost.analyze/1"
    return report["networks"]


def error_output(*arguments: str, text: str | None = None) -> str:
    done = run(*arguments, text=text)
    assert (done.returncode, done.stdout) == (2, b"")
    return done.stderr.decode()


def table(axes, text=NET, view=SweepView(), batch=1):  # noqa: B008
    """The one table of a text at every point."""

    def count(point):
        variables = dict(point.settings.variables)
        return cost(text, batch=batch, size=point.settings.size, **variables)

    found = [cost_point(point, count(point)) for point in points(axes)]
    (made,) = Sweep((select_points(found, view, count),), view).tables()
    return made


# The sixteen of MobileNet


def test_one_command_shows_sixteen_mobilenets_with_their_published_figures():
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


def test_every_figure_of_the_tensorflow_table_is_at_its_own_point():
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
            figure
            for figure in network["published"]
            if figure["source"] == SLIM and figure["measure"] == "macs"
        ]
        assert figure["published"] == printed["1.0" if width == 1 else str(width), str(size)]
        assert figure["verdict"] == ("off" if (size, str(width)) in OFF else "agrees")
        assert figure["exact"] == mobilenet_macs(str(width), size)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_sixteen_rows_fit_a_terminal_and_hidden_columns_are_named(width):
    text = run("analyze", *SIXTEEN, "--format", "table", "--width", str(width)).stdout.decode()
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert sum(line[:5].strip() in WIDTHS for line in lines) == 16
    assert "34M[1] off +12.54 %" in text
    hidden = {60: "published params, activations", 80: "activations"}.get(width)
    assert lines[-1].endswith(f"not shown at this width: {hidden}" if hidden else "joins count 0")


def test_equal_figures_of_several_sources_are_joined_with_the_numbers_of_the_sources():
    text = run("analyze", *SIXTEEN).stdout.decode()
    assert "569M[1,4] agrees, 575M[5] off +1.10 %, 529M[6] off -6.99 %" in text
    assert f"\n[1] {SLIM}\n[2] Table 6\n[3] Table 7\n[4] Tables 6 and 7\n[5] " in text
    assert "\n35 figures checked: 1 exact, 24 agree, 10 off as noted, 0 off\n" in text


# A sweep is its points


SIDES = st.lists(st.sampled_from((1, 7, 33, *SIZES)), min_size=1, max_size=3, unique=True)
PARTS = st.lists(st.sampled_from((1, 8, 16, 24, 31, 32)), min_size=1, max_size=3, unique=True)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(sides=SIDES, parts=PARTS, batch=st.integers(1, 3))
def test_a_point_of_a_sweep_costs_the_same_as_alone(sides, parts, batch):
    size = ",".join(map(str, sides))
    width = ",".join(str(part / 32) for part in parts)
    axes = _sweep_options.axes([f"width={width}"], [size])
    (found,) = analyze_sweep(["mobilenet_v1"], axes, batch).networks
    wanted = list(product(parts, sides))
    for one, (part, side) in zip(found.points, wanted, strict=True):
        alone = shipped("mobilenet_v1", size=(side,), width=Fraction(part, 32))
        assert one.costs.totals.macs == batch * alone.totals.macs
        assert one.costs.totals.activations == batch * alone.totals.activations
        assert [layer.params for layer in found.recount(one.point).layers] == [
            layer.params for layer in alone.layers
        ]
        # Figures are for one sample at any batch. Those in bytes have tests of their own.
        counts = alone.totals.by_measure()
        figures = [figure for figure in one.figures if "(" not in figure.measure]
        assert all(figure.exact == counts[figure.measure] for figure in figures)


def test_the_json_of_a_point_is_that_of_analyze_with_four_more_keys():
    found = swept("mobilenet_v1", "--size", "128x160,64", "--set", "width=1,0.5", "--batch", "2")
    asked = [("1", "128x160"), ("1", "64"), ("0.5", "128x160"), ("0.5", "64")]
    for network, (width, size) in zip(found, asked, strict=True):
        (alone,) = swept("mobilenet_v1", "--size", size, "--set", f"width={width}", "--batch", "2")
        assert network.pop("set") == {"width": float(width)}
        assert network.pop("size") == ([128, 160] if "x" in size else [64, 64])
        assert (network.pop("published"), network.pop("unchecked")) == ([], [])
        assert network == alone


def test_the_json_of_single_values_has_no_new_keys():
    (network,) = swept("mobilenet_v1", "--size", "128", "--set", "width=0.5")
    assert not {"set", "size", "published"} & set(network)


def test_json_keeps_booleans_and_all_digits_of_decimals():
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


def test_a_row_has_settings_counts_and_the_figures_published_for_these_settings():
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


def test_an_unexpected_figure_has_its_own_note():
    printed = "  - {weights: 149, source: a}\n  - {macs: 9472, source: b, off: true}"
    made = table((N,), PRINTING + printed)
    assert made.notes[2:5] == (
        "2 figures checked: 0 exact, 0 agree, 0 off as noted, 1 off, 1 exact though noted as off",
        "n=4: weights 149 (a) off by +1 (+0.68 %)",
        "n=4: macs 9472 (b) exact, though noted as off",
    )


def test_figures_of_columns_that_are_not_shown_have_no_source():
    made = table((N,), PRINTING + "\n".join(PRINTED), SweepView(columns=("output", "macs")))
    assert [column.key for column in made.columns] == ["n", "output", "macs", "published_macs"]
    assert made.notes[:2] == (
        "[1] a",
        "5 figures checked: 3 exact, 1 agree, 1 off as noted, 0 off",
    )


def test_points_are_sorted_by_a_measure_and_top_keeps_the_first():
    axes = (Axis("n", (4, 16, 8)), Axis("", ((8,), (16,)), size=True))
    made = table(axes, view=SweepView(("macs",), "macs", 3))
    assert [row[-1] for row in made.rows] == [
        4 * WEIGHTS * 16 * 16, 2 * WEIGHTS * 16 * 16, WEIGHTS * 16 * 16,
    ]  # fmt: skip
    note = "3 more points; 1 of them has the same macs as the last point"
    assert made.notes[0] == note
    found = swept("-", "--set", "n=4,16,8", "--sort", "params", "--top", "2", text=NET)
    assert [network["set"]["n"] for network in found] == [16, 8]


def test_the_notes_list_only_what_all_points_share():
    made = table((N,), batch=2)
    assert made.notes[:2] == ("input 8×8×3; a batch of 2 samples", "with more false")
    made = table((Axis("", ((8,), (4, 6)), size=True),), PRINTING + PRINTED[0], batch=2)
    assert made.notes[1:4] == (
        "1 figure checked: 1 exact, 0 agree, 0 off as noted, 0 off; the figures are for 1 sample",
        "inputs 8×8×3, 4×6×3; a batch of 2 samples",
        "with n 4, more false, twice 8",
    )


def test_figures_are_checked_for_one_sample_at_any_batch():
    one, two = (table((N,), PRINTING + PRINTED[3], batch=batch).rows[0] for batch in (1, 2))
    assert (two[2], two[3]) == (2 * one[2], one[3]) == (2 * WEIGHTS * 64, "9K[1] agrees")


def test_a_variable_with_the_name_of_a_column_has_another_head():
    spec = "input: {channels: 1, size: 8}\nvars: {size: 1, macs: 1}\nlayers: [{conv: size*macs}]\n"
    spec = spec.replace("size*macs", "size*macs, kernel: 1")
    done = run(
        "analyze", "-", "--set", "size=1,2", "--set", "macs=3,4", "--size", "4,5", "--format",
        "csv", text=spec,
    )  # fmt: skip
    header, first, *_ = done.stdout.decode().splitlines()
    assert header == "network,set_size,set_macs,size,params,macs,activations"
    assert first == f"<stdin>,1,3,4,3,{3 * 4 * 4},{3 * 4 * 4}"


@pytest.mark.parametrize(
    ("name", "layer", "options", "header", "rows"),
    [
        ("uncounted", "{custom: scan, params: 1, macs: uncounted}", (),
         "network,set_uncounted,params,macs,activations,uncounted", 2),
        ("thop", "relu", ("--count", "thop", "--where", f"thop <= {3 * 4 * 4}"),
         "network,set_thop,params,macs,activations,count_thop", 1),
        ("thop", "relu", ("--where", "thop <= 3"), "network,thop,params,macs,activations", 1),
    ],
)  # fmt: skip
def test_another_number_comes_before_a_variable_of_the_same_name(
    name, layer, options, header, rows
):
    spec = f"input: {{channels: 1, size: 4}}\nvars: {{{name}: 1}}\n"
    spec += f"layers: [{{conv: {name}, kernel: 1}}, {layer}]\n"
    done = run("analyze", "-", "--set", f"{name}=3,4", *options, "--format", "csv", text=spec)
    first, *others = done.stdout.decode().splitlines()
    assert (first, len(others)) == (header, rows)


def test_layout_chw_puts_channels_first():
    text = run(
        "analyze", "-", "--set", "n=4,8", "--columns", "output", "--layout", "chw",
        text=NET,
    ).stdout.decode()  # fmt: skip
    assert "\n4  10×8×8\n" in text


PARTLY = """\
input: {channels: 3, size: 8}
vars: {n: 1}
layers:
  - {custom: what, params: 100, macs: uncounted, when: n > 1}
  - {conv: 4, kernel: 1, when: n < 3}
"""


@pytest.mark.parametrize(
    ("options", "points"),
    [
        (("--where", "macs <= 1G"), ["1"]),
        (("--where", "macs >= 0"), ["1"]),
        (("--where", "params <= 1G and thop <= 1G", "--count", "thop"), ["1"]),
        (("--where", "params <= 1G", "--count", "thop"), ["1", "2", "3"]),
        (("--where", "n > 0"), ["1", "2", "3"]),
        ((), ["1", "2", "3"]),
    ],
)
def test_a_condition_does_not_decide_points_whose_counts_are_known_in_part(options, points):
    command = ("analyze", "-", "--set", "n=1,2,3", "--columns", "params", *options)
    lines = run(*command, text=PARTLY).stdout.decode().splitlines()
    assert [line.split()[0] for line in lines if line[:1].isdigit()][: len(points)] == points
    note = "not decided for 2 points: some counts of their layers are not known"
    assert (note in lines) == (len(points) == 1)
    if options:
        assert f"{len(points)} of 3 points with {options[1]}" in lines


DILATED = """\
name: dilated stack
vars: {n: 3}
input: {channels: 1, size: [4000]}
blocks: {b: {options: {d: }, layers: [{conv: 8, kernel: 3, dilation: d}]}}
layers: [{b: 1, when: n >= 1}, {b: 2, when: n >= 2}, {b: 4, when: n >= 3}]
"""
CSV = ("--format", "csv")


def rows(*arguments, text=NET):
    """The cells of a sweep in CSV, without the name of the network."""
    done = run("analyze", "-", *arguments, *CSV, text=text)
    assert done.stderr == b""
    return [line.split(",")[1:] for line in done.stdout.decode().splitlines()]


def test_a_sweep_has_every_column_of_a_network():
    assert rows("--set", "n=1,2,3", "--columns", "receptive_field", text=DILATED) == [
        ["n", "receptive_field"], ["1", "3"], ["2", "7"], ["3", "15"]
    ]  # fmt: skip
    heads, first, last = rows("--set", "n=1,3", "--columns", "all", text=DILATED)
    macs = [8 * 3 * 1 * 3998, 8 * 3 * 1 * 3998 + 8 * 3 * 8 * (3994 + 3986)]
    assert dict(zip(heads, first, strict=True)) == {
        "n": "1", "output": "3998x8", "params": "24", "macs": str(macs[0]),
        "params_share": f"{100 * 24 / (24 + 2 * 8 * 8 * 3):.4f}",
        "share": f"{100 * macs[0] / macs[1]:.4f}", "weights": "24", "biases": "0",
        "trainable": "24", "buffers": "0", "activations": str(8 * 3998), "active": "24",
        "receptive_field": "3", "step": "1", "channels": "8",
    }  # fmt: skip
    assert last[heads.index("share")] == "100.0000"


def test_a_setting_named_as_a_column_has_the_column_that_it_always_has():
    assert rows("--set", "n=1,3", "--columns", "n,params", text=DILATED) == [
        ["n", "params"], ["1", str(8 * 3)], ["3", str(8 * 3 + 2 * 8 * 8 * 3)]
    ]  # fmt: skip


def test_points_are_filtered_by_conditions():
    every = ("--set", "n=1,2,4,8", "--columns", "macs")
    macs = {str(n): str(64 * n * 37) for n in (1, 2, 4, 8)}
    kept = {
        "macs <= 4736": "12",
        "macs <= 4.736k": "12",
        "macs <= 4.736 k and n > 1": "2",
        "macs > 0.0001G or n == 1": "1",
        f"macs / 0.0005k <= {2 * 64 * 2 * 37}": "12",
        "macs / params > 62.3": "1248",
        "receptive_field == 3 and not n < 8": "8",
        "channels != 10": "",
    }
    for condition, values in kept.items():
        expected = [[n, macs[n]] for n in values]
        assert rows(*every, "--where", condition)[1:] == expected, condition
    assert rows(*every, "--where", "n > 1", "--where", "n < 8")[1:] == [
        ["2", macs["2"]], ["4", macs["4"]]
    ]  # fmt: skip


def test_a_filtered_sweep_says_how_many_points_match():
    done = run("analyze", "-", "--set", "n=1,2,4", "--where", "macs <= 5K", "--columns", "macs",
               text=NET)  # fmt: skip
    assert done.stdout.decode() == (
        "net\n\nn   macs\n1  2,368\n2  4,736\n\n2 of 3 points with macs <= 5K\n"
        f"input 8×8×3; 1 sample\nwith more false\n{CONVENTION}\n"
    )


def test_a_sweep_without_a_matching_point_has_no_rows():
    arguments = ("analyze", "-", "--set", "n=1,2", "--where", "macs < 1")
    assert run(*arguments, "--columns", "macs", text=NET).stdout.decode() == (
        "net\n\nn  macs\n\n0 of 2 points with macs < 1\n"
    )
    assert json.loads(run(*arguments, "--format", "json", text=NET).stdout)["networks"] == []
    assert run(*arguments, "--format", "html", text=NET).returncode == 0


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("macs <=", ("--where: `macs <=` is not an expression\n"
            "help: write a comparison, such as `macs <= 100M`")),
        ("mac < 1", "--where: there is no number `mac`; did you mean `macs`?"),
        ("flops < 1", "--where: there is no number `flops`; add --count flops"),
        ("macs", "--where macs is 2368, neither true nor false"),
        ("macs / buffers > 1", "--where macs / buffers > 1: 2368 / 0 divides by 0"),
    ],
)  # fmt: skip
def test_a_condition_without_a_truth_value_is_refused(condition, message):
    done = error_output("analyze", "-", "--set", "n=1,2", "--where", condition, text=NET)
    assert done == f"error: {message}\n"


def test_a_condition_without_a_sweep_is_refused():
    assert error_output("analyze", "-", "--where", "macs < 1", text=NET) == (
        "error: --where selects points; give --set or --size several values\n"
    )


@pytest.mark.parametrize(
    ("sort", "order"),
    [("macs", "842"), ("-macs", "248"), ("n", "842"), ("-n", "248"), ("channels", "428")],
)
def test_points_are_sorted_both_ways(sort, order):
    found = rows("--set", "n=4,2,8", "--sort", sort, "--columns", "macs")
    assert [row[0] for row in found[1:]] == [*order]


def test_layers_are_sorted_both_ways():
    for sort, order in {"macs": "ba", "-macs": "ab", "path": "ab", "-layer": "ba"}.items():
        a, b = (f"{{conv: {filters}, kernel: 1, name: {'-ab'[filters]}}}" for filters in (1, 2))
        text = f"input: {{channels: 1, size: 8}}\nlayers: [{a}, {b}]"
        done = run("analyze", "-", "--sort", sort, "--columns", "layer,macs", *CSV, text=text)
        assert [line.split(",")[1] for line in done.stdout.decode().splitlines()[1:]] == [*order]


def test_a_sweep_has_no_limit_of_points_and_keeps_no_layers():
    many = ",".join(map(str, range(1, 2_002)))
    text = "input: {channels: 1, size: 8}\nvars: {n: 1}\nlayers: [{conv: n, kernel: 1}%s]" % (
        ", relu" * 20
    )
    found = rows(
        "--set", f"n={many}", "--sort", "macs", "--top", "2", "--columns", "macs", text=text
    )
    assert found == [["n", "macs"], ["2001", str(64 * 2001)], ["2000", str(64 * 2000)]]
    (kept,) = analyze_sweep(["resnet18"], (Axis("classes", (1, 2)),)).networks
    assert [point.costs.layers for point in kept.points] == [(), ()]
    assert len(kept.recount(kept.points[1].point).layers) > 60


# Several inputs

TWO = """\
name: two
inputs:
  slow: {channels: 1, size: 16}
  fast: {channels: 1, size: [8, 4]}
  age: {channels: 1, size: []}
layers:
  - {conv: 2, kernel: 1, from: slow, name: a}
  - {conv: 2, kernel: 1, from: fast, name: b}
"""


@pytest.mark.parametrize(
    ("sizes", "shapes"),
    [
        (("32",), ("32×32", "32×32")),
        (("32x8",), ("32×8", "32×8")),
        (("slow=32",), ("32×32", "8×4")),
        (("slow=32x8",), ("32×8", "8×4")),
        (("64", "fast=32"), ("64×64", "32×32")),
        (("slow=64", "fast=32x4"), ("64×64", "32×4")),
    ],
)
def test_a_sweep_varies_the_size_of_each_input(sizes, shapes):
    options = [option for size in sizes for option in ("--size", size)]
    done = run("analyze", "-", *options, text=TWO)
    assert done.stderr == b""
    slow, fast = shapes
    assert f"input slow {slow}×1, fast {fast}×1, age 1; 1 sample\n" in done.stdout.decode()


@pytest.mark.parametrize(
    ("sizes", "found"),
    [
        (("slow=8,16",), [{"slow": [8, 8]}, {"slow": [16, 16]}]),
        (("64x8,32",), [[64, 8], [32, 32]]),
        (
            ("64", "slow=8,16"),
            [{"slow": [8, 8], "fast": [64, 64]}, {"slow": [16, 16], "fast": [64, 64]}],
        ),
    ],
)
def test_the_json_of_a_sweep_has_the_sizes_that_the_command_sets_by_input(sizes, found):
    options = [option for size in sizes for option in ("--size", size)]
    for command in ("analyze", "compare"):
        done = run(command, "-", *options, "--format", "json", text=TWO)
        tree = json.loads(done.stdout)
        validator(tree["schema"]).validate(tree)
        assert [network["size"] for network in tree["networks"]] == found


def test_the_note_on_inputs_separates_the_inputs_of_a_point_from_those_of_the_next():
    done = run("analyze", "-", "--size", "slow=8,16", text=TWO)
    inputs = "inputs slow 8×8×1 and fast 8×4×1 and age 1, slow 16×16×1 and fast 8×4×1 and age 1"
    assert f"\n{inputs}; 1 sample\n" in done.stdout.decode()


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        (("slo=8",), "error[CC113]: `two` has no input `slo`"),
        (
            ("slow=8x8x8",),
            "error[CC113]: `slow` of `two` has a size with 2 axes, but --size has 3 numbers",
        ),
        (("age=8",), "error[CC113]: `age` of `two` has no size, but --size has 1 number"),
        (("=8",), "error: --size must be like 256 or mask=256, not `=8`"),
        (("8", "9"), "error: --size is given twice"),
        (("slow=8", "slow=9"), "error: --size slow is given twice"),
        (("slow=x",), "error: --size must be like 256 or 256x320, not `x`"),
    ],
)
def test_a_size_that_no_input_has_is_refused(sizes, message):
    options = [option for size in sizes for option in ("--size", size)]
    assert error_output("analyze", "-", *options, text=TWO).splitlines()[0] == message


def test_the_size_of_one_input_makes_a_sweep():
    found = rows("--size", "slow=8,16", "--size", "fast=4", "--columns", "activations", text=TWO)
    assert found == [
        ["size_slow", "activations"],
        ["8", str(2 * 8 * 8 + 2 * 4 * 4)],
        ["16", str(2 * 16 * 16 + 2 * 4 * 4)],
    ]


def test_a_figure_of_another_size_is_not_checked_if_one_input_has_another_size():
    text = TWO + "published: [{activations: 5, source: a}, {activations: 6, size: 8, source: b}]"
    for sizes, printed in {("slow=8",): [], ("8",): ["6"], ("slow=8", "fast=8"): ["6"]}.items():
        options = [option for size in sizes for option in ("--size", size)]
        (first, _) = swept("-", *options, "--set", "n=1,2", text=f"vars: {{n: 1}}\n{text}")
        assert [figure["published"] for figure in first["published"]] == printed


# Side by side


def test_compare_has_a_column_for_each_point_of_one_network_and_the_first_is_the_baseline():
    arguments = ("compare", "mobilenet_v1", "--set", "width=0.25,1", "--size", "128,224")
    text = run(*arguments, "--transpose").stdout.decode()
    heads = ("width=0.25 128", "width=0.25 224", "width=1 128", "width=1 224")
    answer = f"{heads[0]} and {heads[1]} have the fewest params; {heads[0]} has the fewest macs"
    assert text.startswith(f"MobileNet v1: {answer}\n\n")
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
    assert report["networks"][3]["changes"][4]["difference"] == macs[3] - macs[0]
    assert [figure["published"] for figure in report["networks"][0]["published"]] == ["14M"]


@pytest.mark.parametrize("name", ["width=0.5", "MobileNet v1 width=0.5"])
def test_any_point_can_be_the_baseline(name):
    arguments = ("compare", "mobilenet_v1", "--set", "width=1,0.5", "--format", "json")
    report = json.loads(run(*arguments, "--baseline", name).stdout)
    assert report["baseline"] == "MobileNet v1 width=0.5"
    assert report["networks"][0]["changes"][2]["difference"] == PARAMS["1"] - PARAMS["0.5"]
    assert error_output(*arguments, "--baseline", "width=0.6") == (
        "error: there is no network `width=0.6` among these; did you mean `width=0.5`?\n"
    )


def test_an_unknown_baseline_among_many_points_has_no_empty_suggestion():
    sizes = ",".join(str(32 * n) for n in range(1, 20))
    arguments = ("compare", "mobilenet_v1", "--size", sizes)
    assert error_output(*arguments, "--baseline", "zzz") == (
        "error: there is no network `zzz` among these\n"
    )


def test_the_points_of_several_networks_are_named_by_network_and_settings():
    text = run("compare", "vgg16", "googlenet", "--set", "classes=10,20").stdout.decode()
    assert [line.partition("  ")[0] for line in text.splitlines()[3:7]] == [
        "VGG-16 classes=10", "VGG-16 classes=20", "GoogLeNet classes=10", "GoogLeNet classes=20",
    ]  # fmt: skip


@pytest.mark.parametrize("width", [60, 80, 200])
def test_points_that_do_not_fit_a_terminal_are_named_in_a_note(width):
    arguments = ("compare", "mobilenet_v1", "--set", "width=1,0.5,0.25", "--size", "64,128,224")
    text = run(*arguments, "--format", "table", "--width", str(width), "--transpose").stdout
    lines = text.decode().splitlines()
    assert max(map(len, lines)) <= width
    (heads,) = [line for line in lines if line.startswith("   ") and "width=1 64" in line]
    hidden = " ".join(lines).partition("not shown at this width: ")[2]
    every = [f"width={part} {side}" for part in ("1", "0.5", "0.25") for side in (64, 128, 224)]
    assert ", ".join(head for head in every if head not in heads) == hidden


# What is refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--size", "128,,160"], "--size has an empty item: `128,,160`"),
        (["--size", "128,"], "--size has an empty item: `128,`"),
        (["--set", "width=,1"], "--set width has an empty item: `,1`"),
        (["--size", "128,160,128"], "--size has 128 twice: `128,160,128`"),
        (["--set", "width=0.5,.50"], "--set width has .50 twice: `0.5,.50`"),
        (["--set", "width=1,true,1.0"], "--set width has 1.0 twice: `1,true,1.0`"),
        (["--set", "width=0.5,1", "--set", "width=2"],
            "--set gives width twice; write all values as one list"),
        (["--size", "128,big"], "--size must be like 256 or 256x320, not `big`"),
        (["--set", "width=1,much"], "--set width: `much` is neither a number nor true or false"),
        (["--set", "=1,2"], "--set needs name=value, not `=1,2`"),
        (["--size", "1,2", "--depth", "1"],
            "--depth and --work need one row for each layer; a sweep has one for each point"),
        (["--size", "1,2", "--work", "macs"],
            "--depth and --work need one row for each layer; a sweep has one for each point"),
        (["--size", "1,2", "--sort", "path"],
            ("cannot sort by `path`; known here: `weights`, `biases`, `params`, `trainable`, "
            "`buffers`, `macs`, `activations`, `active`, `channels`, `receptive_field`")),
        (["--size", "1,2", "--sort", "mac"], "cannot sort by `mac`; did you mean `macs`?"),
        (["--size", "1,2", "--columns", "macs,kind"],
            ("there is no column `kind`; known here: `output`, `params`, `macs`, "
            "`params_share`, `share`, `weights`, `biases`, `trainable`, `buffers`, "
            "`activations`, `active`, `receptive_field`, `step`, `channels`, `size`")),
        (["--size", "1,2", "--columns", "mac"],
            "there is no column `mac`; did you mean `macs`?"),
        (["--size", "1,2", "--columns", ","],
            ("--columns needs one of output, params, macs, params_share, share, weights, biases, "
            "trainable, buffers, activations, active, receptive_field, step, channels, size")),
    ],
)  # fmt: skip
def test_an_invalid_sweep_prints_a_one_line_error(arguments, message):
    assert error_output("analyze", "mobilenet_v1", *arguments) == f"error: {message}\n"


@pytest.mark.parametrize("given", ["--size 128,160", "--set width=1,0.5"])
@pytest.mark.parametrize("command", ["explain", "memory"])
def test_a_command_for_one_setting_names_the_commands_for_several(command, given):
    assert error_output(command, "mobilenet_v1", *given.split()) == (
        f"error: {given}: only one value is possible here; analyze and compare accept several, and "
        "search has --vary\n"
    )


SMALL = """\
name: small
input: {channels: 4, size: 8}
vars: {n: 4, stop: false}
layers:
  - {conv: 2, kernel: 5}
  - {conv: 2, kernel: 3, when: n < 9}
  - {conv: n/2, kernel: 1}
"""


def test_all_points_with_problems_are_named_and_nothing_is_printed():
    stated = error_output("analyze", "-", "--set", "n=2,3,4", "--size", "8,4,6", text=SMALL)
    assert [line for line in stated.splitlines() if line.startswith("error")] == [
        "error[CC301]: kernel 5 is larger than the input 4 (with size=4)",
        "error[CC301]: kernel 3 is larger than the input 2 (with size=6)",
        "error[CC104]: `filters` of conv must be a whole number of at least 1, not 1.5 (with n=3)",
    ]
    assert stated.endswith("\n3 problems in <stdin>\n")


def test_a_problem_at_every_point_is_reported_once_without_points():
    stated = error_output("compare", "mobilenet_v1", "--set", "wdith=1,2")
    assert stated == (
        "error[CC113]: `MobileNet v1` has no variable `wdith` to set\n --> mobilenet_v1\n"
        "  = help: did you mean `width`?\n\n1 problem in mobilenet_v1\n"
    )


def test_the_problems_of_every_argument_are_reported():
    stated = error_output("compare", "mobilenet_v1", "no.yaml", "vgg16", "--set", "classes=0,10")
    assert stated.count("must be a whole number of at least 1, not 0 (with classes=0)") == 2
    assert "there is no file `no.yaml`" in stated


def test_points_are_written_as_lists_if_possible_and_else_one_by_one():
    axes = (Axis("a", (1, 2, 3)), Axis("b", (True, False)), Axis("", ((8,), (8, 6)), size=True))
    every = list(points(axes))
    assert points_text(axes, every) == ""
    assert points_text(axes, every[:4]) == "a=1"
    assert points_text(axes, every[1::2]) == "size=8x6"
    assert points_text(axes, [every[0], every[4]]) == "a=1,2 b=true size=8"
    assert points_text(axes, [every[0], every[7]]) == "a=1 b=true size=8; a=2 b=false size=8x6"


@given(st.lists(st.sampled_from([f"x{n}" for n in range(4)]), unique=True, min_size=1), st.data())
def test_points_are_all_combinations_and_the_last_list_varies_fastest(names, data):
    axes = tuple(
        Axis(name, tuple(range(data.draw(st.integers(1, 3), label=name)))) for name in names
    )
    found = [tuple(value for _, value in point.settings.variables) for point in points(axes)]
    assert found == sorted(set(found))
    assert found == list(product(*(axis.values for axis in axes)))
