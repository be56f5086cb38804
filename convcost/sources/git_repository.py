"""The repository of a folder, and git run in it.

The configuration and the contents of a repository are not trusted. Therefore git only
reads objects and the index here. It runs no hook, filter or other command, and fetches nothing.
"""

import os
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from threading import Thread, Timer
from typing import IO

from convcost.sources.links import has_git

TIMEOUT = 60  # seconds
# These read a few files, and wait for a pipe in the place of one.
SHORT_COMMANDS = ("rev-parse", "show-ref", "ls-files", "check-attr")
SHORT_TIMEOUT = 10  # seconds
MAX_OUTPUT = 256 * 2**20  # bytes
MAX_MESSAGE = 2**16  # bytes of the errors that git prints
OPTIONS = (
    "--no-pager",
    "-c", "core.fsmonitor=false",
    "-c", f"core.hooksPath={os.devnull}",
    "-c", "safe.bareRepository=explicit",
    "-c", "core.warnAmbiguousRefs=true",
)  # fmt: skip
VARIABLES = {
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # the same for git before 2.44; no configuration overrides it
    "GIT_NO_REPLACE_OBJECTS": "1",  # the base is what the commit of that hash has
    "GIT_GRAFT_FILE": os.devnull,  # no file replaces the parents of a commit
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",  # messages are compared with English ones
}
# Git sets these for a hook, and users set some. The specs alone decide which repository is read,
# and the base does not depend on a commit in progress.
IGNORED_VARIABLES = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_PREFIX",
    "GIT_NAMESPACE", "GIT_SHALLOW_FILE", "GIT_REPLACE_REF_BASE",
    "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CEILING_DIRECTORIES",
)  # fmt: skip


class GitError(Exception):
    """Why git gives no base, and what to do."""


class Repository:
    """The repository that has its `.git` in the folder `root`."""

    def __init__(self, root: Path) -> None:
        """Raises GitError if there is none, or git does not accept it."""
        self.root = root
        self._location: tuple[str, ...] = ()
        if not has_git(root):
            raise GitError(f"`{root}` is not in a git repository")
        # Without --git-dir, because git checks the owner of a repository only if it finds it.
        process = self.git("rev-parse", "--show-prefix", "--absolute-git-dir")
        if process.returncode:
            raise GitError(_not_accepted(root, process.stderr))
        prefix, _, git_dir = os.fsdecode(process.stdout.removesuffix(b"\n")).partition("\n")
        if prefix or root.samefile(git_dir):  # another work tree, or a bare repository
            raise GitError(f"git has no repository with the work tree `{root}`")
        self._location = (f"--git-dir={git_dir}", f"--work-tree={root}")

    def read(self, action: str, *arguments: str, input_bytes: bytes = b"") -> str:
        """What git prints for an input. Raises GitError, with `action`, if it fails."""
        completed_process = self.git(*arguments, input_bytes=input_bytes)
        if completed_process.returncode:
            raise GitError(f"git cannot {action}: {_first_error(completed_process.stderr)}")
        return os.fsdecode(completed_process.stdout)

    def known_commits(self, names: Iterable[str]) -> set[str]:
        """Those of some commits that the repository has. Raises GitError."""
        stdin = "".join(f"{name}\n" for name in names).encode()
        lines = (
            self.git("cat-file", "--batch-check", input_bytes=stdin).stdout.decode().splitlines()
        )
        return {line.split(" ")[0] for line in lines if " commit " in line}

    def git(self, *arguments: str, input_bytes: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Runs git with an input. Raises GitError if it cannot be run."""
        environment = {k: v for k, v in os.environ.items() if k not in IGNORED_VARIABLES}
        command = [_program(), "-C", str(self.root), *OPTIONS, *self._location, *arguments]
        timeout = SHORT_TIMEOUT if arguments[0] in SHORT_COMMANDS else TIMEOUT
        try:
            return _run(command, input_bytes, timeout, {**environment, **VARIABLES})
        except OSError as error:
            raise GitError(f"git cannot be run: {error.strerror}") from None


def _run(
    command: list[str], input_bytes: bytes, timeout: int, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[bytes]:
    """Runs a command. Raises OSError if it cannot be run, and GitError if it does not finish in
    time or prints too much, such as the list of a commit with folders that repeat endlessly."""
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603  arguments are a list, and a ref cannot be an option
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        messages: list[bytes] = []
        timer = Timer(timeout, process.kill)
        threads = (
            Thread(target=_write, args=(process.stdin, input_bytes)),
            Thread(target=_read_message, args=(process.stderr, messages)),
        )
        try:
            for thread in (timer, *threads):
                thread.start()
            printed = process.stdout.read(MAX_OUTPUT + 1)
            if len(printed) <= MAX_OUTPUT:
                process.wait()
            if not timer.is_alive():
                raise GitError(f"git did not finish within {timeout} seconds")
            if len(printed) > MAX_OUTPUT:
                raise GitError(f"git lists or prints more than {MAX_OUTPUT // 2**20} MiB")
        finally:
            timer.cancel()
            process.kill()
            for thread in filter(Thread.is_alive, (timer, *threads)):  # a signal may end the starts
                thread.join()
    return subprocess.CompletedProcess(command, process.returncode, printed, *messages)


def _read_message(file: IO[bytes], messages: list[bytes]) -> None:
    """Adds the first part of what can be read. Reads the rest, too: git waits for a reader."""
    messages.append(file.read(MAX_MESSAGE))
    while file.read(MAX_MESSAGE):
        pass


def _write(file: IO[bytes], data: bytes) -> None:
    with suppress(BrokenPipeError), file:
        file.write(data)


def _first_error(stderr: bytes) -> str:
    """The first line of a message of git that is not a hint or a warning, and the indented names
    after it."""
    lines = os.fsdecode(stderr).splitlines()
    errors = [line for line in lines if not line.startswith(("hint:", "warning:"))]
    names = takewhile(lambda line: line.startswith("\t"), errors[1:])
    return " ".join((*errors[:1], *map(str.strip, names))) or "without a message"


def _program() -> str:
    """The path of git. A relative folder in PATH may be in the repository, so it is not searched.

    Raises GitError.
    """
    name = "git.exe" if os.name == "nt" else "git"
    for folder in map(Path, os.get_exec_path()):
        if folder.is_absolute() and os.access(folder / name, os.X_OK):
            return str(folder / name)
    raise GitError("git is not installed; install it, or use a file as base")


def _not_accepted(root: Path, message: bytes) -> str:
    if b"dubious ownership" in message:
        return (
            f"git does not trust the owner of `{root}`: allow it with "
            "`git config --global --add safe.directory` and the folder of the repository"
        )
    return f"git cannot open the repository of `{root}`: {_first_error(message)}"
