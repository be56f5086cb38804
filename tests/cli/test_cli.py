"""The program as a user runs it: pipes, terminals, files and exit codes."""

import csv
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
from pipes import end_with, start, wait_for_pipe

import pytest
from support import ROOT, SPECS, run

import convcost.cli
from convcost.cli._process import exit_code

NET = """\
name: net
input: {channels: 3, size: [8, 6]}
vars: {n: 4}
layers:
  - {sequence: [{conv: n, kernel: 3, padding: 1, bias: true}, relu], name: stem}
  - {custom: fold, params: 7, macs: 9}
  - {transposed_conv: 2, kernel: 2, stride: 2}
"""
MACS = 4 * 3 * 3 * 3 * 8 * 6
UP = 2 * 2 * 2 * 4 * 8 * 6
MAX_MODULES = 77  # of convcost, for an analysis


def on_terminal(*arguments: str, columns: int = 80, **environment: str) -> str:
    """What a terminal of that width is sent."""
    main, side = pty.openpty()
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    env |= {"COLUMNS": str(columns), "TERM": "xterm-256color", "PYTHONUTF8": "1"} | environment
    process = subprocess.Popen(
        [sys.executable, "-m", "convcost", *arguments],
        stdin=side, stdout=side, stderr=side, env={**env, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    os.close(side)
    pieces = []
    try:
        while piece := os.read(main, 65536):
            pieces.append(piece)
    except OSError:
        pass
    process.wait()
    os.close(main)
    return b"".join(pieces).decode().replace("\r\n", "\n")


def test_json_has_exactly_the_documented_shape(tmp_path):
    spec = tmp_path / "net.yaml"
    spec.write_text(NET)
    done = run("analyze", str(spec), "--format", "json", "--batch", "2")
    report = json.loads(done.stdout)
    version = report.pop("version")
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    (network,) = report.pop("networks")
    assert report == {"schema": "convcost.analyze/1"}
    layers = network.pop("layers")
    assert network == {
        "name": "net",
        "file": str(spec),
        "input": {"channels": 3, "size": [8, 6]},
        "batch": 2,
        "convention": "macs",
        "totals": {
            "weights": 4 * 3 * 3 * 3 + 7 + 2 * 2 * 2 * 4,
            "biases": 4,
            "params": 4 * 3 * 3 * 3 + 4 + 7 + 2 * 2 * 2 * 4,
            "trainable": 4 * 3 * 3 * 3 + 4 + 7 + 2 * 2 * 2 * 4,
            "buffers": 0,
            "macs": 2 * (MACS + 9 + UP),
            "activations": 2 * (3 * 4 * 8 * 6 + 2 * 16 * 12),
            "active": 4 * 3 * 3 * 3 + 4 + 7 + 2 * 2 * 2 * 4,
        },
        "uncounted": [],
    }
    assert list(layers[0]) == [
        "path", "kind", "output", "weights", "biases", "params", "trainable", "buffers", "macs",
        "activations", "active", "receptive_field", "stated", "uncounted",
    ]  # fmt: skip
    assert layers[0]["path"] == "stem/conv_1"
    assert layers[0]["receptive_field"] == {"size": [3, 3], "step": [1, 1], "exact": True}
    assert [layer["stated"] for layer in layers] == [False, False, True, False]
    assert layers[3]["receptive_field"]["step"] == [0, 0]  # after a custom layer


def test_json_has_a_step_of_half_a_pixel_as_a_fraction():
    text = "input: {channels: 3, size: 8}\nlayers: [{transposed_conv: 2, kernel: 2, stride: 2}]\n"
    report = json.loads(run("analyze", "-", "--format", "json", text=text).stdout)
    assert report["networks"][0]["layers"][0]["receptive_field"]["step"] == ["1/2", "1/2"]


def test_json_says_whether_a_receptive_field_is_an_upper_bound():
    layers = (
        "[{transposed_conv: 2, kernel: 3, stride: 3}, {transposed_conv: 2, kernel: 1, stride: 600}]"
    )
    text = f"input: {{channels: 3, size: 8}}\nlayers: {layers}\n"
    report = json.loads(run("analyze", "-", "--format", "json", text=text).stdout)
    fields = [layer["receptive_field"] for layer in report["networks"][0]["layers"]]
    assert [field["exact"] for field in fields] == [True, False]


def test_csv_has_raw_integers_under_one_header():
    done = run("analyze", "-", "bottleneck_256", "--format", "csv", text=NET)
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert {row["network"] for row in rows} == {"net", "naive", "reduced"}
    assert sum(int(row["macs"]) for row in rows if row["network"] == "net") == MACS + 9 + UP


def test_a_pipe_gets_plain_lines_only():
    done = run("analyze", "resnet152", COLUMNS="20", GITHUB_ACTIONS="true", FORCE_COLOR="1")
    text = done.stdout.decode()
    assert "\x1b" not in text
    assert "…" not in text
    assert not re.search("[─-╿]", text)
    layers = json.loads(run("analyze", "resnet152", "--format", "json").stdout)
    for layer in layers["networks"][0]["layers"]:
        (line,) = [ln for ln in text.splitlines() if ln.startswith(f"{layer['path']} ")]
        assert f"{layer['macs']:,}" in line


@pytest.mark.parametrize("columns", [40, 60, 80, 120, 200])
def test_a_table_fits_the_terminal_and_no_number_is_truncated(columns):
    text = on_terminal("analyze", "googlenet", columns=columns, NO_COLOR="1")
    assert "\x1b" not in text
    table = text.split("\n\n")[1].splitlines()
    assert max(map(len, table)) <= columns
    assert "1,582,671,872" in table[-1]
    assert "6,998,552" in table[-1]
    assert ("█" in text) == (columns > 80)
    assert table[-1].count("100.0 %") == (2 if columns >= 80 else 0)  # of params and of macs
    assert ("not shown at this width: " in text.replace("\n", " ")) == (columns < 120)


@pytest.mark.slow
def test_a_terminal_gets_colour_unless_it_is_turned_off():
    assert "\x1b[1m" in on_terminal("analyze", "vgg16")
    assert "\x1b" not in on_terminal("analyze", "vgg16", NO_COLOR="1")
    assert "\x1b" not in on_terminal("analyze", "vgg16", TERM="dumb")
    assert "\x1b" not in on_terminal("analyze", "vgg16", "--color", "never")
    assert "\x1b[1m" in on_terminal("analyze", "vgg16", "--color", "always", NO_COLOR="1")


def test_a_terminal_shows_what_an_import_reads_until_it_is_read(tmp_path):
    file = tmp_path / "net.json"
    file.write_text(
        '{"class_name": "Sequential", "config": {"layers": [{"class_name": "InputLayer", "config": '
        '{"name": "x", "batch_shape": [null, 8]}}, {"class_name": "Dense", "config": '
        '{"name": "d", "units": 2}}]}}'
    )
    piped = run("import", str(file))
    text = on_terminal("import", str(file), columns=200)
    shown, cleared, rest = text.rpartition("\x1b[2K")
    assert f"reading {file}" in shown
    assert cleared
    assert rest == (piped.stdout + piped.stderr).decode()
    assert "reading" not in rest
    assert "\x1b" not in on_terminal("import", str(file), TERM="dumb")


def test_a_terminal_shows_how_far_a_search_is(tmp_path):
    file = tmp_path / "net.yaml"
    file.write_text(NET)
    search = ("search", str(file), "--vary", "size=8:15")
    text = on_terminal(*search, columns=200, NO_COLOR="1")
    assert "8 of 8 points" in text
    assert text.endswith(run(*search, "--format", "table").stdout.decode())


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_stream_without_unicode_gets_ascii(encoding):
    for format_name in ("table", "plain"):
        done = run(
            "analyze", "vgg16", "--format", format_name, PYTHONUTF8="0", PYTHONIOENCODING=encoding
        )
        assert done.returncode == 0
        assert done.stdout.isascii()
        assert b"224x224x64" in done.stdout


def test_a_reader_that_stops_reading_is_not_an_error():
    command = f"{sys.executable} -m convcost analyze resnet152 | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, check=True, cwd=ROOT, env={**os.environ}
    )
    assert done.stdout.splitlines()[-1] == b"0"
    assert done.stderr == b""


def test_an_interrupted_run_exits_with_130():
    process = start("analyze", "-", stdin=subprocess.PIPE)
    process.stdin.write(b"#")
    process.stdin.flush()
    wait_for_pipe(process.stdin.fileno(), lambda unread: not unread)
    complaint = end_with(process, signal.SIGINT)
    assert process.returncode == 130
    assert b"Traceback" not in complaint


def test_a_full_disk_is_an_error():
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m convcost analyze vgg16 > /dev/full"],
        capture_output=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert b"cannot write" in done.stderr


def test_a_file_is_written_completely_or_not_at_all(tmp_path):
    out = tmp_path / "out.json"
    out.write_text("before")
    failed = run("analyze", "-", "-o", str(out), text="layers: [oops]")
    assert (failed.returncode, out.read_text()) == (2, "before")
    done = run("analyze", "vgg16", "-o", str(out))
    assert (done.returncode, done.stdout) == (0, b"")
    assert json.loads(out.read_text())["networks"][0]["name"] == "VGG-16"
    assert list(tmp_path.iterdir()) == [out]


def test_a_spec_is_never_overwritten(tmp_path):
    spec = tmp_path / "net.yaml"
    spec.write_text(NET)
    done = run("analyze", str(spec), "-o", str(spec), "--format", "plain")
    assert (done.returncode, spec.read_text()) == (2, NET)
    assert done.stderr.decode() == f"error: --output would overwrite the input `{spec}`\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["googlnet"], "did you mean `googlenet`?", id="a name that is nearly one"),
        pytest.param(["no.yaml"], "there is no file `no.yaml`", id="a file that is not there"),
        pytest.param(["specs"], "is a folder", id="a folder"),
        pytest.param(["vgg#x"], "there is no document `x` in this file", id="no such document"),
        pytest.param(["vgg16", "--set", "x"], "--set needs name=value, not `x`", id="no value"),
        pytest.param(["vgg16", "--set", "clases=1"], "did you mean `classes`?", id="no variable"),
        pytest.param(["vgg16", "--size", "0"], "--size must be like 256 or 256x320", id="no size"),
        pytest.param(["vgg16", "--size", "1x2x3"], "--size has 3 numbers", id="too many axes"),
        pytest.param(["vgg16", "--format", "jsn"], "did you mean `json`?", id="no format"),
        pytest.param(["vgg16", "--columns", "mac"], "did you mean `macs`?", id="no column"),
        pytest.param(["vgg16", "--sort", "size"], "cannot sort by `size`", id="no measure"),
        pytest.param(
            ["vgg16", "--layout", "nchw"], "'nchw' is not one of 'hwc', 'chw'", id="no layout"
        ),
        pytest.param(["vgg16", "--batch", "0"], "0 is not in the range", id="no sample"),
        pytest.param(
            ["vgg16", "-o", "x.doc"], "no format has the suffix of `x.doc`", id="no suffix"
        ),
        pytest.param(["vgg16", "-o", "no/x.csv"], "cannot write `no/x.csv`", id="no folder"),
    ],
)
def test_an_invalid_argument_exits_with_2_and_a_reason(arguments, message):
    done = run("analyze", *arguments)
    assert done.returncode == 2
    assert done.stdout == b""
    assert message in " ".join(done.stderr.decode().split())


def test_all_broken_specs_are_reported_and_no_report_is_printed(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("input: {channels: 3, size: 8}\nlayers: [cnv]\n")
    done = run("analyze", "vgg16", str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml"))
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.count(b"there is no kind or block `cnv`") == 2


def test_an_internal_error_is_one_line_and_a_traceback_on_request(capsys, monkeypatch):
    def command():
        raise RuntimeError("\x1b[31mboom")

    monkeypatch.delenv("CONVCOST_DEBUG", raising=False)
    assert exit_code(command) == 70
    complaint = capsys.readouterr().err
    assert complaint.startswith("convcost: internal error: RuntimeError: \\x1b[31mboom\n")
    assert "Traceback" not in complaint
    monkeypatch.setenv("CONVCOST_DEBUG", "1")
    with pytest.raises(RuntimeError, match="boom"):
        exit_code(command)


def test_totals_are_the_sum_of_the_rows_at_every_depth():
    for depth in range(1, 5):
        done = run("analyze", "inception_v3", "--depth", str(depth), "--format", "json")
        (network,) = json.loads(done.stdout)["networks"]
        for measure, total in network["totals"].items():
            assert sum(row[measure] for row in network["layers"]) == total
    done = run("analyze", "inception_v3", "--sort", "macs", "--top", "3", "--depth", "1")
    assert "more rows, counted in the total" in done.stdout.decode()


def test_the_layout_chw_puts_channels_first():
    done = run("analyze", "vgg16", "--layout", "chw", "--top", "1")
    assert "64×224×224" in done.stdout.decode()


def test_standard_input_and_documents_by_name_are_read():
    text = (SPECS / "bottleneck_256.yaml").read_text()
    one = run("analyze", "--format", "json", "--", "-#reduced", text=text)
    assert [n["name"] for n in json.loads(one.stdout)["networks"]] == ["reduced"]


def imported_modules(*arguments: str) -> set[str]:
    code = (
        f"import sys; sys.argv = {['convcost', *arguments]}\n"
        "import os; os._exit = lambda code: None\n"
        "from convcost.cli import main\n"
        "main()\n"
        "print(*sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT)
    return set(done.stderr.decode().split())


def test_analyze_imports_only_the_modules_it_uses():
    modules = imported_modules("analyze", "googlenet")
    unused = {"csv", "dataclasses", "decimal", "fractions", "json", "numbers"}
    unused |= {"pkgutil", "pydantic", "rich", "string", "convcost.reports.display_units"}
    assert not unused & modules
    assert not [name for name in modules if name.startswith(("numpy", "convcost.design_space"))]
    kinds = "activations conv joins linear norms pools reshape structure"
    used = {f"convcost.layers.{name}" for name in kinds.split()}
    assert used == {name for name in modules if name.startswith("convcost.layers.")}
    assert len([name for name in modules if name.startswith("convcost.")]) <= MAX_MODULES


def test_options_of_the_command_import_no_format_that_is_not_written():
    options = ("--set", "classes=10", "--size", "224", "--format", "csv")
    modules = imported_modules("analyze", "googlenet", *options)
    formats = {name for name in modules if name.startswith("convcost.render.")}
    assert formats == {"convcost.render.csv"}


def test_a_table_with_colour_and_bars_does_not_import_rich():
    table = ("--format", "table", "--width", "120", "--color", "always")
    assert "rich" not in imported_modules("analyze", "vgg16", *table)


@pytest.mark.parametrize(
    ("arguments", "code", "output", "complaint"),
    [
        (["analyze", "vgg16", "--format", "csv"], 0, "network,path,", ""),
        (["check", "vgg16", "--max-params", "1"], 1, "vgg#VGG-16: error", ""),
        (["analyze", "googlnet"], 2, "", "error: there is no file"),
        (["analyze", "vgg16", "--nope"], 2, "", "Usage: convcost analyze"),
        (["nope"], 2, "", "Usage: convcost"),
        (["--version"], 0, "convcost ", ""),
    ],
)
def test_a_run_in_process_returns_its_exit_code(arguments, code, output, complaint, capsys):
    assert convcost.cli.run(arguments) == code
    printed = capsys.readouterr()
    assert printed.out.startswith(output)
    assert printed.err.startswith(complaint)
    assert bool(printed.out) == bool(output)
    assert bool(printed.err) == bool(complaint)


def test_the_version_is_printed():
    assert re.fullmatch(rb"convcost \d+\.\d+\.\d+\n", run("--version").stdout)


def test_help_lists_the_commands_without_escapes():
    done = run("--help", GITHUB_ACTIONS="true", FORCE_COLOR="1")
    assert done.returncode == 0
    assert b"analyze" in done.stdout
    assert b"\x1b" not in done.stdout


def test_help_has_a_whole_sentence_for_each_command():
    text = run("--help", COLUMNS="80").stdout.decode().partition("Commands:\n")[2]
    lines = text.partition("\n\n")[0].splitlines()
    assert {line.split()[0] for line in lines} == set(convcost.cli.command_files())
    assert all(line.endswith(".") and not line.endswith("...") for line in lines)


def test_the_option_work_shows_the_product_of_each_count():
    text = run("analyze", "reduce_5x5#reduced", "--work", "params").stdout.decode()
    assert re.search(r"conv\S* .* 12,288 .* 24 × 1 × 1 × 512\n", text)
    macs = run("analyze", "vgg16", "--work", "macs", "--batch", "2", "--top", "1").stdout.decode()
    assert "64 × 3 × 3 × 3 × 224 × 224 × 2\n" in macs
    wrong = run("analyze", "vgg16", "--work", "flops")
    assert wrong.returncode == 2
    assert b"'flops' is not one of 'params', 'macs'" in wrong.stderr
