"""`--count`: the numbers of counting conventions in every command that has them."""

import json

import pytest
from support import answer, run, shipped

from convcost.conventions import find_convention

NET = """\
name: net
input: {channels: 16, size: 8}
layers:
  - {sequence: [{conv: 32, kernel: 3, padding: 1, bias: true}, batch_norm, silu], name: stem}
  - {add: {main: [{conv: 32, kernel: 1}], skip: []}, name: join}
"""


def network(*arguments, text=None):
    done = run("analyze", *arguments, "--format", "json", text=text)
    assert done.stderr == b""
    return json.loads(done.stdout)["networks"]


def cells(output: bytes, row: str) -> list[str]:
    (line,) = (
        splitline for splitline in output.decode().splitlines() if splitline.startswith(f"{row} ")
    )
    return line.split()


def test_analyze_has_a_column_for_each_convention_with_the_word_of_the_tool():
    shown = run("analyze", "resnet50", "--depth", "1", "--count", "thop,fvcore,flops").stdout
    head = shown.decode().splitlines()[2]
    assert (
        "macs      thop MACs   fvcore flops          FLOPs  share of params  share of macs" in head
    )
    total = cells(shown, "total")
    assert total[1:5] == ["25,557,032", "4,089,184,256", "4,133,742,592", "4,111,512,576"]


def test_a_group_has_the_sum_of_its_layers_and_json_has_all_numbers():
    (plain,) = network("-", "--count", "thop", text=NET)
    (grouped,) = network("-", "--count", "thop", "--depth", "1", text=NET)
    conv, norm, one = 32 * 9 * 16 * 64, 4 * 32 * 64, 32 * 32 * 64
    assert plain["counts"] == [
        {
            "convention": "thop",
            "word": "MACs",
            "total": conv + norm + one,
            "uncounted": [],
            "layers": [conv, norm, 0, one, 0],
        }
    ]
    assert grouped["counts"][0]["layers"] == [conv + norm, one]


def test_a_layer_that_a_tool_cannot_count_is_named():
    shown = run("analyze", "-", "--count", "torch_scan", text=NET).stdout
    assert cells(shown, "stem/silu_1")[3:6] == ["0", "0", "?"]
    assert b"not counted by torch_scan, and not in its total: silu \xc3\x971" in shown
    (found,) = network("-", "--count", "torch_scan", text=NET)
    assert found["counts"][0]["uncounted"] == [{"kind": "silu", "layers": 1}]
    assert found["counts"][0]["layers"][2] is None


def test_an_assumption_that_no_spec_says_is_a_note_with_the_other_number():
    shown = run("analyze", "mobilenet_v2", "--depth", "1", "--count", "thop").stdout.decode()
    note = "thop:functional_pools: 327,486,720 for MobileNet v2, if it calls its last pool as a"
    assert note in shown


def test_columns_that_are_chosen_stay_and_counts_follow():
    shown = run("analyze", "vgg16", "--columns", "layer,params", "--count", "torch").stdout
    assert shown.decode().splitlines()[2].split() == ["layer", "params", "torch", "FLOPs"]


def test_the_batch_multiplies_the_numbers_of_tools_that_count_it():
    (found,) = network("vgg16", "--batch", "4", "--count", "ptflops_aten,ptflops_pytorch")
    (one,) = network("vgg16", "--count", "ptflops_aten,ptflops_pytorch")
    totals, single = ([c["total"] for c in n["counts"]] for n in (found, one))
    relus_and_pools = 13_555_712 + 6_121_472  # which call functions, that count for all samples
    assert totals == [4 * single[0], single[1] + 3 * relus_and_pools]


def test_compare_has_a_column_for_each_convention():
    shown = run("compare", "resnet18", "resnet50", "--count", "thop").stdout
    before, after = (line for line in shown.decode().split("\n") if "224×224×3 " in line)
    assert before.endswith(" 1,824,033,792")
    assert after.endswith(" 4,133,742,592")
    turned = run("compare", "resnet18", "resnet50", "--count", "thop", "--transpose").stdout
    assert cells(turned, "thop MACs ")[2:] == ["1,824,033,792", "4,133,742,592"]
    tree = answer("compare", "resnet18", "resnet50", "--count", "thop")
    assert [n["counts"][0]["total"] for n in tree["networks"]] == [1_824_033_792, 4_133_742_592]


def test_the_totals_of_networks_have_a_column_for_each_convention():
    shown = run("analyze", "resnet18", "vgg16", "--depth", "0", "--count", "torch").stdout
    assert f" {2 * 15_470_264_320:,}\n" in shown.decode()


def test_a_sweep_has_a_column_for_each_convention():
    half = 149_497_088
    shown = run("analyze", "mobilenet_v1", "--set", "width=0.5,1", "--count", "torch").stdout
    assert f"{2 * half:,}" in shown.decode()
    points = network("mobilenet_v1", "--set", "width=0.5,1", "--count", "torch")
    assert [point["counts"][0]["total"] for point in points] == [2 * half, 2 * 568_740_352]
    compared = answer("compare", "mobilenet_v1", "--set", "width=1,0.5", "--count", "torch")
    assert compared["networks"][1]["counts"][0]["total"] == 2 * half


def lines_of(*arguments):
    return run(*arguments).stdout.decode().splitlines()


def test_the_names_in_count_are_columns_and_sort_keys():
    options = ("--columns", "layer,thop,macs", "--count", "thop", "--sort", "-thop", "--top", "2")
    shown = lines_of("analyze", "resnet18", *options, "--depth", "1")
    assert [line.split()[0] for line in shown[3:6]] == ["max_pool_1", "flatten_1", "total"]
    assert shown[5].split()[1:] == ["1,824,033,792", "1,814,073,344"]


@pytest.mark.parametrize("command", [("compare",), ("analyze", "--depth", "0")])
def test_the_totals_of_networks_are_sorted_by_a_convention(command):
    networks = ("resnet50", "mobilenet_v2", "resnet18")
    options = ("--columns", "network,thop,macs", "--count", "fvcore,thop", "--sort", "thop")
    shown = lines_of(*command, *networks, *options)
    assert shown[2].split() == ["network", "thop", "MACs", "macs", "fvcore", "flops"]
    totals = ["4,133,742,592", "1,824,033,792", "327,550,720"]
    assert [line.split()[-3] for line in shown[3:6]] == totals


def test_a_condition_of_a_sweep_has_the_number_of_a_convention():
    options = ("--set", "width=0.5,1,1.4", "--count", "thop", "--where", "thop <= 400M")
    shown = lines_of("analyze", "mobilenet_v2", *options, "--sort", "thop", "--columns", "thop")
    assert shown[2].split() == ["width", "thop", "MACs"]
    assert [line.split() for line in shown[3:5]] == [["1", "327,550,720"], ["0.5", "111,756,288"]]
    assert shown[6] == "2 of 3 points with thop <= 400M"


def test_a_layer_that_is_not_counted_is_below_all_others():
    shown = run("analyze", "-", "--count", "torch_scan", "--sort", "torch_scan", text=NET).stdout
    rows = [line.split()[0] for line in shown.decode().splitlines()[3:8]]
    assert rows == [
        "stem/conv_1",
        "join/main/conv_1",
        "stem/batch_norm_1",
        "join",
        "stem/silu_1",
    ]


def test_csv_has_the_counts():
    lines = run("analyze", "-", "--count", "thop", "--format", "csv", text=NET).stdout.decode()
    assert "count_thop" in lines.splitlines()[0].split(",")


def test_explain_has_the_kinds_that_differ_and_the_rules():
    done = run("explain", "resnet50", "--count", "thop,fvcore")
    assert done.returncode == 0
    assert cells(done.stdout, "batch_norm") == [
        "batch_norm", "53", "44,455,936", "22,227,968", "+22,227,968",
    ]  # fmt: skip
    assert cells(done.stdout, "total")[-1] == "+22,230,016"
    shown = done.stdout.decode()
    assert "equal in all counts: conv 4,087,136,256, linear 2,048,000" in shown
    assert (
        "fvcore counts batch_norm as 2·X (without scale and shift: X), "
        "global_avg_pool as X (not 2 axes: 0)\n" in shown
    )
    assert "X: elements of the input" in shown


def test_explain_of_one_convention_has_every_kind():
    tree = answer("explain", "resnet50", "--count", "flops")
    (found,) = tree["networks"]
    assert sum(kind["counts"][0] for kind in found["kinds"]) == found["counts"][0]["total"]
    assert found["counts"][0]["total"] == find_convention("flops").count(shipped("resnet50")).total


PARTLY_KNOWN = """\
input: {channels: 4, size: 8}
layers:
  - {conv: 4, kernel: 3, density: 0.5}
  - {custom: stated, params: 0, macs: 7}
  - {custom: unknown, params: 0, macs: uncounted}
"""


def test_explain_has_no_difference_of_counts_that_are_known_in_part():
    call = ("explain", "-", "--batch", "2", "--count", "macs,flops,thop")
    shown = run(*call, text=PARTLY_KNOWN).stdout
    conv = 2 * 6 * 6 * 3 * 3 * 4 * 4
    macs, flops = conv // 2 + 2 * 7, conv + 2 * 2 * 7
    rows = [cells(shown, kind) for kind in ("conv", "custom", "total")]
    assert [[cell.replace(",", "") for cell in row] for row in rows] == [
        ["conv", "1", f"{conv // 2}", f"{conv}", f"{conv}", f"-{conv // 2}", f"-{conv // 2}"],
        ["custom", "2", "14", "28", "?", "?", "?"],
        ["total", f"{macs}", f"{flops}", f"{conv}", "?", "?"],
    ]
    lines = shown.decode().splitlines()
    assert "input 8×8×4; a batch of 2 samples" in lines
    assert len([line for line in lines if line.startswith(("stated: ", "density: "))]) == 2


def test_explain_has_a_kind_that_no_convention_counts():
    layers = PARTLY_KNOWN.replace("macs: 7", "macs: 0")
    shown = run("explain", "-", "--count", "macs,flops", text=layers).stdout
    assert cells(shown, "custom") == ["custom", "2", "?", "?", "?"]
    call = ("explain", "-", "--count", "macs,flops", "--format", "json")
    (network,) = json.loads(run(*call, text=layers).stdout)["networks"]
    conv = 6 * 6 * 3 * 3 * 4 * 4
    assert [kind["counts"] for kind in network["kinds"]] == [[conv // 2, conv], [None, None]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("analyze", "vgg16", "--count", "tho"),
            "there is no convention `tho`; did you mean `thop`?",
        ),
        (("compare", "vgg16", "resnet50", "--count", "thop:x"), "there is no convention `thop:x`"),
        (
            ("explain", "vgg16", "conv_1", "--count", "thop"),
            "--count compares the kinds of a whole network; leave out LAYER",
        ),
        (("conventions", "fvcor"), "there is no convention `fvcor`; did you mean `fvcore`?"),
        (("analyze", "vgg16", "--sort", "thop"), "cannot sort by `thop`; add --count thop\n"),
        (
            ("compare", "vgg16", "--columns", "thop:before_0_1"),
            "there is no column `thop:before_0_1`; add --count thop:before_0_1\n",
        ),
        (
            ("analyze", "mobilenet_v1", "--set", "width=1,2", "--where", "thop < 1G"),
            "--where: there is no number `thop`; add --count thop\n",
        ),
        (("reduce", "googlenet", "--sort", "thop"), "cannot sort by `thop`; known here: "),
    ],
)
def test_a_wrong_call_is_refused(arguments, message):
    done = run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr.decode()


def test_conventions_lists_all_and_explains_one():
    assert b"\nthop " in run("conventions").stdout
    shown = run("conventions", "thop").stdout.decode()
    assert "fault: counts positions of the output, not of the input: s² times too many" in shown
    assert "variants: thop:functional_pools" in shown
