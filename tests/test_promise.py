"""A kind, or a format, is one file: dropped into a folder it works, nothing else edited."""

import json
import os
import re
import subprocess
import sys

import pytest
from support import ROOT, run

FORMAT = """
from convcost.report import format


@format("loud", "shouts", ".loud")
def render(report, style):
    for table in report.tables():
        yield f"{table.name.upper()}!\\n"
"""


@pytest.fixture
def plugins(tmp_path):
    """The kind that README shows, as it stands there, and a format."""
    readme = (ROOT / "README.md").read_text("utf-8")
    (tmp_path / "layers").mkdir()
    (tmp_path / "render").mkdir()
    kind = re.search(r"```python\n(.*?)```", readme, re.DOTALL)[1]
    (tmp_path / "layers" / "maxout.py").write_text(kind, "utf-8")
    (tmp_path / "render" / "loud.py").write_text(FORMAT, "utf-8")
    return str(tmp_path)


SPEC = "name: drop\ninput: {channels: 64, size: 8}\nlayers: [{maxout: 2}]\n"


def test_a_kind_dropped_in_works_in_a_spec(plugins):
    done = run("analyze", "-", "--format", "json", text=SPEC, CONVCOST_PLUGINS=plugins)
    (network,) = json.loads(done.stdout)["networks"]
    assert network["totals"]["macs"] == 2 * 64 * 64 * 8 * 8
    assert network["layers"][0]["kind"] == "maxout"


def test_a_kind_dropped_in_is_unknown_without_its_folder():
    done = run("analyze", "-", text=SPEC)
    assert done.returncode == 2
    assert b"there is no kind or block `maxout`" in done.stderr


def test_a_kind_dropped_in_shows_among_the_kinds(plugins):
    assert b"\nmaxout " in run("kinds", CONVCOST_PLUGINS=plugins).stdout
    told = run("kinds", "maxout", CONVCOST_PLUGINS=plugins).stdout.decode()
    assert "channels that compete" in told
    assert "2 × 64 × 64 × 8 × 8 = 524,288" in told


def test_a_misspelt_option_of_a_kind_dropped_in_is_refused(plugins):
    spec = SPEC.replace("maxout: 2", "maxout: 2, peices: 3")
    done = run("analyze", "-", text=spec, CONVCOST_PLUGINS=plugins)
    assert b"maxout has no option `peices`" in done.stderr
    assert b"did you mean `pieces`?" in done.stderr


def suite_of_kinds(plugins) -> subprocess.CompletedProcess:
    """The suite's own test of kinds, run with the folder."""
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-k",
            "maxout",
            "tests/test_kinds.py",
        ],
        cwd=ROOT,
        env={**os.environ, "CONVCOST_PLUGINS": plugins, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )


def test_a_kind_dropped_in_is_tested(plugins, tmp_path):
    assert suite_of_kinds(plugins).returncode == 0
    file = tmp_path / "layers" / "maxout.py"
    file.write_text(file.read_text("utf-8").replace("params=2 * 64", "params=3 * 64"), "utf-8")
    failed = suite_of_kinds(plugins)
    assert failed.returncode == 1
    assert b"maxout" in failed.stdout


def test_a_format_dropped_in_works_by_name_and_by_suffix(plugins, tmp_path):
    done = run("analyze", "-", "--format", "loud", text=SPEC, CONVCOST_PLUGINS=plugins)
    assert done.stderr == b""
    assert done.stdout == b"DROP!\n"
    run("analyze", "-", "-o", str(tmp_path / "x.loud"), text=SPEC, CONVCOST_PLUGINS=plugins)
    assert (tmp_path / "x.loud").read_text() == "DROP!\n"


def test_every_code_of_a_problem_is_listed_with_its_meaning_and_every_listed_one_is_used():
    sources = {path: path.read_text("utf-8") for path in (ROOT / "convcost").rglob("*.py")}
    listed = sources.pop(ROOT / "convcost" / "errors.py")
    used = {code for text in sources.values() for code in re.findall(r"CC\d{3}", text)}
    assert used == set(re.findall(r'"(CC\d{3})":', listed))
