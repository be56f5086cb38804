"""`convcost search`: the best points of a design space under conditions."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from convcost.cli import _networks, _output, _process, _reporting
from convcost.commands.search import SearchOptions, search
from convcost.reports.files import partial_file

EPILOG = """\b
Examples:
  convcost search mobilenet_v2 --vary width=0.25:1.5:0.05 --vary size=96:320:16 \\
    --where "macs <= 300M and params < 5M"
  convcost search net.yaml --vary depth=1:6 --vary kernel=3,5,7 --pareto macs,+receptive_field
  convcost search net.yaml --vary width=8:512 --vary size=32:512 --samples 100000 --seed 1 \\
    --points points.parquet --workers 4 --resume search.state"""


def command(
    spec: _networks.SpecArgument,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUES",
            help="Values of a variable, of `size`, of `batch`, or of an option such as "
            "stage3.kernel: a list, and ranges as first:last:step. Repeatable.",
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="CONDITION", help='Keep points with "macs <= 300M". Repeatable.'),
    ] = None,
    sort: Annotated[
        str,
        typer.Option(
            metavar="[-]KEY[,...]",
            help="Sort by measures, largest first. `-KEY` reverses the order.",
        ),
    ] = "macs",
    top: Annotated[int, typer.Option(min=1, metavar="N", help="Print the first N points.")] = 20,
    pareto: Annotated[
        str,
        typer.Option(
            metavar="A,B[,C]", help="Print the Pareto front: less is better, with + more."
        ),
    ] = "",
    columns: Annotated[
        str, typer.Option(metavar="A,B", help="Measures to print and to write.")
    ] = "",
    samples: Annotated[
        int, typer.Option(min=0, metavar="N", help="Evaluate N random points, not the grid.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of the random points.")] = 0,
    sobol: Annotated[
        bool,
        typer.Option("--sobol", help="With --samples: Sobol' points, which are evenly spread."),
    ] = False,
    score: Annotated[
        str,
        typer.Option(
            metavar="MODULE:FUNCTION",
            help="A function from a dict of numpy arrays to an array, the column `score`.",
        ),
    ] = "",
    settings: _networks.SetOption = None,
    size: _networks.SizeOption = None,
    dtype: Annotated[
        list[str] | None,
        typer.Option(metavar="DTYPE", help="Types of numbers for bytes, such as int8."),
    ] = None,
    points: Annotated[
        str,
        typer.Option(
            metavar="FILE", help="Write all points that match to a .csv, .jsonl or .parquet file."
        ),
    ] = "",
    resume: Annotated[
        str,
        typer.Option(
            metavar="FILE", help="Keep the state of the search in FILE, and continue from it."
        ),
    ] = "",
    workers: Annotated[
        int, typer.Option(min=0, metavar="N", help="Run on N processes, with Dask.")
    ] = 0,
    scheduler: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Run on the Dask cluster of tcp://HOST:PORT.")
    ] = "",
    device: _networks.DeviceOption = None,
    deploy: _networks.DeployOption = False,
    *,
    out: Annotated[_reporting.OutputOptions, "counts", "charts"],
) -> None:
    """Search values of variables for the best networks.

    Print those that meet conditions, the best ones, or the Pareto front.
    """
    partial = str(partial_file(Path(points))) if points else None
    outputs = _output.parse_outputs(out, points, partial, resume)
    options = SearchOptions(
        vary=tuple(vary or ()),
        where=tuple(where or ()),
        sort=sort,
        top=top,
        pareto=_networks.names(pareto),
        samples=samples,
        seed=seed,
        sobol=sobol,
        score=score,
        columns=_networks.names(columns),
        dtypes=tuple(dtype or ()),
        points=points,
        resume=resume,
        workers=workers,
        scheduler=scheduler,
        device=device or "",
        deployed=deploy,
    )
    with _progress() as progress:
        report = search(spec, options, _networks.settings(settings, size), progress)
    _output.write(report, outputs, [spec, device])
    if report.evaluated < report.points:
        raise SystemExit(_process.INTERRUPTED)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar with the rate and the time left, if standard error is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _done, _points: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    count = TextColumn("{task.description}")
    bar = Progress(BarColumn(), count, TimeRemainingColumn(), console=Console(file=sys.stderr))
    with bar:
        task = bar.add_task("", total=None)

        def show(done: int, points: int) -> None:
            bar.update(task, completed=done, total=points)
            speed = bar.tasks[0].speed  # None before the second update
            rate = "" if speed is None else f", {speed:,.0f}/s"
            bar.update(task, description=f"{done:,} of {points:,} points{rate}")

        yield show
