"""The hooks, run by pre-commit itself on a repository of a user.

Their environment is built as it is for a user: from a clone of this tree, once for all tests here.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT

SHARED = ("convcost", "specs", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")
SPEC = """\
name: net
input: {channels: 3, size: 8}
layers:
  - {conv: 8, kernel: 3, name: stem}
"""
WITHIN = f"{SPEC}budget: {{params: {{max: {8 * 3 * 3 * 3}}}}}\n"
OVER = f"{SPEC}budget: {{params: {{max: {8 * 3 * 3 * 3 - 1}}}}}\n"


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    ran = subprocess.run(
        ["git", *identity, *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        env=environment(),
    )
    return ran.stdout.decode().strip()


def environment(**more: str) -> dict[str, str]:
    outer = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "PYTHON"))}
    return {**outer, **more}


class Repository:
    """A user's repository with both hooks, each with the arguments that it is given."""

    def __init__(self, folder: Path, hooks: Path, home: Path):
        self.folder = folder
        self.hooks = hooks
        self.home = home
        folder.mkdir()
        git(folder, "init", "-q", "-b", "main")

    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        git(self.folder, "add", "--", name)

    def commit(self) -> None:
        git(self.folder, "commit", "-q", "-m", "change")

    def run(self, hook: str, *args: str) -> tuple[int, str]:
        """All that is staged, or what is changed to be committed."""
        given = f", args: [{', '.join(args)}]" if args else ""
        self.write(
            ".pre-commit-config.yaml",
            f"repos:\n- repo: {self.hooks}\n  rev: {git(self.hooks, 'rev-parse', 'HEAD')}\n"
            f"  hooks: [{{id: {hook}{given}}}]\n",
        )
        ran = subprocess.run(
            [sys.executable, "-m", "pre_commit", "run", "--all-files", "--color", "never"],
            cwd=self.folder,
            check=False,
            capture_output=True,
            env=environment(PRE_COMMIT_HOME=str(self.home)),
            timeout=300,
        )
        assert b"Traceback" not in ran.stdout
        return ran.returncode, ran.stdout.decode()


@pytest.fixture(scope="session")
def hooks(tmp_path_factory):
    """This tree as a repository with one commit."""
    folder = tmp_path_factory.mktemp("hooks")
    for name in SHARED:
        source = ROOT / name
        if source.is_dir():
            hidden = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, folder / name, ignore=hidden)
        else:
            shutil.copy(source, folder / name)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "all")
    return folder


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("pre-commit")


@pytest.fixture
def repository(tmp_path, hooks, home):
    return Repository(tmp_path / "user", hooks, home)


def test_the_hooks_are_what_pre_commit_takes_for_hooks():
    ran = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", ROOT / ".pre-commit-hooks.yaml"],
        check=False,
        capture_output=True,
    )
    assert (ran.returncode, ran.stdout) == (0, b"")


def test_specs_within_their_budgets_pass(repository):
    repository.write("specs/a.yaml", WITHIN)
    repository.write("models/spec/b.yml", WITHIN)
    code, said = repository.run("convcost-check")
    assert (code, said.split(".")[-1]) == (0, "Passed\n")


@pytest.mark.parametrize("name", ["specs/b.yaml", "a/spec/deep/b.yml", "mobile.convcost.yaml"])
def test_one_of_several_that_is_over_its_budget_fails(repository, name):
    repository.write("specs/a.yaml", WITHIN)
    repository.write("specs/none.yaml", SPEC)
    repository.write(name, OVER)
    code, said = repository.run("convcost-check")
    assert code == 1
    assert "- exit code: 1\n" in said
    assert "CC201  params over the max" in said
    assert f"{name}#net: error" in said


def test_a_broken_spec_fails_with_a_code_of_its_own(repository):
    repository.write("specs/a.yaml", WITHIN.replace("kernel", "kernal"))
    code, said = repository.run("convcost-check")
    assert code == 1
    assert "- exit code: 2\n" in said
    assert "error[CC101]: conv has no option `kernal`\n --> specs/a.yaml:4:15\n" in said


def test_a_spec_without_a_budget_passes(repository):
    repository.write("specs/a.yaml", SPEC)
    assert repository.run("convcost-check")[0] == 0


def test_yaml_that_is_no_spec_is_left_alone(repository):
    for name in ("docker-compose.yml", ".github/workflows/ci.yml", "special/a.yaml", "specs.yaml"):
        repository.write(name, "no: spec\n")
    repository.write("specs/a.txt", "no spec")
    for hook in ("convcost-check", "convcost-verify"):
        code, said = repository.run(hook)
        assert code == 0
        assert "(no files to check)Skipped" in said


def test_budgets_of_a_configuration_count_and_it_is_taken_for_no_spec(repository):
    repository.write("specs/convcost.yaml", "budgets: [{params: {max: 10}}]\n")
    repository.write("specs/a.yaml", SPEC)
    code, said = repository.run("convcost-check")
    assert code == 1
    assert "limit  10  (" in said


def test_a_file_by_the_name_of_an_option_is_a_file(repository):
    repository.write("--exit-zero.convcost.yaml", OVER)
    assert repository.run("convcost-check")[0] == 1


def test_growth_over_the_last_commit_is_held_back_by_arguments(repository):
    repository.write("specs/a.yaml", SPEC)
    repository.commit()
    growth = ("--base=git:HEAD", "--max-growth=2%")
    assert repository.run("convcost-check", *growth)[0] == 0
    repository.write("specs/a.yaml", SPEC.replace("conv: 8", "conv: 9"))
    code, said = repository.run("convcost-check", *growth)
    assert code == 1
    assert "CC203" in said


def test_a_published_figure_that_is_off_fails_verify(repository):
    figure = "published: [{{params: {}, source: Table 1}}]\n"
    repository.write("specs/a.yaml", SPEC + figure.format(8 * 3 * 3 * 3))
    repository.write("specs/none.yaml", SPEC)
    assert repository.run("convcost-verify")[0] == 0
    repository.write("specs/a.yaml", SPEC + figure.format(8 * 3 * 3 * 3 + 1))
    code, said = repository.run("convcost-verify")
    assert code == 1
    assert "- exit code: 1\n" in said
    assert "1 off" in said
