"""A report with macs says what they are: a number without its convention cannot be compared."""

import json
import re

import pytest
from support import commands_that_read_specs, run

import convcost
from convcost.model.measures import CONVENTION
from convcost.reports.charts import comparison_charts, network_charts, sweep_charts
from convcost.reports.page_model import Fact

REPORTS = [
    "analyze reduce_3x3#naive",
    "analyze reduce_3x3#naive --depth 0",
    "analyze mobilenet_v1 --set width=0.5,1",
    "compare reduce_3x3",
    "compare reduce_3x3 --layers",
    "explain vgg11 conv1",
    "verify vgg16",
    "reduce reduce_3x3#naive",
    "reduce reduce_3x3#naive --channels 1/4 --write new.yaml",
    "reduce googlenet --undo",
    "check reduce_3x3 --max-macs 1G",
    "memory reduce_3x3#naive --training adam",
    "memory reduce_3x3#naive --device h100",
    "formula mobilenet_v1 --vary width",
    "search mobilenet_v1 --vary width=0.5,1",
    "specs",
]
NAMES_ITS_CONVENTIONS = {"match"}  # in each row


LISTED = {line.split()[0] for line in REPORTS} | NAMES_ITS_CONVENTIONS
OTHERS = [f"{name} vgg16" for name in commands_that_read_specs("--format") if name not in LISTED]


@pytest.mark.parametrize("report", [*REPORTS, *OTHERS])
def test_a_report_with_macs_says_once_what_they_are(report, tmp_path):
    ran = run(*report.split(), cwd=tmp_path)
    assert ran.returncode == 0, (
        f"add a call of `{report.split()[0]}` with the arguments that it needs to REPORTS in "
        f"tests/reports/test_what_macs_are.py\n{ran.stderr.decode()}"
    )
    printed = ran.stdout.decode().splitlines()
    has_macs = any("macs" in line for line in printed)
    assert has_macs or report in OTHERS
    assert printed.count(CONVENTION) == has_macs, (
        "a report with macs has the note of `convcost/reports/notes.py` that says what they are"
    )


UNKNOWN = """\
name: Net
input: {channels: 3, size: 8}
vars: {w: 4}
layers: [{conv: w, kernel: 3}, {custom: magic, params: 0, macs: uncounted}, flatten, {linear: 2}]
published: [{macs: 4176, source: a paper}]
"""


WITH_MACS = [
    "analyze net.yaml",
    "analyze net.yaml --set w=1,2",
    "compare net.yaml net.yaml",
    "explain net.yaml",
    "explain net.yaml conv_1",
    "check net.yaml --max-params 10k",
    "memory net.yaml --training adam",
    "memory net.yaml --device h100",
    "formula net.yaml",
    "formula net.yaml custom_1",
    "search net.yaml --vary w=1,2",
    "match net.yaml macs 4176",
]


@pytest.mark.parametrize("report", WITH_MACS)
def test_a_report_with_macs_names_the_layers_whose_macs_are_not_known(report, tmp_path):
    (tmp_path / "net.yaml").write_text(UNKNOWN)
    ran = run(*report.split(), cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr.decode()
    note = "uncounted: the macs of 1 layer of Net are unknown and not in the total: custom_1"
    printed = [line.removeprefix("net.yaml: ") for line in ran.stdout.decode().splitlines()]
    assert printed.count(note) == 1


@pytest.mark.parametrize("report", WITH_MACS)
def test_json_with_macs_says_that_some_are_not_known(report, tmp_path):
    (tmp_path / "net.yaml").write_text(UNKNOWN)
    ran = run(*report.split(), "--format", "json", cwd=tmp_path)
    (tmp_path / "net.yaml").write_text(UNKNOWN.replace("uncounted", "0"))
    known = run(*report.split(), "--format", "json", cwd=tmp_path)
    assert (ran.returncode, known.returncode) == (0, 0), ran.stderr.decode()
    assert ran.stdout != known.stdout


def test_json_has_no_change_of_macs_that_are_known_in_part(tmp_path):
    layers = "[{{conv: 4, kernel: 1, name: a}}, {{custom: magic, params: 5, macs: {}, name: b}}]"
    for name, macs in (("known", 7), ("partly", "uncounted")):
        text = f"name: {name}\ninput: {{channels: 1, size: 8}}\nlayers: {layers.format(macs)}\n"
        (tmp_path / f"{name}.yaml").write_text(text)
    call = ("compare", "known.yaml", "partly.yaml", "--layers", "--format", "json")
    known, partly = json.loads(run(*call, cwd=tmp_path).stdout)["networks"]
    for network, macs, change in ((known, 7, 0), (partly, 0, None)):
        of_macs = next(change for change in network["changes"] if change["measure"] == "macs")
        assert (of_macs["before"], of_macs["after"]) == (4 * 64 + 7, 4 * 64 + macs)
        assert of_macs["difference"] == change
        assert [layer["macs_change"] for layer in network["layers"]] == [0, change]
        assert [change["difference"] for change in network["changes"] if change != of_macs] == 6 * [
            0
        ]


def test_a_reduced_network_has_the_layers_whose_macs_are_not_in_its_totals(tmp_path):
    layers = "[{conv: 8, kernel: 3}, {custom: magic, params: 5, macs: uncounted}]"
    (tmp_path / "net.yaml").write_text(f"input: {{channels: 8, size: 8}}\nlayers: {layers}\n")
    call = ("--channels", "2", "--write", "new.yaml", "--format", "json")
    answer = json.loads(run("reduce", "net.yaml", *call, cwd=tmp_path).stdout)
    (network,) = answer["written"]["networks"]
    assert network["totals"]["macs"] == 2 * 8 * 8 * 8 + 8 * 9 * 2 * 6 * 6
    assert network["uncounted"] == [{"kind": "custom", "layers": 1}]
    (of_macs,) = (change for change in network["changes"] if change["measure"] == "macs")
    assert of_macs["difference"] is None


def test_points_have_no_share_of_macs_that_are_known_in_part(tmp_path):
    spec = UNKNOWN.replace("macs: uncounted", "macs: uncounted, when: w > 2")
    (tmp_path / "net.yaml").write_text(spec)
    for points, shares in (("1,2", ["50.0000", "100.0000"]), ("1,2,3", ["?", "?", "?"])):
        columns = ("--columns", "share,params", "--format", "csv")
        ran = run("analyze", "net.yaml", "--set", f"w={points}", *columns, cwd=tmp_path)
        assert [line.split(",")[2] for line in ran.stdout.decode().splitlines()[1:]] == shares


def test_a_layer_has_a_share_of_the_known_macs_if_others_are_not_known(tmp_path):
    (tmp_path / "net.yaml").write_text(UNKNOWN)
    (tmp_path / "known.yaml").write_text(UNKNOWN.replace("uncounted", "0"))
    for call in ("analyze {}", "explain {}"):
        for name, title in (("known.yaml", "share of macs"), ("net.yaml", "share of known macs")):
            printed = run(*call.format(name).split(), cwd=tmp_path).stdout.decode()
            (head,) = [line for line in printed.splitlines() if line.startswith("layer  ")]
            assert head.split("  ")[-1].strip() == title


def test_networks_are_not_compared_by_macs_that_are_known_in_part(tmp_path):
    (tmp_path / "net.yaml").write_text(UNKNOWN)
    (tmp_path / "known.yaml").write_text(UNKNOWN.replace("uncounted", "0").replace("Net", "Known"))
    known = 4 * 27 * 6 * 6 + 2 * 4 * 36
    columns = ("--columns", "network,macs,macs_ratio,macs_change,macs_share,params_ratio")
    for first, second in (("Net", "Known"), ("Known", "Net")):
        specs = [f"{name.lower()}.yaml" for name in (first, second)]
        ran = run("compare", *specs, *columns, "--format", "csv", cwd=tmp_path)
        assert ran.stdout.decode().splitlines()[1:] == [
            f"{first},{known},1.000000,,?,1.000000",
            f"{second},{known},?,?,?,1.000000",
        ]
        ran = run("compare", *specs, cwd=tmp_path)
        assert ran.stdout.decode().splitlines()[0] == f"{second} has as many params as {first}"
    ran = run("compare", "net.yaml", "known.yaml", "alexnet", cwd=tmp_path)
    assert ran.stdout.decode().splitlines()[0] == "Net and Known have the fewest params"
    ran = run("compare", "net.yaml", "known.yaml", "--format", "json", cwd=tmp_path)
    found = [network["uncounted"] for network in json.loads(ran.stdout)["networks"]]
    assert found == [[{"kind": "custom", "layers": 1}], []]


def test_a_published_figure_of_macs_that_are_known_in_part_is_not_left_out_silently(tmp_path):
    figures = "[{macs: 4176, params: 398, source: a paper}]"
    (tmp_path / "net.yaml").write_text(UNKNOWN.replace("[{macs: 4176, source: a paper}]", figures))
    why = "not checked: the macs of the custom `custom_1` are uncounted"
    ran = run("compare", "net.yaml", "alexnet", "--published", cwd=tmp_path)
    lines = ran.stdout.decode().splitlines()
    assert f"macs of Net: 4176 published (a paper), {why}" in lines
    assert "params of Net: 398 published (a paper), 398 exact, equal" in lines
    lines = run("analyze", "net.yaml", "--set", "w=1,4", cwd=tmp_path).stdout.decode().splitlines()
    assert "1 figure checked: 1 exact, 0 agree, 0 off as noted, 0 off" in lines
    assert f"w=4: macs 4176 (a paper) {why}" in lines
    for command in ("analyze", "compare"):
        ran = run(command, "net.yaml", "--set", "w=1,4", "--format", "json", cwd=tmp_path)
        narrow, wide = (network["unchecked"] for network in json.loads(ran.stdout)["networks"])
        figure = {"layer": "", "measure": "macs", "published": "4176", "source": "a paper"}
        assert (narrow, wide) == ([], [{**figure, "reason": why.removeprefix("not checked: ")}])


def test_the_page_of_a_comparison_has_no_ratio_of_macs_that_are_known_in_part(tmp_path):
    known = UNKNOWN.replace("uncounted", "0").replace("Net", "Known")
    nothing = UNKNOWN.replace("conv: w, kernel: 3", "relu").replace("linear: 2", "softmax")
    paths = []
    for name, text in (("known", known), ("net", UNKNOWN), ("nothing", nothing)):
        paths.append(tmp_path / f"{name}.yaml")
        paths[-1].write_text(text)
    macs = 4 * 27 * 6 * 6 + 2 * 4 * 36
    for others, fact in ((paths[:2], macs), (paths[::2], "?")):
        page = convcost.compare(*map(str, others)).page()
        assert Fact("macs", fact, f"{macs:,} in Known") in page.chapters[0].facts


@pytest.mark.parametrize(
    ("report", "line"),
    [
        ("analyze net.yaml --columns layer,macs,share,params --count thop", "total ? ? 5"),
        ("analyze net.yaml --depth 0 --columns network,macs --count thop", "Net ? ?"),
        ("analyze net.yaml --size 4,5 --columns macs --count thop", "5 ? ? 1"),
        ("compare net.yaml net.yaml --columns network,macs,macs_share", "Net (net.yaml) ? ?"),
        ("memory net.yaml --training sgd", "backward pass: ? macs"),
        ("memory net.yaml --device h100", f"total ? {4 * (4 + 4 + 5) + 4 * (4 + 4)} ? <0.01"),
    ],
)
def test_a_total_of_macs_is_not_zero_if_none_are_known(report, line, tmp_path):
    layers = "[{custom: magic, params: 5, macs: uncounted}, relu]"
    text = f"name: Net\ninput: {{channels: 1, size: [4]}}\nlayers: {layers}\n"
    (tmp_path / "net.yaml").write_text(text)
    printed = run(*report.split(), cwd=tmp_path).stdout.decode()
    assert line in [" ".join(splitline.split()) for splitline in printed.splitlines()]


def test_the_backward_pass_has_no_ratio_and_no_count_of_macs_that_are_not_known(tmp_path):
    backward = {}
    for name in ("uncounted", "0"):
        layers = f"[{{custom: magic, params: 5, macs: {name}}}, {{conv: 2, kernel: 1}}]"
        text = f"name: Net\ninput: {{channels: 1, size: [4]}}\nlayers: {layers}\n"
        ran = run("memory", "-", "--training", "sgd", text=text)
        lines = ran.stdout.decode().splitlines()
        (backward[name],) = [line for line in lines if line.startswith("backward pass")]
    macs = 2 * 2 * 4
    assert backward["uncounted"] == f"backward pass: {macs} macs"
    assert backward["0"] == f"backward pass: {macs} macs, 2.00 times those of the forward pass"
    text = "input: {channels: 1, size: [4]}\nlayers: [{custom: x, params: 5, macs: uncounted}]\n"
    ran = run("memory", "-", "--training", "sgd", "--format", "json", text=text)
    (network,) = json.loads(ran.stdout)["networks"]
    assert network["training"]["backward_macs"] is None


def test_json_and_each_point_of_a_sweep_say_how_many_layers_are_not_in_the_totals(tmp_path):
    spec = UNKNOWN.replace("macs: uncounted", "macs: uncounted, when: w > 1")
    (tmp_path / "net.yaml").write_text(spec)
    ran = run("analyze", "net.yaml", "--depth", "0", "--format", "json", cwd=tmp_path)
    (network,) = json.loads(ran.stdout)["networks"]
    assert (network["layers"], network["uncounted"]) == ([], [{"kind": "custom", "layers": 1}])
    ran = run("analyze", "net.yaml", "--set", "w=1,2", "--format", "csv", cwd=tmp_path)
    lines = ran.stdout.decode().splitlines()
    assert [line.rpartition(",")[2] for line in lines] == ["uncounted", "0", "1"]
    ran = run("analyze", "net.yaml", "--set", "w=1", "--format", "csv", cwd=tmp_path)
    assert "uncounted" not in ran.stdout.decode()


@pytest.mark.parametrize("macs", [0, 7, "uncounted"])
@pytest.mark.parametrize(
    "report",
    [
        "analyze net.yaml",
        "analyze net.yaml --set w=1,2",
        "compare net.yaml net.yaml",
        "explain net.yaml",
        "verify net.yaml",
        "check net.yaml --max-params 10k",
        "match net.yaml params 400",
        "memory net.yaml",
        "memory net.yaml --training adam --device h100",
        "formula net.yaml",
        "search net.yaml --vary w=1,2",
    ],
)
def test_a_report_says_once_that_the_author_stated_counts(report, macs, tmp_path):
    spec = UNKNOWN.replace("uncounted", str(macs)).replace("paper}", "paper, off: true}")
    (tmp_path / "net.yaml").write_text(spec)
    ran = run(*report.split(), cwd=tmp_path)
    note = "stated: the author of the spec gave these counts; convcost did not compute them"
    printed = [line.removeprefix("net.yaml: ") for line in ran.stdout.decode().splitlines()]
    assert printed.count(note) == (0 if macs == "uncounted" else 1)


@pytest.mark.parametrize(
    "report", ["check net.yaml", "memory net.yaml", "match net.yaml params 11"]
)
def test_a_report_says_that_the_author_stated_how_many_weights_are_pruned(report, tmp_path):
    layers = "[{conv: 4, kernel: 3, density: 0.1}]\nbudget: {params: {max: 11}}"
    (tmp_path / "net.yaml").write_text(f"input: {{channels: 3, size: 8}}\nlayers: {layers}\n")
    note = (
        "density: the author of the spec stated the share of the weights that is not pruned; "
        "params and macs count these weights only"
    )
    ran = run(*report.split(), cwd=tmp_path)
    assert ran.returncode == 0
    printed = [line.removeprefix("net.yaml: ") for line in ran.stdout.decode().splitlines()]
    assert printed.count(note) == 1


def test_a_formula_of_a_layer_says_nothing_of_other_layers(tmp_path):
    for macs in ("uncounted", "7"):
        (tmp_path / "net.yaml").write_text(UNKNOWN.replace("uncounted", macs))
        printed = run("formula", "net.yaml", "conv_1", cwd=tmp_path).stdout.decode()
        assert "uncounted" not in printed
        assert "stated" not in printed


GROUPED = """\
name: {name}
input: {{channels: 10, size: [4]}}
layers:
  - {{sequence: [{{custom: magic, params: {params}, macs: uncounted}}, relu], name: g}}
  - {{sequence: [{{conv: 10, kernel: 1}}, {{custom: magic, params: 0, macs: uncounted}}], name: h}}
"""


@pytest.mark.parametrize(
    ("report", "line"),
    [
        ("analyze new.yaml --depth 1 --columns layer,macs --count thop", "g ? ?"),
        ("analyze new.yaml --depth 1 --columns layer,macs --count thop", "h 400 400"),
        ("compare old.yaml new.yaml --layers", "g/custom_1 changed ? ? ? +2"),
        ("explain new.yaml g", "macs uncounted: the macs are unknown"),
        ("explain new.yaml h", "macs 400"),
        ("explain new.yaml h", "share of macs 100.0 % of the network's known 400"),
        ("memory new.yaml --device h100", f"g/custom_1 ? {4 * (40 + 40 + 5)} ? ? <0.01"),
        (
            "memory new.yaml --device h100 --format csv",
            "New,g/custom_1,custom,4x10,80,320,20,float32,?,180,160,?,101",
        ),
        (
            "check new.yaml --base old.yaml --max-growth 1% --format markdown",
            "| g/custom_1 | ? | ? | 3 → 5 | +2 (+66.7 %) |",
        ),
    ],
)
def test_macs_that_are_not_known_are_a_question_mark_in_each_report(report, line, tmp_path):
    for name, params in (("Old", 3), ("New", 5)):
        text = GROUPED.format(name=name, params=params)
        (tmp_path / f"{name.lower()}.yaml").write_text(text)
    printed = run(*report.split(), cwd=tmp_path).stdout.decode()
    assert line in [" ".join(splitline.split()) for splitline in printed.splitlines()]


@pytest.mark.parametrize(
    ("layer", "note"),
    [
        (
            "{custom: magic, params: 0, macs: 7}",
            "stated: the author of the spec gave these counts; convcost did not compute them",
        ),
        ("fft", "fft: 2·N·⌈log2 N⌉ macs for N complex points, N·⌈log2 N⌉ for N real points"),
    ],
)
def test_an_explained_group_has_the_notes_on_its_own_layers(layer, note, tmp_path):
    groups = f"[{{sequence: [{layer}], name: g}}, {{sequence: [relu], name: h}}]"
    text = f"name: Net\ninput: {{channels: 2, size: [8]}}\nlayers: {groups}\n"
    (tmp_path / "net.yaml").write_text(text)
    for group, times in (("g", 1), ("h", 0)):
        printed = run("explain", "net.yaml", group, cwd=tmp_path).stdout.decode()
        assert printed.splitlines().count(note) == times


@pytest.mark.parametrize("spec", [UNKNOWN, UNKNOWN.replace("conv: w, kernel: 3", "relu")])
def test_a_chart_of_macs_says_how_many_layers_are_not_in_it(spec, tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(spec.replace("Net", name))
    files = [str(tmp_path / f"{name}.yaml") for name in ("a", "b")]
    networks = tuple(map(convcost.analyze, files))
    for charts, layers in (
        (comparison_charts(networks), "2 uncounted layers"),
        (sweep_charts("Net", networks, is_only_network=True), "2 uncounted layers"),
        (network_charts(networks[0]), "1 uncounted layer"),
    ):
        titles = [chart.title for chart in charts]
        of_macs = [title for title in titles if ": macs" in title]
        assert of_macs
        assert all(title.endswith(f", without {layers}") for title in of_macs)
        assert not any("uncounted" in title for title in titles if title not in of_macs)


def test_a_network_of_which_no_macs_are_known_has_no_bar(tmp_path):
    layers = "[{custom: magic, params: 5, macs: uncounted}, relu]"
    text = f"name: Net\ninput: {{channels: 1, size: [4]}}\nlayers: {layers}\n"
    files = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    for file in files:
        file.write_text(text)
    for option in (("-o", "x.html"), ("--plot", "macs:x.svg")):
        assert run("compare", "a.yaml", "b.yaml", *option, cwd=tmp_path).returncode == 0
    charts = convcost.compare(*map(str, files)).charts()
    bars = next(chart for chart in charts if chart.name == "macs").bars
    assert [bar.values for bar in bars] == [(None,), (None,)]


def test_the_graph_says_which_macs_are_unknown(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(
        "name: net\ninput: {channels: 3, size: 8}\nlayers:\n  - {conv: 4, kernel: 3}\n"
        "  - {custom: what, params: 5, macs: uncounted}\n",
        "utf-8",
    )
    ran = run("analyze", str(path), "--plot", f"graph:{tmp_path / 'net.svg'}")
    assert ran.returncode == 0
    svg = (tmp_path / "net.svg").read_text("utf-8")
    assert "<title>custom_1: custom, output 6×6×4, 5 params, ? macs</title>" in svg
    assert ">? · 5<" in svg
    assert "The macs of 1 layer are unknown and not in the total." in svg
    path.write_text(path.read_text("utf-8").replace("  - {conv: 4, kernel: 3}\n", ""), "utf-8")
    assert run("analyze", str(path), "--plot", f"graph:{tmp_path / 'net.svg'}").returncode == 0
    svg = (tmp_path / "net.svg").read_text("utf-8")
    assert "A graph of 2 boxes for 1 layer, 5 params and ? macs in all." in svg


PAIR = """\
name: {name}
input: {{channels: 3, size: 8}}
layers:
  - {{conv: {filters}, kernel: 3}}
  - {{custom: magic, params: 1000, macs: {macs}}}
  - flatten
  - {{linear: {features}}}
"""
MACS_AND_PARAMS = ",".join(
    ["network"] + [m + kind for m in ("macs", "params") for kind in ("", "_ratio", "_change")]
)
COMPARISONS = [
    "compare {} {} --layers --columns " + MACS_AND_PARAMS,
    "compare {} {} --transpose --columns " + MACS_AND_PARAMS,
    "compare {} {} --columns network,macs_share",
    "compare {} {}",
    "check {1} --base {0} --max-macs 1 --report-passed",
    "check {1} --base {0} --max-macs 1M --max-growth 1% --report-passed",
]


@pytest.mark.parametrize("format_", ["plain", "csv", "json", "markdown", "html"])
@pytest.mark.parametrize("report", COMPARISONS)
@pytest.mark.parametrize("whole", [(), ("a",), ("b",)])
def test_no_report_compares_macs_that_are_known_in_part(whole, report, format_, tmp_path):
    """The control has 0 macs in place of those that are not known, so all of its numbers are those
    of the known parts."""
    before, after = 27 * 36 * 4 + 2 * 36 * 4, 27 * 36 * 5 + 9 * 36 * 5
    share = f"{1000 * before // after / 10:.1f}"
    numbers = rf"{after - before}|{after - before:,}|1\.55|55\.2|35\.6|{share}"
    found = re.compile(rf"(?<![\d.])({numbers})")
    assert (after - before, share) == (2304, "64.4")
    printed = {}
    for macs in ("0", "uncounted"):
        for name, filters, features in (("a", 4, 2), ("b", 5, 9)):
            own = "0" if name in whole else macs
            text = PAIR.format(name=name, filters=filters, features=features, macs=own)
            (tmp_path / f"{name}.yaml").write_text(text)
        call = report.format("a.yaml", "b.yaml").split()
        ran = run(*call, "--format", format_, cwd=tmp_path)
        assert ran.returncode in (0, 1), ran.stderr.decode()
        printed[macs] = ran.stdout.decode()
    assert found.search(printed["0"])
    assert not found.search(printed["uncounted"])
