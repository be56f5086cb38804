"""README and docs show what the program prints: the real output stands in them, checked here.

To write it anew after a change: `CONVCOST_REWRITE=1 python -m pytest tests/test_docs.py`.
"""

import os
import re
import shlex
from pathlib import Path

import onnx
import pytest
from support import ROOT, cost, run

SHOWN = re.compile(
    r"<!-- output: (?P<command>convcost .*?) -->\n```console\n(?P<text>.*?)```\n", re.DOTALL
)
RUN = re.compile(r"```python\n(?P<code>[^`]*?)```\n\n```text\n(?P<text>.*?)```\n", re.DOTALL)
LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [(page, match) for page in PAGES for match in SHOWN.finditer(page.read_text("utf-8"))]


def printed(command: str, folder: Path) -> str:
    done = run(*shlex.split(command)[1:], cwd=folder if " import " in command else None)
    return f"$ {command}\n{(done.stdout + done.stderr).decode()}"


@pytest.mark.parametrize(
    ("page", "match"), BLOCKS, ids=[f"{page.name}: {match['command']}" for page, match in BLOCKS]
)
def test_a_page_shows_what_its_command_prints(page, match, tmp_path):
    if " import " in match["command"]:
        (tmp_path / "resnet50.onnx").write_bytes((LIGHT / "light_resnet50.onnx").read_bytes())
    found = printed(match["command"], tmp_path)
    if os.environ.get("CONVCOST_REWRITE"):
        text = page.read_text("utf-8")
        page.write_text(text.replace(match["text"], found, 1), "utf-8")
    else:
        assert match["text"] == found


@pytest.mark.parametrize(
    "page", [page for page in PAGES if RUN.search(page.read_text("utf-8"))], ids=lambda p: p.name
)
def test_a_page_shows_what_its_python_prints(page, capsys, monkeypatch):
    """The examples of a page run one after the other, as a reader would type them."""
    monkeypatch.chdir(ROOT)
    text = page.read_text("utf-8")
    names = {}
    for match in RUN.finditer(text):
        exec(match["code"], names)
        found = capsys.readouterr().out
        if os.environ.get("CONVCOST_REWRITE"):
            text = text.replace(
                match[0], match[0].replace(f"```text\n{match['text']}", f"```text\n{found}")
            )
        else:
            assert match["text"] == found
    if os.environ.get("CONVCOST_REWRITE"):
        page.write_text(text, "utf-8")


def test_the_spec_of_the_readme_is_the_one_whose_output_it_shows():
    text = (ROOT / "README.md").read_text("utf-8")
    (spec,) = re.findall(r"```yaml\n(name: tiny.*?)```", text, re.DOTALL)
    assert spec == (ROOT / "docs" / "tiny.yaml").read_text("utf-8")
    assert cost(spec).totals.params == 11_082


def test_the_example_block_of_the_language_page_is_read():
    text = (ROOT / "docs" / "spec.md").read_text("utf-8")
    blocks = re.search(r"```yaml\n(blocks:.*?)```", text, re.DOTALL)[1]
    call = "input: {channels: 64, size: 8}\nlayers: [squeeze_excite]\n"
    assert cost(blocks + call).totals.weights == 64 * 4 + 4 * 64


def test_every_link_of_a_page_leads_to_a_file():
    for page in PAGES:
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
