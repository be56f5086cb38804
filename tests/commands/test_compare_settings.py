"""`compare` with settings that only some of the networks have."""

import json

import pytest
from support import answer, run

A = "name: a\nvars: {n: 4, paper: false}\ninput: {channels: 1, size: 8}\n"
A += "layers: [{conv: n, kernel: 1}, {conv: 8, kernel: 1, when: paper}]\n"
B = "name: b\ninputs: {slow: {channels: 1, size: 8}}\nlayers: [{conv: 2, kernel: 1}]\n"


CSV = ("--format", "csv", "--columns", "network,macs")


@pytest.fixture
def two(tmp_path):
    (tmp_path / "a.yaml").write_text(A)
    (tmp_path / "b.yaml").write_text(B)
    return tmp_path


def notes(*arguments, cwd):
    """The notes about settings, and the macs of each network."""
    done = run("compare", "a.yaml", "b.yaml", *arguments, cwd=cwd)
    assert (done.returncode, done.stderr) == (0, b"")
    report = run("compare", "a.yaml", "b.yaml", *arguments, "--format", "json", cwd=cwd).stdout
    networks = json.loads(report)["networks"]
    found = [line for line in done.stdout.decode().splitlines() if line.startswith("--")]
    return found, {network["name"]: network["totals"]["macs"] for network in networks}


def test_a_variable_applies_to_the_networks_that_have_it(two):
    assert notes("--set", "paper=true", cwd=two) == (
        ["--set paper applies to a, not to b"],
        {"a": 64 * (4 + 4 * 8), "b": 64 * 2},
    )


def test_the_size_of_an_input_applies_to_the_networks_that_have_it(two):
    assert notes("--size", "slow=4", "--set", "n=1", cwd=two) == (
        ["--set n applies to a, not to b", "--size slow applies to b, not to a"],
        {"a": 64, "b": 16 * 2},
    )


def test_a_network_without_the_variable_of_a_sweep_has_one_point(two):
    assert notes("--set", "n=1,2,3", cwd=two) == (
        ["--set n applies to a, not to b"],
        {"a n=1": 64, "a n=2": 64 * 2, "a n=3": 64 * 3, "b": 64 * 2},
    )
    assert notes("--set", "n=1,2", "--size", "slow=2,4", cwd=two)[1] == {
        "a n=1": 64, "a n=2": 64 * 2, "b slow=2": 4 * 2, "b slow=4": 16 * 2,
    }  # fmt: skip


def test_a_variable_that_all_networks_have_has_no_note(two):
    done = run("compare", "a.yaml", "a.yaml", "--set", "n=2", cwd=two)
    assert b"--set" not in done.stdout


def test_networks_of_the_same_name_are_named_by_their_files(two):
    (two / "b.yaml").write_text(B.replace("name: b", "name: a"))
    done = run("compare", "a.yaml", "b.yaml", "--set", "n=2", cwd=two)
    assert "--set n applies to a.yaml, not to b.yaml\n" in done.stdout.decode()


@pytest.mark.parametrize("value", ["1", "1,2"])
def test_a_variable_that_no_network_has_is_an_error_of_each(value, two):
    done = run("compare", "a.yaml", "b.yaml", "--set", f"papr={value}", cwd=two)
    assert (done.returncode, done.stdout) == (2, b"")
    lines = done.stderr.decode().splitlines()
    assert [line for line in lines if line.startswith("error")] == [
        "error[CC113]: `a` has no variable `papr` to set",
        "error[CC113]: `b` has no variable `papr` to set",
    ]
    assert "  = help: did you mean `paper`?" in lines[2]


def test_analyze_needs_the_variable_in_every_network(two):
    assert run("analyze", "a.yaml", "b.yaml", "--set", "n=2", cwd=two).returncode == 2
    assert answer("analyze", str(two / "a.yaml"), "--set", "n=2")["networks"][0]["name"] == "a"


def test_networks_are_sorted_both_ways(two):
    for command in ("compare", "analyze"):
        depth = () if command == "compare" else ("--depth", "0")
        for sort, order in {"macs": "ab", "-macs": "ba"}.items():
            done = run(command, "a.yaml", "b.yaml", *depth, "--sort", sort, *CSV, cwd=two)
            assert [line[0] for line in done.stdout.decode().splitlines()[1:]] == [*order]
