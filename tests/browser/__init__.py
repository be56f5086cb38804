"""A real browser for tests: chromium by chromedriver, in plain WebDriver, nothing installed."""

import base64
import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

DRIVER = shutil.which("chromedriver")
CHROMIUM = shutil.which("chromium")
LOAD_SECONDS = 30
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
]


class Browser:
    """One window. `cdp` sends a command of the DevTools protocol."""

    def __init__(self, address: str, session: str):
        self.base = f"{address}/session/{session}"

    def cdp(self, command: str, **parameters):
        body = {"cmd": command, "params": parameters}
        return _post(f"{self.base}/goog/cdp/execute", body)

    def look(self, width: int, height: int = 900, scheme: str = "light"):
        """The size of the window in CSS pixels, and the colours that its user prefers."""
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.cdp("Emulation.setEmulatedMedia", features=[feature])

    def open(self, page: Path | str):
        url = page.as_uri() if isinstance(page, Path) else page
        _post(f"{self.base}/url", {"url": url})
        # After a page of another origin, the driver can answer before the page is loaded.
        until = time.monotonic() + LOAD_SECONDS
        while self.ask("return document.readyState") != "complete":
            assert time.monotonic() < until, f"{url} is not loaded after {LOAD_SECONDS} seconds"
            time.sleep(0.02)

    def ask(self, script: str):
        """What a JavaScript function body returns. The driver runs it; no page could."""
        return _post(f"{self.base}/execute/sync", {"script": script, "args": []})

    def complaints(self) -> list[str]:
        """The errors and refused requests on the console since the last call."""
        return [entry["message"] for entry in _post(f"{self.base}/se/log", {"type": "browser"})]

    def picture(self, file: Path, *, whole: bool = True):
        shot = self.cdp("Page.captureScreenshot", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(shot["data"]))

    def pdf(self, file: Path):
        """As it is printed on A4."""
        printed = self.cdp("Page.printToPDF", preferCSSPageSize=True)
        file.write_bytes(base64.b64decode(printed["data"]))


@contextmanager
def browser():
    """A chromium of its own, gone when it is done with."""
    assert DRIVER
    assert CHROMIUM
    with TemporaryDirectory(ignore_cleanup_errors=True) as home:
        driver = subprocess.Popen(
            [DRIVER, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        session = ""
        address = ""
        try:
            line = next(line for line in driver.stdout if "started successfully on port" in line)
            address = f"http://127.0.0.1:{line.rstrip().rstrip('.').split()[-1]}"
            options = {"binary": CHROMIUM, "args": [*FLAGS, f"--user-data-dir={home}"]}
            wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
            asked = {"capabilities": {"alwaysMatch": {"browserName": "chrome", **wanted}}}
            session = _post(f"{address}/session", asked)["sessionId"]
            yield Browser(address, session)
        finally:
            if session:
                _call("DELETE", f"{address}/session/{session}")
            driver.terminate()
            driver.wait(10)
            driver.stdout.close()


def _post(url: str, body: dict):
    return _call("POST", url, json.dumps(body).encode())


def _call(method: str, url: str, body: bytes | None = None):
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        raise AssertionError(error.read().decode()) from None


__all__ = ["MISSING", "Browser", "browser"]
