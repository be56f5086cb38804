"""`--plot`: pictures of a report into files.

To draw the pictures of docs/ anew: `CONVCOST_REWRITE=1 python -m pytest tests/cli/test_plot.py`.
"""

import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from xml.etree import ElementTree as ET

import pytest
from support import ROOT, run

DRAWN = re.compile(r"<!-- picture: (?P<command>convcost .*?) -->\n!\[[^]]+\]\((?P<file>[^)]+)\)")
PAGE = ROOT / "docs" / "plots.md"
SHOWN = [(match["command"], match["file"]) for match in DRAWN.finditer(PAGE.read_text("utf-8"))]
KNOWN = "known here: `bars`, `params`, `treemap`, `treemap_macs`, `memory`, `graph`"
SUFFIXES = ".svg, .png, .pdf"
drawing = pytest.mark.skipif(find_spec("cairosvg") is None, reason="the extra is not there")


@pytest.mark.parametrize(("command", "file"), SHOWN, ids=[file for _, file in SHOWN])
def test_a_page_shows_the_chart_that_its_command_draws(command, file, tmp_path):
    words = shlex.split(command)[1:]
    assert words[-1].endswith(f":{file.removeprefix('img/')}")
    words[-1] = words[-1].replace(file.removeprefix("img/"), str(tmp_path / "drawn.svg"))
    assert run(*words).returncode == 0
    drawn = (tmp_path / "drawn.svg").read_bytes()
    if os.environ.get("CONVCOST_REWRITE"):
        (PAGE.parent / file).write_bytes(drawn)
    assert (PAGE.parent / file).read_bytes() == drawn


def test_every_chart_file_of_the_docs_is_in_the_page():
    drawn = {f"img/{path.name}" for path in (ROOT / "docs" / "img").glob("*.svg")}
    assert drawn - {"img/terminal.svg"} == {file for _, file in SHOWN}


def titled(path) -> str | None:
    root = ET.fromstring(path.read_text("utf-8"))
    return root[0].text


def error_lines(done) -> list[str]:
    return done.stderr.decode().splitlines()


def test_the_first_chart_is_written_if_none_is_named(tmp_path):
    file = tmp_path / "net.svg"
    done = run("analyze", "googlenet", "--plot", str(file))
    assert done.returncode == 0
    assert error_lines(done) == [f"wrote {file}"]
    assert titled(file) == "GoogLeNet: macs by layer"
    assert done.stdout == run("analyze", "googlenet").stdout


def test_several_charts_and_outputs_are_written_in_one_run(tmp_path):
    done = run(
        "compare", "inception_3a", "--plot", "macs:m.svg", "-o", "t.csv", "--plot", "params:p.SVG",
        cwd=tmp_path,
    )  # fmt: skip
    assert error_lines(done) == ["wrote t.csv", "wrote m.svg", "wrote p.SVG"]
    assert done.stdout == b""
    assert titled(tmp_path / "m.svg") == "naive and reduced: macs"
    assert titled(tmp_path / "p.SVG") == "naive and reduced: params"


@pytest.mark.parametrize(
    ("command", "kinds"),
    [
        (["analyze", "googlenet"], "bars params blocks blocks_params treemap treemap_macs memory"),
        (["analyze", "googlenet"], "graph"),
        (["analyze", "vgg16", "nin#imagenet"], "graph#VGG-16 graph#imagenet"),
        (["compare", "resnet50", "se_resnet50"], "params macs params_by_block macs_by_block"),
        (["analyze", "mobilenet_v1", "--set", "width=0.5,1"], "macs params"),
        (["compare", "mobilenet_v1", "--set", "width=0.5,1"], "macs params"),
    ],
)
def test_every_chart_of_a_report_is_written_by_its_name(command, kinds, tmp_path):
    names = kinds.split()
    asked = [part for n, name in enumerate(names) for part in ("--plot", f"{name}:{n}.svg")]
    done = run(*command, *asked, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    heads = [titled(tmp_path / f"{n}.svg") for n in range(len(names))]
    assert len(set(heads)) > len(names) // 2


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("grph:x.svg", "there is no chart `grph`; did you mean `graph`?"),
        (
            "zzz:x.svg",
            f"there is no chart `zzz`; {KNOWN}",
        ),
        ("graph:x.jpg", f"`x.jpg` is not a file name of a chart; use {SUFFIXES}"),
        ("graph", f"`graph` is not a file name of a chart; use {SUFFIXES}"),
        ("-", f"`-` is not a file name of a chart; use {SUFFIXES}"),
        ("graph:", "--plot has no file name"),
        ("", "--plot has no file name"),
        ("no/such/folder/x.svg", "cannot write `no/such/folder/x.svg`: No such file or directory"),
        ("a\x1b[31mb:x.svg", f"there is no chart `a\\x1b[31mb`; {KNOWN}"),
    ],
)  # fmt: skip
def test_an_impossible_chart_is_an_error_and_nothing_is_written(asked, message, tmp_path):
    spec = "name: n\ninput: {channels: 3, size: 8}\nlayers: [{conv: 4, kernel: 3}]\n"
    done = run("analyze", "-", "--plot", asked, text=spec, cwd=tmp_path)
    assert done.returncode == 2
    assert error_lines(done) == [f"error: {message}"]
    assert done.stdout == b""
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_kind_keeps_other_outputs_from_being_written(tmp_path):
    done = run("analyze", "vgg16", "-o", "t.csv", "--plot", "bar:x.svg", cwd=tmp_path)
    assert error_lines(done) == ["error: there is no chart `bar`; did you mean `bars`?"]
    assert list(tmp_path.iterdir()) == []


def test_the_name_of_a_chart_has_its_network_if_there_are_several(tmp_path):
    done = run("analyze", "vgg16", "googlenet", "--plot", "bars:x.svg", cwd=tmp_path)
    assert done.returncode == 2
    assert error_lines(done) == [
        "error: several networks have a chart `bars`: `bars#VGG-16`, `bars#GoogLeNet`"
    ]
    run("analyze", "vgg16", "googlenet", "--plot", "bars#GoogLeNet:x.svg", cwd=tmp_path)
    assert titled(tmp_path / "x.svg") == "GoogLeNet: macs by layer"


def test_an_error_on_many_networks_says_how_many_charts_it_does_not_name(tmp_path):
    document = "input: {channels: 3, size: 8}\nlayers: [{conv: 4, kernel: 1}]"
    text = "\n---\n".join(f"name: net{number}\n{document}" for number in range(15))
    (tmp_path / "nets.yaml").write_text(text, "utf-8")
    done = run("analyze", "nets.yaml", "--plot", "bars:x.svg", cwd=tmp_path)
    listed = ", ".join(f"`bars#net{number}`" for number in range(12))
    assert error_lines(done) == [
        f"error: several networks have a chart `bars`: {listed} and 3 more"
    ]


def test_a_network_named_like_a_path_has_charts(tmp_path):
    layers = "input: {channels: 3, size: 8}\nlayers: [{conv: 4, kernel: 3}]\n"
    spec = f"name: 'a/b:c.svg'\n{layers}---\nname: other\n{layers}"
    done = run("analyze", "-", "--plot", "graph#a/b:c.svg:x.svg", text=spec, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert titled(tmp_path / "x.svg") == "a/b:c.svg: 1 layer"


def test_a_chart_never_overwrites_the_spec(tmp_path):
    spec = tmp_path / "net.svg"
    text = "name: n\ninput: {channels: 3, size: 8}\nlayers: [{conv: 4, kernel: 3}]\n"
    spec.write_text(text)
    done = run("analyze", "net.svg", "--plot", "graph:net.svg", cwd=tmp_path)
    assert done.returncode == 2
    assert error_lines(done) == ["error: --plot would overwrite the input `net.svg`"]
    assert spec.read_text() == text


def test_a_chart_and_an_output_need_different_files(tmp_path):
    done = run("analyze", "vgg16", "--plot", "a.svg", "--plot", "graph:a.svg", cwd=tmp_path)
    assert error_lines(done) == ["error: two outputs write to `a.svg`; give each its own file"]


@pytest.mark.parametrize("suffix", ["png", "pdf"])
def test_without_cairosvg_the_message_names_the_extra(suffix, tmp_path):
    code = (
        "import sys, importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'cairosvg' else find(name, *a)\n"
        "from convcost.cli import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "analyze", "vgg16", "--plot", f"x.{suffix}"],
        capture_output=True, cwd=tmp_path, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 2
    message = (
        f"error: {suffix.upper()} output needs cairosvg; install it with "
        "pip install 'convcost[plot]'"
    )
    assert error_lines(done) == [message]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@drawing
def test_a_png_is_twice_as_large_as_the_drawing_and_a_pdf_has_its_text(tmp_path):
    asked = ["--plot", "graph:g.png", "--plot", "treemap:t.pdf", "--plot", "graph:g.svg"]
    assert run("analyze", "unet", *asked, cwd=tmp_path).returncode == 0
    head = (tmp_path / "g.png").read_bytes()[:24]
    assert head.startswith(b"\x89PNG\r\n\x1a\n")
    root = ET.fromstring((tmp_path / "g.svg").read_text("utf-8"))
    size = [int.from_bytes(head[at : at + 4], "big") for at in (16, 20)]
    assert size == [
        2 * int(float(root.attrib["width"])),
        pytest.approx(2 * float(root.attrib["height"])),
    ]
    assert (tmp_path / "t.pdf").read_bytes().startswith(b"%PDF-")


def test_charts_are_imported_only_for_plot():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "convcost", "analyze", "vgg16"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    assert "convcost.cli._plot" not in done.stderr
    assert not re.search(r"cairo|convcost\.render\.svg|convcost\.reports\.charts", done.stderr)
