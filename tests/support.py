"""What tests share: a spec as text to its costs or its problems, and the program run for real."""

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

from convcost.costs import MEASURES, Costs, costs
from convcost.errors import Problem, Source, SpecError
from convcost.spec.entry import Settings
from convcost.spec.load import load

ROOT = Path(__file__).parent.parent
SPECS = ROOT / "specs"


def cost(text: str, *, batch: int = 1, size: tuple[int, ...] | None = None, **variables) -> Costs:
    """The costs of the one network that a text is."""
    settings = Settings(tuple(variables.items()), size)
    (network,) = load(Source("net.yaml", dedent(text)), settings)
    return costs(network, batch)


def shipped(
    name: str, document: str | None = None, *, size: tuple[int, ...] | None = None, **variables
) -> Costs:
    """The costs of a spec of `specs/`."""
    text = (SPECS / f"{name}.yaml").read_text(encoding="utf-8")
    settings = Settings(tuple(variables.items()), size)
    network = load(Source(f"{name}.yaml", text), settings, document)[0]
    return costs(network)


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
        f"{p.place.line}:{p.place.column} {p.code} {p.message}"
        if p.place
        else f"{p.code} {p.message}"
        for p in problems(text, **variables)
    ]


def run(
    *arguments: str, text: str | bytes | None = None, cwd: Path | None = None, **environment: str
):
    """`python -m convcost …` in a process of its own; standard input is `text`."""
    clean = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
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


def loaded(path: Path) -> list[Costs]:
    """The costs of all networks of a file."""
    return [costs(network) for network in load(Source(path.name, path.read_text("utf-8")))]


def totals(of: Costs) -> dict[str, int]:
    """Every measure of a network."""
    return {measure: getattr(of.totals, measure) for measure in MEASURES}


def answer(*arguments: str) -> dict:
    """What a command answers as JSON; it must be fine."""
    ran = run(*arguments, "--format", "json")
    assert ran.returncode == 0, ran.stderr.decode()
    return json.loads(ran.stdout)
