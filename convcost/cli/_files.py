"""Files: written whole or not at all, and never over a spec that was read."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from convcost.errors import UsageError
from convcost.report import printable

STREAM = re.compile(r"/dev/(stdout|stderr|fd/[0-9]+)|/proc/self/fd/[0-9]+")


def place(path: Path) -> str:
    """The file that a path is in the end, so that two ways to write one are known for it."""
    return os.path.realpath(path)


def same(path: Path, source: str) -> bool:
    """Whether a file is the one a spec is read from: by name, by name#document, by redirection."""
    try:
        if not path.exists():
            return False
        if source.partition("#")[0] == "-":
            return os.path.samestat(path.stat(), os.fstat(0))
        from convcost.files.sources import shipped

        name = source.partition("#")[0]
        files = (Path(source), Path(name), shipped().get(name))
        return any(file is not None and file.is_file() and path.samefile(file) for file in files)
    except (OSError, ValueError):
        return False


def write_file(path: Path, pieces: Iterator[str] | Iterator[bytes]) -> None:
    """Into a new file beside it, which then takes its place; a device is written to as it is.

    So is what stands for an open stream, `/dev/stdout`: the file behind it is not this one's to
    replace. A reader that has gone away is no error.
    """
    encoded = (piece if isinstance(piece, bytes) else piece.encode() for piece in pieces)
    try:
        if STREAM.fullmatch(str(path)):
            with path.open("ab") as file:
                file.writelines(encoded)
        elif path.exists() and not path.is_file():
            with path.open("wb") as file:
                file.writelines(encoded)
        else:
            _replace(Path(place(path)), encoded)
    except BrokenPipeError:
        return
    except OSError as error:
        raise UsageError(f"cannot write `{printable(str(path))}`: {error.strerror}") from None


def _replace(path: Path, pieces: Iterator[bytes]) -> None:
    temporary = path.with_name(f".convcost.{os.getpid()}.tmp")
    try:
        with temporary.open("xb") as file:
            file.writelines(pieces)
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o777)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
