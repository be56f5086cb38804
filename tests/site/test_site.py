"""The site, built from the pages and the code, without a warning."""

import os
import re
import subprocess
import sys
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from urllib.parse import quote_plus, unquote, urldefrag, urljoin

import pytest
from browser import browser
from browser.measures import AXE, OVERFLOW, axe_violations
from support import ROOT
from tools import needs, needs_browser

from convcost.model.kind import KINDS
from convcost.reports.schema.named import named_schema

pytestmark = [
    pytest.mark.slow,
    needs("" if find_spec("mkdocs") else "mkdocs is not installed; the extra `site` has it"),
]


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
    built = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (built.returncode, built.stdout, built.stderr) == (0, "", "")
    return folder


@pytest.fixture(scope="module")
def window(site):
    """A window, and the address of the site."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with browser() as found:
            found.address = f"http://127.0.0.1:{server.server_port}/"
            yield found
        server.shutdown()


def test_every_kind_is_a_section_of_the_reference(site):
    headings = re.findall(r'<h2 id="(\w+)"', (site / "kinds.html").read_text("utf-8"))
    assert headings == list(KINDS.names())


def test_every_json_report_is_a_section_with_a_row_for_each_of_its_keys(site):
    page = (site / "json_keys.html").read_text("utf-8")
    for name, report in named_schema("report")["$defs"].items():
        section = page.partition(f">{name}<")[2].partition("<h2")[0]
        rows = re.findall(r"<td><code>([^<]+)</code></td>", section)
        assert set(report["properties"]) <= set(rows), name
    rows = re.findall(r"<tr>\s*<td><code>networks\[\]\.totals\.active.*?</tr>", page, re.DOTALL)
    assert "params that one position of the input uses" in rows[0]
    rows = re.findall(r"<tr>\s*<td.*?</tr>", page, re.DOTALL)
    assert {len(re.findall(r"<td[^>]*>", row)) for row in rows} == {3}
    assert not [row for row in rows if re.search(r"<td[^>]*>\s*</td>\s*</tr>", row)]


def test_no_page_requests_anything_from_another_server(site):
    for page in site.glob("*.html"):
        text = page.read_text("utf-8")
        assert not re.findall(r'<(?:script|img|iframe)[^>]+src="?(?:https?:)?//', text), page.name
        assert not re.findall(r'<link[^>]+stylesheet[^>]+href="?https?:', text), page.name


def test_every_link_between_pages_has_its_file_and_its_heading(site):
    texts = {page.name: page.read_text("utf-8") for page in site.glob("*.html")}
    headings = {name: set(re.findall(r'\sid="?([^"\s>]+)', text)) for name, text in texts.items()}
    for name, text in texts.items():
        for link in re.findall(r'<a\s[^>]*href="([^"]+)"', text):
            target, fragment = urldefrag(urljoin(name, link))
            if re.match(r"\w+:|/", target):
                continue
            target = target if target not in ("", ".") else "index.html"
            assert (site / target).exists(), (name, link)
            if fragment and target in headings:
                assert unquote(fragment) in headings[target] | {"__skip"}, (name, link)


@needs_browser
def test_a_search_for_a_network_opens_its_row_and_columns_sort(window):
    window.look(390)
    window.open(f"{window.address}zoo.html?h=efficientnet+b4")
    rows = (
        "return [...document.querySelectorAll('article tbody tr:not([hidden])')]"
        ".map((row) => row.cells[0].textContent)"
    )
    assert wait(window, rows, lambda found: len(found) == 1) == ["efficientnet_b4"]
    assert window.ask(OVERFLOW)[0] == 0
    window.ask(
        "const field = document.querySelector('.filter input'); field.value = 'vgg';"
        "field.oninput(); document.querySelectorAll('article th button')[1].click()"
    )
    assert window.ask(rows)[0].startswith("vgg19")
    assert window.ask("return document.querySelectorAll('article th')[1].ariaSort") == "descending"
    assert window.complaints() == []


@needs_browser
@needs("" if AXE.is_file() else "axe-core is not installed; `npm ci --prefix playground` does it")
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_pages_are_accessible(window, width, scheme):
    window.look(width, scheme=scheme)
    window.open(f"{window.address}css/site.css")  # no page, whose script would write again
    window.ask("localStorage.clear()")  # the theme keeps the first scheme
    for page in ("index", "start", "spec", "python", "zoo", "json_keys"):
        window.open(f"{window.address}{page}.html")
        scheme_of_page = window.ask("return document.body.dataset.mdColorScheme")
        assert scheme_of_page == {"light": "default", "dark": "slate"}[scheme]
        assert (page, axe_violations(window)) == (page, [])


@needs_browser
@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("efficientnet-b4 params", "zoo.html"),
        ("fvcore thop", "conventions.html"),
        ("fail pull request", "ci.html"),
        ("formula transposed convolution", "kinds.html"),
        ("residual block", "spec.html"),
        ("json active", "schema.html"),
        ("playground onnx", "playground.html"),
        ("active", "spec.html"),
        ("how many params does a 1x1 conv save", "reduce.html"),
        ("fail CI when macs grow", "ci.html"),
        ("what does thop count", "conventions.html"),
        ("does it fit my microcontroller", "devices.html"),
        ("import an onnx file", "import.html"),
    ],
)
def test_the_search_finds_the_page_first(window, words, page):
    window.look(1280)
    window.open("about:blank")
    window.open(f"{window.address}index.html?q={quote_plus(words)}")
    link = "return document.querySelector('.md-search-result__link')?.pathname.slice(1) ?? ''"
    assert wait(window, link, bool) == page


def wait(window, script, enough, seconds=30):
    end = time.monotonic() + seconds
    while not enough(found := window.ask(script)):
        assert time.monotonic() < end, (script, found, window.complaints())
        time.sleep(0.1)
    return found
