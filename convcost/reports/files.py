"""Files that are written completely or not at all, and errors of their writing."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from convcost.model.errors import UsageError


def partial_file(points: Path) -> Path:
    """Where the points of a search are until all are there: beside their file, or beside the target
    of a link to it."""
    return Path(f"{os.path.realpath(points)}.part")


def refuse_read_only(path: Path) -> None:
    """Raises PermissionError for a file that is protected from writing: the system lets another
    file replace it if its folder is writable."""
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A temporary file in the same folder that replaces `path` at the end, and has its mode. No
    other run, and no link that is there already, has its name. Raises OSError."""
    refuse_read_only(path)
    temporary = path.with_name(f".convcost.{os.urandom(8).hex()}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o7777)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def write_errors(path: Path | None) -> Iterator[None]:
    """Raises UsageError with the name of the file that was asked for if it cannot be written: its
    partial and temporary files have others."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {error.strerror}") from None
