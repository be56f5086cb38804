"""Where answers go: nothing lost, nothing half written, no option passed over."""

import json
import os
import subprocess
import sys

import pytest
from support import ROOT, run

from convcost.report import FORMATS


@pytest.mark.parametrize("name", FORMATS.names())
def test_options_of_blocks_where_no_row_is_one_are_refused_in_every_format(name):
    ran = run("analyze", "vgg16", "--columns", "options", "--format", name)
    assert ran.returncode == 2
    assert ran.stdout == b""
    assert ran.stderr.decode() == "error: no row is a block that has options; add --depth 1\n"


def test_a_stream_that_is_named_as_a_file_is_written_to_and_not_replaced(tmp_path):
    path = tmp_path / "log"
    path.write_text("kept\n", "utf-8")
    command = [sys.executable, "-m", "convcost", "analyze", "vgg16", "-o", "csv:/dev/stdout"]
    with path.open("a") as log:
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        subprocess.run(command, stdout=log, stderr=subprocess.DEVNULL, check=True, env=env)
    assert path.read_text("utf-8").startswith("kept\nnetwork,path,")


@pytest.mark.parametrize("other", ["json:l.csv", "json:d/../b.csv", "json:{here}/b.csv"])
def test_two_ways_to_name_one_file_are_known_for_it(other, tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "l.csv").symlink_to("b.csv")
    ran = run("analyze", "vgg16", "-o", "b.csv", "-o", other.format(here=tmp_path), cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.decode().startswith("error: two outputs go to ")
    assert not (tmp_path / "b.csv").exists()


def test_a_written_spec_is_not_overwritten_by_the_answer(tmp_path):
    (tmp_path / "new.yaml").write_text("", "utf-8")
    (tmp_path / "link.csv").symlink_to("new.yaml")
    ran = run("reduce", "vgg16", "--channels", "1/4", "--write", "new.yaml", "-o", "link.csv",
              cwd=tmp_path)  # fmt: skip
    assert ran.stderr.decode() == "error: --write and --output both go to `new.yaml`\n"
    assert (tmp_path / "new.yaml").read_text("utf-8") == ""


def test_nothing_is_written_if_a_picture_cannot_be_drawn(tmp_path):
    ran = run("reduce", "vgg16", "--channels", "1/4", "--write", "w.yaml", "--plot", "a.svg",
              cwd=tmp_path)  # fmt: skip
    assert ran.returncode == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [["verify", "vgg16"], ["kinds", "conv"], ["explain", "googlenet", "inception_3a"]]
)
def test_a_unit_where_there_are_no_counts_is_refused(arguments):
    ran = run(*arguments, "--units", "M")
    assert ran.returncode == 2
    assert (
        ran.stderr.decode() == "error: --units is for columns of counts, and there is none here\n"
    )


def test_numbers_of_an_author_stay_as_they_are_in_latex(tmp_path):
    text = """\
name: net
source: shape (3,224,224) and 1,128
input: {channels: 3, size: 8}
layers: [{relu: , name: "1,234"}]
"""
    shown = run("analyze", "-", "--format", "latex", text=text).stdout.decode()
    assert "1,234" in shown
    shown = run("analyze", "-", "--format", "latex", "--caption", "(3,224)", text=text)
    assert "(3,224)" in shown.stdout.decode()


def test_a_suffix_is_known_in_capitals(tmp_path):
    ran = run("analyze", "vgg16", "-o", "A.JSON", cwd=tmp_path)
    assert ran.returncode == 0
    assert json.loads((tmp_path / "A.JSON").read_text("utf-8"))["networks"]


def test_a_name_as_long_as_a_file_system_takes_is_written(tmp_path):
    name = "n" * 244 + ".csv"
    assert run("analyze", "vgg16", "-o", name, cwd=tmp_path).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == [name]
