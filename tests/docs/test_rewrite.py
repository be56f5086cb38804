"""CONVCOST_REWRITE rewrites pages in one process only."""

import os
import subprocess
import sys

import pytest
from support import ROOT


@pytest.mark.parametrize("option", [["-n", "2"], ["--dist", "load", "--tx", "2*popen"]])
def test_pages_are_not_rewritten_by_several_processes(option):
    pytest.importorskip("xdist")
    command = [sys.executable, "-m", "pytest", *option, "tests/docs/test_rewrite.py"]
    environment = os.environ | {"CONVCOST_REWRITE": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (pytest.ExitCode.USAGE_ERROR, b"")
    assert done.stderr.decode().strip().splitlines() == [
        "ERROR: CONVCOST_REWRITE works only in one process; run pytest without `-n`, or with `-n 0`"
    ]
