"""Networks side by side: the exact gains, and laws that every comparison obeys."""

import json

import pytest
from support import run, shipped

from convcost.reports.compare import Comparison
from convcost.reports.table import CountRatio, Difference, Share, cell_text
from convcost.reports.totals import TotalsView

CONVENTION = (
    "macs: one multiply and one add count as 1, in convolutions, linear layers and matrix "
    "products; biases, norms, activations, pooling and joins count 0\n"
)
# name of a spec, its weights naive and reduced, and the ratio
REDUCED = [
    ("inception_3a", 64 * 192 + 128 * 9 * 192 + 32 * 25 * 192, 157_184, "2.46"),
    ("bottleneck_256", 2 * 256 * 9 * 256, 69_632, "16.94"),
    ("reduce_5x5", 64 * 25 * 512, 24 * 512 + 64 * 25 * 24, "16.16"),
    ("reduce_4x4", 256 * 16 * 256, 278_528, "3.76"),
    ("reduce_3x3", 256 * 9 * 256, 69_632, "8.47"),
]
NAIVE = "64 × 1 × 1 × 192 + 128 × 3 × 3 × 192 + 32 × 5 × 5 × 192"
REDUCE = (
    "64 × 1 × 1 × 192 + 96 × 1 × 1 × 192 + 128 × 3 × 3 × 96 + 16 × 1 × 1 × 192 + 32 × 5 × 5 × 16"
)
FIVE = ("vgg16", "googlenet", "resnet50", "mobilenet_v2", "densenet121")
EIGHT = (*FIVE, "alexnet", "inception_v3", "efficientnet_b0")


def output(*arguments: str) -> str:
    done = run(*arguments)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_networks_with_the_same_name_have_the_names_of_their_files(tmp_path):
    spec = "name: net\ninput: {channels: 3, size: 1}\nlayers: [{conv: FILTERS, kernel: 1}]\n"
    files = tmp_path / "before.yaml", tmp_path / "after.yaml"
    for file, filters in zip(files, ("4", "2"), strict=True):
        file.write_text(spec.replace("FILTERS", filters))
    before, after = (f"net ({file})" for file in files)
    title, _, _, *rows = output("compare", *map(str, files)).splitlines()[:5]
    assert title == f"{after} has 2.00× fewer params and 2.00× fewer macs than {before}"
    assert [row.partition("  ")[0] for row in rows] == [before, after]
    title, *_ = output("compare", *map(str, files), "--baseline", after).splitlines()
    assert title == f"{before} has 2.00× as many params and 2.00× as many macs as {after}"
    report = json.loads(output("compare", *map(str, files), "--format", "json"))
    assert [network["name"] for network in report["networks"]] == ["net", "net"]


@pytest.mark.parametrize(("spec", "naive", "reduced", "times"), REDUCED)
def test_the_answer_is_the_first_sentence(spec, naive, reduced, times):
    both = tuple(shipped(spec, name) for name in ("naive", "reduced"))
    assert tuple(costs.totals.weights for costs in both) == (naive, reduced)
    (table,) = Comparison(both).tables()
    assert table.title == (f"reduced has {times}× fewer params and {times}× fewer macs than naive")
    assert [row[2] for row in table.rows] == [naive, reduced]
    assert [cell_text(row[3]) for row in table.rows] == ["baseline", f"{times}× fewer"]


def test_a_comparison_has_one_row_for_each_network():
    assert output("compare", "inception_3a") == (
        "reduced has 2.46× fewer params and 2.46× fewer macs than naive\n\n"
        "network      input   params  params ratio         macs   macs ratio\n"
        "naive    28×28×192  387,072      baseline  303,464,448     baseline\n"
        "reduced  28×28×192  157,184   2.46× fewer  123,232,256  2.46× fewer\n\n"
        "weights of reduced: 158,048 published (tutorials on 1x1 convolution), 157,184 exact, "
        "off by +864 (+0.55 %), as noted\n"
        f"1 sample\nwith pool false\n{CONVENTION}"
    )


@pytest.mark.parametrize(
    ("before", "after", "answer"),
    [
        ((8, 4), (4, 1), "b has 2.00× fewer params and 4.00× fewer macs than a"),
        ((8, 4), (4, 8), "b has 2.00× fewer params than a and 2.00× as many macs as a"),
        ((8, 4), (8, 8), "b has as many params and 2.00× as many macs as a"),
        ((0, 0), (1, 1), "b has 1 param instead of 0 and 1 mac instead of 0 of a"),
        ((8, 4), (0, 0), "b has 0 params instead of 8 and 0 macs instead of 4 of a"),
    ],
)
def test_the_answer_of_two_networks_says_how_each_count_changes(before, after, answer):
    both = [named(name, *counts) for name, counts in (("a", before), ("b", after))]
    assert Comparison(tuple(both)).totals().title == answer
    back = Comparison(tuple(reversed(both)), baseline=1).totals().title
    assert back == answer


@pytest.mark.parametrize(
    ("counts", "answer"),
    [
        (
            ((8, 8), (4, 9), (2, 4)),
            "c has the fewest params (4.00× fewer than a) and the fewest macs (2.00× fewer)",
        ),
        (
            ((8, 8), (4, 9), (9, 4)),
            "b has the fewest params (2.00× fewer than a); c has the fewest macs (2.00× fewer)",
        ),
        (
            ((8, 8), (9, 9), (9, 4)),
            "a has the fewest params; c has the fewest macs (2.00× fewer than a)",
        ),
        (((8, 8), (8, 9), (8, 8)), "all have 8 params; a and c have the fewest macs"),
        (
            ((8, 8), (4, 9), (4, 9), (4, 8)),
            "b, c and d have the fewest params (2.00× fewer than a); a and d have the fewest macs",
        ),
        (
            ((8, 8), (8, 4), (8, 4), (8, 4), (8, 4)),
            "all have 8 params; b, c, d and 1 more have the fewest macs (2.00× fewer than a)",
        ),
    ],
)
def test_the_answer_of_several_networks_is_those_with_the_fewest(counts, answer):
    names = "abcde"[: len(counts)]
    networks = tuple(named(name, *own) for name, own in zip(names, counts, strict=True))
    assert Comparison(networks).totals().title == answer


def test_a_network_that_is_given_twice_is_named_once():
    networks = named("a", 8, 8), named("b", 4, 8), named("a", 8, 8), named("b", 4, 8)
    a, b = "a (reduce_3x3)", "b (reduce_3x3)"
    title = f"{b} has the fewest params (2.00× fewer than {a}); all have 8 macs"
    assert Comparison(networks).totals().title == title


def test_the_baseline_and_another_have_the_fewest_together():
    networks = named("a", 8, 8), named("b", 8, 10), named("c", 9, 9)
    title = "a and b have the fewest params; a has the fewest macs (1.25× fewer than b)"
    assert Comparison(networks, baseline=1).totals().title == title


@pytest.mark.parametrize("baseline", [0, 1, 2])
@pytest.mark.parametrize("sort", ["params", "macs"])
def test_rows_are_compared_with_the_baseline_in_the_order_of_a_measure(baseline, sort):
    counts = (8, 30), (4, 90), (16, 60)
    networks = tuple(named(name, *own) for name, own in zip("abc", counts, strict=True))
    columns = "network", "params", "params_ratio", "params_share", "params_change"
    view = TotalsView(columns, sort)
    base = counts[baseline][0]
    assert Comparison(networks, baseline, view).totals().rows == tuple(
        (
            "abc"[n],
            params := counts[n][0],
            CountRatio(base, params, n == baseline),
            Share(params, 16),
            None if n == baseline else Difference(base, params),
        )
        for n in ((2, 0, 1) if sort == "params" else (1, 2, 0))
    )
    table = Comparison(networks, baseline, view._replace(transpose=True)).totals()
    stay = [column.key for column in table.columns if not column.drop]
    assert len(stay) == len(("measure", "the baseline", "another"))
    assert "abc"[baseline] in stay


def named(name: str, params: int, macs: int):
    costs = shipped("reduce_3x3", "naive")
    totals = costs.totals._replace(weights=params, biases=0, macs=macs)
    return costs._replace(network=costs.network._replace(name=name), totals=totals)


@pytest.mark.parametrize(
    ("names", "width"), [(("vgg16", "googlenet"), 80), (FIVE, 80), (EIGHT, 100)]
)
def test_networks_fit_with_all_columns(names, width):
    text = output("compare", *names, "--format", "table", "--width", str(width))
    assert max(map(len, text.splitlines())) <= width
    assert "not shown at this width" not in text
    for name in names:
        costs = shipped(name)
        (line,) = [
            splitline
            for splitline in text.splitlines()
            if splitline.startswith(f"{costs.network.name}  ")
        ]
        assert f" {costs.totals.params:,} " in line
        assert f" {costs.totals.macs:,} " in line


@pytest.mark.parametrize("width", range(50, 100, 3))
def test_no_number_is_broken_at_any_width(width):
    long = "net_with_a_very_long_name_and_12,345,678_and_123456789012345"
    layers = "layers: [{conv: 8, kernel: 3}]\n"
    spec = "".join(
        f"name: {name}\ninput: {{channels: 3, size: {size}}}\n{layers}---\n"
        for name, size in ((long, 32), ("other", 224))
    ).removesuffix("---\n")
    text = run(
        "compare", "-", "--format", "table", "--width", str(width), text=spec
    ).stdout.decode()
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    for number in ("12,345,678", "123456789012345", f"{8 * 27 * 222**2:,}"):
        assert any(number in line for line in lines)


def test_columns_sort_and_top_select_what_a_comparison_shows():
    arguments = ("--columns", "network,activations,activations_share", "--sort", "activations")
    assert output("compare", "alexnet", "vgg16", "googlenet", *arguments, "--top", "2") == (
        "GoogLeNet has the fewest params (8.71× fewer than AlexNet); AlexNet has the fewest macs"
        "\n\n"
        "network    activations  activations of largest\n"
        "VGG-16      28,676,072                 100.0 %\n"
        "GoogLeNet    9,912,264                  34.6 %\n\n"
        "1 more network\n"
        f"inputs 227×227×3 (AlexNet), 224×224×3 (VGG-16, GoogLeNet); "
        f"1 sample\nwith classes 1000\n{CONVENTION}"
    )


def test_a_transposed_comparison_has_a_column_for_each_network():
    columns = "params,params_change,params_ratio,output,layers"
    text = output("compare", "bottleneck_256", "--transpose", "--columns", columns)
    assert text.splitlines()[2:8] == [
        "                   naive               reduced",
        "params         1,179,648                69,632",
        "params change             -1,110,016 (-94.1 %)",
        "params ratio    baseline          16.94× fewer",
        "output         56×56×256             56×56×256",
        "layers                 2                     3",
    ]


def test_analyze_at_depth_0_is_the_same_table():
    arguments = ("vgg16", "googlenet", "--sort", "macs", "--units", "params=M,macs=G")
    compared = output("compare", *arguments).splitlines()
    analyzed = output("analyze", *arguments, "--depth", "0").splitlines()
    assert analyzed == [line for line in compared if "published" not in line]
    alone = output("analyze", "vgg16", "--depth", "0").splitlines()
    assert alone[:4] == [
        "VGG-16",
        "",
        "network      input       params            macs",
        "VGG-16   224×224×3  138,357,544  15,470,264,320",
    ]
    report = json.loads(output("analyze", "vgg16", "--depth", "0", "--format", "json"))
    assert report["networks"][0]["layers"] == []
    assert report["networks"][0]["totals"]["params"] == 138_357_544
    refused = run("analyze", "vgg16", "--depth", "0", "--work", "macs")
    assert (refused.returncode, refused.stderr.decode()) == (
        2, "error: --work needs rows of layers, and --depth 0 has none\n",
    )  # fmt: skip


def test_csv_has_numbers_only_and_the_names_of_networks_in_the_header_when_transposed():
    assert output("compare", "vgg16", "googlenet", "--format", "csv").splitlines() == [
        "network,input,params,params_ratio,macs,macs_ratio",
        "VGG-16,224x224x3,138357544,1.000000,15470264320,1.000000",
        "GoogLeNet,224x224x3,6998552,0.050583,1582671872,0.102304",
    ]
    transposed = ("--transpose", "--columns", "params,params_change,macs")
    assert output("compare", "vgg16", "googlenet", *transposed, "--format", "csv").splitlines() == [
        "measure,VGG-16,GoogLeNet",
        "params,138357544,6998552",
        "params change,,-131358992",
        "macs,15470264320,1582671872",
    ]


def test_work_and_published_figures_are_there_on_request():
    plain = output("compare", "inception_3a")
    text = output("compare", "inception_3a", "--work", "--published")
    assert [line for line in text.splitlines() if line not in plain.splitlines()] == [
        f"weights of naive: {NAIVE} = 387,072",
        f"weights of reduced: {REDUCE} = 157,184",
        "weights of naive: 387,072 published (tutorials on 1x1 convolution), 387,072 exact, equal",
    ]


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


def test_swapping_two_networks_negates_the_differences_and_those_of_layers_add_up():
    there = json.loads(run("compare", "vgg16", "resnet50", "--layers", "--format", "json").stdout)
    back = json.loads(run("compare", "resnet50", "vgg16", "--layers", "--format", "json").stdout)
    one, other = there["networks"][1], back["networks"][1]
    for item, opposite in zip(one["changes"], other["changes"], strict=True):
        assert item["difference"] == -opposite["difference"]
    for network in (one, other):
        changes = {item["measure"]: item["difference"] for item in network["changes"]}
        for measure in ("macs", "params"):
            by_layer = [layer[f"{measure}_change"] for layer in network["layers"]]
            assert sum(by_layer) == changes[measure]


def test_layers_are_paired_by_what_they_are_and_the_largest_change_is_first():
    text = run("compare", "inception_3a", "--layers").stdout.decode()
    assert (
        text.split("Layers: naive to reduced\n\n")[1]
        == """\
layer                    state    macs of naive  macs of reduced  change in macs  change in params
5x5/conv_1 → 5x5/conv_2  changed    120,422,400       10,035,200    -110,387,200          -140,800
3x3/conv_1 → 3x3/conv_2  changed    173,408,256       86,704,128     -86,704,128          -110,592
3x3/reduce               added                        14,450,688     +14,450,688           +18,432
5x5/reduce               added                         2,408,448      +2,408,448            +3,072

2 unchanged layers
"""
    )


def test_the_baseline_is_the_first_network_or_the_named_one():
    arguments = ("compare", "vgg16", "googlenet", "--format", "json")
    assert json.loads(run(*arguments).stdout)["baseline"] == "VGG-16"
    named = run(*arguments, "--baseline", "GoogLeNet").stdout
    assert json.loads(named)["networks"][0]["changes"][2]["difference"] == 138_357_544 - 6_998_552
    wrong = run(*arguments, "--baseline", "googlnet")
    assert (wrong.returncode, wrong.stdout) == (2, b"")
    assert b"did you mean `GoogLeNet`?" in wrong.stderr


THREE = """\
name: a
input: {channels: 3, size: 8}
layers: [{conv: 8, kernel: 3, name: x}, silu, flatten, {linear: 5, name: head}]
---
name: b
input: {channels: 4, size: 9}
layers: [{conv: 8, kernel: 3, name: x}, relu, silu, flatten, {linear: 7, name: head}]
---
name: c
inputs: {left: {channels: 4, size: 7}, right: {channels: 4, size: 7}}
layers: [{add: [left, right]}, silu, {conv: 6, kernel: 1, frozen: true, name: x}]
"""


@pytest.mark.parametrize("base", [0, 1, 2])
def test_json_has_of_each_network_what_analyze_has(base, tmp_path):
    (tmp_path / "net.yaml").write_text(THREE, "utf-8")

    def networks(*arguments):
        count = ("--batch", "3", "--count", "torch_scan,flops", "--format", "json")
        tree = json.loads(run(*arguments, "net.yaml", *count, cwd=tmp_path).stdout)
        assert tree.get("baseline") in (None, "abc"[base])
        return tree["networks"]

    alone = networks("analyze")
    compared = networks("compare", "--baseline", "abc"[base], "--layers")
    before = {layer["path"]: layer for layer in alone[base]["layers"]}
    for one, own in zip(compared, alone, strict=True):
        for key in ("name", "file", "batch", "convention", "totals"):
            assert one[key] == own[key]
        assert one["inputs"] == own.get("inputs", {"input": own.get("input")})
        assert one["output"] == own["layers"][-1]["output"]
        assert one["layer_count"] == len(own["layers"])
        assert eval(one["work"]["weights"].replace("×", "*")) == own["totals"]["weights"]
        for total, counts in zip(one["counts"], own["counts"], strict=True):
            assert total == {key: value for key, value in counts.items() if key != "layers"}
        assert any(total["uncounted"] for total in one["counts"])
        for change in one["changes"]:
            counts = [of["totals"][change["measure"]] for of in (alone[base], own)]
            assert [change["before"], change["after"]] == counts
            assert change["difference"] == counts[1] - counts[0]
        now = {layer["path"]: layer for layer in own["layers"]}
        for layer in one["layers"]:
            old = before.get(layer["path_before"])
            new = now[layer["path"]] if layer["state"] != "removed" else None
            assert (old is None) == (layer["state"] == "added") == (layer["path_before"] is None)
            for measure in ("macs", "params", "trainable"):
                counts = [of[measure] if of else 0 for of in (old, new)]
                assert layer[f"{measure}_change"] == counts[1] - counts[0]
        assert {layer["path"] for layer in one["layers"]} >= now.keys()


def test_a_comparison_of_one_network_is_refused():
    done = run("compare", "vgg16")
    assert done.returncode == 2
    assert done.stderr == b"error: compare needs two networks or more, but there is only one\n"


def test_a_note_lists_the_inputs_and_the_variables_that_all_networks_share():
    text = output("compare", "vgg16", "inception_v3", "--columns", "network,macs")
    assert (
        "\ninputs 224×224×3 (VGG-16), 299×299×3 (Inception v3); 1 sample\nwith classes 1000\n"
        in text
    )


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (387_072, 157_184, ("-229,888 (-59.4 %)", "2.46× fewer")),
        (10, 15, ("+5 (+50.0 %)", "1.50× as many")),
        (0, 7, ("+7", "")),
        (7, 0, ("-7 (-100.0 %)", "")),
        (7, 7, ("0 (0.0 %)", "equal")),
    ],
)
def test_a_change_is_a_count_a_percentage_and_a_ratio(before, after, message):
    assert (cell_text(Difference(before, after)), cell_text(CountRatio(before, after))) == message


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_table_of_a_comparison_fits(width):
    text = run("compare", "bottleneck_256", "--format", "table", "--width", str(width)).stdout
    assert max(map(len, text.decode().splitlines())) <= width
    assert "1,179,648" in text.decode()


def test_a_figure_published_for_other_settings_is_not_shown():
    assert "158,048" not in run("compare", "inception_3a", "--set", "pool=true").stdout.decode()
    assert "158,048" in run("compare", "inception_3a", "--set", "pool=false").stdout.decode()


def test_published_macs_are_checked_for_one_sample_at_any_batch():
    one, many = (
        run("compare", "googlenet", "vgg16", "--published", "--batch", batch).stdout.decode()
        for batch in "18"
    )
    for line in (line for line in one.splitlines() if "published" in line):
        assert line in many
    note = "figures are checked for 1 sample"
    assert [text.splitlines().count(note) for text in (one, many)] == [0, 1]
