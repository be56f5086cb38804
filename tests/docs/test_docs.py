"""README and docs: outputs, pictures and examples are real, links resolve, and commands run.

To rewrite the outputs after a change:
`CONVCOST_REWRITE=1 python -m pytest tests/docs/test_docs.py`.
"""

import os
import re
import shlex
import struct
from pathlib import Path

import onnx
import pytest
from support import ROOT, cost, run
from terminal_picture import terminal_output, terminal_picture, text_of

REWRITE = bool(os.environ.get("CONVCOST_REWRITE"))
OUTPUT = re.compile(
    r"<!-- output: (?P<command>convcost .*?) -->\n```console\n(?P<text>.*?)```\n", re.DOTALL
)
PYTHON = re.compile(r"```python\n(?P<code>[^`]*?)```\n\n```text\n(?P<text>.*?)```\n", re.DOTALL)
TERMINAL = re.compile(r"<!-- terminal: (?P<command>.*?) -->\n!\[[^]]*\]\((?P<file>.*?)\)")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
PATH = re.compile(r"`((?:[\w.]+/)+[\w.-]*|[\w-]+\.(?:py|js|md|csv))`")
LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
README = ROOT / "README.md"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
OUTPUTS = [(page, match) for page in PAGES for match in OUTPUT.finditer(page.read_text("utf-8"))]


def printed(command: str, folder: Path) -> str:
    done = run(*shlex.split(command)[1:], cwd=folder if " import " in command else None)
    return f"$ {command}\n{(done.stdout + done.stderr).decode()}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "match"), OUTPUTS, ids=[f"{page.name}: {match['command']}" for page, match in OUTPUTS]
)
def test_a_page_shows_what_its_command_prints(page, match, tmp_path):
    if " import " in match["command"]:
        (tmp_path / "resnet50.onnx").write_bytes((LIGHT / "light_resnet50.onnx").read_bytes())
    found = printed(match["command"], tmp_path)
    if REWRITE:
        text = page.read_text("utf-8")
        block = match[0].replace(f"```console\n{match['text']}", f"```console\n{found}")
        page.write_text(text.replace(match[0], block, 1), "utf-8")
    else:
        assert match["text"] == found


@pytest.mark.parametrize(
    "page", [page for page in PAGES if PYTHON.search(page.read_text("utf-8"))], ids=lambda p: p.name
)
def test_a_page_shows_what_its_python_prints(page, capsys, monkeypatch):
    """The examples of a page run one after the other, as a reader would type them."""
    monkeypatch.chdir(ROOT)
    text = page.read_text("utf-8")
    names = {}
    for match in PYTHON.finditer(text):
        exec(match["code"], names)
        found = capsys.readouterr().out
        if REWRITE:
            text = text.replace(
                match[0], match[0].replace(f"```text\n{match['text']}", f"```text\n{found}")
            )
        else:
            assert match["text"] == found
    if REWRITE:
        page.write_text(text, "utf-8")


def test_the_picture_of_the_terminal_shows_what_its_command_prints():
    """The text is compared, because the picture depends on the version of rich."""
    match = TERMINAL.search(README.read_text("utf-8"))
    picture = ROOT / match["file"]
    new = terminal_picture(match["command"], terminal_output(match["command"], ROOT))
    if REWRITE and text_of(picture.read_text("utf-8")) != text_of(new):
        picture.write_text(new, "utf-8")
    assert text_of(picture.read_text("utf-8")) == text_of(new)


@pytest.mark.parametrize(("picture", "width"), [("page", 1280), ("latex", 650)])
def test_a_picture_is_a_small_png(picture, width):
    data = (ROOT / "docs" / "img" / f"{picture}.png").read_bytes()
    found, _ = struct.unpack(">II", data[16:24])
    assert (data[:8], found) == (b"\x89PNG\r\n\x1a\n", width)
    assert len(data) < 150_000


def test_the_readme_has_at_most_120_lines():
    assert len(README.read_text("utf-8").splitlines()) <= 120


@pytest.mark.parametrize(("page", "spec"), [("README.md", "small"), ("docs/start.md", "tiny")])
def test_the_spec_on_a_page_is_the_file_whose_output_it_shows(page, spec):
    text = (ROOT / page).read_text("utf-8")
    (shown,) = re.findall(rf"```yaml\n(name: {spec}.*?)```", text, re.DOTALL)
    assert shown == (ROOT / "docs" / f"{spec}.yaml").read_text("utf-8")
    assert f"convcost analyze docs/{spec}.yaml" in text


def test_the_example_block_of_the_language_page_has_its_weights():
    text = (ROOT / "docs" / "spec.md").read_text("utf-8")
    blocks = re.search(r"```yaml\n(blocks:.*?)```", text, re.DOTALL)[1]
    call = "input: {channels: 64, size: 8}\nlayers: [squeeze_excite]\n"
    assert cost(blocks + call).totals.weights == 64 * 4 + 4 * 64


def test_the_example_with_several_inputs_of_the_language_page_has_its_weights():
    text = (ROOT / "docs" / "spec.md").read_text("utf-8")
    spec = re.search(r"```yaml\n(blocks:\n  exchange:.*?)```", text, re.DOTALL)[1]
    found = cost("input: {channels: 3, size: 32}\n" + spec).totals.weights
    assert found == 3 * 3 * 3 * 32 + 3 * (3 * 3 * 32 * 32)


def anchor(heading: str) -> str:
    """The fragment that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower().replace("`", "")).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_of_a_page_resolves(page):
    for target, fragment in LINK.findall(page.read_text("utf-8")):
        file = page.parent / target if target else page
        assert file.exists(), target
        if fragment:
            headings = HEADING.findall(file.read_text("utf-8"))
            assert fragment in map(anchor, headings), f"{target}#{fragment}"


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md", "docs/plugins.md"])
def test_every_path_that_a_page_for_contributors_names_exists(page):
    """A name without a folder is in the folder of the path before it."""
    folder = ROOT
    for name in PATH.findall((ROOT / page).read_text("utf-8")):
        path = re.sub(r"[^/]*NAME.*", "", name)  # of a file that a contributor adds: its folder
        candidates = [above / path for above in (folder, ROOT, ROOT / "convcost")]
        found = [candidate for candidate in candidates if candidate.exists()]
        assert found, f"{page} names `{name}`, which does not exist; correct the name"
        folder = found[0] if found[0].is_dir() else found[0].parent


def test_the_navigation_of_the_site_lists_every_page():
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    listed = re.findall(r"^ +- (?:.*: )?(\w+\.md)$", text, re.MULTILINE)
    assert {page.name for page in (ROOT / "docs").glob("*.md")} <= {*listed, "index.md"}


def test_the_index_lists_every_page():
    linked = {
        (ROOT / "docs" / target).resolve()
        for target, _ in LINK.findall((ROOT / "docs" / "index.md").read_text("utf-8"))
    }
    unlisted = {README, ROOT / "docs" / "index.md"}
    assert set(PAGES) - unlisted <= linked
