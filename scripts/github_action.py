"""What action.yml runs: installs convcost, checks, and tells the runner what came of it.

All it is asked comes from the environment, as text that is never a line of a shell. What a change
may have written, such as the names in a spec, reaches the log only while the runner takes no
commands from it. Exit codes are those of `convcost check`: 1 is over budget; whatever else ends it,
a fault of its own too, is 2, a broken request.
"""  # noqa: INP001  a script

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
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

VERSION = re.compile(r"[0-9]+(\.[0-9]+){0,3}((a|b|rc)[0-9]+)?(\.post[0-9]+)?")
FILES = {"json": "convcost.json", "markdown": "convcost.md", "sarif": "convcost.sarif"}
KEY = re.compile(r"[A-Za-z0-9._-]{1,64}")
PROBLEM = re.compile(r"^(error\[\w+\]: .*)\n *--> (.*):(\d+):(\d+)$", re.MULTILINE)
COMMENT = 65_000  # bytes; a comment on GitHub has at most 65,536 characters
ANNOTATIONS = 10  # of a kind and step; the runner drops what comes after
OVER, BROKEN = 1, 2


class Refused(Exception):  # noqa: N818  a plain statement for the user
    """Why there is no verdict."""


def main() -> int:
    """Checks, writes all files, and only then says how it ended."""
    env = os.environ
    folder = Path(tempfile.mkdtemp(prefix="convcost-", dir=env.get("RUNNER_TEMP")))
    summary, fail = True, True
    try:
        summary, fail = (_switch(env, name) for name in ("SUMMARY", "FAIL"))
        arguments = _request(env, folder)
        code, tree = _checked(_installed(env, folder.parent), arguments, folder)
        outputs = _told(tree, folder)
    except Refused as reason:
        code = BROKEN
        outputs = _broken(str(reason), folder, _key(env))
    _write_outputs(env.get("GITHUB_OUTPUT"), outputs)
    if summary and env.get("GITHUB_STEP_SUMMARY"):
        with Path(env["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8", newline="\n") as file:
            file.write(Path(outputs["markdown-file"]).read_text("utf-8") + "\n")
    return code if fail or code == BROKEN else 0


# What is asked


def _asked(env: Mapping[str, str], name: str) -> str:
    return env.get(f"CONVCOST_{name}", "").strip()


def _switch(env: Mapping[str, str], name: str) -> bool:
    text = _asked(env, name) or "true"
    if text not in ("true", "false"):
        raise Refused(f"error: the input `{name.lower()}` is true or false, not `{text}`")
    return text == "true"


def _request(env: Mapping[str, str], folder: Path) -> list[str]:
    """Arguments of `convcost check`. Raises Refused."""
    outputs = [f"--output={name}:{folder / file}" for name, file in FILES.items()]
    more = _more(env)
    specs: dict[str, str] = {}
    for line in _asked(env, "SPECS").splitlines():
        for name in _files(line.strip()):
            specs.setdefault(_place(name), name)
    base, config = _base(env), _asked(env, "CONFIG")
    return [
        "check",
        *outputs,
        f"--output=plain:{folder / 'convcost.txt'}",
        "--output=github:-",
        f"--max-bytes={COMMENT}",
        *([f"--base={base}"] if base else []),
        *([f"--config={config}"] if config else []),
        *more,
        "--",
        *(specs.values() or ["specs"]),
    ]


def _more(env: Mapping[str, str]) -> list[str]:
    try:
        return shlex.split(_asked(env, "ARGS"))
    except ValueError as error:
        raise Refused(f"error: the input `args` cannot be read: {error}") from None


def _key(env: Mapping[str, str]) -> str:
    """By what a later run finds the comment of this one: the last key of the input `args`."""
    try:
        words = _more(env)
    except Refused:
        return "check"
    found = "check"
    for word, after in itertools.pairwise([*words, ""]):
        option, equals, value = word.partition("=")
        if option == "--comment-key":
            found = value if equals else after
    return found if KEY.fullmatch(found) else "check"


def _place(name: str) -> str:
    """What is the same for `net.yaml` and `./net.yaml`; a link is not what it leads to."""
    return os.path.abspath(name)  # noqa: PTH100  pathlib follows links, or leaves `..`


def _files(line: str) -> list[str]:
    """What a line names. A glob without a match stays, so that it is complained of by name."""
    if not line or os.path.lexists(line):
        return [line] if line else []
    return sorted(glob.glob(line, recursive=True)) or [line]  # noqa: PTH207  paths as written


def _base(env: Mapping[str, str]) -> str:
    asked = _asked(env, "BASE")
    if asked:
        return "" if asked == "none" else asked
    branch = env.get("GITHUB_BASE_REF", "")
    return f"git:origin/{branch}..." if branch else ""


# What is run


def _installed(env: Mapping[str, str], temp: Path) -> str:
    """The Python of an environment that has convcost, made once a job. Raises Refused."""
    version = _asked(env, "VERSION")
    if version and not VERSION.fullmatch(version):
        raise Refused(f"error: the input `version` is like 1.2.0, not `{version}`")
    wanted = f"convcost=={version}" if version else env["GITHUB_ACTION_PATH"]
    room = temp / f"convcost-venv-{hashlib.sha256(wanted.encode()).hexdigest()[:16]}"
    python = room / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = room / "installed"
    if not done.exists():
        shutil.rmtree(room, ignore_errors=True)
        run = [sys.executable, "-I", "-m"]
        pip = ["pip", "--no-input", "--disable-pip-version-check", "--python", str(python)]
        for command in (
            [*run, "venv", "--without-pip", str(room)],
            [*run, *pip, "install", "--quiet", "--no-compile", "--", wanted],
        ):
            if subprocess.run(command, check=False).returncode:  # noqa: S603  a list, no shell
                raise Refused("error: convcost could not be installed; the log has the reason")
        done.touch()
    return str(python)


def _checked(python: str, arguments: list[str], folder: Path) -> tuple[int, dict[str, Any]]:
    """How `convcost check` ended, and its answer, which is in the log now. Raises Refused where it
    ended as neither within nor over: what it wrote until then is no answer."""
    command = [python, "-I", "-X", "utf8", "-m", "convcost", *arguments]
    ran = subprocess.run(  # noqa: S603  a list, no shell
        command, check=False, capture_output=True, encoding="utf-8", errors="replace"
    )
    code = ran.returncode
    whole = code in (0, OVER) and all((folder / file).exists() for file in FILES.values())
    answer = _text(folder / FILES["json"])
    tree: dict[str, Any] = json.loads(answer) if answer else {}
    _show(_text(folder / "convcost.txt") + ran.stderr)
    if not whole:
        told = [line for line in ran.stderr.splitlines() if not line.startswith("wrote ")]
        told += tree.get("statements", [])
        raise Refused("\n".join(told).strip() or f"convcost ended with {code} and no answer")
    sys.stdout.write(ran.stdout)
    return code, tree


# What is told


def _show(text: str) -> None:
    """Into the log, while the runner reads no line of it as a command."""
    token = secrets.token_hex(16)
    sys.stdout.write(f"::stop-commands::{token}\n{text.rstrip()}\n::{token}::\n")


def _text(file: Path) -> str:
    return file.read_text("utf-8") if file.exists() else ""


def _told(tree: Mapping[str, Any], folder: Path) -> dict[str, str]:
    counted = {(_place(one["spec"]), one["network"]): one for one in tree["networks"]}
    networks = counted.values()
    based = [network for network in networks if network["base"] is not None]
    outputs = {"verdict": "within" if tree["ok"] else "over"}
    for measure in ("params", "macs"):
        outputs[measure] = str(sum(network[measure] for network in networks))
        grown = sum(network[measure] - network["base"][measure] for network in based)
        outputs[f"{measure}-delta"] = f"{grown:+d}" if based else ""
    return {**outputs, **{f"{name}-file": str(folder / file) for name, file in FILES.items()}}


def _broken(reason: str, folder: Path, key: str) -> dict[str, str]:
    """There is no verdict: the reason as annotations, and as the report."""
    problems = list(PROBLEM.finditer(reason))[:ANNOTATIONS]
    for problem in problems:
        message, file, line, column = problem.groups()
        place = f"file={_property(file)},line={line},col={column},"
        sys.stdout.write(f"::error {place}title=convcost::{_data(message)}\n")
    if not problems:
        sys.stdout.write(f"::error title=convcost::{_data(reason.strip())}\n")
    markdown = folder / FILES["markdown"]
    shown = reason.encode()[: COMMENT - 1_000].decode("utf-8", "ignore").rstrip()
    fence = "`" * max(3, *(len(ticks) + 1 for ticks in re.findall("`+", f"{shown}`")))
    markdown.write_text(
        f"<!-- convcost:{key} -->\n**Broken spec or request: there is no verdict.**\n\n"
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


def _write_outputs(file: str | None, outputs: Mapping[str, str]) -> None:
    """Each value between lines that it cannot know, so that none can begin another output."""
    if not file:
        return
    with Path(file).open("a", encoding="utf-8", newline="\n") as out:
        out.writelines(_output(outputs.items()))


def _output(outputs: Iterable[tuple[str, str]]) -> Iterable[str]:
    for name, value in outputs:
        end = secrets.token_hex(16)
        yield f"{name}<<{end}\n{value}\n{end}\n"


if __name__ == "__main__":
    try:
        ended = main()
    except Exception:  # noqa: BLE001  Python would end with 1, which is over budget
        traceback.print_exc()
        ended = BROKEN
    raise SystemExit(ended)
