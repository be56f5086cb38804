"""Reads hostile specs in one child process, with limits for its memory, time and work.

A spec must not make convcost hang or use all memory. The child runs with limits of the operating
system; of Python's work it counts the calls of functions, which do not depend on the machine.
"""

import json
import subprocess
import sys
from pathlib import Path

MAX_BYTES = 2 << 30
MAX_SECONDS = 120  # of processor time, for all specs together
MAX_CALLS = 200_000  # for one spec


class BoundedReader:
    """The messages of a spec; no messages if its costs can be counted."""

    def __init__(self) -> None:
        self.child = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent,
        )

    def __call__(self, text: str) -> list[str]:
        self.child.stdin.write(json.dumps(text) + "\n")
        self.child.stdin.flush()
        answer = self.child.stdout.readline()
        assert answer, f"the child ended with {self.child.wait()}"
        calls, found = json.loads(answer)
        assert calls < MAX_CALLS
        return found

    def close(self) -> None:
        self.child.communicate()


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))


def _answer(text: str) -> tuple[int, list[str]]:
    from support import calls_of, cost, messages

    found = list[str]()

    def act() -> None:
        found.extend(messages(text))
        if not found:
            cost(text)

    return calls_of(act), found


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    _limit()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_answer(json.loads(line))) + "\n")
        sys.stdout.flush()
