"""The playground in a real browser, from a server that sends a strict content security policy."""

import base64
import json
import re
import threading
import time
import zlib
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from browser import browser
from browser.measures import AXE, CONTRAST, OVERFLOW, axe_violations
from support import ROOT
from tools import needs, needs_browser

FOLDER = ROOT / "playground" / "dist"
BUILT = (FOLDER / "convcost.archive").is_file() and AXE.is_file()
pytestmark = [
    pytest.mark.slow,
    needs_browser,
    needs("" if BUILT else "the playground is not built; `just playground` builds it"),
]
POLICY = re.search('Policy" content="([^"]+)"', (ROOT / "playground/index.html").read_text())[1]
FIRST = "naive: 387,072 params, 303,464,448 macs; reduced: 157,184 params, 123,232,256 macs"
SMALL = "name: small\ninput: {channels: 3, size: 8}\nvars: {n: 4}\nlayers: [{conv: n, kernel: 1}]\n"
# Five networks of 240,000 layers.
ENDLESS = "---\n".join(
    f"name: n{number}\ninput: {{channels: 1, size: 9}}\nlayers:\n"
    "- {sequence: [{conv: 1, kernel: 3, padding: 1}, {add: {a: [], b: [relu]}}], repeat: 80000}\n"
    for number in range(5)
)


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def end_headers(self):
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()


@pytest.fixture(scope="module")
def address():
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=FOLDER)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def profile(address):
    """A window with the playground, loaded once: to load Python takes most of the time."""
    with browser() as found:
        found.look(1280)
        found.open(address)
        wait_for_status(found, FIRST)
        yield found


@pytest.fixture
def window(profile):
    """The window with the two specs that open first."""
    profile.look(1280)
    profile.ask(
        "document.getElementById('status').textContent = '';"
        "const menu = document.getElementById('shipped'); menu.value = 'inception_3a';"
        "menu.dispatchEvent(new Event('change'))"
    )
    wait_for_status(profile, FIRST)
    wait(
        profile,
        "document.querySelector('#report h1')?.textContent === 'reduced compared with naive'",
    )
    yield profile
    assert profile.complaints() == []


def fragment(**state):
    """The fragment of a link."""
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(json.dumps(state).encode()) + packer.flush()
    return f"#z={base64.urlsafe_b64encode(packed).decode().rstrip('=')}"


def wait(window, condition, seconds=90):
    end = time.monotonic() + seconds
    while not window.ask(f"return {condition}"):
        assert time.monotonic() < end, (condition, status(window), window.complaints())
        time.sleep(0.05)


def status(window):
    return window.ask("return document.getElementById('status').textContent")


def wait_for_status(window, text):
    wait(window, f"document.getElementById('status').textContent.includes({json.dumps(text)})")


def press(window, key, code, modifiers=0):
    event = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
    window.cdp("Input.dispatchKeyEvent", type="rawKeyDown", **event)
    window.cdp("Input.dispatchKeyEvent", type="keyUp", **event)


def type_spec(window, text, editor="left"):
    """Replaces the text of an editor as a person does."""
    window.ask(
        f"document.getElementById('{editor}').shadowRoot.querySelector('.cm-content').focus()"
    )
    press(window, "a", 65, modifiers=2)
    window.cdp("Input.insertText", text=text)


def focused(window):
    return window.ask("const a = document.activeElement; return a.id || a.textContent")


def underlined(window):
    return window.ask(
        "const root = document.getElementById('left').shadowRoot;"
        "return [...root.querySelectorAll('.cm-lintRange-error')].map((e) => e.textContent)"
    )


def test_a_mistake_is_underlined_and_the_costs_return_when_it_is_corrected(window):
    type_spec(window, SMALL.replace("kernel", "kernal"))
    wait_for_status(window, "1 problem; the costs are those before the change")
    assert underlined(window) == ["kernal"]
    text = "return document.getElementById('left-problems').textContent"
    assert "conv has no option `kernal`" in window.ask(text)
    type_spec(window, SMALL)
    wait_for_status(window, f"small: {4 * 3} params, {4 * 3 * 8 * 8} macs; reduced: 157,184")
    assert underlined(window) == []


def test_a_slider_sets_a_variable_in_both_specs(window):
    window.ask("document.querySelector('[data-name=pool] input').click()")
    wait_for_status(window, "reduced: 163,328 params")


def test_one_spec_alone_is_analyzed_with_a_graph(window):
    window.ask("document.getElementById('both').click()")
    wait(window, "document.querySelector('#report h1')?.textContent === 'naive'")
    assert window.ask("return document.querySelectorAll('#report .graph svg').length") == 1


def test_a_link_restores_specs_and_settings_in_a_fresh_profile(window):
    type_spec(window, SMALL)
    wait_for_status(window, "small: 12 params")
    window.ask(
        "const n = document.querySelector('[data-name=n] [type=number]'); n.value = 5; n.onchange()"
    )
    wait_for_status(window, "small: 15 params")
    window.ask("location.hash = ''")
    window.ask("document.getElementById('link').click()")
    wait(window, "location.hash.startsWith('#z=')")
    link = window.ask("return location.href")
    with browser() as other:
        other.look(390)
        other.open(link)
        wait_for_status(other, f"small: 15 params, {15 * 8 * 8} macs; reduced: 157,184")
        assert other.ask("return document.querySelector('[data-name=n] [type=range]').value") == "5"


def test_a_link_that_is_pasted_into_an_open_page_opens(window, address):
    window.ask(f"location.hash = {json.dumps(fragment(specs=[SMALL], set={'n': '7'}))}")
    wait_for_status(window, "small: 21 params")
    assert window.ask("return document.getElementById('second').hidden")
    window.ask("document.getElementById('reset').click()")
    wait_for_status(window, "small: 12 params")
    assert window.ask("return document.getElementById('reset').hidden")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"count": {"a": 1}}, "there is no convention"),
        ({"view": {"a": [1]}}, "small: 12 params"),
        ({"batch": -3}, "batch must be an integer"),
        ({"size": "a"}, "size must be like 256"),
        ({"set": {"n": {"a": 1}}}, "n needs a number"),
        ({"specs": []}, "This link cannot be read: the link holds no spec"),
    ],
)
def test_a_link_with_wrong_settings_leaves_a_page_that_works(window, address, settings, message):
    window.open("about:blank")
    window.open(address + fragment(**{"specs": [SMALL], **settings}))
    wait_for_status(window, message)
    wait(window, "document.getElementById('format').length > 5")


def test_an_endless_link_leaves_a_page_that_works(window, address):
    window.open("about:blank")
    window.open(address + fragment(specs=[ENDLESS]))
    wait(window, "!document.getElementById('status').textContent.startsWith('Loading')")
    type_spec(window, SMALL)
    wait_for_status(window, "small: 12 params")
    wait(window, "document.getElementById('format').length > 5")
    wait(window, "document.querySelectorAll('#conventions input').length > 5")
    window.complaints()


def test_every_format_is_downloaded(window, tmp_path):
    window.cdp("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    window.ask("document.getElementById('both').click()")
    wait(window, "document.querySelector('#report h1')?.textContent === 'naive'")
    formats = window.ask(
        "return [...document.getElementById('format').options].map((one) => one.value)"
    )
    assert {"table", "mermaid", "svg", "json"} <= set(formats)
    for name in formats:
        window.ask(
            "document.getElementById('status').textContent = '';"
            f"document.getElementById('format').value = '{name}';"
            "document.getElementById('export').click()"
        )
        wait(window, "document.getElementById('status').textContent")
        assert status(window).startswith("Wrote naive."), name
    window.ask("document.getElementById('both').click()")


def test_variables_with_the_names_of_other_fields_have_their_own_sliders(window):
    spec = SMALL.replace("{n: 4}", "{batch: 4, size: 1}").replace(
        "n, kernel: 1", "batch, kernel: size"
    )
    type_spec(window, spec)
    wait_for_status(window, "small: 12 params")
    names = "return [...document.querySelectorAll('[data-name]')].map((row) => row.dataset.name)"
    wait(window, names.replace("return ", "") + ".includes('batch')")
    assert window.ask(names)[-2:] == ["input size", "batch size"]
    assert {"batch", "size"} <= set(window.ask(names))


def test_a_convention_adds_a_count_and_escape_closes_the_menu(window):
    window.ask("document.querySelector('.menu').open = true")
    window.ask("document.querySelector('#conventions [value=thop]').click()")
    wait(window, "document.getElementById('report').textContent.includes('thop MACs')")
    window.ask("document.querySelector('#conventions [value=thop]').focus()")
    press(window, "Escape", 27)
    assert not window.ask("return document.querySelector('.menu').open")
    assert focused(window) == "Conventions"
    window.ask("document.querySelector('#conventions [value=thop]').click()")
    wait(window, "!document.getElementById('report').textContent.includes('thop MACs')")


def test_the_meaning_of_a_key_is_in_a_box_at_the_pointer(window):
    type_spec(window, SMALL)
    x, y = window.ask(
        "const root = document.getElementById('left').shadowRoot;"
        "const words = [...root.querySelectorAll('.cm-line span')];"
        "const box = words.find((word) => word.textContent === 'kernel').getBoundingClientRect();"
        "return [box.x + box.width / 2, box.y + box.height / 2]"
    )
    window.cdp("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    box = "document.getElementById('left').shadowRoot.querySelector('.cm-info')?.textContent"
    wait(window, f"{box}?.startsWith('Window size')")
    window.cdp("Input.dispatchMouseEvent", type="mouseMoved", x=1, y=1)


def test_the_totals_stay_in_view_on_a_phone(window):
    window.look(390)
    window.ask("scrollTo(0, 1500)")
    top = "return document.getElementById('status').getBoundingClientRect().top"
    assert window.ask(top) == 0


def test_a_report_is_downloaded(window, tmp_path):
    window.cdp("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    window.ask(
        "document.getElementById('format').value = 'csv'; document.getElementById('export').click()"
    )
    wait_for_status(window, "Wrote naive-reduced.csv")
    file = tmp_path / "naive-reduced.csv"
    end = time.monotonic() + 20
    while not file.exists() and time.monotonic() < end:
        time.sleep(0.1)
    assert "387072" in file.read_text("utf-8")


def test_the_keyboard_reaches_every_control_and_leaves_the_editor(window):
    window.ask("document.activeElement.blur(); document.querySelector('.brand a').focus()")
    passed = []
    while len(passed) < 20 and "right" not in passed:
        press(window, "Tab", 9)
        passed.append(focused(window))
    assert passed[:9] == [
        "shipped", "both", "view", "Conventions", "format", "export", "link", "print", "left",
    ]  # fmt: skip
    press(window, "Tab", 9, modifiers=8)
    window.ask("document.getElementById('shipped').focus()")
    press(window, "ArrowDown", 40)
    wait(window, f"!document.getElementById('status').textContent.includes({json.dumps(FIRST)})")
    assert window.ask("return document.getElementById('shipped').value") != "inception_3a"


def test_the_editor_completes_keys_and_says_what_they_are(window):
    type_spec(window, "input: {chan")
    press(window, " ", 32, modifiers=2)
    wait(
        window,
        "document.getElementById('left').shadowRoot.querySelector('.cm-completionLabel')"
        "?.textContent === 'channels'",
    )


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_is_accessible(window, width, scheme):
    window.look(width, scheme=scheme)
    assert window.ask(OVERFLOW) == [0, []]
    assert window.ask(CONTRAST)[1] == []
    assert axe_violations(window) == []


def test_a_hostile_spec_runs_no_script(window):
    name = "<img src=x onerror=document.title='hacked'><script>document.title='hacked'</script>"
    type_spec(window, SMALL.replace("name: small", f'name: "{name}"'))
    wait(window, "document.querySelector('#report h1')?.textContent.includes('<img')")
    assert window.ask("return document.title") == "convcost playground"
    assert window.ask("return document.querySelectorAll('#report img, #report script').length") == 0


def test_a_printed_page_has_the_bars_and_no_controls(window):
    window.cdp("Emulation.setEmulatedMedia", media="print")
    shown = "return getComputedStyle(document.querySelector('{}')).display"
    assert window.ask(shown.format("#report svg rect.bar")) != "none"
    assert window.ask(shown.format(".controls")) == "none"
    window.cdp("Emulation.setEmulatedMedia", media="")


def test_a_dropped_file_is_opened_if_it_is_a_spec(window):
    def drop(name, text):
        window.ask(
            "const data = new DataTransfer();"
            f"data.items.add(new File([{json.dumps(text)}], {json.dumps(name)}));"
            "document.body.dispatchEvent("
            "new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}))"
        )

    drop("net.onnx", "")
    wait_for_status(window, "run: convcost import net.onnx -o model.yaml")
    drop("it's; touch x.onnx", "")
    wait_for_status(window, """run: convcost import 'it'"'"'s; touch x.onnx' -o model.yaml""")
    drop("small.yaml", SMALL)
    wait_for_status(window, "small: 12 params")


def test_a_damaged_link_and_a_link_that_unpacks_to_too_much_open_the_first_specs(window, address):
    for link, reason in (
        ("#z=x!", "This link cannot be read"),
        (fragment(specs=["x" * 2**21]), "the link holds more than 1 MiB"),
    ):
        window.open("about:blank")
        window.open(address + link)
        wait_for_status(window, reason)
        wait(window, "document.querySelector('#report h1')")


def test_a_text_that_is_too_long_is_refused_and_the_page_does_not_wait(window):
    type_spec(window, f"name: {'x' * 300_000}\n")
    wait_for_status(window, "The page reads specs of up to 200,000 characters")
    type_spec(window, SMALL.replace("small", "x" * 150_000))
    wait_for_status(window, f"{'x' * 80}: 12 params")
    started = time.monotonic()
    wait(window, "document.getElementById('costs').ariaBusy === 'false'")
    window.ask("return document.body.offsetHeight")
    assert time.monotonic() - started < 20


def test_an_endless_spec_is_stopped_and_the_next_one_is_computed(window):
    type_spec(window, ENDLESS)
    wait_for_status(window, "convcost was stopped after 10 seconds and started again")
    type_spec(window, SMALL)
    wait_for_status(window, "small: 12 params")
