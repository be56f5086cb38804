"""What a test of pipes and signals waits for, in place of a pause."""

import fcntl
import os
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support import ROOT


def start(
    *arguments: str,
    before: tuple[str, ...] = (),
    cwd: Path = ROOT,
    stdin: int | None = None,
    stdout: int | None = None,
    **environment: str,
) -> subprocess.Popen[bytes]:
    """Starts `python -m convcost …`, which gets the signals that a suite may ignore."""
    return subprocess.Popen(
        [*before, sys.executable, "-m", "convcost", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        preexec_fn=_default_signals,  # noqa: PLW1509  the suite has no threads
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
    )


def _default_signals() -> None:
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def wait_for_pipe(pipe: int, holds: Callable[[int], bool]) -> None:
    """Waits until the bytes in a pipe that nobody has read yet are so many."""
    unread = 0
    for _ in range(3000):
        (unread,) = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))
        if holds(unread):
            return
        time.sleep(0.01)
    pytest.fail(f"the pipe still holds {unread} bytes after 30 seconds")


def end_with(process: subprocess.Popen[bytes], number: int) -> bytes:
    """Sends a signal to a process that waits for a pipe, until it ends. Returns its standard error.

    Python handles a signal between two steps. If one arrives just before the system call that
    waits, Python handles it after that call, or when a second signal interrupts the call.
    """
    for _ in range(60):
        process.send_signal(number)
        try:
            return process.communicate(timeout=0.5)[1]
        except subprocess.TimeoutExpired:
            continue
    process.kill()
    process.communicate()
    pytest.fail(f"signal {number} does not end the process within 30 seconds")
