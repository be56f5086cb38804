"""`convcost check`: budgets, growth over a base, exit codes; on real repositories of git."""

import csv
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repository import BODY, STEM, Repository, checked, net
from support import cost, run
from tools import needs_git

import convcost
from convcost.model.errors import Span
from convcost.model.network import Budget, Limit, Rule
from convcost.reports.check import moved_networks
from convcost.reports.check.evaluate import CheckedNetwork, evaluate
from convcost.reports.check.finding import Growth
from convcost.reports.check.measures import measure_network
from convcost.sources.git import Commit

HERE = Span(1, 1, 1, 2)
PEAK = 8 * 6 * 6 + 8 * 6 * 6  # elements that the first 1x1 reads and writes


@pytest.mark.parametrize(
    ("budget", "code", "found"),
    [
        (f"{{params: {{max: {STEM + BODY}}}}}", 0, {}),
        (f"{{params: {{max: {STEM + BODY - 1}}}}}", 1, {"params": ("max", STEM + BODY, 1)}),
        (f"{{params: {{warn: {STEM}, max: 1M}}}}", 0, {"params": ("warn", STEM + BODY, BODY)}),
        (f"{{layers: [{{match: stem, params: {{max: {STEM - 1}}}}}]}}", 1, {"params": ("max", STEM, 1)}),  # noqa: E501  a row of the table
        # The first rule that matches counts, and no other.
        ("{layers: [{match: stem, params: {max: 1M}}, {match: '*', params: {max: 64}}]}", 0, {}),
        (f"{{groups: [{{match: body, params: {{max: {BODY - 1}}}}}]}}", 1, {"params": ("max", BODY, 1)}),  # noqa: E501  a row of the table
        ("{depth: {max: 2}}", 1, {"depth": ("max", 3, 1)}),
        ("{receptive_field: {min: 5}}", 1, {"receptive_field": ("min", 3, 2)}),
        (f"{{bytes: {{max: {STEM + BODY - 1}, dtype: int8}}}}", 1, {"bytes": ("max", STEM + BODY, 1)}),  # noqa: E501  a row of the table
        (f"{{flash: {{max: {4 * (STEM + BODY) - 1}}}}}", 1, {"flash": ("max", 4 * (STEM + BODY), 1)}),  # noqa: E501  a row of the table
        ("{peak_memory: {max: 1B, dtype: int8}}", 1, {"peak_memory": ("max", PEAK, PEAK - 1)}),
        (f"{{memory: {{max: {PEAK + STEM + BODY}B, dtype: int8}}}}", 0, {}),
        (f"{{memory: {{max: {PEAK + STEM + BODY - 1}, dtype: int8}}}}", 1, {"memory": ("max", PEAK + STEM + BODY, 1)}),  # noqa: E501  a row of the table
        ("{largest_activation: {max: 287}}", 1, {"largest_activation": ("max", 8 * 6 * 6, 1)}),
    ],
)  # fmt: skip
def test_a_limit_is_compared_with_the_exact_count(budget, code, found):
    returned, answer = checked("-", text=net(budget=budget))
    reported = {f["measure"]: (f["test"], f["found"], f["over"]) for f in answer["findings"]}
    assert (returned, reported) == (code, found)
    assert answer["ok"] == (code == 0)


@pytest.mark.parametrize(
    ("name", "depth"), [("vgg16", 16), ("googlenet", 22), ("resnet50", 50), ("alexnet", 8)]
)
def test_depth_is_counted_as_papers_count_it(name, depth):
    from support import shipped

    assert measure_network(shipped(name)).depth == depth


def test_a_path_of_the_depth_has_no_tensor_that_is_learned_or_only_gives_a_size():
    conv = "{conv: 2, kernel: 1}"
    text = f"input: {{channels: 2, size: 8}}\nlayers: [{conv}, {conv}, LAYER, {conv}]"
    learned = "{learned: {channels: 2, size: 8}}"
    depths = {learned: 2, "{upsample_like: {x: input, like: conv_2}}": 2, "relu": 3}
    for layer, depth in depths.items():
        assert measure_network(cost(text.replace("LAYER", layer))).depth == depth


@given(most=st.integers(0, 2000), more=st.integers(0, 2000))
def test_loosening_a_limit_never_fails_what_passed(most, more):
    network = measure_network(cost(net()))

    def ok(limit: int) -> bool:
        budget = Budget(total=(Limit("params", HERE, max=limit),))
        return all(
            f.level != "error" for f in evaluate([CheckedNetwork("x", network, (("x", budget),))])
        )

    assert not ok(most) or ok(most + more)


@given(part=st.integers(0, 500), floor=st.integers(0, 500))
def test_a_network_does_not_grow_over_itself(part, floor):
    network = measure_network(cost(net()))
    limits = tuple(
        Limit(measure, HERE, grow=(part, 10_000), grow_floor=floor)
        for measure in ("params", "macs", "depth")
    )
    held = CheckedNetwork("x", network, (("x", Budget(total=limits)),), network)
    assert [f.level for f in evaluate([held])] == ["passed"] * 3


@given(
    before=st.integers(0, 10**12), grown=st.integers(-(10**9), 10**9), percent=st.integers(0, 300)
)
def test_growth_is_compared_exactly(before, grown, percent):
    allowed = Growth(percent, 100, 0, f"{percent} %").allows(before, before + grown)
    assert allowed == (grown <= 0 or grown * 100 <= before * percent)


@pytest.mark.parametrize(
    ("change", "exceeded"),
    [
        # A block before the body: `conv_1` is another layer now.
        (("  - sequence", "  - {conv: 8, kernel: 1}\n  - sequence"), []),
        (("name: body", "name: torso"), []),
        (("name: a}", "name: c}"), []),
        (("1, name: a}", "3, name: c, padding: 1}"), ["body/c", "body*"]),
        (("1, name: a}, ", "3, name: a, padding: 1}, "), ["body/a", "body*"]),
        (("[{conv: 8, kernel: 1, name: a}", "[{conv: 8, kernel: 1}, {conv: 8, kernel: 1, name: a}"),
         ["body*"]),
    ],
)  # fmt: skip
def test_a_grow_rule_compares_a_layer_with_its_old_version(change, exceeded):
    text = net().replace("  - sequence", "  - {conv: 8, kernel: 1, bias: true}\n  - sequence")
    now, was = (measure_network(cost(spec)) for spec in (text.replace(*change), text))
    everything, body, torso = (
        Rule(match, (Limit("params", HERE, grow=0),)) for match in ("*", "body*", "torso")
    )
    budget = Budget(layers=(everything,), groups=(body, torso))
    found = list(evaluate([CheckedNetwork("x", now, (("x", budget),), was)]))
    assert [entry.path for entry in found if entry.level == "error"] == exceeded


def rules_of(kind, rules):
    """A budget with the rules as its `layers` or its `groups`."""
    found = tuple(Rule(match, (limit,)) for match, limit in rules)
    return Budget(layers=found) if kind == "layers" else Budget(groups=found)


NO_GROWTH, HIGH = Limit("params", HERE, max=9999, grow=0), Limit("params", HERE, max=10**6)


@pytest.mark.parametrize(
    ("change", "name"),
    [(("name: a}", "name: c}"), "body/c"), (("name: body", "name: torso"), "torso/a")],
)
@pytest.mark.parametrize(
    ("kind", "rules", "base"),
    [
        ("layers", [("body/a", NO_GROWTH)], 64),
        # The layer has another rule now. The one that it had also limits its growth.
        ("layers", [("body/c", HIGH), ("torso/a", HIGH), ("*", NO_GROWTH)], 64),
        ("groups", [("body/a", NO_GROWTH)], 64),
        ("groups", [("torso", HIGH), ("b*", NO_GROWTH)], 64 + 64),
    ],
)
def test_a_new_name_takes_no_layer_out_of_a_grow_rule(kind, rules, base, change, name):
    grown = net().replace("1, name: a}", "3, padding: 1, name: a}").replace(*change)
    now, was = (measure_network(cost(spec)) for spec in (grown, net()))
    budget = rules_of(kind, rules)
    findings = list(evaluate([CheckedNetwork("x", now, (("x", budget),), was)]))
    path = name if kind == "layers" else rules[-1][0]
    errors = [(f.path, f.test, f.base, f.found) for f in findings if f.level == "error"]
    assert errors == [(path, "grow", base, base + 8 * 64)]


def test_a_max_is_for_the_layers_that_a_rule_matches_now():
    now, was = (
        measure_network(cost(text)) for text in (net().replace("name: a}", "name: c}"), net())
    )
    limit = Limit("params", HERE, max=63, grow=0)
    for kind in ("layers", "groups"):
        budget = rules_of(kind, [("body/a", limit)])
        (found,) = evaluate([CheckedNetwork("x", now, (("x", budget),), was)])
        assert (found.test, found.level, found.base) == ("grow", "passed", 64)


# Bases of git


@pytest.fixture
def repository(tmp_path):
    made = Repository(tmp_path / "repository")
    made.write("net.yaml", net())
    made.commit("base")
    return made


def test_growth_over_another_branch_is_exact(repository):
    repository.git("switch", "-q", "-c", "wider")
    repository.write("net.yaml", net(9))
    repository.commit()
    code, answer = repository.check("net.yaml", "--base", "git:main", "--max-growth", "2%")
    assert code == 1
    (params, macs) = answer["findings"]
    assert params["base"] == STEM + BODY
    assert params["change"] == 9 * 27 - 8 * 27 + 8
    assert (params["limit"], params["code"]) == ("2 %", "CC203")
    assert macs["level"] == "error"
    assert repository.check("net.yaml", "--base", "git:main", "--max-growth", "20%")[0] == 0


def test_a_renamed_spec_is_compared_with_its_old_file(repository):
    repository.git("mv", "net.yaml", "new.yaml")
    code, answer = repository.check(
        "new.yaml", "--base", "git:main", "--max-growth", "0", "--report-passed"
    )
    assert code == 0
    assert [f["change"] for f in answer["findings"]] == [0, 0]
    assert "new.yaml was net.yaml in main" in answer["statements"]


@pytest.mark.parametrize("spoilt", ["not: a spec\n", "layers: [", "\x00"])
def test_with_an_invalid_base_the_other_limits_are_checked(repository, spoilt):
    repository.write("net.yaml", spoilt)
    repository.commit("spoilt")
    repository.write("net.yaml", net(budget="{params: {max: 1}}"))
    code, answer = repository.check("net.yaml", "--base", "git:main", "--max-growth", "1%")
    assert (code, answer["ok"]) == (2, False)
    assert [f["level"] for f in answer["findings"]] == ["error", "skipped", "skipped"]
    assert answer["statements"][0].startswith("net.yaml: its base is not a valid spec (")


def test_a_new_spec_has_no_base_and_a_statement_says_so(repository):
    repository.write("other.yaml", net(4, "{params: {max: 1M, grow: 1%}}"))
    code, answer = repository.check("other.yaml", "--base", "git:main")
    assert code == 0
    assert answer["statements"] == [
        "other.yaml is new: it is not in main, so growth is not checked"
    ]


def test_a_shallow_clone_says_what_to_do(repository, tmp_path):
    repository.write("net.yaml", net(9))
    repository.commit()
    repository.git("branch", "base", "HEAD~1")
    shallow = Repository.__new__(Repository)
    shallow.folder = tmp_path / "shallow"
    url = f"file://{repository.folder}"
    subprocess.run(
        ["git", "clone", "-q", "--depth", "1", url, str(shallow.folder)], check=True,
        capture_output=True,
    )  # fmt: skip
    code, answer = shallow.check("net.yaml", "--base", "git:origin/base", "--max-growth", "1%")
    assert code == 2
    assert "fetch-depth: 0" in answer["statements"][0]


def test_a_detached_head_has_a_base(repository):
    repository.git("switch", "-q", "--detach", "HEAD")
    assert repository.check("net.yaml", "--base", "git:main", "--max-growth", "0")[0] == 0


@pytest.mark.parametrize("ref", ["nope", "--output=x", "", "main:net.yaml", "$(touch x)"])
def test_an_invalid_ref_is_a_statement_and_runs_no_program(repository, ref):
    code, answer = repository.check("net.yaml", "--base", f"git:{ref}", "--max-growth", "1%")
    assert code == 2
    assert answer["statements"][0].startswith("net.yaml: growth is not checked without a base: ")
    assert [path.name for path in repository.folder.iterdir()] in (
        [".git", "net.yaml"],
        ["net.yaml", ".git"],
    )


@needs_git
def test_outside_a_repository_there_is_no_base(tmp_path):
    (tmp_path / "net.yaml").write_text(net(), "utf-8")
    code, answer = checked("net.yaml", "--base", "git:main", "--max-growth", "1%", cwd=tmp_path)
    assert code == 2
    assert "is not in a git repository" in answer["statements"][0]


@pytest.mark.parametrize("where", ["git:main", "base.json"])
def test_deleted_specs_and_networks_are_listed(repository, where):
    limited = net(budget="{macs: {grow: 1%}}")
    for name in ("models/a.yaml", "models/old.yaml", "models/.hidden.yaml"):
        repository.write(name, limited)
    repository.write("models/deep.yml", limited.replace("kernel: 1", "kernel: 3"))
    both = f"{limited.replace('name: net', 'name: one', 1)}---\n{limited}"
    repository.write("models/two.yaml", both)
    repository.write("models/notes.txt", "no spec")
    repository.write("models/convcost.yaml", "budgets: []")
    repository.commit()
    specs = ["models", "net.yaml"]
    run("check", *specs, "--base", "base.json", "--update-baseline", cwd=repository.folder)
    repository.git("mv", "models/deep.yml", "models/moved.yml")
    repository.git("rm", "-q", "models/old.yaml", "models/.hidden.yaml", "models/notes.txt")
    repository.write("models/two.yaml", limited)
    repository.commit("deletes")
    repository.git("update-ref", "refs/heads/main", "HEAD~1")
    code, answer = repository.check("models", "--base", where)
    name = where.removeprefix("git:")
    moved = {
        "git:main": ["models/moved.yml was models/deep.yml in main"],
        "base.json": ["models/moved.yml: `net` was `net` of models/deep.yml in base.json"],
    }
    deleted = {
        "git:main": ["models/old.yaml is deleted; it was in main"],
        "base.json": [
            "models/deep.yml is deleted; it was in base.json",
            "models/old.yaml is deleted; it was in base.json",
        ],
    }
    gone = f"models/two.yaml: `one` is deleted; it was in {name}"
    assert answer["statements"] == [*moved[where], gone, *deleted[where]]
    assert code == 0


def test_a_spec_that_a_glob_does_not_match_any_more_is_listed_as_deleted(repository):
    """A shell passes the files that match `models/*.yaml`, and `b.yaml` is not one of them."""
    for name in ("a.yaml", "b.yaml", "other/c.yaml"):
        repository.write(f"models/{name}", net(len(name)))
    repository.write("models/settings.yaml", "not: a spec\n")
    repository.commit("models")
    (repository.folder / "models/b.yaml").rename(repository.folder / "models/b.yml")
    repository.write("models/b.yml", net(90))
    (repository.folder / "models/settings.yaml").unlink()
    (repository.folder / "models/other/c.yaml").unlink()
    code, answer = repository.check("models/a.yaml", "--base", "git:HEAD", "--max-growth", "0")
    assert (code, answer["statements"]) == (0, ["models/b.yaml is deleted; it was in HEAD"])


def test_a_single_network_keeps_its_base_under_a_new_name(repository):
    repository.write("net.yaml", net(9).replace("name: net", "name: wider"))
    code, answer = repository.check("net.yaml", "--base", "git:main", "--max-growth", "1%")
    assert code == 1
    assert {f["base"] for f in answer["findings"]} == {STEM + BODY, (STEM + BODY) * 6 * 6}
    assert answer["statements"] == ["net.yaml: `wider` was `net` in main"]


@pytest.mark.parametrize("base", ["git:HEAD", "before.yaml"])
def test_a_new_name_of_one_of_several_networks_hides_no_growth(repository, base):
    repository.write("two.yaml", TWO)
    repository.commit()
    repository.write("before.yaml", TWO)
    repository.write("two.yaml", TWO.replace("name: B", "name: C").replace("conv: 4", "conv: 40"))
    code, answer = repository.check("two.yaml", "--base", base, *GROW)
    name = base.removeprefix("git:")
    assert bases(answer) == {
        "two.yaml#A": (params(8), params(8)),
        "two.yaml#C": (params(40), params(4)),
    }
    assert answer["statements"] == [f"two.yaml: `C` was `B` in {name}"]
    assert code == 1


def test_a_changed_input_is_a_statement(repository):
    repository.write("net.yaml", net().replace("size: 8", "size: 9"))
    _, answer = repository.check("net.yaml", "--base", "git:main", "--max-growth", "90%")
    assert answer["statements"] == ["net.yaml: the input of `net` is 9×9×3; it was 8×8×3 in main"]


@pytest.mark.parametrize("after", ["channels: 1, size: 8", "channels: 1, size: [7, 7]"])
def test_a_network_with_another_input_is_changed(after, tmp_path):
    layers = "\nlayers: [{learned: {channels: 2, size: [3]}}]\n"
    texts = "input: {channels: 1, size: 7}", f"input: {{{after}}}"
    for name, text in zip(("base", "net"), texts, strict=True):
        (tmp_path / f"{name}.yaml").write_text(text + layers, "utf-8")
    command = ("check", "net.yaml", "--base", "base.yaml", "--max-growth", "0%")
    ran = run(*command, "--format", "markdown", cwd=tmp_path)
    assert (b"1 of 1 network changed" in ran.stdout) == ("8" in after)
    assert (b"nothing changed" in ran.stdout) == ("8" not in after)


def test_a_shared_missing_base_reason_is_printed_once(repository):
    for number in range(3):
        repository.write(f"net_{number}.yaml", net())
    code, answer = repository.check(".", "--base", "git:nope", "--max-growth", "1%")
    assert code == 2
    (printed,) = answer["statements"]
    reason = "there is no commit `nope`: fetch it, or name another"
    assert printed == f"net.yaml and 3 more: growth is not checked without a base: {reason}"


def calls_of_git(folder: Path, *arguments: str) -> list[str]:
    trace = folder.parent / "trace"
    ran = run("check", *arguments, cwd=folder, GIT_TRACE=str(trace))
    assert ran.returncode == 0, ran.stderr.decode()
    lines = trace.read_text("utf-8").splitlines()
    trace.unlink()
    return [line.split("git ", 2)[-1].split()[0] for line in lines if "built-in: git " in line]


def test_git_runs_as_often_for_many_specs_as_for_one(repository):
    for number in range(20):
        repository.write(f"models/{number}.yaml", net())
    repository.commit()
    repository.git("mv", "models/7.yaml", "models/seven.yaml")
    asked = ("--base", "git:main", "--max-growth", "1%")
    one = calls_of_git(repository.folder, "models/seven.yaml", *asked)
    many = calls_of_git(repository.folder, "models", *asked)
    read = ["cat-file", "cat-file"]  # the sizes, and the contents
    of_commit = ["rev-parse", "rev-parse", "ls-tree", "ls-files"]
    assert one == many == [*of_commit, "check-attr", *read, *read]


@pytest.mark.parametrize("folders", [["models"], ["models/a", "models/b", "models/c"]])
def test_the_files_of_a_commit_are_searched_as_often_for_many_as_for_one(
    repository, monkeypatch, folders
):
    """Otherwise the time of a check grows with the deleted specs times the files."""
    search, searches = Commit.deleted, []

    def deleted(*arguments):
        searches.append(arguments)
        return search(*arguments)

    monkeypatch.setattr(Commit, "deleted", deleted)
    monkeypatch.chdir(repository.folder)
    for name in (f"models/{folder}/{number}.yaml" for folder in "abc" for number in range(5)):
        repository.write(name, net())
    repository.commit()
    lost: list[str] = []
    numbers = []
    for count, specs in ((1, ["models/a"]), (4, folders)):
        for name in (
            f"models/{folder}/{number}.yaml" for folder in "abc" for number in range(count)
        ):
            (repository.folder / name).unlink(missing_ok=True)
        report = convcost.check(specs, base="git:main", max_growth="1%")
        lost = [statement for statement in report.statements if "is deleted" in statement]
        numbers.append(len(searches))
        searches.clear()
    assert len(lost) == 3 * 4
    assert numbers[0] == numbers[1]


def test_specs_of_several_repositories_have_a_base_each(repository, tmp_path):
    other = Repository(tmp_path / "other")
    other.write("net.yaml", net(4))
    other.commit()
    specs = ("net.yaml", "../other/net.yaml")
    _, answer = repository.check(
        *specs, "--base", "git:main", "--max-growth", "1%", "--report-passed"
    )
    found = [(f["spec"], f["base"]) for f in answer["findings"] if f["measure"] == "params"]
    assert found == [(specs[0], STEM + BODY), (specs[1], 4 * 27 + 4 * 8 + 8 * 8)]


def test_a_file_name_that_git_quotes_is_found(repository):
    name = 'å "b"\n*.yaml'
    repository.write(name, net())
    repository.commit()
    _, answer = repository.check(name, "--base", "git:main", "--max-growth", "0", "--report-passed")
    assert [f["change"] for f in answer["findings"]] == [0, 0]
    assert answer["statements"] == []


TWO = f"{net().replace('name: net', 'name: A')}---\n{net(4).replace('name: net', 'name: B')}"
GROW = ("--max-growth", "1%", "--report-passed")


def bases(answer):
    """The params of each network of an answer, and of its base."""
    return {
        f"{n['spec']}#{n['network']}": (n["params"], n["base"] and n["base"]["params"])
        for n in answer["networks"]
    }


def params(filters):
    return filters * 27 + filters * 8 + 8 * 8


GROWN = net(40).replace("name: net", "name: C")
OTHER = """\
name: other
input: {channels: 3, size: 8}
layers: [{max_pool: 2}, {flatten: }, {linear: 5}]
"""


@pytest.mark.parametrize("base", ["git:HEAD", "base.json"])
@pytest.mark.parametrize(
    ("before", "after", "was"),
    [
        # to a new file, to a file with others, from a deleted file, in place of another network
        (
            {"two.yaml": TWO},
            {"two.yaml": net().replace("net", "A", 1), "c.yaml": GROWN},
            "two.yaml",
        ),
        (
            {"two.yaml": TWO, "o.yaml": OTHER},
            {"two.yaml": net().replace("net", "A", 1), "o.yaml": f"{OTHER}---\n{GROWN}"},
            "two.yaml",
        ),
        ({"b.yaml": net(4), "o.yaml": OTHER}, {"o.yaml": f"{OTHER}---\n{GROWN}"}, "b.yaml"),
        (
            {".x/b.yaml": net(4), ".x/o.yaml": OTHER},
            {".x/o.yaml": f"{OTHER}---\n{GROWN}"},
            ".x/b.yaml",
        ),
        (
            {"two.yaml": TWO},
            {"two.yaml": f"{net().replace('net', 'A', 1)}---\n{OTHER}", "c.yaml": GROWN},
            "two.yaml",
        ),
    ],
)
def test_a_network_in_another_file_hides_no_growth(repository, base, before, after, was):
    for name, text in before.items():
        repository.write(name, text)
    repository.commit()
    specs = [*before, "net.yaml"]
    run("check", *specs, "--base", "base.json", "--update-baseline", cwd=repository.folder)
    for name in before:
        (repository.folder / name).unlink()
    for name, text in after.items():
        repository.write(name, text)
    folders = {str(Path(name).parent) for name in specs}  # hidden ones are checked if named
    code, answer = repository.check(*folders, "--base", base, *GROW)
    (moved,) = [name for name in after if name != "two.yaml"]
    old = "net" if was.endswith("b.yaml") else "B"
    assert code == 1
    assert bases(answer)[f"{moved}#C"] == (params(40), params(4))
    name = base.removeprefix("git:")
    assert f"{moved}: `C` was `{old}` of {was} in {name}" in answer["statements"]
    assert not any(f"{moved} is new" in statement for statement in answer["statements"])


DECOY = net(3).replace("name: net", "name: D")


@pytest.mark.parametrize("base", ["git:HEAD", "base.json"])
@pytest.mark.parametrize(
    "after", [{"b.yaml": DECOY}, {"d.yaml": DECOY}, {"o.yaml": f"{OTHER}---\n{DECOY}"}]
)
def test_a_network_that_is_more_like_the_old_one_hides_no_growth(repository, base, after):
    repository.write("o.yaml", OTHER)
    repository.write("b.yaml", net(4))
    repository.commit()
    specs = ["o.yaml", "b.yaml", "net.yaml"]
    run("check", *specs, "--base", "base.json", "--update-baseline", cwd=repository.folder)
    (repository.folder / "b.yaml").unlink()
    for name, text in {**after, "c.yaml": GROWN}.items():
        repository.write(name, text)
    code, answer = repository.check(".", "--base", base, *GROW)
    (decoy,) = after
    found = bases(answer)
    assert code == 1
    assert (found["c.yaml#C"], found[f"{decoy}#D"]) == (
        (params(40), params(4)),
        (params(3), params(4)),
    )
    name = base.removeprefix("git:")
    both = f"is also compared with `net` of b.yaml in {name}, which"
    also = {f"c.yaml: `C` {both} {decoy}#D replaces", f"{decoy}: `D` {both} c.yaml#C replaces"}
    assert also & set(answer["statements"])


LARGE = OTHER.replace("name: other", "name: large").replace("linear: 5", "linear: 900")
AS_NOTE = "x-note: |\n" + "".join(f"  {line}\n" for line in LARGE.splitlines())


@pytest.mark.parametrize("base", ["git:HEAD", "base.json"])
@pytest.mark.parametrize(
    "after",
    [
        {"b.yaml": GROWN.replace("name: C", "name: large")},
        {"b.yaml": GROWN},
        {"b.yaml": f"{OTHER}---\n{GROWN.replace('name: C', 'name: large')}"},
        {"b.yaml": GROWN, "d.yaml": DECOY},
        {"c.yaml": f"{GROWN}{AS_NOTE}"},  # its text is more like that of the larger one
    ],
)
def test_a_network_in_the_place_of_a_larger_one_hides_no_growth(repository, base, after):
    repository.write("a.yaml", net(4).replace("name: net", "name: A"))
    repository.write("b.yaml", LARGE)
    repository.commit()
    run("check", ".", "--base", "base.json", "--update-baseline", cwd=repository.folder)
    (repository.folder / "a.yaml").unlink()
    (repository.folder / "b.yaml").unlink()
    for name, text in after.items():
        repository.write(name, text)
    code, answer = repository.check(".", "--base", base, "--max-params", "1G", *GROW)
    found = [
        (finding["base"], finding["level"])
        for finding in answer["findings"]
        if (finding["test"], finding["measure"], finding["found"]) == ("grow", "params", params(40))
    ]
    limits = [
        (finding["spec"], finding["network"])
        for finding in answer["findings"]
        if finding["test"] == "max"
    ]
    assert (code, (params(4), "error") in found) == (1, True)
    assert len(limits) == len(set(limits)) == len(after) + 1 + ("---" in after.get("b.yaml", ""))
    assert any("A` of a.yaml in " in statement for statement in answer["statements"])


@pytest.mark.parametrize("base", ["git:HEAD", "base.json"])
@pytest.mark.parametrize("grown", ["b.yaml", "c.yaml"])
@pytest.mark.parametrize(
    "holder", [OTHER, net(3).replace("sequence: [{conv: 8, kernel: 1, name: a}, ", "sequence: [")]
)
def test_another_network_with_the_old_name_hides_no_growth(repository, base, grown, holder):
    repository.write("b.yaml", net(4))
    repository.commit()
    run("check", ".", "--base", "base.json", "--update-baseline", cwd=repository.folder)
    texts = [holder.replace("name: other", "name: net"), GROWN]
    files = {"b.yaml": texts} if grown == "b.yaml" else {"b.yaml": texts[:1], "c.yaml": texts[1:]}
    for name, parts in files.items():
        repository.write(name, "---\n".join(parts))
    code, answer = repository.check(".", "--base", base, *GROW)
    name = base.removeprefix("git:")
    both = f"also compared with `net` of b.yaml in {name}, which b.yaml replaces"
    assert (code, bases(answer)[f"{grown}#C"]) == (1, (params(40), params(4)))
    assert f"{grown}: `C` is {both}" in [
        statement.replace("b.yaml#net", "b.yaml") for statement in answer["statements"]
    ]


@pytest.mark.parametrize("base", ["git:HEAD", "base.json"])
def test_a_family_whose_networks_become_like_smaller_ones_has_not_grown(repository, base):
    def family(*filters: int) -> str:
        names = zip("ABC", filters, strict=True)
        return "---\n".join(net(n).replace("name: net", f"name: {name}") for name, n in names)

    repository.write("net.yaml", family(4, 8, 16))
    repository.commit()
    run("check", ".", "--base", "base.json", "--update-baseline", cwd=repository.folder)
    extra = "  - {conv: 8, kernel: 1}\n"
    smaller = [text.rstrip() + f"\n{extra}" for text in family(2, 4, 8).split("---\n")]
    repository.write("net.yaml", "---\n".join(smaller))
    code, answer = repository.check(".", "--base", base, "--max-growth", "40%")
    assert (code, answer["statements"]) == (0, [])


@pytest.mark.parametrize("base", ["git:HEAD", "base.json"])
def test_a_larger_network_beside_one_that_keeps_its_name_is_new(repository, base):
    repository.write("b.yaml", net(4))
    repository.commit()
    run("check", ".", "--base", "base.json", "--update-baseline", cwd=repository.folder)
    repository.write("b.yaml", f"{net(3)}---\n{GROWN}")
    code, answer = repository.check(".", "--base", base, *GROW)
    assert (code, bases(answer)["b.yaml#C"]) == (0, (params(40), None))


def test_a_comment_counts_a_network_with_two_bases_once(repository):
    repository.write("a.yaml", net(4).replace("name: net", "name: A"))
    repository.write("b.yaml", LARGE)
    repository.commit()
    (repository.folder / "a.yaml").unlink()
    repository.write("b.yaml", GROWN.replace("name: C", "name: large"))
    asked = ("check", "b.yaml", "--base", "git:HEAD", "--max-growth", "1%")
    ran = run(*asked, "--format", "markdown", cwd=repository.folder)
    assert "; 1 of 1 network changed.**" in ran.stdout.decode()


@pytest.mark.parametrize("base", ["git:HEAD", "base.json"])
def test_a_network_that_is_more_like_its_own_old_version_is_not_compared_with_a_deleted_one(
    repository, base
):
    repository.write("a.yaml", net(4).replace("name: net", "name: A"))
    repository.write("b.yaml", net(40).replace("name: net", "name: B"))
    repository.commit()
    run("check", ".", "--base", "base.json", "--update-baseline", cwd=repository.folder)
    (repository.folder / "a.yaml").unlink()
    repository.write("b.yaml", net(39).replace("name: net", "name: B"))
    code, answer = repository.check(".", "--base", base, *GROW)
    name = base.removeprefix("git:")
    assert (code, answer["statements"]) == (0, [f"a.yaml is deleted; it was in {name}"])
    assert [network["base"]["params"] for network in answer["networks"]] == [params(40), params(8)]


@pytest.mark.parametrize("base", ["git:HEAD", "base.json"])
def test_growth_of_macs_by_a_larger_input_is_found_in_another_file(repository, base):
    repository.write("o.yaml", OTHER)
    repository.write("b.yaml", net(4))
    repository.commit()
    specs = ["o.yaml", "b.yaml", "net.yaml"]
    run("check", *specs, "--base", "base.json", "--update-baseline", cwd=repository.folder)
    (repository.folder / "b.yaml").unlink()
    larger = net(4).replace("size: 8", "size: 14").replace("name: net", "name: C")
    repository.write("o.yaml", f"{OTHER}---\n{larger}")
    code, answer = repository.check("o.yaml", "--base", base, *GROW)
    grown = {
        f["measure"]: (f["base"], f["found"]) for f in answer["findings"] if f["network"] == "C"
    }
    positions = 6 * 6, 12 * 12  # the kernel of 3 has no padding
    assert code == 1
    assert grown["params"] == (params(4), params(4))
    assert grown["macs"] == tuple(params(4) * count for count in positions)


@pytest.mark.parametrize("base", ["git:HEAD", "base.json"])
@pytest.mark.parametrize("now", [f"{OTHER}---\n{GROWN}", OTHER.replace("5", "6")])
def test_too_many_new_and_deleted_networks_have_no_verdict(repository, base, now, monkeypatch):
    """Their growth could be hidden behind new ones with as many params."""
    repository.write("o.yaml", OTHER)
    repository.write("b.yaml", net(4))
    repository.commit()
    specs = ["o.yaml", "b.yaml", "net.yaml"]
    run("check", *specs, "--base", "base.json", "--update-baseline", cwd=repository.folder)
    (repository.folder / "b.yaml").unlink()
    repository.write("o.yaml", now)
    monkeypatch.chdir(repository.folder)
    monkeypatch.setattr(moved_networks, "MAX_COMPARISONS", 0)
    found = convcost.check("o.yaml", base=base, max_growth="1%")
    (statement,) = [statement for statement in found.statements if statement.startswith("o.yaml")]
    assert not found.ok
    assert statement == (
        "o.yaml: growth is not checked without a base: too many networks are new or changed, "
        "and too many are deleted or replaced, to find out which of them are the same: rename "
        "networks in a change of their own"
    )


@pytest.mark.parametrize("base", ["git:HEAD", "base.json"])
def test_a_new_name_for_the_old_network_hides_no_growth_of_the_one_with_its_name(repository, base):
    repository.write("b.yaml", net(4))
    repository.commit()
    specs = ["b.yaml", "net.yaml"]
    run("check", *specs, "--base", "base.json", "--update-baseline", cwd=repository.folder)
    (repository.folder / "b.yaml").unlink()
    repository.write("d.yaml", net(4).replace("name: net", "name: D"))
    repository.write("c.yaml", net(40))
    code, answer = repository.check(".", "--base", base, *GROW)
    assert (code, bases(answer)["c.yaml#net"]) == (1, (params(40), params(4)))
    name = base.removeprefix("git:")
    also = f"also compared with `net` of b.yaml in {name}, which d.yaml#D replaces"
    assert f"c.yaml: `net` is {also}" in answer["statements"]


@pytest.mark.parametrize("base", ["git:HEAD", "base.json"])
def test_networks_that_only_move_have_not_grown(repository, base):
    """The only network of `b.yaml` is another one now, and that is in its base, too."""
    small, large = (net(n).replace("name: net", f"name: n{n}") for n in (4, 40))
    repository.write("a.yaml", f"{OTHER}---\n{large}")
    repository.write("b.yaml", small)
    repository.commit()
    specs = ["a.yaml", "b.yaml", "net.yaml"]
    run("check", *specs, "--base", "base.json", "--update-baseline", cwd=repository.folder)
    repository.write("a.yaml", OTHER)
    repository.write("b.yaml", large)
    repository.write("c.yaml", small)
    code, answer = repository.check(".", "--base", base, *GROW)
    assert code == 0
    assert bases(answer)["b.yaml#n40"] == (params(40), params(40))
    assert bases(answer)["c.yaml#n4"] == (params(4), params(4))
    repository.write("c.yaml", net(5).replace("name: net", "name: n5"))
    code, answer = repository.check(".", "--base", base, *GROW)
    assert (code, bases(answer)["b.yaml#n40"]) == (1, (params(40), params(4)))


def test_beside_a_network_that_only_moved_a_similar_one_is_new(repository):
    repository.write("b.yaml", net(4))
    repository.commit()
    (repository.folder / "b.yaml").unlink()
    repository.write("d.yaml", net(4).replace("name: net", "name: D"))
    repository.write("c.yaml", GROWN)
    code, answer = repository.check(".", "--base", "git:HEAD", *GROW)
    found = bases(answer)
    assert (code, found["c.yaml#C"], found["d.yaml#D"]) == (
        0,
        (params(40), None),
        (params(4), params(4)),
    )


def test_a_network_unlike_all_deleted_ones_is_new_and_the_report_says_so(repository):
    repository.write("b.yaml", net(4))
    repository.commit()
    (repository.folder / "b.yaml").unlink()
    repository.write("o.yaml", OTHER)
    asked = ("check", ".", "--base", "git:HEAD", "--max-growth", "1%")
    ran = run(*asked, "--format", "plain", cwd=repository.folder)
    printed = ran.stdout.decode()
    assert ran.returncode == 0
    assert "All checked limits passed; the growth of 1 new network was not checked\n" in printed
    for name in ("concise", "csv", "github", "gitlab", "html", "json", "junit", "latex", "markdown",
                 "sarif", "table", "tsv"):  # fmt: skip
        ran = run(*asked, "--format", name, cwd=repository.folder)
        assert "the network is new" in ran.stdout.decode(), name


@pytest.mark.parametrize("name", ["googlenet", "resnet50"])
@pytest.mark.parametrize("known", ["git:HEAD", "base.json", "convcost.yaml"])
def test_a_deleted_folder_is_not_the_shipped_spec_of_its_name(repository, name, known):
    repository.write(f"{name}/net.yaml", net())
    repository.commit()
    base = () if known == "convcost.yaml" else ("--base", known)
    if known == "base.json":
        run("check", name, *base, "--update-baseline", cwd=repository.folder)
    if known == "convcost.yaml":
        repository.write(known, f"budgets: [{{specs: './{name}/**/*.yaml', params: {{max: 1}}}}]")
    shutil.rmtree(repository.folder / name)
    asked = ("check", name, *base, "--max-params", "1G")
    ran = run(*asked, cwd=repository.folder)
    one = "has a budget for it" if known == "convcost.yaml" else "has one"
    found = known.removeprefix("git:")
    assert ran.returncode == 2
    assert ran.stderr.decode() == (
        f"error: there is no file or folder `{name}`, but `{found}` {one}\n"
        "help: restore it, or remove the argument; "
        f"the shipped spec `{name}` is a different network\n"
    )
    (repository.folder / "sub").mkdir()
    assert run("check", name, "--max-params", "1G", cwd=repository.folder / "sub").returncode == 0
    (repository.folder / name).symlink_to("nowhere")
    ran = run(*asked, cwd=repository.folder)
    message = f"error: `{name}` is a link that leads to no file\n"
    assert (ran.returncode, ran.stderr.decode()) == (2, message)


def test_a_picked_network_has_its_base(repository):
    repository.write("two.yaml", TWO)
    repository.commit()
    repository.write("two.yaml", TWO.replace("conv: 4", "conv: 5"))
    code, answer = repository.check("two.yaml#B", "--base", "git:HEAD", *GROW)
    assert (code, bases(answer)) == (1, {"two.yaml#B": (params(5), params(4))})
    assert answer["statements"] == []


def test_a_picked_network_can_be_the_base(repository):
    repository.write("two.yaml", TWO)
    for pick, filters in (("A", 8), ("B", 4)):
        _, answer = repository.check("net.yaml", "--base", f"two.yaml#{pick}", *GROW)
        assert bases(answer) == {"net.yaml#net": (params(8), params(filters))}
        assert answer["statements"] == [f"net.yaml: `net` was `{pick}` in two.yaml#{pick}"]
    ran = run("check", "net.yaml", "--base", "two.yaml#C", *GROW, cwd=repository.folder)
    printed = "error: there is no document `C` in `two.yaml`\nhelp: known here: `A`, `B`\n"
    assert (ran.returncode, ran.stderr.decode()) == (2, printed)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (["models", "./models/a.yaml", "models/../models/a.yaml"], ["models/a.yaml"]),
        (["models/two.yaml#B", "link"], ["link/a.yaml", "link/two.yaml", "link/two.yaml"]),
        (["models/two.yaml#A", "models/two.yaml#B"], ["models/two.yaml"] * 2),
        (["models/a.yaml", "models/convcost.yaml"], ["models/a.yaml"]),
    ],
)
def test_a_file_under_two_names_is_checked_once(repository, asked, found):
    repository.write("models/a.yaml", net())
    if len(found) > 1:
        repository.write("models/two.yaml", TWO)
    repository.write("models/convcost.yaml", "budgets: [{params: {max: 1M}}]")
    (repository.folder / "link").symlink_to("models")
    _, answer = repository.check(*asked, "--report-passed")
    assert [n["spec"] for n in answer["networks"]] == found


def test_an_untracked_file_is_found_as_renamed(repository):
    repository.write("other.yaml", TWO)
    repository.commit()
    for name in ("net.yaml", "other.yaml"):
        (repository.folder / name).unlink()
    repository.write("z.yaml", net(9))
    repository.write("y.yaml", TWO)
    repository.write("new.yaml", "input: {channels: 1, size: 1}\nlayers: [{conv: 1, kernel: 1}]\n")
    _, answer = repository.check(".", "--base", "git:HEAD", *GROW)
    assert answer["statements"] == [
        "new.yaml is new: it is not in HEAD, so growth is not checked",
        "y.yaml was other.yaml in HEAD",
        "z.yaml was net.yaml in HEAD",
    ]
    assert bases(answer)["z.yaml#net"] == (params(9), params(8))


def test_three_dots_name_the_merge_base(repository):
    repository.git("switch", "-q", "-c", "mine")
    repository.write("net.yaml", net(9))
    repository.commit()
    repository.git("switch", "-q", "main")
    repository.write("net.yaml", net(2))
    repository.commit("theirs")
    repository.git("switch", "-q", "mine")
    for ref in ("main...", "main...HEAD", "main...mine", "...main"):
        _, answer = repository.check("net.yaml", "--base", f"git:{ref}", *GROW)
        assert bases(answer) == {"net.yaml#net": (params(9), params(8))}
    _, answer = repository.check("net.yaml", "--base", "git:main", *GROW)
    assert bases(answer) == {"net.yaml#net": (params(9), params(2))}
    repository.write("new.yaml", net())
    _, answer = repository.check("new.yaml", "--base", "git:main...", *GROW)
    (printed,) = answer["statements"]
    assert (
        printed
        == "new.yaml is new: it is not in the merge base with main, so growth is not checked"
    )


def test_of_several_merge_bases_an_older_one_hides_no_growth(repository):
    """Main merges an old branch after its network became smaller. The change merges the same two
    commits, so both are merge bases, and the network of one is as large as that of the change."""
    repository.write("net.yaml", net(60))
    repository.commit("large")
    repository.git("branch", "old")
    repository.write("net.yaml", net(4))
    repository.commit("small")
    repository.git("branch", "change")
    repository.git("switch", "-q", "old")
    repository.write("other", "")
    repository.commit()
    for branch, merged in (("main", "old"), ("change", "old")):
        repository.git("switch", "-q", branch)
        repository.git("merge", "-q", "--no-ff", "-m", f"into {branch}", merged)
    repository.write("net.yaml", net(50))
    repository.commit("grow")
    code, answer = repository.check("net.yaml", "--base", "git:main...", *GROW)
    reason = "`main` and `HEAD` have 2 merge bases: merge one into the other"
    assert code == 2
    assert answer["statements"] == [f"net.yaml: growth is not checked without a base: {reason}"]
    repository.git("merge", "-q", "-m", "main", "main")
    code, answer = repository.check("net.yaml", "--base", "git:main...", *GROW)
    assert (code, bases(answer)) == (1, {"net.yaml#net": (params(50), params(4))})


def test_unrelated_branches_have_no_merge_base(repository):
    repository.git("switch", "-q", "--orphan", "other")
    repository.write("net.yaml", net())
    repository.commit()
    _, answer = repository.check("net.yaml", "--base", "git:main...", *GROW)
    reason = "`main` and `HEAD` have no merge base: name another commit"
    assert answer["statements"] == [f"net.yaml: growth is not checked without a base: {reason}"]


@pytest.mark.parametrize(
    ("base", "available"),
    [("git:main", True), ("git:nope", False), ("git:nope...", False), ("git:bad", False),
     ("bad.yaml", False)],
)  # fmt: skip
@pytest.mark.parametrize(
    ("growth", "allowed"), [("flag", False), ("rule", False), ("flag", True), ("none", False)]
)
def test_growth_without_its_base_exits_with_2_unless_that_is_allowed(
    repository, base, available, growth, allowed
):
    repository.write("bad.yaml", "no: spec")
    repository.git("switch", "-q", "-c", "bad")
    repository.write("net.yaml", "no: spec")
    repository.commit()
    repository.git("switch", "-q", "main")
    repository.write("bad.yaml", "no: spec")
    repository.write("net.yaml", net(budget="{macs: {grow: 1%}}" if growth == "rule" else ""))
    limit = {"flag": ["--max-growth=1%"], "rule": [], "none": ["--max-params=1M"]}[growth]
    arguments = ["net.yaml", "--base", base, *limit, *["--allow-missing-base"] * allowed]
    ran = run("check", *arguments, "-o", "a.json", "-o", "plain:a.txt", cwd=repository.folder)
    failed = not available and growth != "none" and not allowed
    message = (
        f"error: the base `{base}` is not available; the report says why\n"
        "help: if there is no base yet, as in a first commit, add --allow-missing-base\n"
    )
    assert ran.returncode == (2 if failed else 0)
    assert ran.stderr.decode() == "wrote a.json\nwrote a.txt\n" + message * failed
    assert json.loads((repository.folder / "a.json").read_text("utf-8"))["ok"] is not failed
    headline = "Within all budgets"
    if failed:
        headline = "Growth was not checked: the base is not available"
    elif allowed and not available:
        headline = "All checked limits passed; growth was not checked"
    assert f"\n{headline}\n" in "\n" + (repository.folder / "a.txt").read_text("utf-8")


def test_without_its_base_a_check_exits_with_2_also_if_a_limit_is_exceeded(repository):
    arguments = ("net.yaml", "--base", "git:nope", "--max-growth", "1%", "--max-params", "1")
    ran = run("check", *arguments, "--exit-zero", cwd=repository.folder)
    assert ran.returncode == 2
    assert "params over the max" in ran.stdout.decode()


def test_json_says_which_macs_are_known_in_part(repository):
    part = "  - {custom: scan, params: 5, macs: uncounted}\n"
    repository.write("other.yaml", net())
    repository.write("net.yaml", net() + part)
    repository.commit()
    repository.write("other.yaml", net() + part)
    repository.write("net.yaml", net())
    _, answer = repository.check(
        "net.yaml", "other.yaml", "--base", "git:HEAD", "--max-params", "1G"
    )
    found = [(network["uncounted"], network["base"]["uncounted"]) for network in answer["networks"]]
    assert found == [(False, True), (True, False)]


def test_a_base_of_0_is_the_number_0(repository):
    arguments = ("net.yaml", "--base", "git:HEAD", "--report-passed")
    repository.write("convcost.yaml", "budgets: [{buffers: {grow: 0}}]\n")
    _, answer = repository.check(*arguments)
    [finding] = answer["findings"]
    assert (finding["found"], finding["base"], finding["change"]) == (0, 0, 0)
    written = run("check", *arguments, "--format", "csv", cwd=repository.folder).stdout.decode()
    [row] = csv.DictReader(written.splitlines())
    assert (row["found"], row["base"], row["change"]) == ("0", "0", "0")


def test_only_a_spec_with_a_limit_of_growth_needs_its_base(repository):
    repository.write("net.yaml", net(budget="{macs: {grow: 1%}}"))
    repository.commit()
    arguments = ("--base", "git:main", "--max-params", "1M")
    folder = repository.folder
    assert run("check", "net.yaml", "-", *arguments, cwd=folder, text=net()).returncode == 0
    grow = net(budget="{macs: {grow: 1%}}")
    assert run("check", "net.yaml", "-", *arguments, cwd=folder, text=grow).returncode == 2


NOT_GIVEN = "there is no base; add one, such as --base git:origin/main..."
SKIPPED = f"growth limit of macs is not checked: {NOT_GIVEN}"


@pytest.mark.parametrize("where", ["spec", "convcost.yaml"])
@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("plain", f"Within all other budgets. Growth was not checked: {NOT_GIVEN}"),
        ("markdown", (f"**Within all other budgets. Growth was not checked: {NOT_GIVEN} (1 limit "
         "checked: 1 within, 0 exceeded, 1 not checked).**")),
        ("latex", (f"% convcost {convcost.__version__}: Within all other budgets. Growth was not "
         f"checked: {NOT_GIVEN}")),
        ("concise", f"{SKIPPED}\n1 limit checked: 1 within, 0 exceeded, 1 not checked"),
        ("github", SKIPPED),
        ("gitlab", SKIPPED),
        ("junit", SKIPPED),
        ("sarif", SKIPPED),
        ("json", f'"reason": "{NOT_GIVEN}"'),
        ("csv", NOT_GIVEN),
        ("html", NOT_GIVEN),
    ],
)  # fmt: skip
def test_a_limit_of_growth_without_a_base_does_not_pass_silently(tmp_path, form, line, where):
    limits = "{params: {max: 1M}, macs: {grow: 1%}}"
    (tmp_path / "net.yaml").write_text(net(budget=limits if where == "spec" else ""), "utf-8")
    if where != "spec":
        (tmp_path / where).write_text(f"budgets: [{limits}]\n", "utf-8")
    ran = run("check", "net.yaml", "--format", form, cwd=tmp_path)
    text = ran.stdout.decode()
    assert (ran.returncode, line in text) == (0, True), text
    assert "Within all budgets" not in text


def test_a_limit_of_growth_alone_without_a_base_checks_nothing(tmp_path):
    (tmp_path / "net.yaml").write_text(net(budget="{macs: {grow: 1%}}"), "utf-8")
    ran = run("check", "net.yaml", cwd=tmp_path)
    assert (ran.returncode, ran.stdout.decode().splitlines()[0]) == (
        0,
        f"Growth was not checked: {NOT_GIVEN}",
    )
    assert repr(convcost.check(tmp_path / "net.yaml")) == (
        "<Check ok=True: Growth was not checked: there is no base; add one, such as "
        'base="git:origin/main..."; 0 limits checked: 0 within, 0 exceeded, 1 not checked>'
    )


def test_an_exceeded_limit_says_too_that_growth_was_not_checked(tmp_path):
    (tmp_path / "net.yaml").write_text(net(budget="{params: {max: 1, grow: 1%}}"), "utf-8")
    lines = run("check", "net.yaml", cwd=tmp_path).stdout.decode().splitlines()
    assert "Over budget" in lines
    assert lines[-3:-1] == [
        "1 limit checked: 0 within, 1 exceeded, 1 not checked",
        f"Growth was not checked: {NOT_GIVEN}",
    ]


def test_a_first_commit_has_no_base(tmp_path):
    first = Repository(tmp_path / "first")
    first.write("net.yaml", net())
    for base, reason in (
        ("git:HEAD", "there is no commit `HEAD`: fetch it, or name another"),
        ("base.json", "there is no baseline `base.json`: write it with --update-baseline"),
        ("base.yaml", "there is no file `base.yaml`"),
        ("specs/base#net", "there is no file `specs/base`"),
        ("base.onnx", "there is no file `base.onnx`"),
    ):
        arguments = ("net.yaml", "--base", base, "--max-growth", "0")
        assert run("check", *arguments, cwd=first.folder).returncode == 2
        code, answer = first.check(*arguments, "--allow-missing-base")
        assert (code, answer["ok"]) == (0, True)
        assert answer["statements"] == [f"net.yaml: growth is not checked without a base: {reason}"]


def test_a_base_that_can_be_no_file_is_an_error(tmp_path):
    (tmp_path / "net.yaml").write_text(net(), "utf-8")
    for base in ("lenet6", "."):
        arguments = ("net.yaml", "--base", base, "--max-growth", "0", "--allow-missing-base")
        assert run("check", *arguments, cwd=tmp_path).returncode == 2


def test_in_python_a_missing_base_is_not_ok(tmp_path):
    (tmp_path / "net.yaml").write_text(net(), "utf-8")
    spec = tmp_path / "net.yaml"
    check = convcost.check(spec, base="git:main", max_growth="1%")
    assert not check
    assert repr(check) == (
        "<Check ok=False: Growth was not checked: the base is not available; "
        "0 limits checked: 0 within, 0 exceeded, 2 not checked>"
    )
    assert convcost.check(spec, base="git:main", max_growth="1%", allow_missing_base=True).ok


def test_in_a_hook_of_another_repository_the_right_commit_is_read(repository, tmp_path):
    other = Repository(tmp_path / "other")
    other.write("net.yaml", net(4))
    other.commit()
    git = str(other.folder / ".git")
    around = {
        "GIT_DIR": git,
        "GIT_WORK_TREE": str(other.folder),
        "GIT_INDEX_FILE": f"{git}/index",
        "GIT_OBJECT_DIRECTORY": f"{git}/objects",
        "GIT_PREFIX": "x/",
    }
    arguments = ("net.yaml", "--base", "git:HEAD", *GROW, "--format", "json")
    answer = json.loads(run("check", *arguments, cwd=repository.folder, **around).stdout)
    assert answer["statements"] == []
    assert bases(answer) == {"net.yaml#net": (params(8), params(8))}


def test_the_index_of_a_commit_in_progress_does_not_change_the_base(repository, tmp_path):
    repository.git("mv", "net.yaml", "new.yaml")
    arguments = ("new.yaml", "--base", "git:HEAD", *GROW, "--format", "json")
    for environment in ({"GIT_INDEX_FILE": str(tmp_path / "none")}, {}):
        answer = json.loads(run("check", *arguments, cwd=repository.folder, **environment).stdout)
        assert answer["statements"] == ["new.yaml was net.yaml in HEAD"]


def lamed(tmp_path, word):
    """An environment in which git fails at one command."""
    real = shutil.which("git")
    script = f'#!/bin/sh\ncase " $* " in *" {word} "*) echo fatal: gone >&2; exit 128;; esac\n'
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").write_text(f'{script}exec {real} "$@"\n')
    (tmp_path / "bin/git").chmod(0o755)
    return {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}


UNCHECKED = "growth is not checked without a base: "
NO_TREE = "git cannot list the files of the commit: fatal: gone"
NO_BLOB = (
    "an object of the commit is missing, and convcost fetches nothing: fetch the commit with its "
    "files, without `--filter`"
)
NO_INDEX = "git cannot read its index: fatal: gone"


@pytest.mark.parametrize(
    ("word", "spec", "printed"),
    [
        ("ls-tree", ".", [f"net.yaml and 1 more: {UNCHECKED}{NO_TREE}"]),
        ("cat-file", "net.yaml", [f"net.yaml: {UNCHECKED}{NO_BLOB}"]),
        ("ls-files", ".", [f"net.yaml and 1 more: {UNCHECKED}{NO_INDEX}"]),
    ],
)  # fmt: skip
def test_an_error_of_git_is_a_statement(repository, tmp_path, word, spec, printed):
    repository.write("old.yaml", net())
    repository.commit()
    (repository.folder / "old.yaml").unlink()
    repository.write("new.yaml", net())
    arguments = ("check", spec, "--base", "git:HEAD", *GROW, "--format", "json")
    ran = run(*arguments, cwd=repository.folder, **lamed(tmp_path, word))
    assert ran.returncode == 2
    assert json.loads(ran.stdout)["statements"] == printed


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_base_in_another_encoding_is_named_as_the_reason(repository, encoding):
    (repository.folder / "net.yaml").write_text(f"note: é\n{net()}", encoding)
    repository.commit()
    repository.write("net.yaml", net())
    _, answer = repository.check("net.yaml", "--base", "git:HEAD", *GROW)
    (printed,) = answer["statements"]
    assert printed == (
        "net.yaml: its base is not a valid spec (it is not UTF-8 text): growth is not "
        "checked; fix the base or name another"
    )


# Configuration


@pytest.mark.parametrize(
    ("budget", "changed"),
    [
        ("{params: {max: 999, grow: 0}}", False),
        ("{params: {grow: 0, max: 0.999k}}", False),
        ("{params: {max: 9999, grow: 0}}", True),
        ("{params: {max: 999}}", True),
        ("{params: {max: 999, grow: 0}, layers: [{match: stem, macs: {max: 1M}}]}", True),
        ("", True),
    ],
)
def test_a_changed_budget_of_a_spec_is_a_statement(repository, budget, changed):
    repository.write("net.yaml", net(budget="{params: {max: 999, grow: 0}}"))
    repository.commit("budget")
    repository.write("net.yaml", "# a line\n" + net(budget=budget))
    _, answer = repository.check("net.yaml", "--base", "git:HEAD", "--max-growth", "0")
    printed = "net.yaml: the budget of `net` has changed since HEAD"
    assert answer["statements"] == [printed] * changed


def test_a_changed_configuration_is_a_statement(repository):
    config = "budgets: [{params: {max: 9999}}]\n"
    repository.write("convcost.yaml", config)
    repository.write("models/a.yaml", net())
    repository.commit("budgets")

    def statements(*specs):
        return repository.check(*specs, "--base", "git:HEAD", "--max-growth", "0")[1]["statements"]

    assert statements("models", "net.yaml") == []
    repository.write("convcost.yaml", config.replace("\n", "\r\n"))  # as Git may check it out
    assert statements("models") == []
    repository.write("convcost.yaml", config.replace("9999", "99999"))
    assert statements("models") == ["convcost.yaml has changed since HEAD"]
    (repository.folder / "convcost.yaml").rename(repository.folder / "weak.txt")
    (repository.folder / "convcost.yaml").symlink_to("weak.txt")
    assert statements("models") == ["convcost.yaml has changed since HEAD"]
    repository.write("weak.txt", config)
    assert statements("models") == []
    # A nearer file replaces the other one.
    repository.write("models/convcost.yaml", config.replace("9999", "999999"))
    assert statements("models") == ["models/convcost.yaml is new: it is not in HEAD"]
    (repository.folder / "models/convcost.yaml").unlink()
    (repository.folder / "convcost.yaml").unlink()
    assert statements("models") == ["convcost.yaml is deleted; it was in HEAD"]


def test_a_configuration_above_a_spec_is_used_for_its_globs(repository):
    (repository.folder / "models").mkdir()
    repository.write("models/a.yaml", net())
    repository.write(
        "convcost.yaml",
        "budgets:\n"
        '  - {name: small, specs: ["models/*"], params: {max: 10}, message: Ask first.}\n',
    )
    code, answer = repository.check("models/a.yaml", "net.yaml")
    assert code == 1
    (finding,) = answer["findings"]
    assert (finding["budget"], finding["message"], finding["line"]) == ("small", "Ask first.", 2)
    assert answer["statements"] == ["1 network has no budget: net.yaml#net"]


def test_an_error_in_a_configuration_has_its_place(repository):
    repository.write("convcost.yaml", "budgets: [{parms: {max: 1}}]\n")
    ran = run("check", "net.yaml", cwd=repository.folder)
    assert ran.returncode == 2
    assert "a budget has no key `parms`" in ran.stderr.decode()
    assert "did you mean `params`?" in ran.stderr.decode()


# Requests


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["net.yaml"], "error: there is no limit to check for net.yaml"),
        (
            ["net.yaml", "--max-params", "4.3m"],
            "error: there is no unit `m`\nhelp: did you mean `M`?",
        ),
        (["net.yaml", "--max-growth", "2M%"], "error: `2M%` has a unit and a percent sign"),
        (["nope.yaml"], "error: there is no file `nope.yaml`"),
        (["net.yaml", "--base", "nope.yaml", "--max-growth", "1%"], "error: there is no file"),
        (["empty"], "error: there is no spec in `empty`"),
        (["net.yaml", "--allow-growth"], "error: --allow-growth needs --update-baseline"),
        (["gone.yaml", "--base", "git:main"], "error: there is no file `gone.yaml`"),
        (
            ["net.yaml", "--max-params", "1", "--base", "other.yaml", "-o", "json:other.yaml"],
            "error: --output would overwrite the input `other.yaml`",
        ),
        (["net.yaml", "--config", "no.yaml"], "error: cannot read `no.yaml`"),
        (
            ["net.yaml", "--max-growth", "1%"],
            (
                "error: --max-growth needs a base to measure growth against\n"
                "help: add one, such as --base git:origin/main...; "
                "a baseline .json or a spec is a base, too\n"
            ),
        ),
        (
            ["net.yaml", "--base", "main"],
            "error: there is no file and no shipped spec `main`\nhelp: a base is a commit, like ",
        ),
        (
            ["net.yaml", "--base", "no.json"],
            "error: there is no baseline `no.json`\nhelp: write it with --update-baseline",
        ),
        (
            ["net.yaml", "--max-params", "1", "-o", "plain:convcost.yaml"],
            "error: --output would overwrite the input `convcost.yaml`",
        ),
        (["convcost.yaml"], "error: `convcost.yaml` is a configuration, not a spec"),
        ([""], "error: `` is not the name of a spec"),
    ],
)
def test_an_invalid_check_exits_with_2(arguments, printed, repository):
    (repository.folder / "empty").mkdir()
    repository.write("convcost.yaml", "budgets: []")
    for name in ("gone.yaml", "other.yaml"):
        repository.write(name, net())
    repository.commit()
    repository.git("rm", "-q", "gone.yaml")
    ran = run("check", *arguments, cwd=repository.folder)
    assert ran.returncode == 2
    assert ran.stderr.decode().startswith(printed)
    assert "Traceback" not in ran.stderr.decode()


def test_with_exit_zero_a_failed_check_is_reported_and_passes(repository):
    ran = run("check", "net.yaml", "--max-params", "1", "--exit-zero", cwd=repository.folder)
    assert ran.returncode == 0
    assert "params over the max" in ran.stdout.decode()


def test_the_report_is_written_before_exit_1(repository):
    ran = run("check", "net.yaml", "--max-params", "1", "-o", "a.json", cwd=repository.folder)
    assert ran.returncode == 1
    assert json.loads((repository.folder / "a.json").read_text("utf-8"))["ok"] is False


def test_numbers_that_round_to_the_same_text_are_shown_in_full(repository):
    ran = run("check", "vgg16", "--max-params", "138357543")
    text = ran.stdout.decode()
    assert "138,357,543" in text
    assert "138,357,544  (+1)" in text


@pytest.mark.parametrize("rules", ["layers", "groups"])
@pytest.mark.parametrize("measure", ["depth", "receptive_field"])
def test_a_measure_of_the_whole_network_is_not_a_limit_of_a_rule(rules, measure):
    budget = f"{{{rules}: [{{match: stem, {measure}: {{min: 1}}}}]}}"
    ran = run("check", "-", text=net(budget=budget))
    assert ran.returncode == 2
    printed = ran.stderr.decode()
    assert printed.startswith(f"error[CC101]: a rule has no key `{measure}`")
    assert printed.count("error[") == 1


def test_the_growth_of_peak_memory_needs_a_base_with_tensors(tmp_path):
    (tmp_path / "net.yaml").write_text(net(9, "{peak_memory: {grow: 0, dtype: int8}}"), "utf-8")
    (tmp_path / "old.yaml").write_text(net(), "utf-8")
    returned, answer = checked("net.yaml", "--base", "old.yaml", cwd=tmp_path)
    finding = answer["findings"][0]
    grown = 9 * 6 * 6 + 8 * 6 * 6
    assert (returned, finding["base"], finding["found"]) == (1, PEAK, grown)
    run("check", "old.yaml", "--base", "base.json", "--update-baseline", cwd=tmp_path)
    baseline = json.loads((tmp_path / "base.json").read_text("utf-8"))
    baseline["specs"]["net.yaml"] = baseline["specs"].pop("old.yaml")
    (tmp_path / "base.json").write_text(json.dumps(baseline), "utf-8")
    returned, answer = checked("net.yaml", "--base", "base.json", cwd=tmp_path)
    assert returned == 0
    assert [(finding["level"], finding["reason"]) for finding in answer["findings"]] == [
        (
            "skipped",
            "a baseline file has counts, and no tensors, so its peak_memory is not known",
        )
    ]


def test_too_many_limits_of_the_layers_of_a_spec_are_refused(tmp_path, monkeypatch):
    """Two networks with 3 layers each, and a `max` and a `grow` for each layer."""
    budget = "{layers: [{match: '*', params: {max: 1M, grow: 1}}]}"
    (tmp_path / "net.yaml").write_text(
        f"{net(budget=budget)}---\n{net(budget=budget).replace('name: net', 'name: other')}"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("convcost.reports.check.evaluate.MAX_FINDINGS", 2 * 3 * 2)
    assert convcost.check("net.yaml").summary.checked == 2 * 3 * 2
    monkeypatch.setattr("convcost.reports.check.evaluate.MAX_FINDINGS", 2 * 3 * 2 - 1)
    with pytest.raises(convcost.UsageError) as error:
        convcost.check("net.yaml")
    assert str(error.value) == (
        "the budgets for `net.yaml` have more than 11 limits, each once for each layer that it "
        "applies to\nhelp: use fewer limits in `layers`, or limits in `groups`"
    )


def test_too_many_layers_of_the_groups_of_a_spec_are_refused(tmp_path, monkeypatch):
    """Two networks, and two groups with a limit each: of 3 and of 2 layers."""
    budget = "{groups: [{match: '*', params: {max: 1M}}, {match: body, macs: {max: 1M}}]}"
    (tmp_path / "net.yaml").write_text(
        f"{net(budget=budget)}---\n{net(budget=budget).replace('name: net', 'name: other')}"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("convcost.reports.check.evaluate.MAX_GROUPED", 2 * (3 + 2))
    assert convcost.check("net.yaml").ok
    monkeypatch.setattr("convcost.reports.check.evaluate.MAX_GROUPED", 2 * (3 + 2) - 1)
    with pytest.raises(convcost.UsageError) as error:
        convcost.check("net.yaml")
    assert str(error.value) == (
        "the groups of the budgets for `net.yaml` need more than 9 counts of its layers\n"
        "help: use fewer limits, or groups of fewer layers"
    )


def test_a_limit_in_bytes_names_its_dtype_and_the_tensors_at_the_peak():
    done = run("check", "-", text=net(budget="{peak_memory: {max: 575, dtype: int8}}"))
    assert "peak memory in int8 over the max" in done.stdout.decode()
    assert "most   stem 288, body/a 288\n" in done.stdout.decode()


@pytest.mark.parametrize(
    ("filters", "line"),
    [
        ((4, 4, 1, 1, 9), "most   conv_2 16, conv_5 9, conv_1 4, and 2 more, 1 of them with 4"),
        ((9, 1, 1, 1, 1), "most   conv_1 9, conv_2 9, conv_3 1, and 2 more with 1"),
        ((9, 4, 1, 1), "most   conv_2 36, conv_1 9, conv_3 4, and 1 more"),
        ((9, 4, 1), "most   conv_2 36, conv_1 9, conv_3 4"),
    ],
)
def test_a_finding_says_how_many_more_layers_there_are_and_how_many_equal_the_last_one(
    filters, line
):
    layers = "".join(f"  - {{conv: {number}, kernel: 1}}\n" for number in filters)
    head = "input: {channels: 1, size: 8}\nbudget: {params: {max: 1}}\nlayers:\n"
    assert line in run("check", "-", text=head + layers).stdout.decode().splitlines()


def test_a_growth_says_how_many_more_layers_grew_and_by_how_much(tmp_path):
    layers = 5 * "  - {conv: 1, kernel: 1, padding: same}\n"
    text = f"name: net\ninput: {{channels: 1, size: 8}}\nlayers:\n{layers}"
    (tmp_path / "base.yaml").write_text(text, "utf-8")
    (tmp_path / "net.yaml").write_text(text.replace("kernel: 1", "kernel: 3"), "utf-8")
    done = run("check", "net.yaml", "--base", "base.yaml", "--max-growth", "1%", cwd=tmp_path)
    grew = f"grew   conv_1 +{3 * 3 - 1}, conv_2 +{8}, conv_3 +{8}, and 2 more with +{8}"
    assert grew in done.stdout.decode().splitlines()


def test_the_growth_of_bytes_has_the_layers_whose_types_of_numbers_changed(tmp_path):
    text = """\
name: net
input: {channels: 3, size: 8}
dtype: int8
layers: [{conv: 8, kernel: 1, name: a}, {conv: 8, kernel: 1, name: b}, {conv: 8, kernel: 1}]
budget: {flash: {grow: 0}}
"""
    (tmp_path / "base.yaml").write_text(text, "utf-8")
    types = "{all: int8, layers: [{match: c, all: int16}, {match: a, all: float32}]}"
    changed = text.replace("int8", types, 1).replace("name: b", "name: c")
    (tmp_path / "net.yaml").write_text(changed, "utf-8")
    printed = run("check", "net.yaml", "--base", "base.yaml", cwd=tmp_path).stdout.decode()
    (growth,) = (line for line in printed.splitlines() if line.startswith("base "))
    stored = 8 * 3 + 8 * 8 + 8 * 8
    assert growth == f"base   {stored}  +{8 * 3 * 3 + 8 * 8} (+{100 * 136 / 152:.1f} %)"
    assert f"grew   a +{8 * 3 * 3}, c +{8 * 8}" in printed.splitlines()


def test_uncounted_macs_name_three_layers_and_how_many_more_there_are():
    layers = "".join(
        f"  - {{custom: c, name: c{n}, params: 0, macs: uncounted}}\n" for n in range(5)
    )
    text = f"input: {{channels: 1, size: 8}}\nbudget: {{macs: {{max: 1}}}}\nlayers:\n{layers}"
    answer = json.loads(run("check", "-", "--format", "json", text=text).stdout)
    reason = "their macs are uncounted: c0, c1, c2 and 2 more"
    assert [finding["reason"] for finding in answer["findings"]] == [reason]


def test_a_baseline_file_has_the_types_of_the_network_that_it_is_compared_with(tmp_path):
    text = net(budget="{flash: {grow: 0}}") + "dtype: int8\n"
    (tmp_path / "net.yaml").write_text(text, "utf-8")
    run("check", "net.yaml", "--base", "base.json", "--update-baseline", cwd=tmp_path)
    returned, answer = checked("net.yaml", "--base", "base.json", cwd=tmp_path)
    assert (returned, answer["findings"]) == (0, [])
    (tmp_path / "net.yaml").write_text(text.replace("conv: 8, kernel: 3", "conv: 9, kernel: 3"))
    returned, answer = checked("net.yaml", "--base", "base.json", cwd=tmp_path)
    finding = answer["findings"][0]
    assert (returned, finding["base"], finding["change"]) == (1, STEM + BODY, 27 + 8)


def test_a_baseline_file_keeps_the_types_of_its_numbers(tmp_path):
    text = net(budget="{flash: {grow: 0}}")
    path = tmp_path / "net.yaml"
    int8 = "dtype: {all: int8, biases: int32, layers: [{match: 'body*', weights: int4/32}]}\n"
    path.write_text(text + int8, "utf-8")
    run("check", "net.yaml", "--base", "base.json", "--update-baseline", cwd=tmp_path)
    stored = json.loads((tmp_path / "base.json").read_text("utf-8"))["specs"]["net.yaml"]["net"]
    assert stored["dtype"] == {
        "all": "int8,biases=int32",
        "layers": [{"match": "body*", "dtype": "weights=int4/32"}],
    }
    assert checked("net.yaml", "--base", "base.json", cwd=tmp_path)[0] == 0
    path.write_text(text, "utf-8")
    returned, answer = checked("net.yaml", "--base", "base.json", cwd=tmp_path)
    finding = answer["findings"][0]
    packed = 2 * (8 * 8 // 2 + 8 * 8 // 32 * 2)  # 4 bits each, and 2 bytes for 32 numbers
    assert (returned, finding["base"]) == (1, STEM + packed)
    assert finding["change"] == 4 * (STEM + BODY) - (STEM + packed)


@pytest.mark.parametrize(
    ("dtype", "message"),
    [
        ("[]", "`dtype` is not a mapping"),
        ('{"all": 8}', "`all` of `dtype` is not text"),
        ('{"all": "int7"}', "there is no dtype `int7`"),
        ('{"all": "int8", "layers": {}}', "`layers` of `dtype` is not a list"),
        ('{"all": "int8", "layers": [{"match": "a"}]}', "`dtype` of `dtype` is not text"),
    ],
)
def test_wrong_types_in_a_baseline_file_are_an_error(dtype, message, tmp_path):
    (tmp_path / "net.yaml").write_text(net() + "dtype: int8\n", "utf-8")
    run("check", "net.yaml", "--base", "base.json", "--update-baseline", cwd=tmp_path)
    base = tmp_path / "base.json"
    text = base.read_text("utf-8")
    base.write_text(text.replace('{"all": "int8"}', dtype), "utf-8")
    done = run("check", "net.yaml", "--base", "base.json", "--max-growth", "1%", cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stdout.decode()


def test_a_deployed_network_is_checked_against_the_limits_of_the_command_line(tmp_path):
    """RepVGG-A0 has 9,108,968 params as it is trained, and 8,309,384 as it is deployed."""
    assert run("check", "repvgg_a0", "--max-params", "8309384").returncode == 1
    done = run("check", "repvgg_a0", "--deploy", "--max-params", "8309384")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"RepVGG-a0 (deployed): 44 batch norms folded" in done.stdout
    failed = convcost.check("repvgg_a0", max_params=8_309_383, deploy=True)
    assert not failed.ok
    assert [finding.found for finding in failed.findings()] == [8_309_384]

    # Limits that are written for the trained network do not apply, unless --config names them.
    text = "input: {channels: 3, size: 8}\nlayers: [{conv: 4, kernel: 3}, batch_norm]\n"
    (tmp_path / "net.yaml").write_text(f"{text}budget: {{buffers: {{min: 8}}}}\n")
    (tmp_path / "convcost.yaml").write_text("budgets: [{buffers: {min: 8}}]\n")

    def code(*options):
        return run("check", "net.yaml", *options, cwd=tmp_path).returncode

    assert code() == code("--deploy", "--max-params", "1k") == 0
    assert code("--deploy", "--config", "convcost.yaml") == 1
    done = run("check", "net.yaml", "--deploy", cwd=tmp_path)
    assert (done.returncode, done.stderr.decode().splitlines()[-1]) == (
        2,
        "help: add --max-params 5M or --config; a budget in a spec limits the trained network",
    )


def test_a_deployed_network_has_no_base():
    done = run("check", "resnet18", "--deploy", "--base", "git:HEAD", "--max-growth", "1%")
    message = "error: a check with `deploy` accepts no base; check the growth without `deploy`\n"
    assert (done.returncode, done.stderr.decode()) == (2, message)
