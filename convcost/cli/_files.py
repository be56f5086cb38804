"""Output files: written completely or not at all, and never over a spec that was read."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from convcost.reports.files import new_file, write_errors
from convcost.sources.links import file_to_write, refuse_link_out


def write_file(path: Path, pieces: Iterator[str | bytes]) -> None:
    """Writes a temporary file in the same folder, and then replaces the file with it.

    Writes directly to a device, and to the name of an open stream such as `/dev/stdout`, because
    these must not be replaced. A reader that has closed its end of a pipe is not an error. Raises
    UsageError if writing fails, or if a link on the path leads out of its repository.
    """
    encoded = (piece if isinstance(piece, bytes) else piece.encode() for piece in pieces)
    with write_errors(path), suppress(BrokenPipeError):
        if _is_stream(str(path)):
            with path.open("ab") as file:
                file.writelines(encoded)
            return
        refuse_link_out(path, str(path))
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                file.writelines(encoded)
        else:
            with new_file(file_to_write(path)) as file:
                file.writelines(encoded)


def _is_stream(path: str) -> bool:
    folder, _, number = path.rpartition("/")
    numbered = folder in ("/dev/fd", "/proc/self/fd") and number.isdecimal()
    return numbered or path in ("/dev/stdout", "/dev/stderr")
