"""How a run ends: the exit codes, and what is said on the way out."""

import os
import sys
from collections.abc import Callable

OK, OVER, WRONG, INTERNAL, INTERRUPTED = 0, 1, 2, 70, 130


def guard(run: Callable[[], None]) -> None:
    """Runs, and turns whatever ends it into an exit code and at most a few lines."""
    if sys.stderr is None:  # closed: there is nobody to complain to
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115  pathlib is not needed yet
    try:
        run()
    except SystemExit as stop:
        _leave(stop.code if isinstance(stop.code, int) else OK)
    except KeyboardInterrupt:
        _leave(INTERRUPTED)
    except BrokenPipeError:
        _leave(OK)
    except Exception as error:
        if os.environ.get("CONVCOST_DEBUG"):
            raise
        name = type(error).__name__
        _say(
            f"convcost: internal error: {name}: {error}\n"
            "This is a fault of convcost, not of the spec. Please report it with the spec and the "
            "traceback that CONVCOST_DEBUG=1 prints.\n"
        )
        _leave(INTERNAL)
    _leave(OK)


def _say(text: str) -> None:
    from convcost.report import printable

    lines = (printable(line) for line in text.splitlines())
    sys.stderr.write("".join(f"{line}\n" for line in lines))


def _leave(code: int) -> None:
    """Flushes and ends at once: taking a large heap apart again serves nobody.

    A reader that has gone away is no error.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (BrokenPipeError, ValueError):
            pass
        except OSError as error:
            if code == OK:
                os.write(2, f"convcost: cannot write: {error.strerror}\n".encode())
                code = WRONG
    os._exit(code)
