"""What limits are compared with: the edges of growth, sides, depth, bytes and unknown counts."""

import json

import pytest
from support import run

from convcost.reports.check.finding import Growth

HEAD = "input: {channels: 2, size: 12}\n"
WINDOW = "layers: [{conv: 3, kernel: [9, 3]}, relu, {conv: 1, kernel: 1}]\n"
LARGE = "layers: [{linear: 1000000000, each_position: true}, {upsample: 1000000000}]\n"
TENSORS = 2 * 12 * 12 + 3 * 4 * 10
PARAMS = 2 * 9 * 3 * 3 + 3


@pytest.mark.parametrize(("after", "allowed"), [(200, True), (201, False)])
def test_a_share_of_growth_is_not_rounded(after, allowed):
    assert Growth(1, 100, 0, "1 %").allows(199, after) is allowed is (100 * (after - 199) <= 199)


@pytest.mark.parametrize(
    ("layers", "limit", "code"),
    [
        (WINDOW, "receptive_field: {min: 3}", 0),
        (WINDOW, "receptive_field: {min: 4}", 1),
        (WINDOW, "receptive_field: {max: 9}", 0),
        (WINDOW, "receptive_field: {max: 8}", 1),
        (WINDOW, "depth: {max: 2}", 0),
        (WINDOW, "depth: {max: 1}", 1),
        (WINDOW, f"memory: {{max: {TENSORS + PARAMS}, dtype: int8}}", 0),
        (WINDOW, f"memory: {{max: {TENSORS + PARAMS - 1}, dtype: int8}}", 1),
        (WINDOW, f"flash: {{max: {4 * PARAMS}}}", 0),
        (WINDOW, f"flash: {{max: {4 * PARAMS - 1}}}", 1),
        (LARGE, f"largest_activation: {{max: {(12 * 10**9) ** 2 * 10**9}}}", 0),
        (LARGE, f"largest_activation: {{max: {(12 * 10**9) ** 2 * 10**9 - 1}}}", 1),
    ],
)
def test_a_limit_is_kept_up_to_its_exact_count(layers, limit, code):
    text = f"{HEAD}{layers}budget: {{{limit}}}\n"
    assert run("check", "-", text=text).returncode == code


def level_and_reason(text, *more):
    done = run("check", "-", "--format", "json", "--report-passed", *more, text=text)
    (found,) = json.loads(done.stdout)["findings"]
    assert done.returncode == (found["level"] == "error")
    return found["level"], found["reason"]


MACS = 2 * 12 * 12
UNKNOWN = "layers: [{depthwise: 1}, {custom: x, params: 0, macs: uncounted}]\n"


@pytest.mark.parametrize(
    ("limit", "level"),
    [
        (f"macs: {{max: {MACS - 1}}}", "error"),
        (f"macs: {{max: {MACS}}}", "skipped"),
        (f"macs: {{warn: {MACS - 1}}}", "warning"),
        (f"macs: {{warn: {MACS}}}", "skipped"),
        (f"macs: {{min: {MACS}}}", "passed"),
        (f"macs: {{min: {MACS + 1}}}", "skipped"),
        ("depth: {max: 0}", "error"),
        ("depth: {max: 1}", "skipped"),
        ("depth: {min: 1}", "passed"),
        ("depth: {min: 2}", "skipped"),
    ],
)
def test_a_layer_with_unknown_macs_leaves_a_verdict_that_holds_without_it(limit, level):
    text = f"{HEAD}{UNKNOWN}budget: {{{limit}}}\n"
    reason = "its macs are uncounted: custom_1" if level == "skipped" else ""
    assert level_and_reason(text) == (level, reason)


@pytest.mark.parametrize(
    ("layers", "limit", "found", "printed"),
    [
        ("depthwise: 1", f"macs: {{max: {MACS}}}", MACS, f"at least {MACS}"),
        ("depthwise: 1", f"macs: {{min: {MACS + 1}}}", MACS, f"at least {MACS}"),
        ("depthwise: 1", "depth: {max: 1}", 1, "at least 1"),
        ("relu", f"macs: {{max: {MACS}}}", None, "?"),
        ("relu", f"macs: {{max: {MACS}, count: thop}}", None, "?"),
        ("relu", "depth: {max: 1}", None, "?"),
    ],
)
def test_a_limit_that_is_not_decided_has_no_count_that_looks_whole(layers, limit, found, printed):
    layers = UNKNOWN.replace("{depthwise: 1}", layers if layers == "relu" else f"{{{layers}}}")
    text = f"{HEAD}{layers}budget: {{{limit}}}\n"
    (record,) = json.loads(run("check", "-", "--format", "json", text=text).stdout)["findings"]
    assert (record["found"], record["over"], record["change"]) == (found, None, None)
    lines = run("check", "-", "--format", "plain", text=text).stdout.decode().splitlines()
    (row,) = (line for line in lines if "its macs are uncounted: custom_1" in line)
    assert f"  {printed}  " in row


def test_an_exceeded_limit_has_the_least_count_and_no_excess():
    text = f"{HEAD}{UNKNOWN}budget: {{macs: {{max: {MACS - 1}}}}}\n"
    (record,) = json.loads(run("check", "-", "--format", "json", text=text).stdout)["findings"]
    assert (record["level"], record["found"], record["over"]) == ("error", MACS, None)
    printed = run("check", "-", "--format", "concise", text=text).stdout.decode()
    assert f"macs at least {MACS} over the max {MACS - 1}\n" in printed


NO_BASE = "Growth was not checked: there is no base; add one, such as --base git:origin/main..."


@pytest.mark.parametrize(
    ("limits", "options", "headline"),
    [
        ("{macs: {max: 1G}}", (), "No limit was checked"),
        ("{macs: {max: 1G}, flops: {max: 1G}, activations: {max: 1G}}", (),
         "All checked limits passed; 2 limits were not checked"),
        ("{macs: {max: 1G}, activations: {max: 1G}, depth: {grow: 1}}", (),
         f"All checked limits passed; 1 limit was not checked. {NO_BASE}"),
        ("{macs: {max: 1G}, depth: {grow: 1}}", (),
         f"No limit was checked. {NO_BASE}"),
        ("{macs: {max: 1G}, activations: {grow: 1}}", ("--base=a.json", "--allow-missing-base"),
         "All checked limits passed; growth was not checked"),
        ("{macs: {min: 1}, activations: {max: 1G}}", (), "Within all budgets"),
        ("{macs: {max: 1}, activations: {max: 1G}}", (), "Over budget"),
    ],
)  # fmt: skip
def test_the_verdict_is_not_within_all_budgets_if_unknown_macs_leave_a_limit_open(
    limits, options, headline, tmp_path
):
    (tmp_path / "net.yaml").write_text(f"{HEAD}{UNKNOWN}budget: {limits}\n")
    printed = run("check", "net.yaml", *options, "--format", "plain", cwd=tmp_path).stdout.decode()
    verdict = printed.partition("\n\nlimits")[0].splitlines()[-1]
    assert verdict == headline


# An output depends on at most 5 elements of the input, and convcost finds the upper bound 6.
RESIZED = """
input: {channels: 1, size: [600]}
layers:
  - {upsample: , size: [1021], mode: linear}
  - {conv: 1, kernel: 3, padding: 1}
  - {upsample: , size: [1019], mode: linear}
  - {conv: 1, kernel: 3, stride: 2, padding: 1}
"""
BOUND = "it is an upper bound, because its pattern is too long or differs between outputs"


@pytest.mark.parametrize(
    ("limit", "level"),
    [
        ("max: 6", "passed"),
        ("max: 5", "skipped"),
        ("warn: 6", "passed"),
        ("warn: 5", "skipped"),
        ("min: 6", "skipped"),
        ("min: 7", "error"),
    ],
)
def test_an_upper_bound_of_the_receptive_field_is_below_a_min_or_within_a_max(limit, level):
    text = f"{RESIZED}budget: {{receptive_field: {{{limit}}}}}\n"
    assert level_and_reason(text) == (level, BOUND if level == "skipped" else "")


@pytest.mark.parametrize(("limit", "level"), [("0", "skipped"), ("1", "skipped"), ("3", "passed")])
def test_growth_to_an_upper_bound_is_known_if_the_bound_is_allowed(tmp_path, limit, level):
    base = tmp_path / "base.yaml"
    base.write_text("input: {channels: 1, size: [600]}\nlayers: [{conv: 1, kernel: 3}]\n")
    text = f"{RESIZED}budget: {{receptive_field: {{grow: {limit}}}}}\n"
    found = level_and_reason(text, "--base", str(base))
    assert found == (level, BOUND if level == "skipped" else "")


def test_growth_from_an_upper_bound_is_not_known(tmp_path):
    base = tmp_path / "base.yaml"
    base.write_text(RESIZED)
    text = f"{RESIZED}  - {{conv: 1, kernel: 9}}\nbudget: {{receptive_field: {{grow: 1}}}}\n"
    found = level_and_reason(text, "--base", str(base))
    assert found == ("skipped", BOUND)
    text = "input: {channels: 1, size: [600]}\nlayers: [{conv: 1, kernel: 9}]\n"
    text += "budget: {receptive_field: {grow: 1}}\n"
    found = level_and_reason(text, "--base", str(base))
    assert found == ("skipped", f"in the base, {BOUND}")


@pytest.mark.parametrize("is_bound", [True, False])
def test_a_baseline_file_keeps_that_a_receptive_field_is_an_upper_bound(tmp_path, is_bound):
    check = ("check", "net.yaml", "--base", "base.json", "--format", "json", "--report-passed")
    exact = "input: {channels: 1, size: [600]}\nlayers: [{conv: 1, kernel: 6}]\n"
    (tmp_path / "net.yaml").write_text(RESIZED if is_bound else exact)
    assert run(*check, "--update-baseline", cwd=tmp_path).returncode == 0
    assert ("receptive_field_is_bound" in (tmp_path / "base.json").read_text()) == is_bound
    (tmp_path / "net.yaml").write_text(f"{exact}budget: {{receptive_field: {{grow: 0}}}}\n")
    (found,) = json.loads(run(*check, cwd=tmp_path).stdout)["findings"]
    assert (found["found"], found["base"]) == (6, 6)
    known = ("passed", ""), ("skipped", f"in the base, {BOUND}")
    assert (found["level"], found["reason"]) == known[is_bound]


@pytest.mark.parametrize(("base", "before"), [("before.yaml", 3), ("base.json", None)])
def test_a_baseline_file_does_not_have_the_shortest_side_of_a_receptive_field(
    tmp_path, base, before
):
    text = "input: {{channels: 1, size: 9}}\nlayers: [{{conv: 1, kernel: [{}, 7]}}]\n".format
    (tmp_path / "net.yaml").write_text(text(3))
    (tmp_path / "before.yaml").write_text(text(3))
    update = run("check", "net.yaml", "--base", "base.json", "--update-baseline", cwd=tmp_path)
    assert update.returncode == 0
    (tmp_path / "net.yaml").write_text(text(2) + "budget: {receptive_field: {min: 3, max: 7}}\n")
    ran = run("check", "net.yaml", "--base", base, "--format=json", "--report-passed", cwd=tmp_path)
    found = [(each["found"], each["base"]) for each in json.loads(ran.stdout)["findings"]]
    assert found == [(2, before), (7, 7)]
