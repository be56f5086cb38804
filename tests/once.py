"""What is slow to make and only read afterwards: made once a session, by the first worker."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from support import run


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder of that name, which all workers of pytest-xdist share; the first fills it."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with FileLock(f"{folder}.lock"):
        if not Path(f"{folder}.made").exists():
            folder.mkdir()
            make(folder)
            Path(f"{folder}.made").touch()
    return folder


def shipped_counts(factory: pytest.TempPathFactory) -> Path:
    """A folder with the counts of all shipped networks: `specs.json` and `specs.csv`."""

    def make(folder: Path) -> None:
        ran = run("specs", "-o", "specs.json", "-o", "specs.csv", cwd=folder)
        assert ran.returncode == 0, ran.stderr.decode()

    return once(factory, "shipped_counts", make)
