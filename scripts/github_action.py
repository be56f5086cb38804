"""The script of action.yml: installs convcost, runs `convcost check`, and sets the outputs.

All inputs come from the environment, as text that no shell evaluates. Text of a change, such as the
names in a spec, reaches the log only while the runner ignores commands in it. The exit codes are
those of `convcost check`: 1 is over budget. Any other failure, of the script too, is 2.
"""  # noqa: INP001  a script

import fnmatch
import glob
import hashlib
import itertools
import json
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePath
from typing import Any

VERSION = re.compile(r"[0-9]+(\.[0-9]+){0,3}((a|b|rc)[0-9]+)?(\.post[0-9]+)?")
FILES = {"json": "convcost.json", "markdown": "convcost.md", "sarif": "convcost.sarif"}
KEY = re.compile(r"[A-Za-z0-9._-]{1,64}")
PROBLEM = re.compile(r"^(error\[\w+\]: .*)\n *--> (.*):(\d+):(\d+)$", re.MULTILINE)
MAX_COMMENT = 65_000  # bytes; a comment on GitHub has at most 65,536 characters
MAX_LINKED = 1_000  # paths of a glob to what it also matches by another path
MAX_ANNOTATIONS = 10  # per level and step; the runner drops the others
OVER, BROKEN = 1, 2


class RequestError(Exception):
    """Why there is no verdict."""


def main() -> int:
    """Checks, writes all files, and returns the exit code."""
    env = os.environ
    folder = Path(tempfile.mkdtemp(prefix="convcost-", dir=env.get("RUNNER_TEMP") or None))
    summary, fail = True, True
    try:
        summary, fail = (_switch(env, name) for name in ("SUMMARY", "FAIL"))
        arguments = _request(env, folder)
        code, tree = _checked(_installed(env, folder.parent), arguments, folder)
        outputs = _verdict(tree, folder)
    except RequestError as error:
        code = BROKEN
        outputs = _no_verdict(str(error), folder, _comment_key(env))
    try:
        if summary:
            _append(env.get("GITHUB_STEP_SUMMARY"), [_text(Path(outputs["markdown-file"])), "\n"])
    except OSError as error:
        code = BROKEN
        reason = f"error: cannot write the job summary: {error.strerror}"
        outputs = _no_verdict(reason, folder, _comment_key(env))
    _append(env.get("GITHUB_OUTPUT"), _output(outputs.items()))
    return code if fail or code == BROKEN else 0


# The request


def _input(env: Mapping[str, str], name: str) -> str:
    return env.get(f"CONVCOST_{name}", "").strip()


def _switch(env: Mapping[str, str], name: str) -> bool:
    text = _input(env, name) or "true"
    if text not in ("true", "false"):
        raise RequestError(f"error: the input `{name.lower()}` must be true or false, not `{text}`")
    return text == "true"


def _request(env: Mapping[str, str], folder: Path) -> list[str]:
    """The arguments of convcost. Raises RequestError."""
    outputs = [f"--output={name}:{folder / file}" for name, file in FILES.items()]
    extra = _extra_arguments(env)
    specs: dict[str, str] = {}
    for line in _input(env, "SPECS").splitlines():
        for name in _files(line.strip()):
            specs.setdefault(_absolute(name), name)
    base, config = _base(env), _input(env, "CONFIG")
    return [
        "check",
        *outputs,
        f"--output=plain:{folder / 'convcost.txt'}",
        "--output=github:-",
        f"--max-bytes={MAX_COMMENT}",
        *([f"--base={base}"] if base else []),
        *([f"--config={config}"] if config else []),
        *extra,
        "--",
        *(specs.values() or ["specs"]),
    ]


def _extra_arguments(env: Mapping[str, str]) -> list[str]:
    try:
        return shlex.split(_input(env, "ARGS"))
    except ValueError as error:
        raise RequestError(f"error: the input `args` cannot be read: {error}") from None


def _comment_key(env: Mapping[str, str]) -> str:
    """The key that marks the comment, so that a later run finds it: the last one in `args`."""
    try:
        words = _extra_arguments(env)
    except RequestError:
        return "check"
    found = "check"
    for word, after in itertools.pairwise([*words, ""]):
        option, equals, value = word.partition("=")
        if option == "--comment-key":
            found = value if equals else after
    return found if KEY.fullmatch(found) else "check"


def _absolute(name: str) -> str:
    """The same text for `net.yaml` and `./net.yaml`; a link is not resolved."""
    return os.path.abspath(name)  # noqa: PTH100  pathlib follows links, or leaves `..`


def _files(line: str) -> list[str]:
    """The files that a line names, as a name and as a glob: strangers can name a file `*.yaml`.

    A glob without a match stays, for the error message. Raises RequestError for a folder that
    cannot be read.
    """
    if not line or not glob.has_magic(line):
        return [line] if line else []
    named = [line] if os.path.lexists(line) else []
    try:
        return list(dict.fromkeys([*named, *_matches(PurePath(line))])) or [line]
    except OSError as error:
        reason = f"error: cannot read `{error.filename}`: {error.strerror}"
        raise RequestError(reason) from None


def _matches(pattern: PurePath) -> list[str]:
    """The files and folders that a glob matches, sorted; `**` at its end matches the folder itself.

    `**` follows no link. Other parts do: each path to a spec is a name that can have a base and
    budgets of its own. Links in a change can form endless paths, so their number has a limit.
    Raises RequestError.
    """
    parts = list(pattern.relative_to(pattern.anchor).parts)
    while parts and parts[-1] == "**":
        parts.pop()
    found = [Path(pattern.anchor)]
    for part in parts:
        paths = (
            _below(found)
            if part == "**"
            else (path for at in found for path in _children(at, part))
        )
        targets: set[object] = set()
        found = []
        for path in paths:
            found.append(path)
            targets.add(_identity(path))
            if len(found) - len(targets) > MAX_LINKED:
                raise RequestError(
                    f"error: the glob `{pattern}` matches over {MAX_LINKED:,} paths through "
                    "symbolic links to what it also matches; name files or folders instead"
                )
    return sorted(map(str, found))


def _identity(path: Path) -> object:
    """The same for all paths to one file or folder."""
    try:
        found = path.stat()
    except OSError:  # a link to no file
        return path
    return found.st_dev, found.st_ino


def _below(folders: Iterable[Path]) -> Iterable[Path]:
    """The folders and all folders in them, each path once."""
    seen: set[Path] = set()
    left = [folder for folder in folders if folder.is_dir()]
    while left:  # not `os.walk`, which Python's limit of recursion ends in deep folders
        folder = left.pop()
        if folder in seen:
            continue  # also all folders in it have been found
        seen.add(folder)
        yield folder
        left += (
            path
            for path in folder.iterdir()
            if path.is_dir() and not path.is_symlink() and not path.name.startswith(".")
        )


def _children(folder: Path, part: str) -> Iterable[Path]:
    """The paths that one part of a glob matches. A name that begins with a dot is hidden."""
    if not glob.has_magic(part):
        yield from [folder / part] * os.path.lexists(folder / part)
    elif folder.is_dir():
        for path in folder.iterdir():
            hidden = path.name.startswith(".") and not part.startswith(".")
            if fnmatch.fnmatch(path.name, part) and not hidden:
                yield path


def _base(env: Mapping[str, str]) -> str:
    base = _input(env, "BASE")
    if base:
        return "" if base == "none" else base
    branch = env.get("GITHUB_BASE_REF", "")
    # The whole name: a tag `origin/main` would come first.
    return f"git:refs/remotes/origin/{branch}..." if branch else ""


# The run


def _installed(env: Mapping[str, str], temp: Path) -> str:
    """The Python of an environment with convcost, created once a job. Raises RequestError."""
    version = _input(env, "VERSION")
    if version and not VERSION.fullmatch(version):
        raise RequestError(f"error: the input `version` must be like 1.2.0, not `{version}`")
    wanted = f"convcost=={version}" if version else env["GITHUB_ACTION_PATH"]
    venv = temp / f"convcost-venv-{hashlib.sha256(wanted.encode()).hexdigest()[:16]}"
    python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = venv / "installed"
    if not done.exists():
        shutil.rmtree(venv, ignore_errors=True)
        run = [sys.executable, "-I", "-m"]
        pip = ["pip", "--no-input", "--disable-pip-version-check", "--python", str(python)]
        for command in (
            [*run, "venv", "--without-pip", str(venv)],
            [*run, *pip, "install", "--quiet", "--no-compile", "--", wanted],
        ):
            if subprocess.run(command, check=False).returncode:  # noqa: S603  a list, no shell
                raise RequestError("error: cannot install convcost; the log has the reason")
        done.touch()
    return str(python)


def _checked(python: str, arguments: list[str], folder: Path) -> tuple[int, dict[str, Any]]:
    """The exit code and the JSON report of convcost; prints its report to the log.

    Raises RequestError unless the exit code is 0 or 1 and all files are written.
    """
    ran = _run([python, "-I", "-X", "utf8", "-m", "convcost", *arguments])
    code = ran.returncode
    complete = code in (0, OVER) and all((folder / file).exists() for file in FILES.values())
    report = _text(folder / FILES["json"])
    tree: dict[str, Any] = json.loads(report) if report else {}
    _show(_text(folder / "convcost.txt") + ran.stderr)
    if not complete:
        lines = [line for line in ran.stderr.splitlines() if not line.startswith("wrote ")]
        lines += tree.get("statements", [])
        raise RequestError("\n".join(lines).strip() or f"convcost exited with {code}, no report")
    sys.stdout.write(ran.stdout)
    return code, tree


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  a list, no shell
        command, check=False, capture_output=True, encoding="utf-8", errors="replace"
    )


# The outputs


def _show(text: str) -> None:
    """Prints to the log, while the runner reads no line as a command."""
    token = secrets.token_hex(16)
    sys.stdout.write(f"::stop-commands::{token}\n{text.rstrip()}\n::{token}::\n")


def _text(file: Path) -> str:
    return file.read_text("utf-8") if file.exists() else ""


def _verdict(tree: Mapping[str, Any], folder: Path) -> dict[str, str]:
    def unique(path_of: Callable[[str], str]) -> list[Any]:
        found: dict[Any, Any] = {}
        for one in tree["networks"]:  # the first base of a network is that of its name
            found.setdefault((path_of(one["spec"]), one["network"]), one)
        return list(found.values())

    networks = unique(os.path.realpath)
    # A link that replaces a spec has a base of its own.
    based = [network for network in unique(_absolute) if network["base"] is not None]
    outputs = {"verdict": "within" if tree["ok"] else "over"}
    for measure in ("params", "macs"):
        outputs[measure] = str(sum(network[measure] for network in networks))
        grown = sum(network[measure] - network["base"][measure] for network in based)
        outputs[f"{measure}-delta"] = f"{grown:+d}" if based else ""
    # Of which only a part is known, there is no sum and no growth.
    if any(network["uncounted"] for network in networks):
        outputs["macs"] = ""
    if any(one["uncounted"] for network in based for one in (network, network["base"])):
        outputs["macs-delta"] = ""
    return {**outputs, **{f"{name}-file": str(folder / file) for name, file in FILES.items()}}


def _no_verdict(reason: str, folder: Path, key: str) -> dict[str, str]:
    """Prints the reason as annotations, and writes it as the report."""
    problems = list(PROBLEM.finditer(reason))[:MAX_ANNOTATIONS]
    for problem in problems:
        message, file, line, column = problem.groups()
        place = f"file={_property(file)},line={line},col={column},"
        sys.stdout.write(f"::error {place}title=convcost::{_data(message)}\n")
    if not problems:
        sys.stdout.write(f"::error title=convcost::{_data(reason.strip())}\n")
    markdown = folder / FILES["markdown"]
    shown = reason.encode()[: MAX_COMMENT - 1_000].decode("utf-8", "ignore").rstrip()
    fence = "`" * max(3, *(len(ticks) + 1 for ticks in re.findall("`+", f"{shown}`")))
    markdown.write_text(
        f"<!-- convcost:{key} -->\n**Broken spec, request or base: there is no verdict.**\n\n"
        f"{fence}text\n{shown}\n{fence}\n",
        "utf-8",
        newline="\n",
    )
    return {"verdict": "broken", "markdown-file": str(markdown)}


def _data(text: str) -> str:
    """The text of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _append(file: str | None, text: Iterable[str]) -> None:
    if file:
        with Path(file).open("a", encoding="utf-8", newline="\n") as out:
            out.writelines(text)


def _output(outputs: Iterable[tuple[str, str]]) -> Iterable[str]:
    """Each value ends at a random line, so that its text cannot begin another output."""
    for name, value in outputs:
        end = secrets.token_hex(16)
        yield f"{name}<<{end}\n{value}\n{end}\n"


if __name__ == "__main__":
    try:
        code = main()
    except Exception:  # noqa: BLE001  Python would exit with 1, which means over budget
        traceback.print_exc()
        code = BROKEN
    raise SystemExit(code)
