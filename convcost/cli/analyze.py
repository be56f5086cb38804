"""`convcost analyze`: size, params and macs of every layer."""

from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from convcost.cli import _networks, _output, _process, _reporting
from convcost.commands.analyze import analyze
from convcost.model.costs import CountingConvention
from convcost.model.errors import UsageError
from convcost.model.measures import MEASURES
from convcost.reports.analyze.columns import COLUMNS, DEFAULT_COLUMNS, SHARES, AnalysisView
from convcost.reports.table import Layout

EPILOG = """\b
Examples:
  convcost analyze googlenet --depth 1
  convcost analyze net.yaml --set classes=10 --size 256x320 --format json
  convcost analyze googlenet --sort macs --top 10 --columns layer,output,macs,share
  convcost analyze mobilenet_v1 --set width=0.5,1 --size 128,160,192,224
  convcost analyze resnet50 --depth 1 --count thop,fvcore"""


def command(
    specs: _networks.SpecsArgument,
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help=f"Columns to print, in the order given: {', '.join(COLUMNS)}; or `all`. "
            "With --depth 0, those of compare.",
        ),
    ] = None,
    depth: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Sum the layers by the first N names of their paths; 0: one row per network.",
        ),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            metavar="[-]KEY[,...]",
            help=f"Sort by {', '.join(MEASURES)}, largest first, or by path. `-KEY` "
            "reverses the order. Rows that are equal by the first key are sorted by the second.",
        ),
    ] = None,
    top: _networks.TopOption = None,
    work: Annotated[
        Literal["params", "macs"] | None,
        typer.Option(metavar="params|macs", help="Add a column with the product of each count."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONDITION",
            help="Print only points of a sweep that meet this: 'macs <= 100M and width < 1'; "
            "repeatable.",
        ),
    ] = None,
    every: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Also list layers that cost nothing and keep the shape, such as relu. Formats for "
            "programs, and plain, always list them.",
        ),
    ] = False,
    layout: Annotated[
        Layout,
        typer.Option(
            metavar="hwc|chw", help="Order of the axes of a shape: channels last or first."
        ),
    ] = "hwc",
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 if the macs of a layer are uncounted.")
    ] = False,
    settings: _networks.SetListOption = None,
    size: _networks.SizeListOption = None,
    input_: _networks.InputOption = None,
    dim: _networks.DimOption = None,
    deploy: _networks.DeployOption = False,
    batch: _networks.BatchOption = 1,
    count: _networks.CountOption = None,
    *,
    out: Annotated[_reporting.OutputOptions, "counts", "charts"],
) -> None:
    """Print the size, params and macs of every layer, and totals."""
    outputs = _output.parse_outputs(out)
    conventions = _networks.conventions(count)
    if _networks.is_sweep(settings, size):
        from convcost.cli._sweep_options import axes, sweep_view
        from convcost.commands.sweep import analyze_sweep

        if depth is not None or work is not None:
            raise UsageError(
                "--depth and --work need one row for each layer; a sweep has one for each point"
            )
        swept = axes(settings, size, deploy=deploy)
        view = sweep_view(swept, columns, sort, top, layout, where, conventions)
        sweep = analyze_sweep(specs, swept, batch, view, conventions)
        _output.write(sweep, outputs, specs)
        networks = [point.costs for network in sweep.networks for point in network.points]
    elif where:
        raise UsageError("--where selects points; give --set or --size several values")
    else:
        # A row has the path of its layer, or the name of its network.
        others = ("path", "network") if depth == 0 else ("path",)
        key = _networks.sort_key(
            sort and sort.replace("layer", "path"), *others, conventions=conventions
        )
        network_settings = _networks.settings(settings, size, input_, dim)
        if depth == 0:
            from convcost.reports.totals import COLUMNS as TOTALS_COLUMNS
            from convcost.reports.totals import DEFAULT_COLUMNS as DEFAULT_TOTALS
            from convcost.reports.totals import TotalsView

            if work is not None:
                raise UsageError("--work needs rows of layers, and --depth 0 has none")
            names = DEFAULT_TOTALS
            if columns is not None:
                names = _networks.columns(columns, TOTALS_COLUMNS, conventions)
            totals = TotalsView(names, key, top, layout)
            report = analyze(specs, network_settings, batch, None, conventions, deployed=deploy)
            report = report._replace(totals=totals)
        else:
            shown = _columns(columns, work, conventions)
            rows = AnalysisView(shown, depth, key, top, layout, False if every else None)
            report = analyze(specs, network_settings, batch, rows, conventions, deployed=deploy)
        _output.write(report, outputs, specs)
        networks = list(report.networks)
    if strict and any(costs.totals.uncounted for costs in networks):
        raise SystemExit(_process.FAILED)


def _columns(
    text: str | None, work: str | None, conventions: Sequence[CountingConvention]
) -> tuple[str, ...]:
    """The columns to print. By default, `--work` replaces the shares by the column of products."""
    chosen = DEFAULT_COLUMNS if text is None else _networks.columns(text, COLUMNS, conventions)
    if work is None:
        return chosen
    columns = chosen if text else tuple(name for name in chosen if name not in SHARES)
    return tuple(dict.fromkeys((*columns, f"{work}_work")))
