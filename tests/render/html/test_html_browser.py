"""The page in a real browser: what it looks like, what it refuses, how it is used and printed."""

import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from browser import browser
from browser.measures import CONTRAST, OVERFLOW
from support import cost, shipped
from test_html import FIVE, HOSTILE, html, networks
from tools import needs_browser, needs_pdftotext

from convcost.reports.analyze import Analysis
from convcost.reports.analyze.columns import AnalysisView
from convcost.reports.compare import Comparison
from convcost.reports.kinds import Kinds
from convcost.reports.verify import PublishedNetwork, verify
from convcost.reports.verify.figure_check import ExactCounts, PublishedEntry

pytestmark = [pytest.mark.slow, needs_browser]


def verification():
    network = shipped("vgg16")
    published = network.network.published
    exact = ExactCounts(network, [entry.layer for entry in published])
    held = tuple(PublishedEntry(entry, exact.counts_of_layer(entry.layer)) for entry in published)
    return verify((PublishedNetwork("VGG-16", "vgg16.yaml", "a source", held),))


PAGES = {
    "googlenet": lambda: Analysis((shipped("googlenet"),)),
    "resnet152": lambda: Analysis((shipped("resnet152"),)),
    "five": lambda: Analysis((cost(FIVE),)),
    "several": lambda: Analysis((shipped("c3d"), shipped("audio_m5"))),
    "all-columns": lambda: Analysis(
        (shipped("nin"),), AnalysisView(columns=("layer", "macs_work"))
    ),
    "inception": lambda: Comparison(networks("inception_3a"), layers=True),
    "verify": verification,
    "kinds": Kinds,
    "one-kind": lambda: Kinds("conv"),
    "hostile": lambda: Analysis((cost(HOSTILE),)),
}


@pytest.fixture(scope="module")
def window():
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name, make in PAGES.items():
        (folder / f"{name}.html").write_text(html(make()), "utf-8")
    return folder


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_only_boxes_that_scroll_are_wider_than_the_page(window, pages, name, width):
    window.look(width)
    window.open(pages / f"{name}.html")
    window.ask("document.querySelectorAll('details').forEach((d) => d.open = true)")
    assert window.ask(OVERFLOW) == [0, []]
    assert window.complaints() == []


GRAPH = """
  const box = document.querySelector('.graph .scroll');
  const { width, height } = box.querySelector('svg').getBoundingClientRect();
  return width <= box.clientWidth && height <= innerHeight && box.scrollHeight <= box.clientHeight;
"""


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["googlenet", "resnet152"])
def test_a_graph_is_whole_on_request(window, pages, name, width):
    window.look(width)
    window.open(pages / f"{name}.html")
    assert not window.ask(GRAPH)
    window.ask("document.querySelector('.graph input').click()")
    assert window.ask(GRAPH)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_every_text_has_enough_contrast(window, pages, name, scheme):
    window.look(1280, scheme=scheme)
    window.open(pages / f"{name}.html")
    window.ask("document.querySelectorAll('details').forEach((d) => d.open = true)")
    seen, poor = window.ask(CONTRAST)
    assert seen > 10
    assert poor == []


def test_light_and_dark_follow_what_the_reader_prefers(window, pages):
    paper = "return getComputedStyle(document.body).backgroundColor"
    window.look(1280, scheme="light")
    window.open(pages / "five.html")
    assert window.ask(paper) == "rgb(255, 255, 255)"
    window.look(1280, scheme="dark")
    assert window.ask(paper) == "rgb(20, 23, 27)"


# What the policy refuses


@contextmanager
def server(page: str):
    """The page by http, and every path that was asked for."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page.encode() if self.path == "/" else b"")

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{found.server_port}/", asked
        finally:
            found.shutdown()


INJECTED = """<script>document.title = 'owned'</script><script src="/x.js"></script>
<img src="/x.png" onerror="document.title = 'owned'"><iframe src="/frame"></iframe>
<link rel="stylesheet" href="/x.css"><p style="background: url(/back.png)" id="p">x</p>
<svg onload="document.title = 'owned'"></svg>"""


def test_the_policy_blocks_a_script_and_a_remote_image(window):
    page = html(Analysis((cost(FIVE),))).replace("</main>", f"{INJECTED}</main>")
    with server(page) as (url, asked):
        window.open(url)
        assert window.ask("return document.title") == "five - convcost - analyze"
        assert asked == ["/"]
    refused = "\n".join(window.complaints())
    for directive in ("script-src", "img-src", "frame-src", "style-src"):
        assert directive in refused


def test_without_the_policy_the_script_runs_and_the_image_loads(window):
    """Or the test above could not fail."""
    page = html(Analysis((cost(FIVE),))).replace("</main>", f"{INJECTED}</main>")
    with server(page.replace("Content-Security-Policy", "X-Nothing")) as (url, asked):
        window.open(url)
        assert window.ask("return document.title") == "owned"
        assert {"/", "/x.js", "/x.png", "/frame", "/x.css", "/back.png"} <= set(asked)
    window.complaints()


def test_a_page_over_http_requests_no_other_file(window):
    with server(html(Analysis((shipped("googlenet"),)))) as (url, asked):
        window.open(url)
        assert asked == ["/"]
    assert window.complaints() == []


# Hands and paper


def key(window, name: str, code: int, text: str = ""):
    for kind in ("keyDown", "keyUp"):
        more = {"text": text} if text and kind == "keyDown" else {}
        window.cdp(
            "Input.dispatchKeyEvent", type=kind, key=name, windowsVirtualKeyCode=code, **more
        )


def test_a_closed_table_opens_by_the_keyboard(window, pages):
    window.look(1280)
    window.open(pages / "googlenet.html")
    tag = "return document.activeElement.tagName"
    for _ in range(20):
        key(window, "Tab", 9)
        if window.ask(tag) == "SUMMARY":
            break
    assert window.ask(tag) == "SUMMARY"
    opened = "return document.activeElement.parentElement.open"
    assert window.ask(opened) is False
    key(window, "Enter", 13, "\r")
    assert window.ask(opened) is True


@needs_pdftotext
def test_on_paper_nothing_is_folded_and_heads_are_repeated(window, pages, tmp_path):
    window.look(1280)
    window.open(pages / "resnet152.html")
    file = tmp_path / "page.pdf"
    window.pdf(file)
    text = subprocess.run(
        ["pdftotext", "-layout", file, "-"], capture_output=True, check=True
    ).stdout.decode()
    sheets = text.split("\f")[:-1]
    network = shipped("resnet152")
    words = "".join(text.split())
    missing = [row.path for row in network.layers if row.path.split("/")[-1] not in words]
    assert missing == []
    # Sheets of the table: bars name the same layers, but never their kinds.
    folded = [sheet for sheet in sheets if sheet.count("batch_norm") > 10]
    assert len(folded) > 1
    assert all("receptive" in sheet or "params =" in sheet for sheet in folded)
