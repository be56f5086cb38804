"""`convcost check`: budgets, growth over a base, exit codes; on real repositories of git."""

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

from convcost.errors import Place
from convcost.findings import Growth
from convcost.network import Budget, Limit
from convcost.questions.check.evaluate import Held, findings
from convcost.questions.check.measures import measured

HERE = Place(1, 1, 1, 2)


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
        ("{largest_activation: {max: 287}}", 1, {"largest_activation": ("max", 8 * 6 * 6, 1)}),
    ],
)  # fmt: skip
def test_a_limit_is_held_against_the_exact_count(budget, code, found):
    returned, answer = checked("-", text=net(budget=budget))
    told = {f["measure"]: (f["test"], f["found"], f["over"]) for f in answer["findings"]}
    assert (returned, told) == (code, found)
    assert answer["ok"] == (code == 0)


@pytest.mark.parametrize(
    ("name", "depth"), [("vgg16", 16), ("googlenet", 22), ("resnet50", 50), ("alexnet", 8)]
)
def test_depth_is_counted_as_papers_count_it(name, depth):
    from support import shipped

    assert measured(shipped(name)).depth == depth


@given(most=st.integers(0, 2000), more=st.integers(0, 2000))
def test_loosening_a_limit_never_fails_what_passed(most, more):
    network = measured(cost(net()))

    def ok(limit: int) -> bool:
        budget = Budget(total=(Limit("params", HERE, max=limit),))
        return all(f.level != "error" for f in findings(Held("x", network, (("x", budget),))))

    assert not ok(most) or ok(most + more)


@given(part=st.integers(0, 500), floor=st.integers(0, 500))
def test_growth_over_itself_is_none(part, floor):
    network = measured(cost(net()))
    limits = tuple(
        Limit(measure, HERE, grow=(part, 10_000), grow_floor=floor)
        for measure in ("params", "macs", "depth")
    )
    held = Held("x", network, (("x", Budget(total=limits)),), network)
    assert [f.level for f in findings(held)] == ["passed"] * 3


@given(
    before=st.integers(0, 10**12), grown=st.integers(-(10**9), 10**9), percent=st.integers(0, 300)
)
def test_growth_is_compared_exactly(before, grown, percent):
    allowed = Growth(percent, 100, 0, f"{percent} %").allows(before, before + grown)
    assert allowed == (grown <= 0 or grown * 100 <= before * percent)


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


def test_a_spec_that_was_renamed_is_compared_with_what_it_was(repository):
    repository.git("mv", "net.yaml", "new.yaml")
    code, answer = repository.check(
        "new.yaml", "--base", "git:main", "--max-growth", "0", "--report-passed"
    )
    assert code == 0
    assert [f["change"] for f in answer["findings"]] == [0, 0]
    assert "new.yaml: was net.yaml in main" in answer["statements"]


@pytest.mark.parametrize("spoilt", ["not: a spec\n", "layers: [", "\x00"])
def test_a_base_that_cannot_be_read_leaves_the_other_limits(repository, spoilt):
    repository.write("net.yaml", spoilt)
    repository.commit("spoilt")
    repository.write("net.yaml", net(budget="{params: {max: 1}}"))
    code, answer = repository.check("net.yaml", "--base", "git:main", "--max-growth", "1%")
    assert code == 1
    assert [f["level"] for f in answer["findings"]] == ["error", "skipped", "skipped"]
    assert answer["statements"][0].startswith("net.yaml: its base is no spec (")


def test_a_spec_that_is_new_has_no_base_and_is_said_to_be(repository):
    repository.write("other.yaml", net(4, "{params: {max: 1M, grow: 1%}}"))
    code, answer = repository.check("other.yaml", "--base", "git:main")
    assert code == 0
    assert answer["statements"] == ["other.yaml: new, not in main: growth is not checked"]


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
    assert code == 0
    assert "fetch-depth: 0" in answer["statements"][0]


def test_a_detached_head_is_no_matter(repository):
    repository.git("switch", "-q", "--detach", "HEAD")
    assert repository.check("net.yaml", "--base", "git:main", "--max-growth", "0")[0] == 0


@pytest.mark.parametrize("ref", ["nope", "--output=x", "", "main:net.yaml", "$(touch x)"])
def test_a_ref_that_is_none_is_a_statement_and_runs_nothing(repository, ref):
    code, answer = repository.check("net.yaml", "--base", f"git:{ref}", "--max-growth", "1%")
    assert code == 0
    assert answer["statements"][0].startswith("net.yaml: no base, growth is not checked: ")
    assert [path.name for path in repository.folder.iterdir()] in (
        [".git", "net.yaml"],
        ["net.yaml", ".git"],
    )


def test_outside_a_repository_there_is_no_base(tmp_path):
    (tmp_path / "net.yaml").write_text(net(), "utf-8")
    code, answer = checked("net.yaml", "--base", "git:main", "--max-growth", "1%", cwd=tmp_path)
    assert code == 0
    assert "is not in a git repository" in answer["statements"][0]


@pytest.mark.parametrize("where", ["git:main", "base.json"])
def test_specs_and_networks_that_the_change_deletes_are_told(repository, where):
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
        "git:main": ["models/moved.yml: was models/deep.yml in main"],
        "base.json": ["models/moved.yml: new, not in base.json: growth is not checked"],
    }
    deleted = {
        "git:main": ["models/old.yaml: deleted, was in main"],
        "base.json": [
            "models/deep.yml: deleted, was in base.json",
            "models/old.yaml: deleted, was in base.json",
        ],
    }
    gone = f"models/two.yaml: `one` is deleted, was in {name}"
    assert answer["statements"] == [*moved[where], gone, *deleted[where]]
    assert code == 0


def test_a_network_of_another_name_in_the_same_file_is_the_same_network(repository):
    repository.write("net.yaml", net(9).replace("name: net", "name: wider"))
    code, answer = repository.check("net.yaml", "--base", "git:main", "--max-growth", "1%")
    assert code == 1
    assert {f["base"] for f in answer["findings"]} == {STEM + BODY, (STEM + BODY) * 6 * 6}
    assert answer["statements"] == ["net.yaml: `wider` was `net` in main"]


def test_another_input_than_the_base_s_is_told(repository):
    repository.write("net.yaml", net().replace("size: 8", "size: 9"))
    _, answer = repository.check("net.yaml", "--base", "git:main", "--max-growth", "90%")
    assert answer["statements"] == ["net.yaml: `net` takes 9×9×3, and took 8×8×3 in main"]


def test_what_leaves_many_specs_without_a_base_is_said_once(repository):
    for number in range(3):
        repository.write(f"net_{number}.yaml", net())
    code, answer = repository.check(".", "--base", "git:nope", "--max-growth", "1%")
    assert code == 0
    (said,) = answer["statements"]
    reason = "there is no commit `nope`: fetch it, or name another"
    assert said == f"net.yaml and 3 more: no base, growth is not checked: {reason}"


def calls_of_git(folder: Path, *arguments: str) -> list[str]:
    trace = folder.parent / "trace"
    ran = run("check", *arguments, cwd=folder, GIT_TRACE=str(trace))
    assert ran.returncode == 0, ran.stderr.decode()
    lines = trace.read_text("utf-8").splitlines()
    trace.unlink()
    return [line.split("git ", 2)[-1].split()[0] for line in lines if "built-in: git " in line]


def test_git_is_called_as_often_for_many_specs_as_for_one(repository):
    for number in range(20):
        repository.write(f"models/{number}.yaml", net())
    repository.commit()
    repository.git("mv", "models/7.yaml", "models/seven.yaml")
    asked = ("--base", "git:main", "--max-growth", "1%")
    one = calls_of_git(repository.folder, "models/seven.yaml", *asked)
    many = calls_of_git(repository.folder, "models", *asked)
    assert one == many == ["rev-parse", "rev-parse", "ls-tree", "diff", "diff", "cat-file"]


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


def test_a_spec_that_is_a_link_out_of_the_repository_is_looked_up_where_it_is(repository, tmp_path):
    (tmp_path / "outside.yaml").write_text(net(), "utf-8")
    (repository.folder / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    code, answer = repository.check("link.yaml", "--base", "git:main", "--max-growth", "1%")
    assert code == 0
    assert "is not in a git repository" in answer["statements"][0]


def test_a_name_that_git_would_quote_is_found(repository):
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


def test_a_network_that_is_picked_has_its_base(repository):
    repository.write("two.yaml", TWO)
    repository.commit()
    repository.write("two.yaml", TWO.replace("conv: 4", "conv: 5"))
    code, answer = repository.check("two.yaml#B", "--base", "git:HEAD", *GROW)
    assert (code, bases(answer)) == (1, {"two.yaml#B": (params(5), params(4))})
    assert answer["statements"] == []
    repository.write("net.yaml", net(9).replace("name: net", "name: wider"))
    _, answer = repository.check("net.yaml#wider", "--base", "git:HEAD", *GROW)
    assert bases(answer) == {"net.yaml#wider": (params(9), params(8))}
    assert answer["statements"] == ["net.yaml: `wider` was `net` in HEAD"]


def test_a_network_that_is_picked_is_the_base(repository):
    repository.write("two.yaml", TWO)
    for pick, filters in (("A", 8), ("B", 4)):
        _, answer = repository.check("net.yaml", "--base", f"two.yaml#{pick}", *GROW)
        assert bases(answer) == {"net.yaml#net": (params(8), params(filters))}
        assert answer["statements"] == [f"net.yaml: `net` was `{pick}` in two.yaml#{pick}"]
    ran = run("check", "net.yaml", "--base", "two.yaml#C", *GROW, cwd=repository.folder)
    said = "error: there is no document `C` in `two.yaml`\nhelp: known here: `A`, `B`\n"
    assert (ran.returncode, ran.stderr.decode()) == (2, said)


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


def test_a_file_that_git_is_not_told_of_yet_is_found_as_renamed(repository):
    repository.write("other.yaml", TWO)
    repository.commit()
    for name in ("net.yaml", "other.yaml"):
        (repository.folder / name).unlink()
    repository.write("z.yaml", net(9))
    repository.write("y.yaml", TWO)
    repository.write("new.yaml", "input: {channels: 1, size: 1}\nlayers: [{conv: 1, kernel: 1}]\n")
    _, answer = repository.check(".", "--base", "git:HEAD", *GROW)
    assert answer["statements"] == [
        "new.yaml: new, not in HEAD: growth is not checked",
        "y.yaml: was other.yaml in HEAD",
        "z.yaml: was net.yaml in HEAD",
    ]
    assert bases(answer)["z.yaml#net"] == (params(9), params(8))


def test_the_merge_base_is_where_a_branch_parted(repository):
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
    (said,) = answer["statements"]
    assert said == "new.yaml: new, not in the merge base with main: growth is not checked"


def test_branches_without_a_commit_in_common_have_no_merge_base(repository):
    repository.git("switch", "-q", "--orphan", "other")
    repository.write("net.yaml", net())
    repository.commit()
    _, answer = repository.check("net.yaml", "--base", "git:main...", *GROW)
    reason = "`main` and `HEAD` have no commit in common: name another"
    assert answer["statements"] == [f"net.yaml: no base, growth is not checked: {reason}"]


UNMET = "Within all that was checked; growth was not checked"


@pytest.mark.parametrize(
    ("asked", "code"),
    [("git:main", 0), ("git:nope", 2), ("git:nope...", 2), ("git:bad", 2), ("bad.yaml", 2)],
)
def test_a_base_that_cannot_be_had_is_not_within_all_budgets(repository, asked, code):
    repository.write("bad.yaml", "no: spec")
    repository.git("switch", "-q", "-c", "bad")
    repository.write("net.yaml", "no: spec")
    repository.commit()
    repository.git("switch", "-q", "main")
    repository.write("bad.yaml", "no: spec")
    arguments = ("net.yaml", "--base", asked, "--max-growth", "1%", "-o", "plain:out.txt")
    folder = repository.folder
    assert run("check", *arguments, cwd=folder).returncode == 0
    text = (folder / "out.txt").read_text("utf-8")
    headline = (
        "Within all that was checked; growth was not checked" if code else "Within all budgets"
    )
    assert text.startswith(f"{headline}\n") or f"\n{headline}\n" in text
    (folder / "out.txt").unlink()
    ran = run("check", *arguments, "--require-base", cwd=folder)
    assert ran.returncode == code
    assert (folder / "out.txt").read_text("utf-8") == text
    said = f"wrote out.txt\nerror: the base `{asked}` cannot be had, see the report\n"
    assert ran.stderr.decode() == (said if code else "wrote out.txt\n")


def test_a_hook_of_another_repository_does_not_lead_git_astray(repository, tmp_path):
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


def test_a_hook_sees_what_is_about_to_be_committed(repository, tmp_path):
    folder = repository.folder
    index = str(tmp_path / "index")
    # Both in no other index than that of the commit in progress: a rename to less than half.
    repository.write("new.yaml", net(9) + "".join(f"x-{n}: 1\n" for n in range(9)))
    (folder / "net.yaml").unlink()
    around = {"GIT_INDEX_FILE": index}
    command = ["git", "add", "-A"]
    subprocess.run(command, cwd=folder, check=True, env={**os.environ, **around})
    arguments = ("new.yaml", "--base", "git:HEAD", *GROW, "--format", "json")
    for environment, said in (
        (around, "new.yaml: was net.yaml in HEAD"),
        ({}, "new.yaml: new, not in HEAD: growth is not checked"),
    ):
        answer = json.loads(run("check", *arguments, cwd=folder, **environment).stdout)
        assert answer["statements"] == [said]


def lamed(tmp_path, word):
    """An environment in which git fails at one command."""
    real = shutil.which("git")
    script = f'#!/bin/sh\ncase " $* " in *" {word} "*) echo fatal: gone >&2; exit 128;; esac\n'
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").write_text(f'{script}exec {real} "$@"\n')
    (tmp_path / "bin/git").chmod(0o755)
    return {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}


NO_TREE = "git cannot list the files of the commit: fatal: gone"
NO_BLOB = "an object of the commit is not here: fetch it with its files"
NOT_SURE = "new.yaml: not in HEAD under this name, and "
NO_DIFF = "git cannot tell what was renamed: fatal: gone"


@pytest.mark.parametrize(
    ("word", "spec", "said"),
    [
        ("ls-tree", ".", [f"net.yaml and 1 more: no base, growth is not checked: {NO_TREE}",
                          f".: what is deleted cannot be told: {NO_TREE}"]),
        ("cat-file", "net.yaml", [f"net.yaml: no base, growth is not checked: {NO_BLOB}"]),
        ("diff", ".", [f"{NOT_SURE}{NO_DIFF}: growth is not checked",
                       f".: what is deleted cannot be told: {NO_DIFF}"]),
    ],
)  # fmt: skip
def test_whatever_git_fails_at_is_a_statement(repository, tmp_path, word, spec, said):
    repository.write("old.yaml", net())
    repository.commit()
    (repository.folder / "old.yaml").unlink()
    repository.write("new.yaml", net())
    arguments = ("check", spec, "--base", "git:HEAD", *GROW, "--format", "json")
    ran = run(*arguments, cwd=repository.folder, **lamed(tmp_path, word))
    assert ran.returncode == 0, ran.stderr.decode()
    assert json.loads(ran.stdout)["statements"] == said


def test_a_deleted_argument_is_no_fault_of_the_program_where_git_fails(repository, tmp_path):
    environment = lamed(tmp_path, "ls-tree")
    arguments = ("check", "gone.yaml", "--base", "git:HEAD", "--max-growth", "1%")
    ran = run(*arguments, cwd=repository.folder, **environment)
    assert ran.returncode == 2
    assert ran.stderr.decode().startswith("error: there is no file `gone.yaml`")


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_base_in_another_encoding_is_said_to_be_that(repository, encoding):
    (repository.folder / "net.yaml").write_text(f"note: é\n{net()}", encoding)
    repository.commit()
    repository.write("net.yaml", net())
    _, answer = repository.check("net.yaml", "--base", "git:HEAD", *GROW)
    (said,) = answer["statements"]
    assert said == (
        "net.yaml: its base is no spec (it is not UTF-8 text): growth is not checked; mend the "
        "base or name another"
    )


# Configuration


def test_a_configuration_above_a_spec_is_found_and_meant_for_some(repository):
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
    assert answer["statements"] == ["1 of the networks has no budget: net.yaml#net"]


def test_a_configuration_with_a_mistake_is_shown_where_it_is(repository):
    repository.write("convcost.yaml", "budgets: [{parms: {max: 1}}]\n")
    ran = run("check", "net.yaml", cwd=repository.folder)
    assert ran.returncode == 2
    assert "a budget has no key `parms`" in ran.stderr.decode()
    assert "did you mean `params`?" in ran.stderr.decode()


# Requests


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["net.yaml"], "error: there is no limit to check for net.yaml"),
        (["net.yaml", "--max-params", "4.3m"], "error: `m` is no unit; did you mean 4.3M?"),
        (["net.yaml", "--max-growth", "2M%"], "error: `2M%` has a unit and a percent sign; "),
        (["nope.yaml"], "error: there is no file `nope.yaml`"),
        (["net.yaml", "--base", "nope.yaml", "--max-growth", "1%"], "error: there is no file"),
        (["empty"], "error: there is no spec in `empty`"),
        (["net.yaml", "--allow-growth"], "error: --allow-growth is for --update-baseline"),
        (
            ["gone.yaml", "--base", "git:main"],
            "error: there is no file `gone.yaml`: it was in main, and is deleted",
        ),
        (
            ["old", "--base", "git:main"],
            "error: there is no file `old`: it was in main, and is deleted",
        ),
        (
            ["old/a.yaml#net", "--base", "git:main"],
            "error: there is no file `old/a.yaml`: it was in main, and is deleted",
        ),
        (["never.yaml", "--base", "git:main"], "error: there is no file `never.yaml`"),
        (
            ["net.yaml", "--base", "other.yaml", "-o", "json:other.yaml"],
            "error: --output would overwrite the base `other.yaml`",
        ),
        (["net.yaml", "--config", "no.yaml"], "error: cannot read `no.yaml`"),
        (
            ["net.yaml", "--max-growth", "1%"],
            "error: --max-growth is growth over a base, and none is named\nhelp: ",
        ),
        (["net.yaml", "--require-base"], "error: --require-base is for --base"),
        (
            ["net.yaml", "--base", "main"],
            "error: there is no file `main` to be the base; did you mean `git:main`?\n",
        ),
        (
            ["net.yaml", "--base", "no.json"],
            "error: there is no baseline `no.json`\nhelp: write it with --update-baseline",
        ),
        (
            ["net.yaml", "--max-params", "1", "-o", "plain:convcost.yaml"],
            "error: --output would overwrite the configuration `convcost.yaml`",
        ),
        (["convcost.yaml"], "error: `convcost.yaml` is a configuration, no spec"),
        ([""], "error: `` names no spec"),
    ],
)
def test_what_cannot_be_checked_never_reads_as_a_budget(arguments, said, repository):
    (repository.folder / "empty").mkdir()
    repository.write("convcost.yaml", "budgets: []")
    for name in ("gone.yaml", "old/a.yaml", "other.yaml"):
        repository.write(name, net())
    repository.commit()
    repository.git("rm", "-q", "-r", "gone.yaml", "old")
    ran = run("check", *arguments, cwd=repository.folder)
    assert ran.returncode == 2
    assert ran.stderr.decode().startswith(said)
    assert "Traceback" not in ran.stderr.decode()


def test_exit_zero_tells_and_lets_pass(repository):
    ran = run("check", "net.yaml", "--max-params", "1", "--exit-zero", cwd=repository.folder)
    assert ran.returncode == 0
    assert "params over the max" in ran.stdout.decode()


def test_an_answer_is_written_before_a_failing_exit(repository):
    ran = run("check", "net.yaml", "--max-params", "1", "-o", "a.json", cwd=repository.folder)
    assert ran.returncode == 1
    assert json.loads((repository.folder / "a.json").read_text("utf-8"))["ok"] is False


def test_numbers_that_rounding_would_make_alike_are_shown_in_full(repository):
    ran = run("check", "vgg16", "--max-params", "138357543")
    text = ran.stdout.decode()
    assert "138,357,543" in text
    assert "138,357,544  (+1)" in text


@pytest.mark.parametrize("rules", ["layers", "groups"])
@pytest.mark.parametrize("measure", ["depth", "receptive_field"])
def test_what_only_a_whole_network_has_is_no_limit_of_a_rule(rules, measure):
    budget = f"{{{rules}: [{{match: stem, {measure}: {{min: 1}}}}]}}"
    ran = run("check", "-", text=net(budget=budget))
    assert ran.returncode == 2
    said = ran.stderr.decode()
    assert said.startswith(f"error[CC101]: a rule has no key `{measure}`")
    assert said.count("error[") == 1
