"""Every `convcost` command in a console block of README and docs runs."""

import json
import os
import re
import shlex
import stat
import subprocess
import sys
from importlib.util import find_spec
from zipfile import ZipFile

import pytest
from keras_models import conv, sequential
from onnx_models import array, model, node
from repository import Repository, net
from support import ROOT, run, write_plugin_examples

pytestmark = pytest.mark.slow

BLOCK = re.compile(r"(?<!-->\n)```console\n(.*?)```", re.DOTALL)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NEEDS_CAIROSVG = re.compile(r"\.(pdf|png)\b")
NEEDS_TORCH = re.compile(r"import (torchvision|mypackage)\.")


def commands(page) -> list[str]:
    blocks = BLOCK.findall(page.read_text("utf-8"))
    return [line for block in blocks for line in block.splitlines() if line.startswith("convcost ")]


@pytest.fixture
def folder(tmp_path):
    """A repository with models, at the commit of `origin/main`, and `convcost` on its own path. It
    has the specs of docs/."""
    repository = Repository(tmp_path / "work")
    for spec in (ROOT / "docs").glob("*.yaml"):
        repository.write(f"docs/{spec.name}", spec.read_text("utf-8"))
    repository.write("models/net.yaml", net(budget="{params: {max: 5M}}"))
    repository.commit()
    repository.git("update-ref", "refs/remotes/origin/main", "HEAD")
    work = repository.folder
    onnx = model(
        [node("Conv", "x", "w", "-> y", pads=[1] * 4)],
        {"w": array(4, 8, 3, 3)},
        dims=(1, 8, "height", "width"),
    )
    (work / "detector.onnx").write_bytes(onnx.SerializeToString())
    onnx.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 12
    onnx.graph.input[0].type.tensor_type.shape.dim[3].dim_value = 12
    (work / "model.onnx").write_bytes(onnx.SerializeToString())
    with ZipFile(work / "model.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(sequential(conv("stem", 8, 3))))
    program = tmp_path / "bin" / "convcost"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m convcost "$@"\n', "utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return work


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if commands(p)], ids=lambda page: page.name)
def test_every_command_of_a_page_runs(page, folder):
    """In the order of the page, so that a later command finds the files of an earlier one."""
    if page.name == "ci.md":
        start(folder, "convcost check models/ --base baseline.json --update-baseline")
    if page.name == "start.md":
        (folder / "net.yaml").write_text(net(), "utf-8")
    environment = {}
    if page.name == "plugins.md":
        environment["CONVCOST_PLUGINS"] = "myplugins"
        write_plugin_examples(folder / "myplugins")
    for command in commands(page):
        if NEEDS_TORCH.search(command):
            continue
        if NEEDS_CAIROSVG.search(command) and not find_spec("cairosvg"):
            continue
        done = start(folder, command, **environment)
        assert done.returncode == 0, f"{command}\n{done.stderr.decode()}"


def start(folder, command: str, **environment: str) -> subprocess.CompletedProcess:
    """Runs a command as a shell does; in this process, unless it uses more of a shell than words
    and comments."""
    if not re.search(r"[|&;<>$`*?~()\\]", command.partition(" #")[0]):
        return run(*shlex.split(command, comments=True)[1:], cwd=folder, **environment)
    path = f"{folder.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **environment},
        check=False,
        capture_output=True,
    )
