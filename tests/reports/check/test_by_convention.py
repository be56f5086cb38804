"""Budgets whose limits are counted by a convention."""

import json

from support import run

NET = """\
name: net
input: {{channels: 3, size: 16}}
layers: [{{conv: 8, kernel: 3, name: c}}, batch_norm, relu{more}]
budget: {budget}
"""
OUTPUTS, MACS = 8 * 14 * 14, 8 * 9 * 3 * 14 * 14


def checked(tmp_path, budget, *arguments, more=""):
    file = tmp_path / "net.yaml"
    file.write_text(NET.format(budget=budget, more=more), "utf-8")
    done = run("check", str(file), *arguments, "--format", "json")
    return done.returncode, json.loads(done.stdout)["findings"]


def test_a_limit_by_a_convention_compares_its_number(tmp_path):
    budget = f"{{macs: {{max: {MACS + 4 * OUTPUTS}, count: thop}}, params: {{max: 1k}}}}"
    code, found = checked(tmp_path, budget, "--report-passed")
    assert code == 0
    assert {(entry["measure"], entry["found"]) for entry in found} == {
        ("macs (thop)", MACS + 4 * OUTPUTS),
        ("params", 8 * 9 * 3 + 16),
    }


def test_flops_are_of_the_convention_flops(tmp_path):
    code, (found,) = checked(tmp_path, f"{{flops: {2 * MACS}}}")
    assert code == 1
    assert (found["measure"], found["found"]) == ("flops", 2 * MACS + 2 * OUTPUTS + OUTPUTS)


def test_the_limit_of_a_layer_can_be_by_a_convention(tmp_path):
    rule = "{layers: [{match: c, macs: 1G}, {match: '*', macs: {max: 1, count: thop}}]}"
    code, (found,) = checked(tmp_path, rule)
    assert code == 1
    assert (found["path"], found["found"]) == ("batch_norm_1", 4 * OUTPUTS)


def test_growth_is_that_of_the_convention(tmp_path):
    base = tmp_path / "base.yaml"
    base.write_text(NET.format(budget="{}", more="").replace("budget: {}\n", ""), "utf-8")
    budget = "{macs: {grow: 0%}, flops: {grow: 0%, count: thop}}"
    code, (found,) = checked(tmp_path, budget, "--base", str(base), more=", batch_norm")
    assert code == 1
    assert (found["measure"], found["found"] - found["base"]) == ("flops (thop)", 4 * OUTPUTS)


def test_a_layer_that_the_convention_does_not_count_skips_the_limit(tmp_path):
    budget = "{macs: {max: 1G, count: torch_scan}}"
    _, (found,) = checked(tmp_path, budget, more=", silu")
    assert found["level"] == "skipped"
    assert found["reason"] == "its macs are uncounted: silu_1"


def test_a_baseline_file_has_no_numbers_by_a_convention(tmp_path):
    budget = "{params: {grow: 0%}, flops: {grow: 1%}}"
    base = str(tmp_path / "base.json")
    (tmp_path / "net.yaml").write_text(NET.format(budget=budget, more=""), "utf-8")
    file = str(tmp_path / "net.yaml")
    assert run("check", file, "--base", base, "--update-baseline").returncode == 0
    code, (found,) = checked(tmp_path, budget, "--base", base)
    assert (code, found["level"], found["measure"]) == (0, "skipped", "flops")
    assert found["reason"] == "the base has no numbers by flops"


def test_the_report_and_the_comment_say_what_each_convention_counts(tmp_path):
    file = tmp_path / "net.yaml"
    budget = "{macs: {max: 1G, count: thop}, flops: {max: 1G}, params: {max: 1k}}"
    file.write_text(NET.format(budget=budget, more=""), "utf-8")
    thop = (
        "thop MACs: `profile` of pytorch-OpCounter: multiply-adds of convolutions and linear "
        "layers without biases, and operations of norms, average pools and softmax, in one sum"
    )
    flops = (
        "FLOPs: Two operations per multiply-add, and one for each other operation, such as the "
        "addition of a bias"
    )
    report = run("check", str(file), "--format", "plain").stdout.decode().splitlines()
    assert report[-2:] == [thop, flops]
    comment = run("check", str(file), "--format", "markdown").stdout.decode().splitlines()
    assert comment[-3:-1] == [f"- {thop}", f"- {flops}"]
