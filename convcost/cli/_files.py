"""Output files: written completely or not at all, and never over a spec that was read."""

import os
from collections.abc import Iterator
from pathlib import Path

from convcost.model.errors import UsageError
from convcost.sources.links import file_to_write, refuse_link_out


def write_file(path: Path, pieces: Iterator[str | bytes]) -> None:
    """Writes a temporary file in the same folder, and then replaces the file with it.

    Writes directly to a device, and to the name of an open stream such as `/dev/stdout`, because
    these must not be replaced. A reader that has closed its end of a pipe is not an error. Raises
    UsageError if writing fails, or if a link on the path leads out of its repository.
    """
    encoded = (piece if isinstance(piece, bytes) else piece.encode() for piece in pieces)
    try:
        if _is_stream(str(path)):
            with path.open("ab") as file:
                file.writelines(encoded)
            return
        refuse_link_out(path, str(path))
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                file.writelines(encoded)
        else:
            _replace(file_to_write(path), encoded)
    except BrokenPipeError:
        return
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {error.strerror}") from None


def _is_stream(path: str) -> bool:
    folder, _, number = path.rpartition("/")
    numbered = folder in ("/dev/fd", "/proc/self/fd") and number.isdecimal()
    return numbered or path in ("/dev/stdout", "/dev/stderr")


def _replace(path: Path, pieces: Iterator[bytes]) -> None:
    """Replaces a file atomically and keeps its mode. Each run uses another temporary file."""
    temporary = path.with_name(f".convcost.{os.urandom(8).hex()}.tmp")
    try:
        with temporary.open("xb") as file:
            file.writelines(pieces)
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o7777)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
