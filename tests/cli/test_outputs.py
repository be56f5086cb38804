"""Where answers go: nothing lost, nothing half written, no option passed over."""

import json
import os
import subprocess
import sys

import pytest
from support import ROOT, run

from convcost.render import FORMATS


@pytest.mark.parametrize("name", FORMATS.names())
def test_a_column_of_block_options_is_refused_in_every_format_if_no_row_is_a_block(name):
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
def test_one_file_under_two_names_is_recognized(other, tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "l.csv").symlink_to("b.csv")
    ran = run("analyze", "vgg16", "-o", "b.csv", "-o", other.format(here=tmp_path), cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.decode().startswith("error: two outputs write to ")
    assert not (tmp_path / "b.csv").exists()


def test_a_written_spec_is_not_overwritten_by_the_report(tmp_path):
    (tmp_path / "new.yaml").write_text("", "utf-8")
    (tmp_path / "link.csv").symlink_to("new.yaml")
    ran = run("reduce", "vgg16", "--channels", "1/4", "--write", "new.yaml", "-o", "link.csv",
              cwd=tmp_path)  # fmt: skip
    assert ran.stderr.decode() == "error: two outputs write to `new.yaml`; give each its own file\n"
    assert (tmp_path / "new.yaml").read_text("utf-8") == ""


@pytest.mark.parametrize("other", ["csv:/dev/stdout", "csv:/dev/fd/1", "csv:./all.txt"])
@pytest.mark.parametrize("mode", ["w", "a"])
def test_the_file_of_standard_output_is_not_written_a_second_time(other, mode, tmp_path):
    command = [sys.executable, "-m", "convcost", "analyze", "lenet5", "-o", "-", "-o", other]
    with (tmp_path / "all.txt").open(mode) as file:
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        ran = subprocess.run(
            command, stdout=file, stderr=subprocess.PIPE, check=False, cwd=tmp_path, env=env
        )
    name = other.removeprefix("csv:").removeprefix("./")
    message = f"error: two outputs write to `{name}`; give each its own file\n"
    assert (ran.returncode, ran.stderr.decode()) == (2, message)
    assert (tmp_path / "all.txt").read_bytes() == b""


def test_outputs_that_lose_nothing_can_share_a_stream(tmp_path):
    nothing = ("-o", "csv:/dev/null", "-o", "json:/dev/null")
    assert run("analyze", "lenet5", *nothing).returncode == 0
    # Some programs read standard output and standard error from one pipe.
    command = [sys.executable, "-m", "convcost", "analyze", "lenet5"]
    command += ["-o", "csv:-", "-o", "plain:/dev/stderr"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    both = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True, env=env
    )
    assert b"network,path," in both.stdout
    assert b"wrote /dev/stderr\n" in both.stdout


def test_a_device_as_standard_input_is_not_a_file():
    command = "from pathlib import Path; from convcost.sources.spec_files import is_source; "
    command += "print(is_source(Path('/dev/stdin'), '-'))"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", command],
        stdin=subprocess.DEVNULL, capture_output=True, check=True, env=env,
    )  # fmt: skip
    assert done.stdout == b"False\n"


SEARCH = ("search", "lenet5", "--vary", "size=32")
UPDATE = ("check", "lenet5", "--update-baseline")


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        ((*SEARCH, "--points", "a.csv", "-o", "a.csv"), "a.csv"),
        ((*SEARCH, "--points", "a.csv", "--resume", "a.csv"), "a.csv"),
        ((*SEARCH, "--resume", "a.json", "-o", "a.json"), "a.json"),
        ((*SEARCH, "--resume", "./a.svg", "--plot", "a.svg"), "a.svg"),
        ((*SEARCH, "--points", "a.csv", "--resume", "a.csv.part"), "a.csv.part"),
        ((*SEARCH, "--points", "a.csv", "-o", "csv:a.csv.part"), "a.csv.part"),
        ((*UPDATE, "--base", "a.json", "-o", "a.json"), "a.json"),
    ],
)
def test_no_file_is_written_twice(arguments, written, tmp_path):
    ran = run(*arguments, cwd=tmp_path)
    assert ran.returncode == 2
    error = ran.stderr.decode().replace("./", "").replace(f"{tmp_path}/", "")
    assert f"error: two outputs write to `{written}`; " in error
    assert list(tmp_path.iterdir()) == []


DEVICE = "{ram: 1MiB, flash: 1MiB, source: its datasheet}\n"


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("check", "lenet5", "--device", "board.yaml", "-o", "link.csv"), "--output"),
        (("memory", "lenet5", "--device", "board.yaml", "-o", "link.csv"), "--output"),
        (("memory", "lenet5", "--device", "board.yaml", "--plot", "link.svg"), "--plot"),
        ((*SEARCH, "--device", "board.yaml", "-o", "link.csv"), "--output"),
        ((*SEARCH, "--device", "board.yaml", "--points", "link.csv"), "--points"),
        (("search", "board.yaml", "--vary", "size=8", "--points", "link.csv"), "--points"),
        (("search", "board.yaml", "--vary", "size=8", "--resume", "board.yaml"), "--resume"),
    ],
)
def test_no_file_that_is_read_is_overwritten(arguments, option, tmp_path):
    board = tmp_path / "board.yaml"
    board.write_text(DEVICE, "utf-8")
    for name in ("link.csv", "link.svg"):
        (tmp_path / name).symlink_to("board.yaml")
    ran = run(*arguments, cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stdout == b""
    name = next(name for name in reversed(arguments) if "." in name)
    assert ran.stderr.decode() == f"error: {option} would overwrite the input `{name}`\n"
    assert board.read_text("utf-8") == DEVICE


@pytest.mark.parametrize("read", ["spec", "device"])
def test_the_points_of_a_search_replace_no_file_that_is_read_while_it_runs(read, tmp_path):
    file = tmp_path / "a.csv.part"
    spec = "input: {channels: 1, size: 8}\nlayers: [{conv: 1, kernel: 1}]\n"
    file.write_text(spec if read == "spec" else DEVICE, "utf-8")
    names = (file, "h100") if read == "spec" else ("lenet5", file)
    arguments = ("search", str(names[0]), "--device", str(names[1]), "--vary", "size=32")
    ran = run(*arguments, "--points", "a.csv", cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.decode() == f"error: --points would overwrite the input `{file}`\n"
    assert list(tmp_path.iterdir()) == [file]


def test_a_unit_without_a_column_of_counts_is_refused():
    ran = run("analyze", "vgg16", "--columns", "layer,kind", "--units", "M")
    assert ran.returncode == 2
    assert ran.stderr.decode() == (
        "error: --units applies to columns of counts, and this report has none\n"
    )


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        *(
            ([*arguments], option)
            for arguments in (("verify", "vgg16"), ("kinds", "conv"))
            for option in ("--units", "--digits", "--plot")
        ),
        (["explain", "googlenet", "inception_3a"], "--plot"),
    ],
)
def test_an_option_that_a_report_cannot_use_is_unknown(arguments, option):
    ran = run(*arguments, option, "1")
    assert ran.returncode == 2
    assert f"No such option: {option}" in ran.stderr.decode()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["check", "vgg16", "--batch", "2"],
            "No such option: --batch. These commands have it: analyze, compare, explain, memory, reduce",  # noqa: E501
        ),
        (
            ["check", "vgg16", "--max-parms", "4"],
            "No such option: --max-parms; did you mean `--max-params` or `--max-macs`?",
        ),
        (["check", "vgg16", "--zzz"], "No such option: --zzz"),
    ],
)
def test_an_unknown_option_suggests_the_commands_that_have_it_or_a_near_one(arguments, message):
    ran = run(*arguments)
    assert ran.returncode == 2
    assert ran.stderr.decode().endswith(f"{message}\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["analyze", "vgg16", "--format"], "Option '--format' requires an argument."),
        (["analyze", "vgg16", "-o"], "Option '-o' requires an argument."),
        (["check", "vgg16", "--exit-zero=3"], "Option '--exit-zero' does not take a value."),
    ],
)
def test_an_option_without_its_value_or_with_one_too_many_is_a_usage_error(arguments, message):
    ran = run(*arguments)
    assert ran.returncode == 2
    assert ran.stderr.decode().endswith(f"{message}\n")


def test_numbers_of_an_author_stay_as_they_are_in_latex(tmp_path):
    text = """\
name: net
source: shape (3,224,224) and 1,128
input: {channels: 3, size: 8}
layers: [{relu: , name: "1,234"}]
"""
    shown = run("analyze", "-", "--format", "latex", text=text).stdout.decode()
    assert "1,234" in shown
    captioned = run("analyze", "-", "--format", "latex", "--caption", "(3,224)", text=text)
    assert "(3,224)" in captioned.stdout.decode()


def test_a_suffix_is_known_in_capitals(tmp_path):
    ran = run("analyze", "vgg16", "-o", "A.JSON", cwd=tmp_path)
    assert ran.returncode == 0
    assert json.loads((tmp_path / "A.JSON").read_text("utf-8"))["networks"]


@pytest.mark.parametrize(
    ("arguments", "formats"),
    [
        (["--format", "json"], ["json"]),
        (["-o", "x.csv"], ["csv"]),
        (["--units", "M", "--width", "80"], ["plain"]),
    ],
)
def test_only_the_format_that_is_written_is_imported(arguments, formats, tmp_path):
    code = (
        "import sys\nfrom convcost.cli import run\nrun(['analyze', 'vgg16', *sys.argv[1:]])\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, *arguments]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, check=True)
    names = ran.stderr.decode().split()
    start = "convcost.render."
    assert [name.removeprefix(start) for name in names if name.startswith(start)] == formats


def test_a_stale_temporary_file_does_not_block_and_the_mode_of_a_file_is_kept(tmp_path):
    (tmp_path / f".convcost.{os.getpid()}.tmp").write_text("stale", "utf-8")
    (tmp_path / "a.csv").write_text("old", "utf-8")
    (tmp_path / "a.csv").chmod(0o640)
    assert run("analyze", "vgg16", "-o", "a.csv", cwd=tmp_path).returncode == 0
    assert (tmp_path / "a.csv").stat().st_mode & 0o777 == 0o640
    assert len(list(tmp_path.iterdir())) == 2


def test_the_longest_name_of_a_file_system_is_written(tmp_path):
    name = "n" * 244 + ".csv"
    assert run("analyze", "vgg16", "-o", name, cwd=tmp_path).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("-o", "out.csv"),
        ("--points", "points.csv"),
        ("--resume", "search.state"),
    ],
)
def test_a_file_that_cannot_be_written_is_named_as_it_was_given(option, name, tmp_path):
    search = f"search {ROOT}/specs/mobilenet_v2.yaml --vary width=0.5,1 {option} {name}"
    limited = f"ulimit -f 0; {sys.executable} -m convcost {search}"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        ["bash", "-c", limited], cwd=tmp_path, env=env, capture_output=True, check=False
    )
    assert ran.stderr.decode() == f"error: cannot write `{name}`: File too large\n"
    assert ran.returncode == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("option", "name"), [("-o", "out.csv"), ("--points", "points.csv")])
def test_a_read_only_file_is_not_replaced(option, name, tmp_path):
    file = tmp_path / name
    file.write_text("old", "utf-8")
    file.chmod(0o444)
    search = f"search {ROOT}/specs/mobilenet_v2.yaml --vary width=0.5,1 {option} {name}"
    # root may write to all files, so this program has the answer for other users.
    program = "import os; os.access = lambda *_: False; from convcost.cli import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", program, *search.split()],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False,
    )  # fmt: skip
    assert file.read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [file]
    assert ran.stderr.decode() == f"error: cannot write `{name}`: Permission denied\n"
    assert ran.returncode == 2
