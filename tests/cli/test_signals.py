"""A run that a signal ends leaves every file as it was, and nothing beside it."""

import signal
import subprocess
import time
from pathlib import Path
from pipes import start

import pytest
from tools import missing_program, needs

SLOW = """
from pathlib import Path
from time import sleep

from convcost.render import format


@format("slow", "a format that waits in the middle", ".slow")
def render(report, style):
    yield "half" * 100_000
    try:
        Path("plugins/waiting").touch()
        while not Path("go").exists():
            sleep(0.01)
    except BaseException:
        Path("ending").touch()
        sleep(0.2)
        Path("ended").touch()
        raise
    yield " and half"
"""
NETWORK = "input: {channels: 3, size: 8}\nlayers: [{conv: 4, kernel: 3}]\n"
ENDS = [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "plugins" / "render").mkdir(parents=True)
    (tmp_path / "plugins" / "render" / "slow.py").write_text(SLOW, "utf-8")
    (tmp_path / "net.yaml").write_text(NETWORK, "utf-8")
    (tmp_path / "out.slow").write_text("old", "utf-8")
    return tmp_path


def started(folder: Path, *before: str) -> subprocess.Popen[bytes]:
    return start(
        "analyze", "net.yaml", "-o", "out.slow", before=before, cwd=folder,
        stdout=subprocess.PIPE, CONVCOST_PLUGINS=str(folder / "plugins"),
    )  # fmt: skip


def writing(folder: Path, *before: str) -> subprocess.Popen[bytes]:
    """A run that has written a part of `out.slow`, and waits for the file `go`."""
    process = started(folder, *before)
    for _ in range(3000):
        if (folder / "plugins" / "waiting").exists():
            assert any(file.stat().st_size for file in folder.glob(".convcost.*"))
            return process
        time.sleep(0.01)
    process.kill()
    process.communicate()
    pytest.fail("nothing is written after 30 seconds")


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()} - {"plugins"}


@pytest.mark.parametrize(("number", "code"), ENDS)
def test_a_signal_leaves_the_old_file_and_no_temporary_one(number, code, folder):
    process = writing(folder)
    process.send_signal(number)
    done = process.communicate(timeout=60)
    assert (process.returncode, *done) == (code, b"", b"")
    assert (folder / "out.slow").read_text("utf-8") == "old"
    assert names(folder) == {"net.yaml", "out.slow", "ending", "ended"}


@pytest.mark.parametrize(
    ("first", "code", "second"),
    [(*ENDS[0], signal.SIGINT), (*ENDS[1], signal.SIGTERM), (*ENDS[2], signal.SIGINT)],
)
def test_a_second_signal_does_not_interrupt_what_the_first_one_began(first, code, second, folder):
    """A shell and the terminal that closes each send one, and some people press Ctrl-C twice."""
    process = writing(folder)
    process.send_signal(first)
    while not (folder / "ending").exists():
        time.sleep(0.01)
    process.send_signal(second)
    process.communicate(timeout=60)
    assert process.returncode == code
    assert names(folder) == {"net.yaml", "out.slow", "ending", "ended"}


@needs(missing_program("nohup"))
def test_a_run_under_nohup_ignores_hangups(folder):
    process = writing(folder, "nohup")
    process.send_signal(signal.SIGHUP)
    (folder / "go").touch()
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert (folder / "out.slow").read_text("utf-8").endswith(" and half")
    assert names(folder) == {"go", "net.yaml", "out.slow"}


def test_a_temporary_file_of_a_killed_run_does_not_block_the_next_one(folder):
    process = writing(folder)
    process.kill()
    process.communicate(timeout=60)
    (stale,) = folder.glob(".convcost.*")
    (folder / "go").touch()
    process = started(folder)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert (folder / "out.slow").read_text("utf-8").endswith(" and half")
    assert stale.exists()
