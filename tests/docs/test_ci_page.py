"""The files to copy in docs/ci.md are valid, and do what the page says."""

import json
import os
import re
import stat
import subprocess
import sys
from functools import cache

import pytest
import yaml
from support import ROOT, answer
from tools import missing_program, needs_git, require

from convcost.language.budgets import LIMITED, OF_LAYERS
from convcost.language.published import KEYS

PAGE = (ROOT / "docs" / "ci.md").read_text("utf-8")
FILES = dict(re.findall(r"```yaml\n# (\.\S+)\n(.*?)```", PAGE, re.DOTALL))
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
WORKFLOWS = [name for name in FILES if name.startswith(".github/workflows/")]
CHECKS, COMMENTS = ".github/workflows/budgets.yml", ".github/workflows/budgets-comment.yml"
SCANNING = ".github/workflows/budgets-scanning.yml"
NET = "name: net\ninput: {{channels: 3, size: 8}}\nlayers: [{{conv: {}, kernel: 3}}]\n"
COMMIT = re.compile(r"uses: ([\w.-]+/[\w./-]+)@(\w+)(?: # (v\d+\.\d+\.\d+))?\n")


@cache
def parsed(name: str) -> dict:
    # GitHub reads YAML 1.2, where `on` is a word; PyYAML reads it as true.
    return yaml.safe_load(re.sub(r"^on:", '"on":', FILES[name], flags=re.MULTILINE))


def steps(name: str) -> list[dict]:
    return [step for job in parsed(name)["jobs"].values() for step in job["steps"]]


def test_the_page_has_a_file_for_each_server():
    assert list(FILES) == [
        CHECKS, COMMENTS, SCANNING, ".gitlab-ci.yml", ".pre-commit-config.yaml",
    ]  # fmt: skip


def test_all_files_install_convcost_from_the_same_commit():
    """There is no release yet, so no file may install convcost from a package index."""
    repository = "https://github.com/OWNER/convcost"
    (job,) = parsed(".gitlab-ci.yml").values()
    install = f'python -m pip install "git+{repository}@COMMIT"'
    assert job["before_script"] == [install]
    assert PAGE.count(install) == 2
    for name in (CHECKS, SCANNING):
        assert "OWNER/convcost@COMMIT" in [step["uses"] for step in steps(name)]
    (hooks,) = parsed(".pre-commit-config.yaml")["repos"]
    assert (hooks["repo"], hooks["rev"]) == (repository, "COMMIT")


def test_the_page_lists_each_measure_that_a_budget_can_limit():
    table = PAGE.split("| limit on | |\n|---|---|\n")[1].split("\n\n")[0]
    names = (re.findall("`(.+?)`", row.split("|")[1]) for row in table.splitlines())
    assert {name for row in names for name in row} == {*LIMITED, "count"}


def test_the_page_of_the_language_lists_each_measure_of_budgets_and_figures():
    page = (ROOT / "docs" / "spec.md").read_text("utf-8")
    of_layers = page.split("A budget can limit `")[1].split("`")[0].split()
    assert sorted(of_layers) == sorted(OF_LAYERS)
    table = page.split("  - {layer: conv1, weights: 2.7K")[1].split("|---|---|\n")[1]
    rows = table.split("\n\n")[0].splitlines()
    listed = [name.split() for row in rows for name in re.findall("`(.+?)`", row.split("|")[1])]
    assert {name for names in listed for name in names} == {*KEYS}


# GitHub


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflows_pin_actions_to_a_commit_hash_with_the_version_as_a_comment(name):
    used = COMMIT.findall(FILES[name])
    assert len(used) == FILES[name].count("uses:")
    for action, commit, version in used:
        if (action, commit) != ("OWNER/convcost", "COMMIT"):
            assert len(commit) == 40, action
            assert version, action


@pytest.mark.parametrize("name", WORKFLOWS)
def test_no_workflow_has_an_expression_in_code(name):
    for step in steps(name):
        assert "${{" not in step.get("run", "") + step.get("with", {}).get("script", "")


def test_the_workflow_that_runs_the_code_of_a_change_may_only_read():
    workflow = parsed(CHECKS)
    assert workflow["on"] == "pull_request"
    assert workflow["permissions"] == {"contents": "read"}
    assert all("permissions" not in job for job in workflow["jobs"].values())
    (checkout,) = (s for s in steps(CHECKS) if s["uses"].startswith("actions/checkout@"))
    assert checkout["with"] == {"fetch-depth": 0, "persist-credentials": False}


def test_the_workflow_that_may_comment_runs_no_code_of_the_change():
    workflow = parsed(COMMENTS)
    assert workflow["on"] == {
        "workflow_run": {"workflows": [parsed(CHECKS)["name"]], "types": ["completed"]}
    }
    assert workflow["permissions"] == {}
    (job,) = workflow["jobs"].values()
    assert job["permissions"] == {"actions": "read", "pull-requests": "write"}
    used = [step["uses"].partition("@")[0] for step in steps(COMMENTS)]
    assert used == ["actions/download-artifact", "actions/github-script"]


def test_scanning_workflow_has_minimal_permissions_and_uploads_the_sarif_file():
    workflow = parsed(SCANNING)
    assert workflow["permissions"] == {}
    (job,) = workflow["jobs"].values()
    rights = {"contents": "read", "actions": "read", "security-events": "write"}
    assert job["permissions"] == rights
    _, check, upload = steps(SCANNING)
    assert upload["with"]["sarif_file"] == f"${{{{ steps.{check['id']}.outputs.sarif-file }}}}"
    # On the default branch there is no base, and a limit on growth is refused.
    assert check["with"] == {"specs": "models", "fail": "false"}


def test_the_comment_workflow_downloads_the_artifact_of_the_check_workflow():
    uploaded = next(s["with"] for s in steps(CHECKS) if "upload-artifact" in s["uses"])
    downloaded = next(s["with"] for s in steps(COMMENTS) if "download-artifact" in s["uses"])
    assert uploaded["name"] == downloaded["name"]
    assert uploaded["path"] == "${{ steps.budgets.outputs.markdown-file }}"
    assert '"convcost.md"' in (ROOT / "scripts" / "github_action.py").read_text("utf-8")


def test_the_page_lists_the_inputs_and_outputs_of_the_action():
    def listed(table: str) -> list[str]:
        rows = PAGE.split(f"| {table} | |\n")[1].split("\n\n")[0].splitlines()[1:]
        return [name for row in rows for name in re.findall(r"`([\w-]+)`", row.split("|")[1])]

    assert listed("input") == list(ACTION["inputs"])
    assert sorted(listed("output")) == sorted(ACTION["outputs"])
    (inputs,) = (s["with"] for s in steps(CHECKS) if s["uses"].startswith("OWNER/"))
    assert inputs.keys() <= ACTION["inputs"].keys()


POST = """
const fs = require("fs");
const { script, pulls, comments, run } = JSON.parse(fs.readFileSync(0, "utf8"));
const calls = [];
const rest = {
  pulls: { list: async (request) => { calls.push(["list", request]); return { data: pulls }; } },
  issues: {
    listComments: "listComments",
    createComment: async (request) => { calls.push(["create", request]); },
    updateComment: async (request) => { calls.push(["update", request]); },
  },
};
const github = { rest, paginate: async (method, request) => {
  calls.push(["comments", request]); return comments;
} };
const context = { repo: { owner: "us", repo: "nets" }, payload: { workflow_run: run } };
const core = {
  info: (text) => { calls.push(["info", text]); },
  setFailed: (text) => { calls.push(["failed", text]); },
};
const AsyncFunction = Object.getPrototypeOf(async function () {}).constructor;
const post = new AsyncFunction("github", "context", "core", "require", script);
post(github, context, core, require).then(() => console.log(JSON.stringify(calls)));
"""
RUN = {"head_sha": "new", "head_branch": "a&b=c", "head_repository": {"owner": {"login": "them"}}}
PULLS = [{"number": 7, "head": {"sha": "old"}}, {"number": 8, "head": {"sha": "new"}}]
MARKER = "<!-- convcost:check -->"
OURS = {"id": 5, "body": f"{MARKER}\nold", "user": {"login": "github-actions[bot]"}}
THEIRS = {"id": 4, "body": f"{MARKER}\nforged", "user": {"login": "them"}}


@pytest.fixture
def posted(tmp_path):
    """Runs the script that posts, with an API that only records its calls."""
    require(missing_program("node"))
    report = tmp_path / "convcost" / "convcost.md"
    report.parent.mkdir()
    report.write_text(f"{MARKER}\n**Over budget**\n", "utf-8")

    def post(pulls=PULLS, comments=()) -> list:
        script = steps(COMMENTS)[-1]["with"]["script"]
        arguments = {"script": script, "pulls": list(pulls), "comments": list(comments), "run": RUN}
        done = subprocess.run(
            ["node", "-e", POST],
            input=json.dumps(arguments).encode(),
            env={**os.environ, "RUNNER_TEMP": str(tmp_path)},
            check=False,
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    post.report = report  # type: ignore[attr-defined]
    return post


def test_the_pull_request_is_the_one_whose_head_was_checked(posted):
    pulls, listed, created = posted(comments=[THEIRS])
    repository = {"owner": "us", "repo": "nets"}
    assert pulls == ["list", {**repository, "head": "them:a&b=c", "state": "open"}]
    assert listed == ["comments", {**repository, "issue_number": 8}]
    body = f"{MARKER}\n**Over budget**\n"
    assert created == ["create", {**repository, "issue_number": 8, "body": body}]


def test_only_the_comment_of_the_bot_is_updated(posted):
    (*_, (kind, request)) = posted(comments=[THEIRS, OURS])
    assert (kind, request["comment_id"]) == ("update", 5)


def test_a_pull_request_with_newer_commits_gets_no_comment(posted):
    assert [kind for kind, _ in posted(pulls=PULLS[:1])] == ["list", "info"]


def test_an_untrusted_report_mentions_no_user_and_is_truncated(posted):
    posted.report.write_text("@us/all " + "x" * 100_000, "utf-8")
    (*_, (_, request)) = posted()
    assert request["body"].startswith(f"{MARKER}\n@\u200bus/all xxx")
    assert len(request["body"]) < 65_536


def test_a_report_that_is_a_link_is_not_followed(posted):
    posted.report.unlink()
    posted.report.symlink_to(ROOT / "LICENSE")
    assert [kind for kind, _ in posted()] == ["list", "failed"]


# GitLab


BUDGET = f"budget: {{params: {{max: {9 * 3 * 3 * 3 + 9}}}}}\n"


@pytest.mark.slow
@needs_git
@pytest.mark.parametrize(
    ("filters", "code", "exceeded", "merge_request"),
    [(8, 0, 0, True), (9, 1, 2, True), (10, 1, 3, True), (9, 0, 0, False), (10, 1, 1, False)],
)
def test_the_gitlab_job_writes_both_reports(tmp_path, filters, code, exceeded, merge_request):
    """A merge request has limits on the growth of params and macs; the default branch has not."""
    clone, bin_ = tmp_path / "clone", tmp_path / "bin"
    for folder in (clone / "models", bin_):
        folder.mkdir(parents=True)
    (clone / "models" / "net.yaml").write_text(NET.format(8) + BUDGET, "utf-8")
    program = bin_ / "convcost"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m convcost "$@"\n', "utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b.c")
    for command in (
        (*git, "init", "-q", "-b", "main"),
        (*git, "add", "-A"),
        (*git, "commit", "-q", "-m", "base"),
    ):
        subprocess.run(command, cwd=clone, check=True, capture_output=True)
    head = ("git", "rev-parse", "HEAD")
    ran = subprocess.run(head, cwd=clone, check=True, capture_output=True)
    base = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": ran.stdout.decode().strip()}
    (clone / "models" / "net.yaml").write_text(NET.format(filters) + BUDGET, "utf-8")
    job = parsed(".gitlab-ci.yml")["budgets"]
    done = subprocess.run(
        ["sh", "-e", "-c", "\n".join(job["script"])],
        cwd=clone,
        env={
            **os.environ,
            "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            **(base if merge_request else {}),
        },
        check=False,
        capture_output=True,
    )
    assert done.returncode == code, done.stderr.decode()
    for file in job["artifacts"]["reports"].values():
        assert (clone / file).stat().st_size > 0
    issues = json.loads((clone / job["artifacts"]["reports"]["codequality"]).read_text("utf-8"))
    assert len(issues) == exceeded
    assert job["artifacts"]["when"] == "always"


# pre-commit


def test_pre_commit_accepts_the_configuration_of_the_page(tmp_path):
    pytest.importorskip("pre_commit")
    file = tmp_path / "config.yaml"
    # pre-commit warns of a `rev` that can change; a full commit hash cannot.
    file.write_text(FILES[".pre-commit-config.yaml"].replace("COMMIT", "a" * 40), "utf-8")
    command = [sys.executable, "-m", "pre_commit", "validate-config", str(file)]
    ran = subprocess.run(command, check=False, capture_output=True)
    assert (ran.returncode, ran.stdout) == (0, b"")
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    (repository,) = parsed(".pre-commit-config.yaml")["repos"]
    assert {hook["id"] for hook in repository["hooks"]} == {hook["id"] for hook in hooks}


# pytest


@pytest.mark.slow
@needs_git
def test_the_tests_of_the_page_pass_and_can_fail(tmp_path):
    (tmp_path / "test_page.py").write_text(
        "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
    )
    spec = tmp_path / "models" / "net.yaml"
    spec.parent.mkdir()
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b.c")
    for filters, outcome in ((8, "2 passed"), (9, "1 failed, 1 passed"), (200_000, "2 failed")):
        spec.write_text(NET.format(filters), "utf-8")
        if filters == 8:
            for command in (
                (*git, "init", "-q", "-b", "main"),
                (*git, "add", "models"),
                (*git, "commit", "-q", "-m", "base"),
                (*git, "update-ref", "refs/remotes/origin/main", "HEAD"),
            ):
                subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
        output = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "convcost.pytest_plugin", "test_page.py"],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "PYTEST_ADDOPTS": "",
            },
            check=False,
            capture_output=True,
        ).stdout.decode()
        assert outcome in output.splitlines()[-1], output


# This repository


def test_every_shipped_network_is_within_its_budget():
    report = answer("check", "specs/")
    assert report["ok"]
    assert report["statements"] == []
