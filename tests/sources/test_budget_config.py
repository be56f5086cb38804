"""`convcost.yaml`: which budgets apply to a spec, how limits are written, unused budgets."""

import fnmatch
import os
import shutil
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repository import BODY, STEM, Repository, checked, net
from support import ROOT, messages, run

from convcost.language import patterns
from convcost.language.budget_config import GlobIndex, read_config
from convcost.language.budgets import parse_bytes, parse_growth
from convcost.model.errors import ConstraintError, Source, SpecError, UsageError
from convcost.model.figures import parse_whole_figure
from convcost.reports.check.measures import LayerIndex
from convcost.sources.budget_config import BudgetConfigs
from convcost.sources.config_discovery import ConfigFinder
from convcost.sources.links import PathLinks

PARAMS = STEM + BODY
ONE = "budgets: [{params: {max: 1}}]\n"


@pytest.fixture
def project(tmp_path):
    """A repository's folder, without git: only where it begins matters."""
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git/HEAD").write_text("ref: refs/heads/main\n", "utf-8")
    (folder / "models" / "small").mkdir(parents=True)
    for name in ("net.yaml", "models/a.yaml", "models/small/b.yaml"):
        (folder / name).write_text(net(), "utf-8")
    return folder


def configured(project, text, *specs):
    (project / "convcost.yaml").write_text(text, "utf-8")
    return checked(*(specs or ("net.yaml",)), cwd=project)


def refusal(text):
    with pytest.raises(SpecError) as caught:
        read_config(Source("convcost.yaml", text))
    return str(caught.value)


# Rules of layers and groups


@pytest.mark.parametrize(
    ("rule", "reported"),
    [
        ("layers: [{match: stem, params: {max: 1}}]", [("layer", "stem", STEM)]),
        ("layers: [{match: 'body/?', params: {max: 1}}]",
            [("layer", "body/a", BODY // 2), ("layer", "body/b", BODY // 2)]),
        ("layers: [{match: '*', params: {max: 64}}]", [("layer", "stem", STEM)]),
        ("groups: [{match: body, params: {max: 1}}]", [("group", "body", BODY)]),
    ],
)  # fmt: skip
def test_a_rule_of_a_configuration_limits_the_layers_it_matches(project, rule, reported):
    code, answer = configured(project, f"budgets: [{{{rule}}}]")
    assert code == 1
    assert [(f["scope"], f["path"], f["found"]) for f in answer["findings"]] == reported
    assert answer["statements"] == []


def test_a_rule_that_matches_no_layer_is_a_statement_and_does_not_pass(project):
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
        "convcost.yaml:4: `stage*` matches no layer of its specs",
        "convcost.yaml:3: `hed` matches no layer of its specs",
    ]


def test_a_rule_that_matches_a_layer_of_one_spec_has_no_statement(project):
    (project / "net.yaml").write_text(net().replace("stem", "head"), "utf-8")
    text = "budgets: [{groups: [{match: head, params: {max: 1M}}]}]"
    _, answer = configured(project, text, "net.yaml", "models", "--report-passed")
    assert answer["statements"] == []
    assert [(f["spec"], f["found"]) for f in answer["findings"]] == [("net.yaml", STEM)]


def test_a_group_without_layers_does_not_reach_its_min(project):
    text = "budgets: [{groups: [{match: head, params: {min: 1}}]}]"
    code, answer = configured(project, text)
    assert (code, [f["found"] for f in answer["findings"]]) == (1, [0])


def test_without_any_limit_the_unused_budgets_are_notes(project):
    (project / "convcost.yaml").write_text("budgets: [{specs: x/*, params: 1}]", "utf-8")
    ran = run("check", "net.yaml", cwd=project)
    assert ran.returncode == 2
    assert ran.stderr.decode().startswith(
        "error: there is no limit to check for net.yaml\n"
        "note: convcost.yaml:1: this budget applies to no spec: no file matches `x/*`\n"
    )


def test_an_error_in_a_layer_causes_no_error_in_a_rule(project):
    text = net(budget="{layers: [{match: stem, params: {max: 1}}]}")
    assert messages(text.replace("kernel: 3", "kernal: 3")) == [
        "4:15 CC101 conv has no option `kernal`"
    ]


@pytest.mark.parametrize("other", [ONE, "budgets:", "- 1", "{}"])
def test_a_configuration_of_several_documents_is_refused(other):
    """Otherwise the budgets of all but the first have no effect."""
    assert refusal(f"{ONE}---\n{other}\n") == (
        "convcost.yaml:3:1: error[CC005]: a configuration must be one document\n"
        "  help: remove the line `---`, and put all budgets into one list"
    )


def test_an_empty_document_of_a_configuration_is_ignored(project):
    code, answer = configured(project, f"---\n---\n{ONE}---\n# the end\n")
    assert (code, [finding["limit"] for finding in answer["findings"]]) == (1, [1])


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
def test_a_glob_is_relative_to_the_folder_of_the_configuration(project, glob, covered):
    _, answer = configured(project, f"budgets: [{{specs: '{glob}', params: 1}}]", ".")
    assert sorted(f["spec"] for f in answer["findings"]) == covered
    assert not [printed for printed in answer["statements"] if "for no file" in printed]


@pytest.mark.parametrize(
    ("entry", "printed"),
    [
        ("{name: small, specs: [models/sml_*.yaml, './x/**'], params: 1}",
            ("convcost.yaml:2: the budget `small` applies to no spec: no file matches "
            "`models/sml_*.yaml`, `./x/**`")),
        ("{specs: models, params: 1}",
            ("convcost.yaml:2: this budget applies to no spec: no file matches `models`; "
            "did you mean `models/*`?")),
        ("{specs: ../net.yaml, params: 1}",
            "convcost.yaml:2: this budget applies to no spec: no file matches `../net.yaml`"),
        ("{specs: .//net.yaml, params: 1}",
            "convcost.yaml:2: this budget applies to no spec: no file matches `.//net.yaml`"),
        ("{specs: '', params: 1}",
            "convcost.yaml:2: this budget applies to no spec: no file matches ``"),
        ("{specs: [a, b, c, d, e, f], params: 1}",
            ("convcost.yaml:2: this budget applies to no spec: no file matches `a`, `b`, `c` "
            "and 3 more")),
    ],
)  # fmt: skip
def test_a_budget_whose_globs_match_no_file_is_a_statement(project, entry, printed):
    text = f"budgets:\n  - {entry}\n  - {{params: {{max: 1M}}}}\n"
    code, answer = configured(project, text)
    assert (code, answer["statements"]) == (0, [printed])


def test_a_budget_for_files_that_are_not_checked_has_no_statement(project):
    text = (
        "budgets: [{specs: 'models/*', params: 1}, {specs: 'm*/**/b.yaml', params: 1}, {macs: 1G}]"
    )
    assert configured(project, text)[1]["statements"] == []


def test_in_a_very_large_folder_no_glob_is_reported_as_unused(project, monkeypatch):
    from convcost.sources import budget_config

    text = "budgets: [{specs: 'nope*', params: 1}]"
    unused = "note: convcost.yaml:1: this budget applies to no spec: no file matches `nope*`"
    (project / "convcost.yaml").write_text(text, "utf-8")
    assert unused in run("check", "net.yaml", cwd=project).stderr.decode()
    monkeypatch.setattr(budget_config, "MAX_FILES", 2)
    assert unused not in run("check", "net.yaml", cwd=project).stderr.decode()


def test_each_pattern_of_a_configuration_is_compiled_once(monkeypatch):
    """`fnmatch` keeps 32,768 patterns. With more, it compiled each of them again for each spec."""
    compiled: list[str] = []

    def translate(pattern: str) -> str:
        compiled.append(pattern)
        return fnmatch.translate(pattern)

    monkeypatch.setattr(patterns, "translate", translate)
    globs = [f"only-here-{number}*" for number in range(100)]
    index = GlobIndex([globs])
    assert [index.matching(f"only-here-{path}/x") for path in (7, 8, "")] == [[0], [0], []]
    assert compiled == globs
    for _ in range(3):
        LayerIndex([]).matching("only-there-*")
    assert compiled[len(globs) :] == ["only-there-*"]


def test_a_rule_that_matches_only_layers_of_the_base_limits_their_growth(tmp_path):
    """Another spec has a layer that the rule matches, so no statement says that it matches none."""
    for kind in ("layers", "groups"):
        repository = Repository(tmp_path / kind)
        rule = "{match: 'body/a', params: {grow: 0, max: 1M}}"
        repository.write("convcost.yaml", f"budgets: [{{{kind}: [{rule}]}}]\n")
        repository.write("net.yaml", net())
        repository.write("other.yaml", net())
        repository.commit()
        grown = net().replace("1, name: a}", "3, padding: 1, name: c}")
        repository.write("net.yaml", grown)
        code, answer = repository.check(".", "--base", "git:main")
        (found,) = answer["findings"]
        path = "body/c" if kind == "layers" else "body/a"
        assert (found["path"], found["base"], found["change"]) == (path, 64, 8 * 64)
        # The `max` is checked for the layer of the other spec only.
        assert (code, answer["summary"]["checked"]) == (1, 3)


def test_a_glob_with_too_many_wildcards_is_refused():
    text = f"budgets: [{{specs: '{'**/' * 60}x', params: 1}}]"
    assert refusal(text) == (
        "convcost.yaml:1:19: error[CC112]: a glob can have `**/` at most 6 times"
    )


def test_globs_are_relative_to_a_linked_configuration(project):
    elsewhere = project / "models" / "small" / "budgets.txt"
    elsewhere.write_text("budgets: [{specs: models/a.yaml, params: 1}]", "utf-8")
    (project / "convcost.yaml").symlink_to(elsewhere)
    code, answer = checked("models/a.yaml", cwd=project)
    assert (code, [f["file"] for f in answer["findings"]]) == (1, ["convcost.yaml"])


@pytest.mark.parametrize("spec", ["models/a.yaml", "{}/models/a.yaml", "models/small/../a.yaml"])
def test_globs_of_a_named_configuration_match_a_spec_however_it_is_named(project, tmp_path, spec):
    config = tmp_path / "elsewhere" / "budgets.yaml"
    config.parent.mkdir()
    config.write_text("budgets: [{specs: 'models/*', params: 1}, {macs: 1G}]", "utf-8")
    code, answer = checked(spec.format(project), "--config", str(config), cwd=project)
    assert (code, answer["statements"]) == (1, [])
    assert [found["measure"] for found in answer["findings"]] == ["params"]


def test_a_glob_matches_the_name_of_a_link_not_its_target(project):
    (project / "models" / "link.yaml").symlink_to(project / "net.yaml")
    text = "budgets: [{specs: models/link.yaml, params: 1}]"
    code, answer = configured(project, text, "models/link.yaml")
    assert (code, answer["statements"]) == (1, [])


@pytest.mark.parametrize("link", ["models/0.yaml", "0/a.yaml"])
def test_a_link_does_not_hide_the_budget_of_its_target(project, link):
    (project / link).parent.mkdir(exist_ok=True)
    (project / link).symlink_to(project / "models/a.yaml")
    (project / "models/convcost.yaml").write_text("budgets: [{specs: a.yaml, params: 1}]", "utf-8")
    code, answer = checked(".", "--max-macs", "1M", cwd=project)
    assert code == 1
    assert [(f["spec"], f["file"]) for f in answer["findings"]] == [(link, "models/convcost.yaml")]


@pytest.mark.parametrize("config", ["convcost.yaml", "models/convcost.yaml"])
@pytest.mark.parametrize("asked", ["models/small", "models/small/b.yaml"])
def test_a_folder_replaced_by_a_link_keeps_its_budgets(project, config, asked):
    (project / "models/small").rename(project / "large")
    (project / "models/small").symlink_to("../large")
    glob = "models/small/*.yaml" if config == "convcost.yaml" else "small/*.yaml"
    (project / config).write_text(f"budgets: [{{specs: {glob}, params: 1}}]", "utf-8")
    code, answer = checked(asked, "--max-macs", "1M", cwd=project)
    assert (code, [f["file"] for f in answer["findings"]]) == (1, [config])
    assert answer["statements"] == []


def test_a_budget_that_is_found_through_a_link_too_applies_once(project):
    (project / "models/convcost.yaml").write_text("budgets: [{params: 1}]", "utf-8")
    (project / "link").symlink_to("models")
    _, answer = checked("link/a.yaml", "models/a.yaml", cwd=project)
    assert [f["file"] for f in answer["findings"]] == ["models/convcost.yaml"]


def test_links_that_form_endless_paths_end(project):
    for name in ("a", "b", "models/c"):
        (project / name).symlink_to(".")
    (project / "convcost.yaml").write_text("budgets: [{specs: '**/none.yaml', params: 1}]", "utf-8")
    code, answer = checked(".", "--max-macs", "1M", cwd=project)
    assert (code, len(answer["networks"])) == (0, 3)
    assert "applies to no spec" in answer["statements"][0]


# Where a configuration is looked for


def test_a_configuration_with_the_suffix_yml_is_an_error(project):
    (project / "convcost.yml").write_text(ONE, "utf-8")
    for spec in ("net.yaml", "models/a.yaml", "models", "."):
        ran = run("check", spec, "--max-params", "1M", cwd=project)
        assert ran.returncode == 2
        assert ran.stderr.decode() == (
            "error: `convcost.yml` is not read; did you mean `convcost.yaml`?\n"
        )
    code, _ = checked("net.yaml", "--config", "convcost.yml", cwd=project)
    assert code == 1


@pytest.mark.parametrize("place", ["folder", "pipe", "loop", "link to a folder", "broken link"])
@pytest.mark.parametrize("folder", [".", "models"])
def test_a_configuration_that_is_not_a_file_is_an_error(project, folder, place):
    """The budgets of a link are lost if a change moves its target. The outer file, which has none
    for the folder, is not used in its place."""
    if folder != ".":
        (project / "convcost.yaml").write_text("budgets: []\n", "utf-8")
    config = project / folder / "convcost.yaml"
    if place == "folder":
        config.mkdir()
    elif place == "pipe":
        os.mkfifo(config)
    else:
        config.symlink_to({"loop": config.name, "link to a folder": "."}.get(place, "moved.yaml"))
    what = "a link that leads to no file" if place in ("loop", "broken link") else "not a file"
    printed = (
        f"error: `{config.relative_to(project)}` is {what}, so its budgets cannot be read\n"
        "help: write the budgets into a file of that name, or remove it\n"
    )
    for spec in ("models/a.yaml", "models", "."):
        ran = run("check", spec, "--max-params", "1M", cwd=project)
        assert (ran.returncode, ran.stderr.decode()) == (2, printed)


def test_in_a_repository_the_search_for_a_configuration_ends_at_the_root(project):
    (project.parent / "convcost.yaml").write_text(ONE, "utf-8")
    assert ConfigFinder(PathLinks()).find(project / "models") is None
    (project / "convcost.yaml").write_text(ONE, "utf-8")
    assert ConfigFinder(PathLinks()).find(project / "models" / "small") == project / "convcost.yaml"


def test_outside_a_repository_the_search_ends_at_the_current_folder(tmp_path, monkeypatch):
    deep = tmp_path / "project" / "models"
    deep.mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project")
    (tmp_path / "convcost.yaml").write_text(ONE, "utf-8")
    assert ConfigFinder(PathLinks()).find(deep) is None
    (tmp_path / "project" / "convcost.yaml").write_text(ONE, "utf-8")
    assert str(ConfigFinder(PathLinks()).find(deep)) == "convcost.yaml"
    monkeypatch.chdir(ROOT)
    assert ConfigFinder(PathLinks()).find(deep) is None
    (deep / "convcost.yaml").write_text(ONE, "utf-8")
    assert ConfigFinder(PathLinks()).find(deep) == deep / "convcost.yaml"


@pytest.mark.skipif(sys.platform == "win32", reason="a mode marks the folders of all users")
def test_in_a_shared_folder_only_an_own_configuration_is_used(tmp_path, monkeypatch):
    (tmp_path / "convcost.yaml").write_text(ONE, "utf-8")
    tmp_path.chmod(0o1777)
    monkeypatch.setattr(os, "getuid", lambda: (tmp_path / "convcost.yaml").stat().st_uid)
    assert ConfigFinder(PathLinks()).find(tmp_path) == tmp_path / "convcost.yaml"
    if (tmp_path / "convcost.yaml").stat().st_uid == 0:
        os.chown(tmp_path / "convcost.yaml", 12345, -1)
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    assert ConfigFinder(PathLinks()).find(tmp_path) is None
    tmp_path.chmod(0o700)
    assert ConfigFinder(PathLinks()).find(tmp_path) == tmp_path / "convcost.yaml"


@pytest.mark.skipif(sys.platform == "win32", reason="a mode marks the folders of all users")
@pytest.mark.parametrize("target", ["/etc/passwd", "nothing"])
def test_in_a_shared_folder_a_link_of_another_user_is_ignored(tmp_path, monkeypatch, target):
    """Its owner decides where it leads, whoever owns the target."""
    link = tmp_path / "convcost.yaml"
    link.symlink_to(target)
    tmp_path.chmod(0o1777)
    if link.lstat().st_uid == 0:
        os.lchown(link, 12345, -1)
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    assert ConfigFinder(PathLinks()).find(tmp_path) is None


@pytest.mark.skipif(sys.platform == "win32", reason="a current folder cannot be deleted there")
def test_a_check_works_in_a_deleted_current_folder(project, tmp_path):
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
    "text",
    ["4,3M", "4,300M", "1,582,671k", "4,3", "1,00,000", "1234,567", "0,5e6", "1,000e3", "1.234,5"],
)
def test_an_unclear_comma_is_refused(text):
    with pytest.raises(ConstraintError) as caught:
        parse_whole_figure(text)
    assert caught.value.message == (
        f"`{text}` is ambiguous: commas may only group thousands, without a unit"
    )
    assert caught.value.help == "write a decimal point, or no comma"


@given(st.integers(0, 10**15))
def test_grouped_thousands_are_read_exactly(number):
    assert parse_whole_figure(f"{number:,}") == number
    assert parse_whole_figure(f"{number:,}.0") == number


@given(st.text("0123456789,.", min_size=1, max_size=12))
def test_a_comma_is_accepted_only_between_thousands(text):
    try:
        found = parse_whole_figure(text)
    except ConstraintError:
        return
    assert "," not in text or f"{found:,}" == text.partition(".")[0]


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["--max-params", "4,3M"], "write a decimal point"),
        (["--max-growth", "2,5%", "--base", "net.yaml"], "write a decimal point"),
        (["--max-growth", "0.02", "--base", "net.yaml"], "write 2% or 20k"),
        (["--max-growth", "0.125", "--base", "net.yaml"], "write 2% or 20k"),
        (["--max-growth", "2.5", "--base", "net.yaml"], "write 2% or 20k"),
    ],
)
def test_an_invalid_limit_has_a_suggestion(project, arguments, printed):
    ran = run("check", "net.yaml", *arguments, cwd=project)
    assert ran.returncode == 2
    assert printed in ran.stderr.decode()


def test_a_growth_is_a_share_or_a_count():
    assert [parse_growth(text) for text in ("2%", "2.5 %", "2", "20k", "1,000")] == [
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
def test_a_b_after_a_unit_of_bytes_is_a_byte(text, count):
    assert parse_bytes(text) == count
    keys = "{max: N, min: N, warn: N, grow: N, grow_floor: N}".replace("N", f'"{text}"')
    (one,) = read_config(Source("c", f"budgets: [{{bytes: {keys}}}]"))
    (limit,) = one.budget.total
    found = (limit.max, limit.min, limit.warn, limit.grow, limit.grow_floor)
    assert found == (count,) * 5
    (short,) = read_config(Source("c", f'budgets: [{{bytes: "{text}"}}]'))
    assert short.budget.total[0].max == count


@pytest.mark.parametrize("text", ["4BB", "B", "4MBB", "4MBi", "4,3MB"])
def test_another_b_is_refused(text):
    with pytest.raises(ConstraintError):
        parse_bytes(text)


def test_a_b_after_a_count_is_a_billion():
    assert parse_whole_figure("2B") == 2 * 10**9


@pytest.mark.parametrize(
    ("limit", "printed"),
    [
        ("params: {max: 3, grow_floor: 1}",
            "1:29: error[CC112]: grow_floor of params has no effect without `grow`"),
        ("params: {max: 3, dtype: int8}",
            "1:29: error[CC112]: dtype of params is for bytes, flash, peak_memory, memory only"),
        ("params: {max: 3, warn: 4}", "1:29: error[CC112]: warn of params is above its max"),
        ("params: {max: 3, min: 4}", "1:29: error[CC112]: min of params is above its max"),
    ],
)  # fmt: skip
def test_a_limit_without_effect_is_refused(limit, printed):
    assert refusal(f"budgets: [{{{limit}}}]") == f"convcost.yaml:{printed}"


def test_a_warning_at_the_max_and_a_dtype_of_bytes_are_accepted():
    read_config(Source("c", "budgets: [{params: {max: 3, warn: 3}, bytes: {max: 3, dtype: int8}}]"))


def test_a_configuration_whose_name_no_system_accepts_is_an_error(project):
    with pytest.raises(UsageError) as raised:
        BudgetConfigs("a\0b").budgets("net.yaml")
    assert str(raised.value) == (
        r"`a\x00b` cannot be the name of a file: it has a character that file names cannot have"
    )


def test_the_entries_that_aliases_repeat_in_a_configuration_have_a_limit():
    rules = ", ".join(f"{{match: c{n}, params: {{max: 1}}}}" for n in range(1_000))
    aliases = ", ".join(["*a"] * 40)
    text = f"x-a: &a {{layers: [{rules}]}}\nbudgets: [{aliases}]"
    with pytest.raises(SpecError) as caught:
        read_config(Source("convcost.yaml", text))
    (problem,) = caught.value.problems
    assert problem.code == "CC004"
    assert problem.message == "aliases repeat more than 100,000 entries in this document"


def test_comparisons_of_globs_count_by_their_characters(project, monkeypatch):
    globs = [f"m*{'?' * (500 - n)}" for n in range(3)]  # 502, 501 and 500 characters
    text = f"budgets: [{{specs: {globs}, params: {{max: 1}}}}]\n"
    compared = 3 + (502 + 501 + 500) * len("models/a.yaml") // 1_000
    (project / "convcost.yaml").write_text(text, "utf-8")
    command = ("check", "models/a.yaml", "--max-params", "1G")
    monkeypatch.setattr("convcost.sources.budget_config.MAX_COMPARISONS", compared)
    assert run(*command, cwd=project).returncode == 0
    monkeypatch.setattr("convcost.sources.budget_config.MAX_COMPARISONS", compared - 1)
    done = run(*command, cwd=project)
    assert done.returncode == 2
    message = f"the globs of `convcost.yaml` need more than {compared - 1} comparisons"
    assert message in done.stderr.decode()


def test_comparisons_of_rules_with_layers_count_by_their_characters(project, monkeypatch):
    rule = f"{{match: '*{'?' * 499}', params: {{max: 1}}}}"
    (project / "convcost.yaml").write_text(f"budgets: [{{layers: [{rule}]}}]\n", "utf-8")
    layer = f"{{relu: , name: {'n' * 2_000}}}"
    (project / "net.yaml").write_text(
        f"input: {{channels: 3, size: 8}}\nlayers: [{layer}]\n", "utf-8"
    )
    compared = 1 + 500 * 2_000 // 1_000
    command = ("check", "net.yaml", "--max-params", "1G")
    monkeypatch.setattr("convcost.sources.budget_config.MAX_COMPARISONS", compared)
    assert run(*command, cwd=project).returncode == 0
    monkeypatch.setattr("convcost.sources.budget_config.MAX_COMPARISONS", compared - 1)
    done = run(*command, cwd=project)
    assert done.returncode == 2
    message = "the patterns of the budgets for `net` need more than 1,000 comparisons"
    assert message in done.stderr.decode()
