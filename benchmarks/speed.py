"""Measures speed as ratios of convcost to a yardstick.

    python benchmarks/speed.py [--runs N]

Every command runs in its own process. Yardstick and candidate take turns, so that other load on the
machine slows both. The pair with the median ratio is reported. The exit code is 1 if a target is
missed. docs/performance.md has the table.
"""

import argparse
import os
import pty
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).parent.parent
GOOGLENET = ROOT / "specs" / "googlenet.yaml"
GROUP = 4  # the generated spec repeats a group of this many layers, with other numbers
ANALYZE = (sys.executable, "-m", "convcost", "analyze")
CHECK = (sys.executable, "-m", "convcost", "check", "--max-params", "1T")
# A name, the seconds of the yardstick and of convcost, and the largest ratio that is allowed.
Row: TypeAlias = tuple[str, tuple[float, float], float]


def environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), kept.get("PYTHONPATH")))),
    }


def generated(layers: int) -> str:
    """A spec of `layers` layers, with names, as a program would write it."""
    lines = ["name: generated", "input: {channels: 3, size: 224}", "layers:"]
    for i in range(layers // GROUP):
        lines += [
            f"  - {{conv: 64, kernel: 3, padding: 1, name: conv{i}}}",
            "  - batch_norm",
            "  - relu",
            f"  - {{conv: {64 + i % 7}, kernel: 1}}",
        ]
    return "\n".join(lines) + "\n"


def seconds(arguments: tuple[str, ...]) -> float:
    start = time.perf_counter()
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, env=environment())
    return time.perf_counter() - start


def seconds_in_terminal(arguments: tuple[str, ...]) -> float:
    """The same, with a terminal of 120 columns as output, so that convcost prints a table."""
    main, side = pty.openpty()
    start = time.perf_counter()
    env = {**environment(), "COLUMNS": "120", "TERM": "xterm-256color"}
    process = subprocess.Popen(arguments, stdout=side, stderr=side, stdin=side, env=env)
    os.close(side)
    try:
        while os.read(main, 65536):
            pass
    except OSError:  # Linux reports the closed end of a pseudo-terminal as an error
        pass
    process.wait()
    os.close(main)
    return time.perf_counter() - start


def seconds_of_load(path: Path) -> float:
    """The time of `yaml.load` alone, in a new process."""
    code = (
        "import sys, time, yaml\n"
        "text = open(sys.argv[1]).read()\n"
        "start = time.perf_counter()\n"
        "yaml.load(text, Loader=yaml.CSafeLoader)\n"
        "print(time.perf_counter() - start)\n"
    )
    command = (sys.executable, "-c", code, str(path))
    return float(subprocess.run(command, check=True, capture_output=True, env=environment()).stdout)


def measure_pair(
    yardstick: Callable[[], float], candidate: Callable[[], float], runs: int
) -> tuple[float, float]:
    """The times of the pair with the median ratio, in seconds."""
    pairs = [(yardstick(), candidate()) for _ in range(runs)]
    return sorted(pairs, key=lambda pair: pair[1] / pair[0])[(len(pairs) - 1) // 2]


def formats() -> list[str]:
    """The names of all formats that an analysis can be written in."""
    code = (
        "from convcost.render import FORMATS\n"
        "print(*(name for name, form in FORMATS.items() if not form.needs))"
    )
    command = (sys.executable, "-c", code)
    done = subprocess.run(command, check=True, capture_output=True, env=environment())
    return done.stdout.decode().split()


NO_OUTPUT = """
from convcost.render import format


@format("nothing", "counts, and writes nothing")
def render(report, style):
    yield from ()
"""


def measure_formats(spec: Path, runs: int) -> list[Row]:
    """What each format adds: the whole command, compared with a format that writes nothing.

    The target of HTML is higher, because a page has charts.
    """
    plugins = spec.parent / "plugins"
    (plugins / "render").mkdir(parents=True)
    (plugins / "render" / "nothing.py").write_text(NO_OUTPUT)
    os.environ["CONVCOST_PLUGINS"] = str(plugins)
    nothing = (*ANALYZE, str(spec), "--format", "nothing")
    return [
        (
            f"20,000 layers to {name} / counted only",
            measure_pair(
                lambda: seconds(nothing),
                lambda name=name: seconds((*ANALYZE, str(spec), "--format", name)),
                runs,
            ),
            2.0 if name == "html" else 1.3,
        )
        for name in formats()
    ]


def make_repository(folder: Path, specs: int) -> None:
    """Makes a Git repository in which every spec has grown a little since the commit."""
    (folder / "models").mkdir(parents=True)
    text = GOOGLENET.read_text().replace("macs: {max: 1.6G}", "macs: {max: 1.6G, grow: 2%}")
    assert "grow: 2%" in text
    assert "classes: 1000," in text
    files = [folder / "models" / f"net_{number:03}.yaml" for number in range(specs)]
    for number, file in enumerate(files):
        file.write_text(text.replace("classes: 1000,", f"classes: {900 + number},"))
    git = ("git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b.c")
    for arguments in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "base")):
        subprocess.run((*git, *arguments), check=True)
    for number, file in enumerate(files):
        file.write_text(text.replace("classes: 1000,", f"classes: {901 + number},"))


def measure_check(folder: Path, runs: int) -> Row:
    """A check counts every network twice, now and in the base. Git should add little."""
    make_repository(folder, 100)
    models = folder / "models"
    analyze = (*ANALYZE, *map(str, sorted(models.iterdir())))
    check = (*ANALYZE[:-1], "check", str(models), "--base", "git:main")
    return (
        "check of 100 specs against a commit / analyze of the 100",
        measure_pair(lambda: seconds(analyze), lambda: seconds(check), runs),
        3.0,
    )


def measure_startup(runs: int) -> list[Row]:
    """A small network: most of the time is the start of Python and the imports."""
    start = (sys.executable, "-c", "import typer, yaml")
    analyze = (*ANALYZE, str(GOOGLENET))
    return [
        (
            "googlenet into a pipe / import typer, yaml",
            measure_pair(lambda: seconds(start), lambda: seconds(analyze), runs),
            1.5,
        ),
        (
            "googlenet to a terminal / import typer, yaml",
            measure_pair(lambda: seconds(start), lambda: seconds_in_terminal(analyze), runs),
            2.5,
        ),
    ]


def measure_large(folder: Path, small: Path, runs: int) -> list[Row]:
    """Networks of 20,000 layers (`small`) and of 200,000 layers."""
    large, peak = folder / "200000.yaml", folder / "peak.yaml"
    large.write_text(generated(200_000))
    peak.write_text(generated(20_000) + "budget: {peak_memory: {max: 1T, dtype: int8}}\n")
    to_json = (*ANALYZE, str(small), "--format", "json")
    return [
        (
            "20,000 layers to JSON, whole process / yaml.load alone",
            measure_pair(lambda: seconds_of_load(small), lambda: seconds(to_json), runs),
            1.0,
        ),
        (
            "200,000 layers / 20,000 layers",
            measure_pair(
                lambda: seconds(to_json),
                lambda: seconds((*ANALYZE, str(large), "--format", "json")),
                max(2, runs // 4),
            ),
            11.0,
        ),
        (
            "20,000 layers, check of peak memory and params / of params",
            measure_pair(
                lambda: seconds((*CHECK, str(small))),
                lambda: seconds((*CHECK, str(peak))),
                runs,
            ),
            1.3,
        ),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = folder / "20000.yaml"
        small.write_text(generated(20_000))
        rows = [
            *measure_startup(runs),
            *measure_large(folder, small, runs),
            measure_check(folder / "repository", runs),
            *measure_formats(small, runs),
        ]
    missed = 0
    print(f"{'':56}{'yardstick':>10}{'convcost':>10}{'ratio':>8}{'target':>8}")
    for title, (yardstick, candidate), target in rows:
        ratio = candidate / yardstick
        missed += ratio > target
        verdict = "" if ratio <= target else "  missed"
        print(f"{title:56}{yardstick:>9.3f}s{candidate:>9.3f}s{ratio:>8.2f}{target:>8.1f}{verdict}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
