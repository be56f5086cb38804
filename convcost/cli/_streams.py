"""Standard output and standard error that never raise: a failed write does not end the run.

A stream keeps its first error and drops the text that follows; the run continues.
"""

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

from convcost.model.errors import encodable, printable

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _ErrorKeepingWriter(io.RawIOBase):
    """Writes the bytes of one stream, and keeps its first error.

    `fd` is None for a stream that was closed before the start.
    """

    def __init__(self, fd: int | None) -> None:
        self.fd = fd
        self.error = OSError(errno.EBADF, "it is closed") if fd is None else None
        self.used = False

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self.fd is not None and os.isatty(self.fd)

    def fileno(self) -> int:
        return super().fileno() if self.fd is None else self.fd

    def write(self, data: "ReadableBuffer", /) -> int:
        size = memoryview(data).nbytes
        self.used = self.used or size > 0
        while self.fd is not None and self.error is None:
            try:
                return os.write(self.fd, data)
            except BlockingIOError:  # the parent process left the pipe in non-blocking mode
                import select

                select.select([], [self.fd], [])
            except OSError as error:
                self.error = error
        return size


_stdout = _ErrorKeepingWriter(None)


def replace() -> None:
    """Replaces `sys.stdout` and `sys.stderr` by streams that never raise."""
    global _stdout
    _stdout, sys.stdout = _wrap(sys.stdout)
    _, sys.stderr = _wrap(sys.stderr)


def _wrap(stream: TextIO | None) -> tuple[_ErrorKeepingWriter, TextIO]:
    raw = _ErrorKeepingWriter(None if stream is None else stream.fileno())
    errors = getattr(stream, "errors", "strict")
    text = io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=getattr(stream, "encoding", "utf-8"),
        errors="backslashreplace" if errors == "strict" else errors,
        line_buffering=getattr(stream, "line_buffering", False),
    )
    return raw, text


def write(stream: TextIO, text: str) -> None:
    """Writes text, in ASCII words and escapes if the stream has no Unicode."""
    if not has_unicode(stream):
        text = encodable(text, stream.encoding or "ascii")
    stream.write(text)


def write_messages(*lines: str) -> None:
    """Writes lines to standard error. No text in a line can end the line or control a terminal."""
    write(sys.stderr, "".join(f"{printable(line)}\n" for line in lines))


def has_unicode(stream: TextIO | None) -> bool:
    if stream is None:
        return True
    try:
        "×█⌊→".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def is_broken() -> bool:
    """Whether standard output has lost text, and will lose all that follows."""
    return _stdout.used and _stdout.error is not None


def write_error() -> str:
    """The message for incomplete standard output, or ''. A reader may stop reading."""
    error = _stdout.error
    if not is_broken() or error is None or isinstance(error, ConnectionError):
        return ""
    return f"cannot write to standard output: {error.strerror}"
