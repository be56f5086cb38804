"""What tests share: a spec as text to its costs or its problems, and the program run."""

import gc
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from cProfile import Profile
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess
from textwrap import dedent
from types import FrameType
from typing import Any
from unittest.mock import patch

import convcost
import convcost.cli
from convcost.cli._process import INTERRUPTED
from convcost.language.load import Documents, load
from convcost.language.network_inputs import Settings
from convcost.language.variant_text import as_document
from convcost.model.costs import Costs, costs
from convcost.model.errors import Problem, Source, SpecError
from convcost.sources.spec_files import open_source

ROOT = Path(__file__).parent.parent
SPECS = ROOT / "specs"
SHIPPED = sorted(path.stem for path in SPECS.glob("*.yaml"))
PACKAGE = str(Path(convcost.__file__).parent)
STYLING = {"COLUMNS", "NO_COLOR", "FORCE_COLOR"}  # of a terminal, none of which a test wants


def cost(text: str, *, batch: int = 1, size: tuple[int, ...] | None = None, **variables) -> Costs:
    """The costs of the one network that a text is."""
    settings = Settings(tuple(variables.items()), size)
    (network,) = load(Source("net.yaml", dedent(text)), settings)
    return costs(network, batch)


def shipped(
    name: str, document: str | None = None, *, size: tuple[int, ...] | None = None, **variables
) -> Costs:
    """The costs of a network that ships with convcost."""
    source, pick = open_source(name)
    documents = Documents(source)
    first = document or pick or next(iter(documents.sources))
    return costs(documents.load(Settings(tuple(variables.items()), size), first)[0])


@cache
def first_costs(name: str) -> Costs:
    """The costs of the first network of a shipped spec."""
    return shipped(name)


def shipped_text(name: str) -> str:
    """The text of a shipped spec; of a variant as a spec of its own."""
    source, pick = open_source(name)
    return (source if pick is None else as_document(source, pick)[0]).text


def problems(text: str, **variables) -> list[Problem]:
    """What is wrong with a text, in the order of its lines; nothing if all is well."""
    try:
        load(Source("net.yaml", dedent(text)), Settings(tuple(variables.items())))
    except SpecError as error:
        return error.problems
    return []


def messages(text: str, **variables) -> list[str]:
    """Each problem as `line:column CODE message`."""
    return [
        f"{p.span.line}:{p.span.column} {p.code} {p.message}" if p.span else f"{p.code} {p.message}"
        for p in problems(text, **variables)
    ]


def run(
    *arguments: str, text: str | bytes | None = None, cwd: Path | None = None, **environment: str
) -> CompletedProcess[bytes]:
    """`convcost …` within this process, with its own streams, folder and environment.

    Standard input is `text`. Variables that are read once, at the start, need a new process.
    """
    if any(name.startswith(("PYTHON", "CONVCOST_PLUGINS")) for name in environment):
        return run_process(*arguments, text=text, cwd=cwd, **environment)
    data = text.encode() if isinstance(text, str) else text or b""
    output, errors = io.BytesIO(), io.BytesIO()
    with (
        patch.dict(os.environ, environment),
        patch.multiple(
            sys,
            argv=["convcost", *arguments],
            stdin=io.TextIOWrapper(io.BytesIO(data), "utf-8", "surrogateescape"),
            stdout=io.TextIOWrapper(output, "utf-8", "surrogateescape"),
            stderr=io.TextIOWrapper(errors, "utf-8", "backslashreplace"),
        ),
        chdir(cwd or ROOT),
    ):
        for name in STYLING - environment.keys():
            os.environ.pop(name, None)
        gc.disable()  # as the program does
        try:
            code = convcost.cli.run(list(arguments))
        finally:
            gc.enable()
        sys.stdout.flush()
        sys.stderr.flush()
        written = output.getvalue(), errors.getvalue()
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    return CompletedProcess(["convcost", *arguments], code, *written)


def run_process(
    *arguments: str, text: str | bytes | None = None, cwd: Path | None = None, **environment: str
) -> CompletedProcess[bytes]:
    """`python -m convcost …` in a process of its own; standard input is `text`."""
    clean = {name: value for name, value in os.environ.items() if name not in STYLING}
    data = text.encode() if isinstance(text, str) else text
    return subprocess.run(
        [sys.executable, "-m", "convcost", *arguments],
        input=data,
        stdin=subprocess.DEVNULL if data is None else None,
        capture_output=True,
        check=False,
        cwd=cwd or ROOT,
        env={**clean, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **environment},
        timeout=60,
    )


def calls_of(act: Callable[[], object]) -> int:
    """The calls of functions while something runs, of Python and of C."""
    profile = Profile()
    with profile:
        act()
    return sum(entry.callcount for entry in profile.getstats())


@contextmanager
def at_most(lines: int) -> Iterator[None]:
    """Fails as soon as convcost has run more lines than that: a limit of time without a clock."""
    left = lines

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        left -= event == "line"
        assert left >= 0, f"convcost runs more than {lines:,} lines"
        return trace

    outer = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(outer)


@contextmanager
def nested_folder(folder: Path, depth: int) -> Iterator[None]:
    """Makes `a/a/…` in a folder, with the file `net.yaml` in the last one, and removes it at the
    end: pytest and shutil cannot remove folders that are nested as deeply."""
    with chdir(folder):
        for _ in range(depth):
            Path("a").mkdir()
            os.chdir("a")
        Path("net.yaml").write_text("input: {channels: 64, size: 8}\nlayers: [relu]\n", "utf-8")
    try:
        yield
    finally:
        with chdir(folder):
            for _ in range(depth):
                os.chdir("a")
            Path("net.yaml").unlink()
            for _ in range(depth):
                os.chdir("..")
                Path("a").rmdir()


def loaded(spec: Path | str) -> list[Costs]:
    """The costs of all networks of a file, or of a shipped spec."""
    source, pick = open_source(str(spec))
    return [costs(network) for network in load(source, pick=pick)]


def totals(of: Costs) -> dict[str, int]:
    """Every measure of a network."""
    return of.totals.by_measure()


def answer(*arguments: str) -> dict:
    """What a command answers as JSON; it must be fine."""
    ran = run(*arguments, "--format", "json")
    assert ran.returncode == 0, ran.stderr.decode()
    return json.loads(ran.stdout)


def plugin_example(name: str) -> str:
    """The file `name` of docs/plugins.md, such as `layers/maxout.py`."""
    return _plugin_examples()[name]


def write_plugin_examples(folder: Path) -> None:
    """Makes a plugin folder of all files of docs/plugins.md."""
    for name, text in _plugin_examples().items():
        path = folder / name
        path.parent.mkdir(parents=True)
        path.write_text(text, "utf-8")


def _plugin_examples() -> dict[str, str]:
    page = (ROOT / "docs" / "plugins.md").read_text("utf-8")
    return dict(re.findall(r"```python\n# (\S+)\n(.*?)```", page, re.DOTALL))


@cache
def commands_that_read_specs(option: str = "") -> tuple[str, ...]:
    """The commands with an argument SPEC, and with this option."""
    helps = {name: run(name, "--help").stdout.decode() for name in convcost.cli.command_files()}
    return tuple(
        name for name, text in helps.items() if "SPEC" in text.split("\n")[0] and option in text
    )
