"""The GitHub action: its inputs, its script, its outputs, and what the runner reads in its log.

`Runner` does what the runner does with a composite action: it maps inputs to the environment, runs
the step in the workspace, reads the log for commands, and the file of outputs by its delimiters.
`run` calls the script and convcost in this process; `run_step` runs the `run:` line of action.yml
in bash, with convcost installed.
"""

import io
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import pytest
import yaml
from once import once
from support import ROOT, nested_folder
from support import run as run_convcost
from tools import missing_program, needs

pytestmark = [pytest.mark.slow, needs(missing_program("bash", "git"))]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS = ACTION["runs"]["steps"]
RUNS = [step for step in STEPS if "run" in step]
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "github_action.py"))
NAMES = SCRIPT["main"].__globals__
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
    """What the runner knows after the step."""

    code: int
    outputs: dict[str, str]
    summary: str
    annotations: list[Annotation]
    log: str

    @property
    def errors(self) -> list[Annotation]:
        return [annotation for annotation in self.annotations if annotation.level == "error"]


class Runner:
    """A workspace and the files of a job; `temp` is shared, so convcost is installed once."""

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
        return self._run(_run_in_process, environment or {}, inputs)

    def run_step(self, *, environment: dict[str, str] | None = None, **inputs: str) -> Ran:
        return self._run(_run_in_bash, environment or {}, inputs)

    def _run(
        self,
        run: "Callable[[dict[str, str], Path], Finished]",
        environment: dict[str, str],
        inputs: dict[str, str],
    ) -> Ran:
        (step,) = RUNS
        files = {name: self.files / f"{name}.file" for name in ("GITHUB_OUTPUT", "GITHUB_ENV")}
        files["GITHUB_STEP_SUMMARY"] = self.files / "summary.md"
        for file in files.values():
            file.write_text("", "utf-8")
        known = {
            f"inputs.{name}": reported["default"] for name, reported in ACTION["inputs"].items()
        }
        asked = {f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()}
        assert asked.keys() <= known.keys()
        values = {**known, **asked, "steps.python.outputs.python-path": sys.executable}
        mapped = {
            name: EXPRESSION.sub(lambda found: values[found[1]], text)
            for name, text in step["env"].items()
        }
        outer = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "PYTHON"))}
        done = run(
            {
                **outer,
                "GITHUB_ACTIONS": "true",
                "GITHUB_ACTION_PATH": str(ROOT),
                "GITHUB_BASE_REF": "",
                "RUNNER_TEMP": str(self.temp),
                **{name: str(file) for name, file in files.items()},
                **mapped,
                **environment,
            },
            self.workspace,
        )
        assert files["GITHUB_ENV"].read_text("utf-8") == ""
        assert "Traceback" not in done.log
        outputs = outputs_of(files["GITHUB_OUTPUT"].read_text("utf-8"))
        reported = {
            name: EXPRESSION.fullmatch(output["value"])[1]
            for name, output in ACTION["outputs"].items()
        }
        return Ran(
            done.code,
            {name: outputs.get(source.split(".")[-1], "") for name, source in reported.items()},
            files["GITHUB_STEP_SUMMARY"].read_text("utf-8"),
            annotations_of(done.output),
            done.log,
        )


class Finished(NamedTuple):
    code: int
    output: str
    errors: str = ""

    @property
    def log(self) -> str:
        return self.output + self.errors


def _run_in_bash(environment: dict[str, str], workspace: Path) -> Finished:
    (step,) = RUNS
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=workspace,
        env=environment,
        capture_output=True,
        check=False,
        timeout=300,
    )
    return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())


def _run_in_process(environment: dict[str, str], workspace: Path) -> Finished:
    def run(command: list[str]) -> subprocess.CompletedProcess[str]:
        ran = run_convcost(*command[command.index("convcost") + 1 :], cwd=workspace)
        texts = (text.decode("utf-8", "replace") for text in (ran.stdout, ran.stderr))
        return subprocess.CompletedProcess(command, ran.returncode, *texts)

    output = io.StringIO()
    with (
        patch.dict(os.environ, environment, clear=True),
        patch.dict(NAMES, {"_run": run}),
        patch.object(sys, "stdout", output),
        chdir(workspace),
    ):
        code = NAMES["main"]()
    return Finished(code, output.getvalue())


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
    """The annotations in a log; another command in it fails the test."""
    found = []
    token = None
    for line in log.splitlines():
        if token is not None:
            token = None if line.strip() == f"::{token}::" else token
            continue
        command = COMMAND.match(line)
        if command is None:
            assert "##[" not in line  # the older form of a command, read anywhere in a line
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
    """A folder where the script has installed convcost, as in the first step of a job."""
    asked = {"GITHUB_ACTION_PATH": str(ROOT)}
    return once(tmp_path_factory, "runner", lambda temp: SCRIPT["_installed"](asked, temp))


@pytest.fixture
def runner(tmp_path, temp):
    return Runner(tmp_path / "work space", temp)


@pytest.fixture
def change(runner):
    """A network with 4 filters on main and 8 in the change; origin/main is main."""
    runner.write("specs/net.yaml", net(4))
    base = runner.commit()
    runner.git("update-ref", "refs/remotes/origin/main", base)
    runner.git("switch", "-q", "-c", "wider")
    runner.write("specs/net.yaml", net(8))
    runner.commit()
    return runner


# action.yml


def test_no_shell_line_contains_an_expression():
    assert RUNS
    for step in RUNS:
        assert "${{" not in step["run"]
        assert step["shell"] == "bash"


def test_every_input_has_a_default_and_reaches_the_script():
    (step,) = RUNS
    for name, reported in ACTION["inputs"].items():
        assert "default" in reported, name
        assert step["env"][f"CONVCOST_{name.upper()}"] == f"${{{{ inputs.{name} }}}}"
    assert all(EXPRESSION.fullmatch(value) for value in step["env"].values())


def test_every_output_comes_from_the_step_that_checks():
    (step,) = RUNS
    for name, reported in ACTION["outputs"].items():
        assert reported["value"] == f"${{{{ steps.{step['id']}.outputs.{name} }}}}"


def test_actions_are_pinned_by_commit():
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", name) for name in used)


# Verdicts


def test_within_budget_the_step_passes_and_outputs_params_and_macs(runner):
    runner.write("specs/net.yaml", net())
    ran = runner.run_step()
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
    assert (
        "**Within all other budgets. Growth was not checked: there is no base; add one, such as "
        "--base git:origin/main... (1 limit checked: 1 within, 0 exceeded, 1 not checked).**"
        in ran.summary
    )


def test_over_budget_the_step_fails_after_all_files_are_written(runner):
    runner.write("specs/net.yaml", net(9))
    ran = runner.run_step()
    assert ran.code == 1, ran.log
    assert ran.outputs["verdict"] == "over"
    assert ran.outputs["params"] == str(9 * PARAMS)
    (error,) = ran.errors
    assert (error.properties["file"], error.properties["line"]) == ("specs/net.yaml", "6")
    assert f"found {9 * PARAMS}  (+{PARAMS})" in error.message
    assert "**Over budget (1 limit checked: 0 within, 1 exceeded, 1 not checked" in ran.summary
    for name in ("json", "markdown", "sarif"):
        assert Path(ran.outputs[f"{name}-file"]).stat().st_size > 0
    assert "CC201  params over the max" in ran.log


def test_a_broken_spec_is_not_reported_as_an_exceeded_budget(runner):
    runner.write("specs/net.yaml", net(9).replace("kernel", "kernal"))
    ran = runner.run_step()
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
        "<!-- convcost:check -->\n**Broken spec, request or base: there is no verdict.**\n\n"
        "```text\n"
        "error[CC101]: conv has no option `kernal`\n"
    )
    assert "did you mean `kernel`?" in ran.log


def test_with_fail_false_only_a_broken_spec_fails(runner):
    runner.write("specs/net.yaml", net(9))
    ran = runner.run(fail="false", summary="false")
    assert (ran.code, ran.outputs["verdict"], ran.summary) == (0, "over", "")
    runner.write("specs/net.yaml", "layers: [")
    assert runner.run(fail="false").code == 2


@pytest.mark.parametrize(
    ("inputs", "printed"),
    [
        ({"fail": "no"}, "error: the input `fail` must be true or false, not `no`"),
        ({"summary": "True"}, "error: the input `summary` must be true or false, not `True`"),
        (
            {"version": "1; touch pwned"},
            "error: the input `version` must be like 1.2.0, not `1; touch",
        ),
        ({"version": "--help"}, "error: the input `version` must be like 1.2.0, not `--help`"),
        ({"args": "--max-params '4"}, "error: the input `args` cannot be read: No closing quotat"),
        ({"args": "--max-parms 4"}, "No such option: --max-parms"),
        ({"specs": "--exit-zero"}, "error: there is no file and no shipped spec `--exit-zero`"),
        ({"specs": "no/*.yaml"}, "error: there is no file `no/*.yaml`"),
        ({"config": "--exit-zero"}, "error: cannot read `--exit-zero`"),
        ({"base": "--exit-zero"}, "help: a base is a commit, like git:--exit-zero"),
    ],
)
def test_an_invalid_input_is_an_error_with_its_reason(runner, inputs, printed):
    runner.write("specs/net.yaml", net(9))
    ran = runner.run(**inputs)
    assert (ran.code, ran.outputs["verdict"]) == (2, "broken")
    assert printed in "".join(error.message for error in ran.errors)
    assert printed in ran.summary
    assert not (runner.workspace / "pwned").exists()


def test_a_failed_installation_is_an_error(runner):
    ran = runner.run_step(version="999.1", environment={"PIP_NO_INDEX": "1"})
    assert (ran.code, ran.outputs["verdict"]) == (2, "broken")
    assert "convcost==999.1" in ran.log
    assert [error.message for error in ran.errors] == [
        "error: cannot install convcost; the log has the reason"
    ]


def test_a_report_that_cannot_be_written_gives_no_verdict(runner):
    runner.write("specs/net.yaml", net())
    ran = runner.run(args="--output gitlab:/nonexistent/gl.json", fail="false")
    assert (ran.code, ran.outputs["verdict"]) == (2, "broken")
    printed = "error: cannot write `/nonexistent/gl.json`: No such file or directory"
    assert [error.message for error in ran.errors] == [printed]
    assert ran.summary == (
        "<!-- convcost:check -->\n**Broken spec, request or base: there is no verdict.**\n\n"
        f"```text\n{printed}\n```\n\n"
    )
    reported = {name for name, value in ran.outputs.items() if value}
    assert reported == {"verdict", "markdown-file"}


@pytest.mark.parametrize("filters", [8, 9])
def test_a_summary_that_cannot_be_written_gives_no_verdict(runner, filters):
    runner.write("specs/net.yaml", net(filters))
    ran = runner.run(environment={"GITHUB_STEP_SUMMARY": "/nonexistent/summary"}, fail="false")
    assert (ran.code, ran.outputs["verdict"]) == (2, "broken")
    printed = "error: cannot write the job summary: No such file or directory"
    assert ran.errors[-1] == ("error", {"title": "convcost"}, printed)
    reported = {name for name, value in ran.outputs.items() if value}
    assert reported == {"verdict", "markdown-file"}


# A program in the place of convcost: it writes some of the files, prints a line, and exits.
PROGRAM = """\
import pathlib, sys
for word in sys.argv:
    name, _, file = word.removeprefix("--output=").partition(":")
    if word.startswith("--output=") and name in {files!r}:
        pathlib.Path(file).write_text('{{"ok": true, "networks": []}}', "utf-8")
print("reason", file=sys.stderr)
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
def test_only_exit_codes_0_and_1_with_all_files_give_a_verdict(tmp_path, files, code, ended):
    program = tmp_path / "python"
    text = PROGRAM.format(files=files, code=code)
    program.write_text(f"#!{sys.executable}\n{text}", "utf-8")
    program.chmod(0o755)
    folder = tmp_path / "out"
    folder.mkdir()
    arguments = [f"--output={name}:{folder / file}" for name, file in SCRIPT["FILES"].items()]
    if ended == SCRIPT["BROKEN"]:
        with pytest.raises(SCRIPT["RequestError"], match=r"^reason$"):
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
def test_a_broken_spec_keeps_the_comment_key_of_the_check(runner, args, key):
    runner.write("specs/net.yaml", "layers: [")
    ran = runner.run(args=args)
    assert ran.code == 2
    assert ran.summary.startswith(f"<!-- convcost:{key} -->\n**Broken")


def test_of_several_comment_keys_the_last_counts(runner):
    runner.write("specs/net.yaml", net())
    ran = runner.run(args="--comment-key cpu --comment-key gpu")
    assert ran.summary.startswith("<!-- convcost:gpu -->\n\n**Within")


def test_with_exit_zero_the_step_passes_over_budget(runner):
    runner.write("specs/net.yaml", net(9))
    ran = runner.run(args="--exit-zero")
    assert (ran.code, ran.outputs["verdict"]) == (0, "over")


# Inputs


@pytest.mark.parametrize(
    "specs", ["models\n./models/a.yaml", "models/a.yaml\n./models/*.yaml\nmodels/../models/a.yaml"]
)
def test_a_spec_that_is_named_twice_counts_once(runner, specs):
    runner.write("models/a.yaml", net())
    ran = runner.run(specs=specs)
    assert (ran.code, ran.outputs["params"]) == (0, str(8 * PARAMS)), ran.log


def test_a_shipped_network_and_a_file_of_its_names_both_count(runner):
    lenet = 156 + 12 + 1_516 + 32 + 48_120 + 10_164 + 84 * 10  # the paper has all but the last
    runner.write("lenet5.yaml", net().replace("name: net", "name: LeNet-5", 1))
    ran = runner.run(specs="lenet5\nlenet5.yaml\n./lenet5.yaml", args="--max-params 1M")
    assert (ran.code, ran.outputs["params"]) == (0, str(lenet + 8 * PARAMS)), ran.log


def test_a_network_that_a_report_has_twice_is_summed_once(tmp_path):
    def network(spec: str, name: str, params: int) -> dict:
        counts = {"params": params, "macs": 7, "uncounted": False}
        return {"spec": spec, "network": name, **counts, "base": None}

    one, two = network("a.yaml", "a", 2), network("a.yaml", "b", 3)
    tree = {"ok": True, "networks": [one, two, {**one, "spec": "./a.yaml"}]}
    reported = SCRIPT["_verdict"](tree, tmp_path)
    assert (reported["params"], reported["macs"]) == (str(2 + 3), str(2 * 7))


def test_the_growth_of_a_network_with_a_second_base_is_that_over_its_own(tmp_path):
    own, other = ({"params": count, "macs": 7, "uncounted": False} for count in (9, 3))
    network = {"spec": "a.yaml", "network": "a", "params": 5, "macs": 7, "uncounted": False}
    tree = {"ok": False, "networks": [{**network, "base": base} for base in (own, other)]}
    reported = SCRIPT["_verdict"](tree, tmp_path)
    assert (reported["params"], reported["params-delta"]) == ("5", str(5 - 9))


@pytest.mark.parametrize("of", ["network", "base"])
def test_macs_that_are_known_in_part_have_no_sum_and_no_growth(of, tmp_path):
    base = {"params": 5, "macs": 7, "uncounted": of == "base"}
    network = {"spec": "a.yaml", "network": "a", "params": 9, "macs": 8, "base": base}
    tree = {"ok": True, "networks": [{**network, "uncounted": of == "network"}]}
    reported = SCRIPT["_verdict"](tree, tmp_path)
    assert (reported["params-delta"], reported["macs-delta"]) == (f"+{9 - 5}", "")
    assert (reported["params"], reported["macs"]) == ("9", "8" if of == "base" else "")


def test_a_spec_that_a_link_gives_a_second_base_is_summed_once(runner):
    runner.write("models/a.yaml", net(4))
    runner.write("models/b.yaml", net(5))
    runner.commit()
    (runner.workspace / "models/a.yaml").unlink()
    (runner.workspace / "models/a.yaml").symlink_to("b.yaml")
    runner.write("models/b.yaml", net(6))
    ran = runner.run(specs="models", base="git:HEAD")
    assert (ran.code, ran.outputs["params"]) == (1, str(6 * PARAMS))
    assert ran.outputs["params-delta"] == f"+{(6 - 4 + 6 - 5) * PARAMS}"


def test_a_file_that_is_named_like_a_glob_does_not_hide_the_others(runner):
    for name, filters in (("a", 1), ("[ab]", 2), ("*", 4)):
        runner.write(f"models/{name}.yaml", net(filters))
    for specs, sums in (("models/*.yaml", 1 + 2 + 4), ("models/[ab].yaml", 1 + 2)):
        ran = runner.run(specs=specs)
        assert (ran.code, ran.outputs["params"]) == (0, str(sums * PARAMS))


def test_each_spec_is_an_argument_once_in_the_given_order(tmp_path):
    env = {"CONVCOST_SPECS": "b.yaml\na.yaml\n./b.yaml\nb.yaml"}
    assert SCRIPT["_request"](env, tmp_path)[-3:] == ["--", "b.yaml", "a.yaml"]


def test_inputs_have_lines_globs_and_spaces(runner):
    runner.write("a b/net.yaml", net(9).replace("budget", "x-none"))
    runner.write("more/deep/one.yaml", net(1).replace("budget", "x-none"))
    runner.write("more/two.yaml", net(2).replace("budget", "x-none"))
    runner.write("my budgets.yaml", "budgets: [{params: {max: 100}}]\n")
    ran = runner.run(
        specs="a b\n\n  more/**/*.yaml\n", config="my budgets.yaml", args="--max-macs '1k'"
    )
    assert ran.code == 1
    assert ran.outputs["params"] == str((9 + 1 + 2) * PARAMS)
    assert sorted(error.properties["file"] for error in ran.errors) == [
        "a b/net.yaml", "more/two.yaml", "my budgets.yaml",
    ]  # fmt: skip


def test_links_that_form_endless_paths_end_and_a_spec_counts_once(runner):
    runner.write("models/deep/net.yaml", net(3).replace("budget", "x-none"))
    for name in ("a", "b", "models/c", "models/deep/d"):
        (runner.workspace / name).symlink_to(".")
    (runner.workspace / "other").symlink_to("models")
    (runner.workspace / "models/link.yaml").symlink_to("deep/net.yaml")
    for specs in ("**/*.yaml", "*/*/*/*/*.yaml", "models\nother\na", "**"):
        ran = runner.run(specs=specs, args="--max-macs 1M")
        assert (ran.code, ran.outputs["params"]) == (0, str(3 * PARAMS))
    glob = "*/" * 12 + "*.yaml"
    ran = runner.run(specs=glob, args="--max-macs 1M")
    (error,) = ran.errors
    assert ran.code == 2
    assert error.message == (
        f"error: the glob `{glob}` matches over 1,000 paths through symbolic links to what it also "
        "matches; name files or folders instead"
    )


@pytest.mark.parametrize("specs", ["models/*", "models/*/net.yaml", "*/*/*.yaml", "*/*/**/*.yaml"])
def test_a_folder_replaced_by_a_link_to_another_that_a_glob_matches_keeps_its_base(runner, specs):
    runner.write("models/small/net.yaml", net(4))
    runner.write("models/large/net.yaml", net(8))
    runner.commit()
    shutil.rmtree(runner.workspace / "models/small")
    (runner.workspace / "models/small").symlink_to("large")
    ran = runner.run(specs=specs, base="git:HEAD")
    assert (ran.code, ran.outputs["params-delta"]) == (1, f"+{(8 - 4) * PARAMS}")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("**/*.yaml", ["models/deep/b.yaml", "models/x.yaml", "top.yaml"]),
        ("models/**", ["models"]),
        ("**/**/b.yaml", ["models/deep/b.yaml"]),
        ("*/*.yaml", ["link/x.yaml", "models/x.yaml"]),
        ("*/**/b.yaml", ["link/deep/b.yaml", "models/deep/b.yaml"]),
        ("link/*.yaml", ["link/x.yaml"]),
        ("models/.*.yaml", ["models/.h.yaml"]),
        ("m[o]dels/[!.]*.yaml", ["models/x.yaml"]),
        ("none/*.yaml", ["none/*.yaml"]),
        ("loop/*", ["loop/*"]),
    ],
)
def test_a_glob_of_specs_matches_files_that_are_not_hidden(tmp_path, pattern, found):
    for name in ("top.yaml", "models/x.yaml", "models/.h.yaml", "models/deep/b.yaml", ".h/z.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to("models")
    (tmp_path / "loop").symlink_to("loop")
    with chdir(tmp_path):
        assert SCRIPT["_files"](pattern) == found
    assert SCRIPT["_files"](f"{tmp_path}/{pattern}") == [f"{tmp_path}/{name}" for name in found]


def test_a_glob_finds_specs_in_folders_deeper_than_pythons_recursion(tmp_path):
    with nested_folder(tmp_path, 1_500), chdir(tmp_path):
        assert NAMES["_files"]("a/**/*.yaml") == ["a/" * 1_500 + "net.yaml"]


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path, monkeypatch):
    def refuse(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(NAMES["RequestError"]) as raised, chdir(tmp_path):
        NAMES["_files"]("**/*.yaml")
    assert str(raised.value) == "error: cannot read `.`: Permission denied"


def test_folders_in_each_other_are_searched_once(tmp_path, monkeypatch):
    depth, identified = 50, []

    def identity(path):
        identified.append(path)
        return path

    folder = tmp_path.joinpath(*["d"] * depth)
    folder.mkdir(parents=True)
    (folder / "net.yaml").touch()
    monkeypatch.setitem(NAMES, "_identity", identity)
    found = SCRIPT["_files"](f"{tmp_path}/**/d/**/d/**/*.yaml")
    assert found == [str(folder / "net.yaml")]
    # Each of five parts identifies what it finds, and each `**` also what is below that.
    assert len(identified) <= (5 + 3 * 2) * (depth + 2)


# The base


def test_the_base_of_a_pull_request_is_its_target_branch(change):
    ran = change.run(environment={"GITHUB_BASE_REF": "main"})
    assert ran.code == 1
    assert (ran.outputs["params-delta"], ran.outputs["macs-delta"]) == (
        f"+{4 * PARAMS}",
        f"+{4 * MACS}",
    )
    assert [error.properties["title"] for error in ran.errors] == ["convcost (CC203)"]


def test_the_input_base_names_a_base_or_none(change):
    ran = change.run(base="none", environment={"GITHUB_BASE_REF": "main"})
    assert (ran.code, ran.outputs["params-delta"]) == (0, "")
    assert change.run(base="git:main").outputs["params-delta"] == f"+{4 * PARAMS}"


@pytest.mark.parametrize(
    "branch",
    [
        "$(touch${IFS}pwned)", "`touch${IFS}pwned`", ";touch${IFS}pwned", "&&touch${IFS}pwned",
        "--upload-pack=touch${IFS}pwned", "'\"'", "a\"b'c", "-x", "#1", "%0A%3A%3Aerror", "<<EOF",
        "ü/é", "main|tee${IFS}pwned", ">pwned", "@release@2",
    ],
)  # fmt: skip
def test_a_branch_with_a_hostile_name_is_a_base_like_any_other(change, branch):
    change.git("update-ref", f"refs/remotes/origin/{branch}", "main")
    ran = change.run(environment={"GITHUB_BASE_REF": branch})
    assert (ran.code, ran.outputs["params-delta"]) == (1, f"+{4 * PARAMS}"), ran.log
    assert len(ran.errors) == 1
    assert sorted(path.name for path in change.workspace.iterdir()) == [".git", "specs"]


def test_a_branch_with_a_hostile_name_reaches_no_shell(change):
    branch = "$(touch${IFS}pwned);`touch${IFS}pwned`"
    change.git("update-ref", f"refs/remotes/origin/{branch}", "main")
    ran = change.run_step(environment={"GITHUB_BASE_REF": branch})
    assert (ran.code, ran.outputs["params-delta"]) == (1, f"+{4 * PARAMS}"), ran.log
    assert sorted(path.name for path in change.workspace.iterdir()) == [".git", "specs"]


@pytest.mark.parametrize("branch", ["x\n::error::pwned\nverdict=within", "a b; touch pwned"])
def test_an_invalid_branch_name_is_an_unavailable_base(change, branch):
    environment = {"GITHUB_BASE_REF": branch}
    ran = change.run(environment=environment)
    assert (ran.code, ran.outputs["verdict"]) == (2, "broken")
    assert [
        error.message.startswith("error: the base `git:refs/remotes/origin/")
        for error in ran.errors
    ] == [True]
    ran = change.run(args="--allow-missing-base", environment=environment)
    assert (ran.code, ran.outputs["verdict"], ran.outputs["params-delta"]) == (0, "within", "")
    assert ran.errors == []
    assert not (change.workspace / "pwned").exists()


def test_growth_is_measured_from_the_merge_base(change):
    """Later commits on the target branch are not part of the change."""
    change.git("switch", "-q", "main")
    change.write("specs/net.yaml", net(40))
    change.git("update-ref", "refs/remotes/origin/main", change.commit())
    change.git("switch", "-q", "wider")
    ran = change.run(environment={"GITHUB_BASE_REF": "main"})
    assert (ran.code, ran.outputs["params-delta"]) == (1, f"+{4 * PARAMS}")


def test_a_base_that_is_missing_is_an_error(change):
    ran = change.run(environment={"GITHUB_BASE_REF": "gone"})
    assert (ran.code, ran.outputs["verdict"]) == (2, "broken")
    (error,) = ran.errors
    assert error.message.startswith(
        "error: the base `git:refs/remotes/origin/gone...` is not available"
    )
    assert "specs/net.yaml: growth is not checked without a base: " in ran.summary
    assert change.run(base="git:main").code == 1


def test_in_a_shallow_clone_the_job_fails_and_says_what_to_fetch(change, temp, tmp_path):
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
    environment = {"GITHUB_BASE_REF": "main"}
    ran = shallow.run(environment=environment)
    assert (ran.code, ran.outputs["verdict"]) == (2, "broken")
    assert "fetch-depth: 0" in ran.summary
    assert ["fetch-depth: 0" in error.message for error in ran.errors] == [True]
    assert (
        shallow.run(args="--allow-missing-base", environment=environment).outputs["verdict"]
        == "within"
    )
    shallow.write("specs/net.yaml", net(9))
    assert shallow.run(args="--allow-missing-base", environment=environment).code == 1


# Text from the change


def test_names_in_a_spec_are_not_commands_of_the_runner(runner):
    runner.write(
        "specs/net.yaml",
        net(9)
        .replace("name: net", 'name: "::error::pwned"')
        .replace("stem", '"::add-mask::x"')
        .replace("budget: {", 'budget: {message: "##[error]pwned\\n::warning::pwned", '),
    )
    ran = runner.run()
    assert ran.code == 1
    assert [
        annotation.level for annotation in ran.annotations if annotation.message.startswith("pwned")
    ] == []
    assert len(ran.errors) == 1


def test_text_of_a_broken_spec_is_not_a_command_and_does_not_end_a_block(runner):
    runner.write("specs/net.yaml", '"```": 1\n"::error::pwned": [\n')
    ran = runner.run()
    assert ran.code == 2
    assert [error.message for error in ran.errors if error.message.startswith("pwned")] == []
    fences = re.findall(r"^`{3,}", ran.summary, re.MULTILINE)
    assert len(fences) == 2


def test_a_fence_is_longer_than_the_fences_inside(tmp_path):
    reported = SCRIPT["_no_verdict"]("a\n````\n# b", tmp_path, "check")
    markdown = Path(reported["markdown-file"]).read_text("utf-8")
    assert markdown.endswith("\n`````text\na\n````\n# b\n`````\n")


def test_with_an_empty_runner_temp_nothing_is_installed_among_files_of_the_change(
    runner, monkeypatch
):
    runner.write("specs/net.yaml", net())
    monkeypatch.setattr(tempfile, "tempdir", str(runner.temp))
    ran = runner.run(environment={"RUNNER_TEMP": ""})
    assert ran.code == 0
    assert Path(ran.outputs["json-file"]).is_relative_to(runner.temp)
    assert [file.name for file in runner.workspace.iterdir()] == ["specs"]


def test_python_files_of_the_pull_request_are_not_imported(runner):
    runner.write("specs/net.yaml", net())
    for name in ("yaml", "typer", "convcost", "json"):
        runner.write(f"{name}.py", "raise SystemExit('imported')\n")
    assert runner.run_step().code == 0
