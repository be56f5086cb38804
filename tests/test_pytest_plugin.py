"""The pytest fixture, in a project of its own with convcost as an installed package."""

import os
import re
import subprocess
import sys
import tomllib

import pytest
from repository import net
from support import ROOT

pytestmark = pytest.mark.slow

TESTS = """
import convcost

def test_within(convcost_check):
    assert convcost_check("net.yaml", max_params=344).ok

def test_over(convcost_check):
    convcost_check("net.yaml", max_params=343)

def test_plain():
    assert convcost.check("net.yaml", max_params=343).ok

def test_told():
    check = convcost.check("net.yaml", max_params=343)
    assert check.ok, str(check)

def test_broken(convcost_check):
    convcost_check("bad.yaml", max_params=343)

def test_base(convcost_check):
    convcost_check("net.yaml", base="git:main", max_growth="1%")

def test_lost(convcost_check):
    convcost_check("models/lost.yaml", max_params=343)
"""


@pytest.fixture
def project(tmp_path):
    """A folder with specs and tests; convcost beside it, with the entry points that it declares."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    site = tmp_path / "site"
    about = site / "convcost-0.dist-info"
    about.mkdir(parents=True)
    (site / "convcost").symlink_to(ROOT / "convcost")
    (site / "specs").symlink_to(ROOT / "specs")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: convcost\nVersion: 0\n")
    (about / "entry_points.txt").write_text(
        "[pytest11]\n"
        + "".join(f"{k} = {v}\n" for k, v in declared["entry-points"]["pytest11"].items())
    )
    work = tmp_path / "project"
    work.mkdir()
    (work / "net.yaml").write_text(net(), "utf-8")
    (work / "bad.yaml").write_text("layers: [", "utf-8")
    (work / "test_budgets.py").write_text(TESTS, "utf-8")
    return work


def ran(project, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project.parent / "site"), "COLUMNS": "200"},
        capture_output=True,
        check=False,
        timeout=120,
    )


def test_a_test_over_budget_fails_with_the_report(project):
    done = ran(project)
    message = done.stdout.decode()
    assert done.returncode == 1
    assert re.search(r"6 failed, 1 passed", message)
    assert "PASSED test_budgets.py::test_within" in message
    over = message.split(" test_over ", 1)[1].split(" test_plain ", 1)[0]
    assert "net.yaml: error\n\nCC201  params over the max\nlimit  343  (the call)" in over
    assert "Traceback" not in over
    assert "def test_over" not in over  # the report, and no code
    plain = message.split(" test_plain ", 1)[1].split(" test_told ", 1)[0]
    assert "<Check ok=False: net.yaml: params 344 over the max 343 (+1); 1 limit checked" in plain
    reported = message.split(" test_told ", 1)[1].split(" test_broken ", 1)[0]
    assert "found  344  (+1)" in reported
    broken, rest = message.split(" test_broken ", 1)[1].split(" test_base ", 1)
    base, lost = rest.split(" test_lost ", 1)
    assert "\nGrowth was not checked: the base is not available\n" in base
    lost = lost.split("=====", 1)[0]
    assert lost.count("there is no file `models/lost.yaml`") == 1
    assert f"\nlooked in {project}\n" in lost
    assert "During handling" not in message
    assert broken.count("error[CC002]") == 1
    assert "\nbad.yaml:1:10: error[CC002]: " in broken
    assert "convcost/language" not in broken


def test_without_the_fixture_no_other_module_is_imported(project):
    (project / "test_budgets.py").write_text(
        "import sys\n"
        "def test_it():\n"
        "    found = sorted(name for name in sys.modules if name.startswith('convcost'))\n"
        "    assert found == ['convcost', 'convcost.pytest_plugin']\n"
    )
    done = ran(project)
    assert done.returncode == 0, done.stdout.decode()


def test_pytest_lists_the_fixture_with_its_docstring(project):
    message = ran(project, "--fixtures", "-q").stdout.decode()
    assert "convcost_check [session scope]" in message
    assert "`convcost.check`, which fails the test if a limit is exceeded" in message
