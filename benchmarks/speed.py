"""Speed as ratios, each measured against its yardstick in the same run.

    python benchmarks/speed.py [--runs N]

Every command runs in a process of its own; yardstick and candidate take turns, so that a busy
machine slows both; the pair with the median ratio counts. Exit code 1 if a target is missed.
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

ROOT = Path(__file__).parent.parent
GOOGLENET = ROOT / "specs" / "googlenet.yaml"
KINDS = 4  # the generated spec repeats this many layers, their numbers varied
ANALYZE = (sys.executable, "-m", "convcost", "analyze")


def environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), kept.get("PYTHONPATH")))),
    }


def generated(layers: int) -> str:
    """A spec of that many layers, as a generator would write them: convolutions with names."""
    lines = ["name: generated", "input: {channels: 3, size: 224}", "layers:"]
    for i in range(layers // KINDS):
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
    """The same, its output a terminal of 120 columns, so that the table is drawn."""
    main, side = pty.openpty()
    start = time.perf_counter()
    env = {**environment(), "COLUMNS": "120", "TERM": "xterm-256color"}
    process = subprocess.Popen(arguments, stdout=side, stderr=side, stdin=side, env=env)
    os.close(side)
    try:
        while os.read(main, 65536):
            pass
    except OSError:  # the other end is closed: the command is done
        pass
    process.wait()
    os.close(main)
    return time.perf_counter() - start


def seconds_of_load(path: Path) -> float:
    """`yaml.load` alone, in a fresh process that times nothing but it."""
    code = (
        "import sys, time, yaml\n"
        "text = open(sys.argv[1]).read()\n"
        "start = time.perf_counter()\n"
        "yaml.load(text, Loader=yaml.CSafeLoader)\n"
        "print(time.perf_counter() - start)\n"
    )
    command = (sys.executable, "-c", code, str(path))
    return float(subprocess.run(command, check=True, capture_output=True, env=environment()).stdout)


def duel(yardstick: Callable[[], float], candidate: Callable[[], float], runs: int):
    """The pair of times, one right after the other, whose ratio is the median of all pairs."""
    pairs = [(yardstick(), candidate()) for _ in range(runs)]
    return sorted(pairs, key=lambda pair: pair[1] / pair[0])[(len(pairs) - 1) // 2]


def formats() -> list[str]:
    """Every format that an analysis can be written in."""
    code = (
        "from convcost.report import FORMATS\n"
        "print(*(name for name, form in FORMATS.items() if not form.needs))"
    )
    command = (sys.executable, "-c", code)
    done = subprocess.run(command, check=True, capture_output=True, env=environment())
    return done.stdout.decode().split()


NOTHING = """
from convcost.report import format


@format("nothing", "counts, and writes nothing")
def render(report, style):
    yield from ()
"""


def of_formats(spec: Path, runs: int) -> list[tuple[str, tuple[float, float], float]]:
    """The whole command in each format against one that writes nothing: what a format adds. A page
    has pictures, and is no text."""
    plugins = spec.parent / "plugins"
    (plugins / "render").mkdir(parents=True)
    (plugins / "render" / "nothing.py").write_text(NOTHING)
    os.environ["CONVCOST_PLUGINS"] = str(plugins)
    nothing = (*ANALYZE, str(spec), "--format", "nothing")
    return [
        (
            f"20,000 layers to {name} / counted only",
            duel(
                lambda: seconds(nothing),
                lambda name=name: seconds((*ANALYZE, str(spec), "--format", name)),
                runs,
            ),
            2.0 if name == "html" else 1.3,
        )
        for name in formats()
    ]


def repository(folder: Path, specs: int) -> None:
    """A repository of specs of which every one has changed since its commit, and grown a little."""
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


def of_check(folder: Path, runs: int) -> tuple[str, tuple[float, float], float]:
    """A check counts every network twice, as it is and as it was; git should add little."""
    repository(folder, 100)
    models = folder / "models"
    analyze = (*ANALYZE, *map(str, sorted(models.iterdir())))
    check = (*ANALYZE[:-1], "check", str(models), "--base", "git:main")
    return (
        "check of 100 specs against a commit / analyze of the 100",
        duel(lambda: seconds(analyze), lambda: seconds(check), runs),
        3.0,
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    start = (sys.executable, "-c", "import typer, yaml")
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder, "20000.yaml"), Path(folder, "200000.yaml")
        small.write_text(generated(20_000))
        large.write_text(generated(200_000))
        rows = [
            (
                "googlenet into a pipe / import typer, yaml",
                duel(lambda: seconds(start), lambda: seconds((*ANALYZE, str(GOOGLENET))), runs),
                1.5,
            ),
            (
                "googlenet to a terminal / import typer, yaml",
                duel(
                    lambda: seconds(start),
                    lambda: seconds_in_terminal((*ANALYZE, str(GOOGLENET))),
                    runs,
                ),
                2.0,
            ),
            (
                "20,000 layers to JSON, whole process / yaml.load alone",
                duel(
                    lambda: seconds_of_load(small),
                    lambda: seconds((*ANALYZE, str(small), "--format", "json")),
                    runs,
                ),
                1.0,
            ),
            (
                "200,000 layers / 20,000 layers",
                duel(
                    lambda: seconds((*ANALYZE, str(small), "--format", "json")),
                    lambda: seconds((*ANALYZE, str(large), "--format", "json")),
                    max(2, runs // 4),
                ),
                11.0,
            ),
            of_check(Path(folder, "repository"), runs),
            *of_formats(small, runs),
        ]
    missed = 0
    print(f"{'':56}{'yardstick':>10}{'convcost':>10}{'ratio':>8}{'target':>8}")
    for name, (yardstick, candidate), target in rows:
        ratio = candidate / yardstick
        missed += ratio > target
        verdict = "" if ratio <= target else "  missed"
        print(f"{name:56}{yardstick:>9.3f}s{candidate:>9.3f}s{ratio:>8.2f}{target:>8.1f}{verdict}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
