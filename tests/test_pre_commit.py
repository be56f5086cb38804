"""The hooks, run by pre-commit itself on a repository of a user.

Their environment is built as it is for a user: from a clone of this tree, once for all tests here.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from once import once
from support import ROOT
from tools import needs_git

pytest.importorskip("pre_commit")
pytestmark = [pytest.mark.slow, needs_git]
SHARED = (
    "convcost",
    "specs",
    "devices",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    ".pre-commit-hooks.yaml",
)
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
        """On all that is staged."""
        given = {"args": list(args)} if args else {}
        return self.run_all([{"id": hook, **given}], "--all-files")

    def run_all(self, hooks: list[dict], *options: str) -> tuple[int, str]:
        rev = git(self.hooks, "rev-parse", "HEAD")
        config = {"repos": [{"repo": str(self.hooks), "rev": rev, "hooks": hooks}]}
        self.write(".pre-commit-config.yaml", yaml.safe_dump(config))
        ran = subprocess.run(
            [sys.executable, "-m", "pre_commit", "run", "--color", "never", *options],
            cwd=self.folder,
            check=False,
            capture_output=True,
            env=environment(PRE_COMMIT_HOME=str(self.home), PIP_NO_COMPILE="1"),
            timeout=300,
        )
        assert b"Traceback" not in ran.stdout
        return ran.returncode, ran.stdout.decode()


def this_tree(folder: Path) -> None:
    """As a repository with one commit."""
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


@pytest.fixture(scope="session")
def hooks(tmp_path_factory):
    return once(tmp_path_factory, "hooks", this_tree)


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """Where pre-commit keeps what it has installed; it waits for itself."""
    return once(tmp_path_factory, "pre-commit", lambda _: None)


@pytest.fixture
def repository(tmp_path, hooks, home):
    return Repository(tmp_path / "user", hooks, home)


def test_the_hooks_are_valid_for_pre_commit():
    ran = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", ROOT / ".pre-commit-hooks.yaml"],
        check=False,
        capture_output=True,
    )
    assert (ran.returncode, ran.stdout) == (0, b"")


def test_specs_within_their_budgets_pass(repository):
    repository.write("specs/a.yaml", WITHIN)
    repository.write("models/spec/b.yml", WITHIN)
    code, message = repository.run("convcost-check")
    assert (code, message.split(".")[-1]) == (0, "Passed\n")


@pytest.mark.parametrize("name", ["specs/b.yaml", "a/spec/deep/b.yml", "mobile.convcost.yaml"])
def test_one_spec_over_budget_among_several_fails(repository, name):
    repository.write("specs/a.yaml", WITHIN)
    repository.write("specs/none.yaml", SPEC)
    repository.write(name, OVER)
    code, message = repository.run("convcost-check")
    assert code == 1
    assert "- exit code: 1\n" in message
    assert "CC201  params over the max" in message
    assert f"{name}#net: error" in message


@pytest.mark.skipif(sys.platform == "win32", reason="no name has a line break there")
def test_a_line_break_in_the_name_of_a_spec_hides_it_from_no_hook(repository):
    repository.write("specs/a\nb.yaml", OVER + "published: [{params: 1, source: here}]\n")
    code, message = repository.run("convcost-check")
    assert code == 1
    assert "- exit code: 1\n" in message
    assert "specs/a\\x0ab.yaml#net: error" in message
    code, message = repository.run("convcost-verify")
    assert code == 1
    assert "- exit code: 1\n" in message


def test_a_link_in_the_place_of_a_spec_is_checked(repository):
    repository.write("store/large.yaml", OVER)
    (repository.folder / "specs").mkdir()
    (repository.folder / "specs/a.yaml").symlink_to("../store/large.yaml")
    git(repository.folder, "add", "specs/a.yaml")
    code, message = repository.run("convcost-check")
    assert code == 1
    assert "specs/a.yaml#net: error" in message
    (repository.folder / "store/large.yaml").unlink()
    git(repository.folder, "add", "store/large.yaml")
    code, message = repository.run("convcost-verify")
    assert code == 1
    assert "error: `specs/a.yaml` is a link that leads to no file" in message


def test_a_broken_spec_fails_with_exit_code_2(repository):
    repository.write("specs/a.yaml", WITHIN.replace("kernel", "kernal"))
    code, message = repository.run("convcost-check")
    assert code == 1
    assert "- exit code: 2\n" in message
    assert "error[CC101]: conv has no option `kernal`\n --> specs/a.yaml:4:15\n" in message


def test_a_first_commit_has_no_base_and_passes_if_that_is_allowed(repository):
    repository.write("specs/a.yaml", SPEC)
    growth = ("--base=git:HEAD", "--max-growth=2%")
    code, message = repository.run("convcost-check", *growth, "--")
    assert code == 1
    assert "- exit code: 2\n" in message
    assert "error: the base `git:HEAD` is not available; the report says why\n" in message
    assert repository.run("convcost-check", *growth, "--allow-missing-base", "--")[0] == 0


def test_a_spec_without_a_budget_passes(repository):
    repository.write("specs/a.yaml", SPEC)
    assert repository.run("convcost-check")[0] == 0


def test_other_yaml_files_are_not_checked(repository):
    for name in ("docker-compose.yml", ".github/workflows/ci.yml", "special/a.yaml", "specs.yaml"):
        repository.write(name, "no: spec\n")
    repository.write("specs/a.txt", "no spec")
    for hook in ("convcost-check", "convcost-verify"):
        code, message = repository.run(hook)
        assert code == 0
        assert "(no files to check)Skipped" in message


def test_a_configuration_is_used_and_not_checked_as_a_spec(repository):
    repository.write("specs/convcost.yaml", "budgets: [{params: {max: 10}}]\n")
    repository.write("specs/a.yaml", SPEC)
    code, message = repository.run("convcost-check")
    assert code == 1
    assert "limit  10  (" in message


def test_a_file_with_the_name_of_an_option_is_a_file(repository):
    repository.write("--exit-zero.convcost.yaml", OVER)
    assert repository.run("convcost-check")[0] == 1


def test_growth_over_the_last_commit_is_limited_by_arguments(repository):
    repository.write("specs/a.yaml", SPEC)
    repository.commit()
    growth = ("--base=git:HEAD", "--max-growth=2%")
    assert repository.run("convcost-check", *growth)[0] == 0
    repository.write("specs/a.yaml", SPEC.replace("conv: 8", "conv: 9"))
    code, message = repository.run("convcost-check", *growth)
    assert code == 1
    assert "CC203" in message


def test_a_published_figure_that_is_off_fails_verify(repository):
    figure = "published: [{{params: {}, source: Table 1}}]\n"
    repository.write("specs/a.yaml", SPEC + figure.format(8 * 3 * 3 * 3))
    repository.write("specs/none.yaml", SPEC)
    assert repository.run("convcost-verify")[0] == 0
    repository.write("specs/a.yaml", SPEC + figure.format(8 * 3 * 3 * 3 + 1))
    code, message = repository.run("convcost-verify")
    assert code == 1
    assert "- exit code: 1\n" in message
    assert "1 off" in message


# The configuration of docs/ci.md


@pytest.fixture
def page():
    """Its hooks, all of them together."""
    text = (ROOT / "docs" / "ci.md").read_text("utf-8")
    config = text.split("```yaml\n# .pre-commit-config.yaml\n")[1].split("```")[0]
    return yaml.safe_load(config)["repos"][0]["hooks"]


def test_a_tighter_limit_is_checked_by_the_hook_for_all_specs(repository, page):
    repository.write("models/a.yaml", SPEC)
    repository.write("convcost.yaml", f"budgets: [{{params: {8 * 3 * 3 * 3}}}]\n")
    repository.commit()
    repository.write("convcost.yaml", f"budgets: [{{params: {8 * 3 * 3 * 3 - 1}}}]\n")
    code, message = repository.run_all(page)  # the one file that is staged is no spec
    assert code == 1
    assert [line.rpartition(".")[2] for line in message.splitlines() if "..." in line] == [
        "(no files to check)Skipped", "Failed", "(no files to check)Skipped",
    ]  # fmt: skip
    assert message.count("CC201") == 1


def test_many_small_commits_cannot_exceed_the_growth_of_a_branch(repository, page):
    repository.write("models/a.yaml", SPEC.replace("conv: 8", "conv: 100"))
    repository.commit()
    git(repository.folder, "update-ref", "refs/remotes/origin/main", "HEAD")
    for filters in (102, 104):
        repository.write("models/a.yaml", SPEC.replace("conv: 8", f"conv: {filters}"))
        assert repository.run_all(page)[0] == 0  # each within 2 % of the last
        repository.commit()
    branch = ("--from-ref", "origin/main", "--to-ref", "HEAD", "--hook-stage", "pre-push")
    code, message = repository.run_all(page, *branch)
    assert code == 1
    assert "- hook id: convcost-check\n- exit code: 1\n" in message
    assert "CC203" in message
