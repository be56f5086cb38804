"""`convcost.yaml`: which budgets are for a spec, how they are written, and what came to nothing."""

import os
import shutil
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repository import BODY, STEM, checked, net
from support import ROOT, messages, run

from convcost.errors import Refusal, Source, SpecError
from convcost.files.above import above
from convcost.spec.config import config
from convcost.spec.limits import growth, in_bytes
from convcost.units import whole_figure

PARAMS = STEM + BODY
ONE = "budgets: [{params: {max: 1}}]\n"


@pytest.fixture
def project(tmp_path):
    """A repository's folder, without git: only where it begins matters."""
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    (folder / "models" / "small").mkdir(parents=True)
    for name in ("net.yaml", "models/a.yaml", "models/small/b.yaml"):
        (folder / name).write_text(net(), "utf-8")
    return folder


def configured(project, text, *specs):
    (project / "convcost.yaml").write_text(text, "utf-8")
    return checked(*(specs or ("net.yaml",)), cwd=project)


def refused(text):
    with pytest.raises(SpecError) as caught:
        config(Source("convcost.yaml", text))
    return str(caught.value)


# Rules of layers and groups


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("layers: [{match: stem, params: {max: 1}}]", [("layer", "stem", STEM)]),
        ("layers: [{match: 'body/?', params: {max: 1}}]",
            [("layer", "body/a", BODY // 2), ("layer", "body/b", BODY // 2)]),
        ("layers: [{match: '*', params: {max: 64}}]", [("layer", "stem", STEM)]),
        ("groups: [{match: body, params: {max: 1}}]", [("group", "body", BODY)]),
    ],
)  # fmt: skip
def test_rules_of_a_configuration_hold_for_the_layers_they_match(project, rule, told):
    code, answer = configured(project, f"budgets: [{{{rule}}}]")
    assert code == 1
    assert [(f["scope"], f["path"], f["found"]) for f in answer["findings"]] == told
    assert answer["statements"] == []


def test_a_rule_that_matches_no_layer_of_any_spec_is_told_and_is_not_within(project):
    text = (
        "budgets:\n"
        "  - params: {max: 1M}\n"
        "    layers: [{match: hed, params: {max: 1}}]\n"
        "    groups: [{match: 'stage*', macs: {max: 1}}, {match: stem, macs: {max: 1G}}]\n"
    )
    code, answer = configured(project, text, "net.yaml", "models")
    assert code == 0
    assert answer["summary"] == {
        "checked": 6, "passed": 6, "exceeded": 0, "warned": 0, "skipped": 0
    }  # fmt: skip
    assert answer["statements"] == [
        "convcost.yaml:4: `stage*` matches no layer of the specs it is for",
        "convcost.yaml:3: `hed` matches no layer of the specs it is for",
    ]


def test_a_rule_that_one_of_the_specs_has_a_layer_for_is_not_told(project):
    (project / "net.yaml").write_text(net().replace("stem", "head"), "utf-8")
    text = "budgets: [{groups: [{match: head, params: {max: 1M}}]}]"
    _, answer = configured(project, text, "net.yaml", "models", "--report-passed")
    assert answer["statements"] == []
    assert [(f["spec"], f["found"]) for f in answer["findings"]] == [("net.yaml", STEM)]


def test_a_min_of_a_group_is_not_reached_by_nothing(project):
    text = "budgets: [{groups: [{match: head, params: {min: 1}}]}]"
    code, answer = configured(project, text)
    assert (code, [f["found"] for f in answer["findings"]]) == (1, [0])


def test_where_nothing_has_a_limit_what_came_to_nothing_is_told(project):
    (project / "convcost.yaml").write_text("budgets: [{specs: x/*, params: 1}]", "utf-8")
    ran = run("check", "net.yaml", cwd=project)
    assert ran.returncode == 2
    assert ran.stderr.decode().startswith(
        "error: there is no limit to check for net.yaml\n"
        "note: convcost.yaml:1: this budget is for no file: none matches `x/*`\n"
    )


def test_a_mistake_in_a_layer_makes_no_rule_of_the_spec_wrong(project):
    text = net(budget="{layers: [{match: stem, params: {max: 1}}]}")
    assert messages(text.replace("kernel: 3", "kernal: 3")) == [
        "4:15 CC101 conv has no option `kernal`"
    ]


# Which specs a budget is for


@pytest.mark.parametrize(
    ("glob", "covered"),
    [
        ("net.yaml", ["net.yaml"]),
        ("./net.yaml", ["net.yaml"]),
        ("././models/*", ["models/a.yaml", "models/small/b.yaml"]),
        ("**/*.yaml", ["models/a.yaml", "models/small/b.yaml", "net.yaml"]),
        ("**/net.yaml", ["net.yaml"]),
        ("**/**/net.yaml", ["net.yaml"]),
        ("models/**/a.yaml", ["models/a.yaml"]),
        ("models/**", ["models/a.yaml", "models/small/b.yaml"]),
        ("**/small/**/b.yaml", ["models/small/b.yaml"]),
        ("models/?.yaml", ["models/a.yaml"]),
    ],
)
def test_globs_are_of_paths_from_the_configuration(project, glob, covered):
    _, answer = configured(project, f"budgets: [{{specs: '{glob}', params: 1}}]", ".")
    assert sorted(f["spec"] for f in answer["findings"]) == covered
    assert not [said for said in answer["statements"] if "for no file" in said]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{name: small, specs: [models/sml_*.yaml, './x/**'], params: 1}",
            ("convcost.yaml:2: the budget `small` is for no file: none matches "
            "`models/sml_*.yaml`, `./x/**`")),
        ("{specs: models, params: 1}",
            ("convcost.yaml:2: this budget is for no file: none matches `models`; "
            "did you mean `models/*`?")),
        ("{specs: ../net.yaml, params: 1}",
            "convcost.yaml:2: this budget is for no file: none matches `../net.yaml`"),
    ],
)  # fmt: skip
def test_a_budget_for_no_file_there_is_is_told(project, entry, said):
    text = f"budgets:\n  - {entry}\n  - {{params: {{max: 1M}}}}\n"
    code, answer = configured(project, text)
    assert (code, answer["statements"]) == (0, [said])


def test_a_budget_for_files_that_were_not_asked_for_is_not_told(project):
    text = (
        "budgets: [{specs: 'models/*', params: 1}, {specs: 'm*/**/b.yaml', params: 1}, {macs: 1G}]"
    )
    assert configured(project, text)[1]["statements"] == []


def test_where_there_are_more_files_than_are_looked_at_nothing_is_told(project, monkeypatch):
    from convcost.files import on_disk

    (rules,) = config(Source("c", "budgets: [{specs: 'nope*', params: 1}]"))
    assert not on_disk.any_file((project,), rules)
    monkeypatch.setattr(on_disk, "MOST", 2)
    assert on_disk.any_file((project,), rules)


def test_a_glob_of_many_folders_is_refused_and_not_tried():
    text = f"budgets: [{{specs: '{'**/' * 60}x', params: 1}}]"
    assert refused(text) == ("convcost.yaml:1:19: error[CC112]: a glob takes `**/` 6 times at most")


def test_globs_are_relative_to_where_a_configuration_was_found_even_if_it_is_a_link(project):
    elsewhere = project.parent / "elsewhere.yaml"
    elsewhere.write_text("budgets: [{specs: models/a.yaml, params: 1}]", "utf-8")
    (project / "convcost.yaml").symlink_to(elsewhere)
    code, answer = checked("models/a.yaml", cwd=project)
    assert (code, [f["file"] for f in answer["findings"]]) == (1, ["convcost.yaml"])


def test_a_spec_that_is_a_link_is_meant_by_its_own_name(project):
    (project / "models" / "link.yaml").symlink_to(project / "net.yaml")
    text = "budgets: [{specs: models/link.yaml, params: 1}]"
    code, answer = configured(project, text, "models/link.yaml")
    assert (code, answer["statements"]) == (1, [])


# Where a configuration is looked for


def test_a_configuration_that_is_called_yml_is_told_for_a_spec_and_for_a_folder(project):
    (project / "convcost.yml").write_text(ONE, "utf-8")
    for spec in ("net.yaml", "models/a.yaml", "models", "."):
        ran = run("check", spec, "--max-params", "1M", cwd=project)
        assert ran.returncode == 2
        assert ran.stderr.decode() == (
            "error: `convcost.yml` is not read; did you mean `convcost.yaml`?\n"
        )
    code, _ = checked("net.yaml", "--config", "convcost.yml", cwd=project)
    assert code == 1


def test_within_a_repository_it_is_looked_for_up_to_its_root(project):
    (project.parent / "convcost.yaml").write_text(ONE, "utf-8")
    assert above(project / "models") is None
    (project / "convcost.yaml").write_text(ONE, "utf-8")
    assert above(project / "models" / "small") == project / "convcost.yaml"


def test_outside_of_repositories_it_is_looked_for_up_to_home_or_the_current_folder(
    tmp_path, monkeypatch
):
    deep = tmp_path / "home" / "project" / "models"
    deep.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.chdir(tmp_path / "home" / "project")
    for folder in (tmp_path, tmp_path / "home"):
        (folder / "convcost.yaml").write_text(ONE, "utf-8")
    assert above(deep) is None
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert above(deep) == tmp_path / "home" / "convcost.yaml"
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    (tmp_path / "home" / "project" / "convcost.yaml").write_text(ONE, "utf-8")
    assert str(above(deep)) == "convcost.yaml"
    monkeypatch.chdir(ROOT)
    assert above(deep) is None
    (deep / "convcost.yaml").write_text(ONE, "utf-8")
    assert above(deep) == deep / "convcost.yaml"


@pytest.mark.skipif(sys.platform == "win32", reason="folders of all users are told by their mode")
def test_in_a_folder_of_all_users_only_ones_own_configuration_is_met(tmp_path, monkeypatch):
    (tmp_path / "convcost.yaml").write_text(ONE, "utf-8")
    tmp_path.chmod(0o1777)
    monkeypatch.setattr(os, "getuid", lambda: (tmp_path / "convcost.yaml").stat().st_uid)
    assert above(tmp_path) == tmp_path / "convcost.yaml"
    if (tmp_path / "convcost.yaml").stat().st_uid == 0:
        os.chown(tmp_path / "convcost.yaml", 12345, -1)
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    assert above(tmp_path) is None
    tmp_path.chmod(0o700)
    assert above(tmp_path) == tmp_path / "convcost.yaml"


@pytest.mark.skipif(sys.platform == "win32", reason="a current folder cannot be deleted there")
def test_a_check_works_where_the_current_folder_is_deleted(project, tmp_path):
    (project / "convcost.yaml").write_text(ONE, "utf-8")
    gone = tmp_path / "gone"
    gone.mkdir()
    ran = subprocess.run(
        ["/bin/sh", "-c", 'rmdir "$PWD" && exec "$@"', "sh", sys.executable, "-m", "convcost",
         "check", str(project / "net.yaml"), "--format", "concise"],
        cwd=gone, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (1, b"")
    shutil.rmtree(project)


# Numbers


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("4,3M", "write 4.3M"),
        ("4,30M", "write 4.30M"),
        ("4,300M", "write 4.300M or 4300M"),
        ("1,582,671k", "write 1582671k"),
        ("4,3", "write 4.3"),
        ("1,00,000", "write 100000"),
        ("1234,567", "write 1234.567"),
        ("0,5e6", "write 0.5e6"),
        ("1,000e3", "write 1.000e3"),
    ],
)
def test_a_comma_is_never_taken_for_what_it_may_not_be(text, message):
    with pytest.raises(Refusal) as caught:
        whole_figure(text)
    assert caught.value.message == (
        f"`{text}` is unclear: commas group thousands, and only where there is no unit"
    )
    assert caught.value.help == message


@given(st.integers(0, 10**15))
def test_thousands_that_are_grouped_are_read_as_they_are_written(number):
    assert whole_figure(f"{number:,}") == number
    assert whole_figure(f"{number:,}.0") == number


@given(st.text("0123456789,.", min_size=1, max_size=12))
def test_a_comma_is_read_only_as_it_would_be_written(text):
    try:
        found = whole_figure(text)
    except Refusal:
        return
    assert "," not in text or f"{found:,}" == text.partition(".")[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--max-params", "4,3M"], "write 4.3M"),
        (["--max-growth", "2,5%", "--base", "net.yaml"], "write 2.5%"),
        (["--max-growth", "0.02", "--base", "net.yaml"], "did you mean 2%?"),
        (["--max-growth", "0.125", "--base", "net.yaml"], "did you mean 12.5%?"),
        (["--max-growth", "2.5", "--base", "net.yaml"], "did you mean 2.5%?"),
    ],
)
def test_a_limit_that_is_not_read_comes_with_the_one_that_was_meant(project, arguments, said):
    ran = run("check", "net.yaml", *arguments, cwd=project)
    assert ran.returncode == 2
    assert said in ran.stderr.decode()


def test_a_growth_is_a_share_or_a_count():
    assert [growth(text) for text in ("2%", "2.5 %", "2", "20k", "1,000")] == [
        (2, 100), (25, 1000), 2, 20_000, 1000
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("500B", 500),
        ("500", 500),
        ("500 B", 500),
        ("4MB", 4 * 10**6),
        ("4 MB", 4 * 10**6),
        ("4MiB", 4 * 2**20),
        ("4Mi", 4 * 2**20),
        ("1.5kB", 1500),
        ("1,500", 1500),
        ("1,500B", 1500),
        ("2TB", 2 * 10**12),
    ],
)
def test_a_b_at_the_end_of_bytes_is_a_byte(text, count):
    assert in_bytes(text) == count
    keys = "{max: N, min: N, warn: N, grow: N, grow_floor: N}".replace("N", f'"{text}"')
    (one,) = config(Source("c", f"budgets: [{{bytes: {keys}}}]"))
    (limit,) = one.budget.total
    found = (limit.max, limit.min, limit.warn, limit.grow, limit.grow_floor)
    assert found == (count,) * 5
    (short,) = config(Source("c", f'budgets: [{{bytes: "{text}"}}]'))
    assert short.budget.total[0].max == count


@pytest.mark.parametrize("text", ["4BB", "B", "4MBB", "4MBi", "4,3MB"])
def test_no_other_b_is_one(text):
    with pytest.raises(Refusal):
        in_bytes(text)


def test_of_counts_a_b_is_a_billion():
    assert whole_figure("2B") == 2 * 10**9


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("params: {max: 3, grow_floor: 1}",
            "1:29: error[CC112]: grow_floor of params is for `grow`\n  help: add `grow: 2%`"),
        ("params: {max: 3, dtype: int8}",
            ("1:29: error[CC112]: params have no dtype: it is for `bytes`"
            "\n  help: bytes: {max: 4Mi, dtype: int8}")),
        ("params: {max: 3, warn: 4}",
            ("1:29: error[CC112]: warn of params is above its max"
            "\n  help: a warning comes before the max")),
        ("params: {max: 3, min: 4}", "1:29: error[CC112]: min of params is above its max"),
    ],
)  # fmt: skip
def test_a_setting_that_means_nothing_is_refused(limit, said):
    assert refused(f"budgets: [{{{limit}}}]") == f"convcost.yaml:{said}"


def test_a_warning_at_the_max_and_a_dtype_of_bytes_are_taken():
    config(Source("c", "budgets: [{params: {max: 3, warn: 3}, bytes: {max: 3, dtype: int8}}]"))
