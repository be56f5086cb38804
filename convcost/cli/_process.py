"""The process of convcost: its streams, its exit codes, and errors that no command expects.

No write to a stream raises. The stream keeps its first error and drops the text that follows; the
run continues.
"""

import errno
import io
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from convcost.model.errors import encodable, printable

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

OK, FAILED, ERROR, INTERNAL, INTERRUPTED = 0, 1, 2, 70, 130
BY_SIGNAL = 128  # plus the number of the signal that ended the run
SECONDS_TO_CLEAN_UP = 1.0


# Streams


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


def _replace_streams() -> None:
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


# Exits


def exit_code(command: Callable[[], None]) -> int:
    """Runs a command and returns its exit code; an unexpected error becomes a short message.

    With CONVCOST_DEBUG set, an unexpected error is raised instead.
    """
    try:
        command()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else OK
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if os.environ.get("CONVCOST_DEBUG"):
            raise
        if isinstance(error, OSError) and error.errno is not None:
            write_messages(f"error: {_system_error(error)}")
            return ERROR
        message = f"{type(error).__name__}: {error}"
        if place := _plugin_line(error):
            debug = "help: CONVCOST_DEBUG=1 prints the traceback"
            write_messages(f"error: the plug-in `{place}` failed: {message}", debug)
            return ERROR
        cause = "convcost or a plug-in" if os.environ.get("CONVCOST_PLUGINS") else "convcost"
        write_messages(
            f"convcost: internal error: {message}",
            f"This is a bug in {cause}, not in the spec. Please report it with the spec and the "
            "traceback that CONVCOST_DEBUG=1 prints.",
        )
        return INTERNAL
    return OK


def _plugin_line(error: Exception) -> str:
    """The file and line of a plug-in in which an error was raised; empty for an error elsewhere."""
    from traceback import extract_tb

    last = extract_tb(error.__traceback__)[-1]
    names = os.environ.get("CONVCOST_PLUGINS", "").split(os.pathsep)
    folders = tuple(os.path.join(os.path.abspath(name), "") for name in names if name)  # noqa: PTH100, PTH118  pathlib is not needed yet
    return f"{last.filename}:{last.lineno}" if last.filename.startswith(folders) else ""


def run_and_exit(run: Callable[[], int]) -> None:
    """Runs with streams that never raise, flushes them, and ends the process at once.

    Freeing a large heap takes time and has no use here. After a signal, the run does not flush: a
    reader that has stopped reading would block it.
    """
    _replace_streams()
    try:
        _exit_on_signals()
        code = run()
        if code < BY_SIGNAL:
            code = _flush(code)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except SystemExit as stop:
        code = int(stop.code or OK)
    except Exception:  # noqa: BLE001  with CONVCOST_DEBUG; Python would exit with 1, a failed check
        from traceback import print_exc

        print_exc()
        code = _flush(INTERNAL)
    os._exit(code)


def _exit_on_signals() -> None:
    """Makes SIGTERM and SIGHUP raise SystemExit, so that no temporary file is left.

    A further signal within SECONDS_TO_CLEAN_UP is ignored, because it would interrupt the removal
    of that file. A signal that the parent process ignores, as `nohup` does, stays ignored.
    """
    import signal
    from time import monotonic

    last = -SECONDS_TO_CLEAN_UP

    def end(number: int, _frame: object) -> None:
        nonlocal last
        now = monotonic()
        if now - last < SECONDS_TO_CLEAN_UP:
            return
        last = now
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(BY_SIGNAL + number)

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal_number = getattr(signal, name, None)
        if signal_number and signal.getsignal(signal_number) in (
            signal.SIG_DFL,
            signal.default_int_handler,
        ):
            signal.signal(signal_number, end)


def _system_error(error: OSError) -> str:
    """The message for an error of the operating system that no command expects.

    The most frequent reason is that the current folder was deleted.
    """
    try:
        os.getcwd()  # noqa: PTH109  pathlib is not needed yet
    except OSError:
        return "the current folder does not exist any more; change to one that does"
    return f"`{error.filename}`: {error.strerror}" if error.filename else f"{error.strerror}"


def _flush(code: int) -> int:
    """Flushes both streams and returns the exit code.

    An incomplete report is an error; a line that is missing on standard error is not.
    """
    with suppress(ValueError):  # the code of a model may close the stream
        sys.stdout.flush()
    if write_error() and code in (OK, FAILED):
        write_messages(f"error: {write_error()}")
        code = ERROR
    with suppress(ValueError):
        sys.stderr.flush()
    return code
