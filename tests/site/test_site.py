"""The site, built from the pages and the code, without a warning."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec

import pytest
from support import ROOT
from tools import needs

from convcost.model.kind import KINDS

pytestmark = [
    pytest.mark.slow,
    needs("" if find_spec("mkdocs") else "mkdocs is not installed; the extra `site` has it"),
]


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


def test_every_kind_is_a_section_of_the_reference(site):
    headings = re.findall(r'<h2 id="(\w+)"', (site / "kinds.html").read_text("utf-8"))
    assert headings == list(KINDS.names())


def test_no_page_requests_anything_from_another_server(site):
    for page in site.glob("*.html"):
        text = page.read_text("utf-8")
        assert not re.findall(r'<(?:script|img|iframe)[^>]+src="?(?:https?:)?//', text), page.name
        assert not re.findall(r'<link[^>]+stylesheet[^>]+href="?https?:', text), page.name
