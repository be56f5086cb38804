"""The GitHub action, run as the runner runs it: its own `run:` lines, inputs and files.

`Runner` does what the runner does with a composite action: it maps inputs to the environment, runs
bash in the workspace, reads the log for commands, and the file of outputs by its delimiters.
"""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from once import once
from support import ROOT

ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS = ACTION["runs"]["steps"]
RUNS = [step for step in STEPS if "run" in step]
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "github_action.py"))
EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")
COMMAND = re.compile(r"\s*::([\w-]+)(?: ([^:]*(?:=[^:]*)?))?::(.*)")
SPEC = """\
name: net
input: {{channels: 3, size: 8}}
layers:
  - {{conv: {filters}, kernel: 3, name: stem}}
  - relu
budget: {{params: {{max: {limit}, grow: 10%}}}}
"""
PARAMS = 3 * 3 * 3  # of one filter
MACS = PARAMS * 6 * 6


def net(filters: int = 8, limit: int = 8 * PARAMS) -> str:
    return SPEC.format(filters=filters, limit=limit)


class Annotation(NamedTuple):
    level: str
    properties: dict[str, str]
    message: str


class Ran(NamedTuple):
    """What the runner would know after the step."""

    code: int
    outputs: dict[str, str]
    summary: str
    annotations: list[Annotation]
    log: str

    @property
    def errors(self) -> list[Annotation]:
        return [one for one in self.annotations if one.level == "error"]


class Runner:
    """A workspace and the files of a job; `temp` outlives it: convcost is installed once."""

    def __init__(self, workspace: Path, temp: Path):
        self.workspace = workspace
        self.temp = temp
        self.files = workspace.parent / f"{workspace.name} files"
        workspace.mkdir(parents=True, exist_ok=True)
        self.files.mkdir()

    def write(self, name: str, text: str) -> None:
        file = self.workspace / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        ran = subprocess.run(
            ["git", *identity, *arguments], cwd=self.workspace, check=True, capture_output=True
        )
        return ran.stdout.decode().strip()

    def commit(self) -> str:
        if not (self.workspace / ".git").exists():
            self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "change")
        return self.git("rev-parse", "HEAD")

    def run(self, *, environment: dict[str, str] | None = None, **inputs: str) -> Ran:
        (step,) = RUNS
        files = {name: self.files / f"{name}.file" for name in ("GITHUB_OUTPUT", "GITHUB_ENV")}
        files["GITHUB_STEP_SUMMARY"] = self.files / "summary.md"
        for file in files.values():
            file.write_text("", "utf-8")
        known = {f"inputs.{name}": told["default"] for name, told in ACTION["inputs"].items()}
        asked = {f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()}
        assert asked.keys() <= known.keys()
        values = {**known, **asked, "steps.python.outputs.python-path": sys.executable}
        mapped = {
            name: EXPRESSION.sub(lambda found: values[found[1]], text)
            for name, text in step["env"].items()
        }
        outer = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "PYTHON"))}
        script = self.files / "step.sh"
        script.write_text(step["run"], "utf-8")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.workspace,
            env={
                **outer,
                "GITHUB_ACTIONS": "true",
                "GITHUB_ACTION_PATH": str(ROOT),
                "GITHUB_BASE_REF": "",
                "RUNNER_TEMP": str(self.temp),
                **{name: str(file) for name, file in files.items()},
                **mapped,
                **(environment or {}),
            },
            capture_output=True,
            check=False,
            timeout=300,
        )
        assert files["GITHUB_ENV"].read_text("utf-8") == ""
        log = done.stdout.decode() + done.stderr.decode()
        assert "Traceback" not in log
        outputs = outputs_of(files["GITHUB_OUTPUT"].read_text("utf-8"))
        told = {
            name: EXPRESSION.fullmatch(one["value"])[1] for name, one in ACTION["outputs"].items()
        }
        return Ran(
            done.returncode,
            {name: outputs.get(source.split(".")[-1], "") for name, source in told.items()},
            files["GITHUB_STEP_SUMMARY"].read_text("utf-8"),
            annotations_of(done.stdout.decode()),
            log,
        )


def outputs_of(text: str) -> dict[str, str]:
    found = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, heredoc, end = line.partition("<<")
        assert heredoc, line
        value = []
        while (part := next(lines)) != end:
            value.append(part)
        assert name not in found
        found[name] = "\n".join(value)
    return found


def annotations_of(log: str) -> list[Annotation]:
    """The commands of a log. One that is no annotation, and none of ours, fails the test."""
    found = []
    token = None
    for line in log.splitlines():
        if token is not None:
            token = None if line.strip() == f"::{token}::" else token
            continue
        command = COMMAND.match(line)
        if command is None:
            assert "##[" not in line  # the older form, which is read wherever it stands
            continue
        name, properties, message = command.groups()
        if name == "stop-commands":
            token = message
            continue
        assert name in ("error", "warning", "notice"), line
        pairs = (pair.split("=", 1) for pair in (properties or "").split(",") if pair)
        found.append(Annotation(name, {key: plain(value) for key, value in pairs}, plain(message)))
    assert token is None
    return found


def plain(text: str) -> str:
    for escape, character in (
        ("%0A", "\n"),
        ("%0D", "\r"),
        ("%3A", ":"),
        ("%2C", ","),
        ("%25", "%"),
    ):
        text = text.replace(escape, character)
    return text


@pytest.fixture(scope="session")
def temp(tmp_path_factory):
    """With convcost installed by the script itself, as it does for the first step of a job."""
    asked = {"GITHUB_ACTION_PATH": str(ROOT)}
    return once(tmp_path_factory, "runner", lambda temp: SCRIPT["_installed"](asked, temp))


@pytest.fixture
def runner(tmp_path, temp):
    return Runner(tmp_path / "work space", temp)


@pytest.fixture
def change(runner):
    """Of 4 filters on main, of 8 in the change; main is origin/main, as in a checkout."""
    runner.write("specs/net.yaml", net(4))
    base = runner.commit()
    runner.git("update-ref", "refs/remotes/origin/main", base)
    runner.git("switch", "-q", "-c", "wider")
    runner.write("specs/net.yaml", net(8))
    runner.commit()
    return runner


# What the file says


def test_no_line_of_a_shell_has_an_expression_in_it():
    assert RUNS
    for step in RUNS:
        assert "${{" not in step["run"]
        assert step["shell"] == "bash"


def test_every_input_has_a_default_and_reaches_the_script():
    (step,) = RUNS
    for name, told in ACTION["inputs"].items():
        assert "default" in told, name
        assert step["env"][f"CONVCOST_{name.upper()}"] == f"${{{{ inputs.{name} }}}}"
    assert all(EXPRESSION.fullmatch(value) for value in step["env"].values())


def test_every_output_comes_from_the_step_that_checks():
    (step,) = RUNS
    for name, told in ACTION["outputs"].items():
        assert told["value"] == f"${{{{ steps.{step['id']}.outputs.{name} }}}}"


def test_actions_that_it_uses_are_pinned_by_commit():
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", name) for name in used)


# Verdicts


def test_within_budget_it_passes_and_tells_params_and_macs(runner):
    runner.write("specs/net.yaml", net())
    ran = runner.run()
    assert ran.code == 0, ran.log
    assert ran.errors == []
    files = {name: Path(ran.outputs.pop(f"{name}-file")) for name in ("json", "markdown", "sarif")}
    assert ran.outputs == {
        "verdict": "within",
        "params": str(8 * PARAMS),
        "macs": str(8 * MACS),
        "params-delta": "",
        "macs-delta": "",
    }
    assert json.loads(files["json"].read_text("utf-8"))["schema"] == "convcost.check/1"
    assert json.loads(files["sarif"].read_text("utf-8"))["version"] == "2.1.0"
    assert ran.summary == files["markdown"].read_text("utf-8") + "\n"
    assert "**Within all budgets: 1 of 2 limits kept, 1 not checked.**" in ran.summary


def test_over_budget_it_fails_after_all_is_written(runner):
    runner.write("specs/net.yaml", net(9))
    ran = runner.run()
    assert ran.code == 1, ran.log
    assert ran.outputs["verdict"] == "over"
    assert ran.outputs["params"] == str(9 * PARAMS)
    (error,) = ran.errors
    assert (error.properties["file"], error.properties["line"]) == ("specs/net.yaml", "6")
    assert f"found {9 * PARAMS}  (+{PARAMS})" in error.message
    assert "**Over budget: 1 of 2 limits exceeded" in ran.summary
    for name in ("json", "markdown", "sarif"):
        assert Path(ran.outputs[f"{name}-file"]).stat().st_size > 0
    assert "CC201  params over the max" in ran.log


def test_a_broken_spec_does_not_read_as_a_budget_that_is_exceeded(runner):
    runner.write("specs/net.yaml", net(9).replace("kernel", "kernal"))
    ran = runner.run()
    assert ran.code == 2
    (error,) = ran.annotations
    assert error.message == "error[CC101]: conv has no option `kernal`"
    assert error.properties == {
        "file": "specs/net.yaml", "line": "4", "col": "15", "title": "convcost",
    }  # fmt: skip
    markdown = Path(ran.outputs.pop("markdown-file")).read_text("utf-8")
    assert {value for name, value in ran.outputs.items() if name != "verdict"} == {""}
    assert ran.outputs["verdict"] == "broken"
    assert ran.summary == f"{markdown}\n"
    assert markdown.startswith(
        "<!-- convcost:check -->\n**Broken spec or request: there is no verdict.**\n\n```text\n"
        "error[CC101]: conv has no option `kernal`\n"
    )
    assert "did you mean `kernel`?" in ran.log


def test_it_can_tell_without_failing_but_never_of_a_broken_spec(runner):
    runner.write("specs/net.yaml", net(9))
    ran = runner.run(fail="false", summary="false")
    assert (ran.code, ran.outputs["verdict"], ran.summary) == (0, "over", "")
    runner.write("specs/net.yaml", "layers: [")
    assert runner.run(fail="false").code == 2


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"fail": "no"}, "error: the input `fail` is true or false, not `no`"),
        ({"summary": "True"}, "error: the input `summary` is true or false, not `True`"),
        ({"version": "1; touch pwned"}, "error: the input `version` is like 1.2.0, not `1; touch"),
        ({"version": "--help"}, "error: the input `version` is like 1.2.0, not `--help`"),
        ({"args": "--max-params '4"}, "error: the input `args` cannot be read: No closing quotat"),
        ({"args": "--max-parms 4"}, "No such option: --max-parms"),
        ({"specs": "--exit-zero"}, "error: there is no file and no shipped spec `--exit-zero`"),
        ({"specs": "no/*.yaml"}, "error: there is no file `no/*.yaml`"),
        ({"config": "--exit-zero"}, "error: cannot read `--exit-zero`"),
        ({"base": "--exit-zero"}, "error: there is no file `--exit-zero` to be the base"),
    ],
)
def test_a_request_that_means_nothing_is_told(runner, inputs, said):
    runner.write("specs/net.yaml", net(9))
    ran = runner.run(**inputs)
    assert (ran.code, ran.outputs["verdict"]) == (2, "broken")
    assert said in "".join(one.message for one in ran.errors)
    assert said in ran.summary
    assert not (runner.workspace / "pwned").exists()


def test_what_cannot_be_installed_is_told(runner):
    ran = runner.run(version="999.1", environment={"PIP_NO_INDEX": "1"})
    assert (ran.code, ran.outputs["verdict"]) == (2, "broken")
    assert "convcost==999.1" in ran.log
    assert [one.message for one in ran.errors] == [
        "error: convcost could not be installed; the log has the reason"
    ]


def test_an_answer_that_cannot_all_be_written_is_none(runner):
    runner.write("specs/net.yaml", net())
    ran = runner.run(args="--output gitlab:/nonexistent/gl.json", fail="false")
    assert (ran.code, ran.outputs["verdict"]) == (2, "broken")
    said = "error: cannot write `/nonexistent/gl.json`: No such file or directory"
    assert [one.message for one in ran.errors] == [said]
    assert ran.summary == (
        "<!-- convcost:check -->\n**Broken spec or request: there is no verdict.**\n\n"
        f"```text\n{said}\n```\n\n"
    )
    told = {name for name, value in ran.outputs.items() if value}
    assert told == {"verdict", "markdown-file"}


# What the program may do, in its place: it writes some of its files, says something, and ends.
DOES = """\
import pathlib, sys
for word in sys.argv:
    name, _, file = word.removeprefix("--output=").partition(":")
    if word.startswith("--output=") and name in {files!r}:
        pathlib.Path(file).write_text('{{"ok": true, "networks": []}}', "utf-8")
print("said", file=sys.stderr)
raise SystemExit({code})
"""
ALL = ("json", "markdown", "sarif")


@pytest.mark.parametrize(
    ("files", "code", "ended"),
    [
        (ALL, 0, 0), (ALL, 1, 1), (ALL, 2, 2), (ALL, 70, 2), (ALL, 130, 2), (ALL, 3, 2), ((), 0, 2),
        (("json",), 0, 2), (("json", "sarif"), 1, 2), (("markdown", "sarif"), 1, 2), ((), 70, 2),
    ],
)  # fmt: skip
def test_only_whole_answers_are_within_or_over(tmp_path, files, code, ended):
    """However convcost ends, there is a comment, and only 0 and 1 with all files are a verdict."""
    program = tmp_path / "python"
    does = DOES.format(files=files, code=code)
    program.write_text(f"#!{sys.executable}\n{does}", "utf-8")
    program.chmod(0o755)
    folder = tmp_path / "out"
    folder.mkdir()
    arguments = [f"--output={name}:{folder / file}" for name, file in SCRIPT["FILES"].items()]
    if ended == SCRIPT["BROKEN"]:
        with pytest.raises(SCRIPT["Refused"], match=r"^said$"):
            SCRIPT["_checked"](str(program), arguments, folder)
    else:
        assert SCRIPT["_checked"](str(program), arguments, folder)[0] == ended


@pytest.mark.parametrize(
    ("args", "key"),
    [
        ("", "check"),
        ("--comment-key gpu", "gpu"),
        ("--comment-key=a --max-params 4M --comment-key 'g.p-u_2'", "g.p-u_2"),
        ("--comment-key", "check"),
        ("--comment-key 'a --> b'", "check"),
        ("--comment-key gpu '", "check"),
    ],
)
def test_a_broken_spec_has_the_comment_of_its_check(runner, args, key):
    runner.write("specs/net.yaml", "layers: [")
    ran = runner.run(args=args)
    assert ran.code == 2
    assert ran.summary.startswith(f"<!-- convcost:{key} -->\n**Broken")


def test_of_several_keys_the_program_and_a_broken_spec_take_the_same(runner):
    runner.write("specs/net.yaml", net())
    ran = runner.run(args="--comment-key cpu --comment-key gpu")
    assert ran.summary.startswith("<!-- convcost:gpu -->\n\n**Within")


def test_it_passes_where_the_check_is_told_to(runner):
    runner.write("specs/net.yaml", net(9))
    ran = runner.run(args="--exit-zero")
    assert (ran.code, ran.outputs["verdict"]) == (0, "over")


# What is asked


@pytest.mark.parametrize(
    "specs", ["models\n./models/a.yaml", "models/a.yaml\n./models/*.yaml\nmodels/../models/a.yaml"]
)
def test_a_network_that_is_named_twice_counts_once(runner, specs):
    runner.write("models/a.yaml", net())
    ran = runner.run(specs=specs)
    assert (ran.code, ran.outputs["params"]) == (0, str(8 * PARAMS)), ran.log


def test_an_answer_that_has_a_network_twice_is_summed_without_it(tmp_path):
    def network(spec: str, name: str, params: int) -> dict:
        return {"spec": spec, "network": name, "params": params, "macs": 7, "base": None}

    one, two = network("a.yaml", "a", 2), network("a.yaml", "b", 3)
    tree = {"ok": True, "networks": [one, two, {**one, "spec": "./a.yaml"}]}
    told = SCRIPT["_told"](tree, tmp_path)
    assert (told["params"], told["macs"]) == (str(2 + 3), str(2 * 7))


def test_specs_are_asked_for_once_in_the_order_they_are_named(tmp_path):
    env = {"CONVCOST_SPECS": "b.yaml\na.yaml\n./b.yaml\nb.yaml"}
    assert SCRIPT["_request"](env, tmp_path)[-3:] == ["--", "b.yaml", "a.yaml"]


def test_inputs_may_have_several_lines_globs_and_blanks(runner):
    runner.write("a b/net.yaml", net(9).replace("budget", "x-none"))
    runner.write("more/deep/one.yaml", net(1).replace("budget", "x-none"))
    runner.write("more/two.yaml", net(2).replace("budget", "x-none"))
    runner.write("my budgets.yaml", "budgets: [{params: {max: 100}}]\n")
    ran = runner.run(
        specs="a b\n\n  more/**/*.yaml\n", config="my budgets.yaml", args="--max-macs '1k'"
    )
    assert ran.code == 1
    assert ran.outputs["params"] == str((9 + 1 + 2) * PARAMS)
    assert sorted(one.properties["file"] for one in ran.errors) == [
        "a b/net.yaml", "more/two.yaml", "my budgets.yaml",
    ]  # fmt: skip


# The base


def test_a_pull_request_is_held_against_the_branch_it_is_for(change):
    ran = change.run(environment={"GITHUB_BASE_REF": "main"})
    assert ran.code == 1
    assert (ran.outputs["params-delta"], ran.outputs["macs-delta"]) == (
        f"+{4 * PARAMS}",
        f"+{4 * MACS}",
    )
    assert [one.properties["title"] for one in ran.errors] == ["convcost (CC203)"]


def test_a_base_may_be_named_or_declined(change):
    ran = change.run(base="none", environment={"GITHUB_BASE_REF": "main"})
    assert (ran.code, ran.outputs["params-delta"]) == (0, "")
    assert change.run(base="git:main").outputs["params-delta"] == f"+{4 * PARAMS}"


@pytest.mark.parametrize(
    "branch",
    [
        "$(touch${IFS}pwned)", "`touch${IFS}pwned`", ";touch${IFS}pwned", "&&touch${IFS}pwned",
        "--upload-pack=touch${IFS}pwned", "'\"'", "a\"b'c", "-x", "#1", "%0A%3A%3Aerror", "<<EOF",
        "ü/é", "main|tee${IFS}pwned", ">pwned",
    ],
)  # fmt: skip
def test_a_branch_by_a_hostile_name_is_a_base_like_any(change, branch):
    change.git("update-ref", f"refs/remotes/origin/{branch}", "main")
    ran = change.run(environment={"GITHUB_BASE_REF": branch})
    assert (ran.code, ran.outputs["params-delta"]) == (1, f"+{4 * PARAMS}"), ran.log
    assert len(ran.errors) == 1
    assert sorted(path.name for path in change.workspace.iterdir()) == [".git", "specs"]


@pytest.mark.parametrize("branch", ["x\n::error::pwned\nverdict=within", "a b; touch pwned"])
def test_what_git_takes_for_no_branch_is_a_base_that_is_not_there(change, branch):
    ran = change.run(environment={"GITHUB_BASE_REF": branch})
    assert (ran.code, ran.outputs["verdict"], ran.outputs["params-delta"]) == (0, "within", "")
    assert ran.errors == []
    assert not (change.workspace / "pwned").exists()


def test_a_pull_request_answers_for_what_it_changes_alone(change):
    """What others have landed since on the branch it is for is neither its growth nor its merit."""
    change.git("switch", "-q", "main")
    change.write("specs/net.yaml", net(40))
    change.git("update-ref", "refs/remotes/origin/main", change.commit())
    change.git("switch", "-q", "wider")
    ran = change.run(environment={"GITHUB_BASE_REF": "main"})
    assert (ran.code, ran.outputs["params-delta"]) == (1, f"+{4 * PARAMS}")


def test_a_base_may_be_required(change):
    ran = change.run(args="--require-base", environment={"GITHUB_BASE_REF": "gone"})
    assert (ran.code, ran.outputs["verdict"]) == (2, "broken")
    (error,) = ran.errors
    assert error.message.startswith("error: the base `git:origin/gone...` cannot be had")
    assert "specs/net.yaml: no base, growth is not checked: " in ran.summary
    assert change.run(args="--require-base", base="git:main").code == 1


def test_a_shallow_checkout_says_what_to_fetch_and_checks_the_rest(change, temp, tmp_path):
    shallow = Runner(tmp_path / "shallow", temp)
    shutil.rmtree(shallow.workspace)
    subprocess.run(
        [
            "git",
            "clone",
            "-q",
            "--depth",
            "1",
            f"file://{change.workspace}",
            str(shallow.workspace),
        ],
        check=True,
        capture_output=True,
    )
    ran = shallow.run(environment={"GITHUB_BASE_REF": "main"})
    assert (ran.code, ran.outputs["verdict"]) == (0, "within")
    assert "fetch-depth: 0" in ran.summary
    assert any("fetch-depth: 0" in one.message for one in ran.annotations)
    shallow.write("specs/net.yaml", net(9))
    assert shallow.run(environment={"GITHUB_BASE_REF": "main"}).code == 1


# Text of a change


def test_names_of_a_change_are_no_commands_of_the_runner(runner):
    runner.write(
        "specs/net.yaml",
        net(9)
        .replace("name: net", 'name: "::error::pwned"')
        .replace("stem", '"::add-mask::x"')
        .replace("budget: {", 'budget: {message: "##[error]pwned\\n::warning::pwned", '),
    )
    ran = runner.run()
    assert ran.code == 1
    assert [one.level for one in ran.annotations if one.message.startswith("pwned")] == []
    assert len(ran.errors) == 1


def test_a_broken_spec_says_no_commands_and_ends_no_block(runner):
    runner.write("specs/net.yaml", '"```": 1\n"::error::pwned": [\n')
    ran = runner.run()
    assert ran.code == 2
    assert [one.message for one in ran.errors if one.message.startswith("pwned")] == []
    fences = re.findall(r"^`{3,}", ran.summary, re.MULTILINE)
    assert len(fences) == 2


def test_a_fence_is_longer_than_any_in_what_it_holds(tmp_path):
    told = SCRIPT["_broken"]("a\n````\n# b", tmp_path, "check")
    markdown = Path(told["markdown-file"]).read_text("utf-8")
    assert markdown.endswith("\n`````text\na\n````\n# b\n`````\n")


def test_what_a_change_brings_is_not_imported(runner):
    runner.write("specs/net.yaml", net())
    for name in ("yaml", "typer", "convcost", "json"):
        runner.write(f"{name}.py", "raise SystemExit('imported')\n")
    assert runner.run().code == 0
