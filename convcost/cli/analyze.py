"""`convcost analyze`: what does this network cost?"""

from collections.abc import Iterable
from typing import Annotated

import typer

from convcost.cli import _exits, _networks, _output, _reporting
from convcost.costs import MEASURES, Costs, costs
from convcost.errors import UsageError
from convcost.files.networks import read
from convcost.names import did_you_mean
from convcost.questions.analyze import Analysis
from convcost.questions.columns import COLUMNS, SHOWN, View
from convcost.report import printable

EPILOG = """Examples:

  convcost analyze googlenet --depth 1

  convcost analyze net.yaml --set classes=10 --size 256x320 --format json

  convcost analyze googlenet --sort macs --top 10 --columns layer,output,macs,share

  convcost analyze mobilenet_v1 --set width=0.5,1 --size 128,160,192,224"""


def command(
    specs: Annotated[
        list[str],
        typer.Argument(
            metavar="SPEC...", help="File, name of a shipped spec, or -; #name picks one."
        ),
    ],
    columns: Annotated[
        str | None,
        typer.Option(metavar="A,B", help=f"Columns in order: {', '.join(COLUMNS)}; or all."),
    ] = None,
    depth: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="One row for each path cut to N names.")
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(metavar="MEASURE", help=f"Largest first, by {', '.join(MEASURES)}; or path."),
    ] = None,
    top: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="The first N rows only.")
    ] = None,
    work: Annotated[
        str | None, typer.Option(metavar="params|macs", help="Show the product behind each count.")
    ] = None,
    layout: Annotated[
        str, typer.Option(metavar="hwc|chw", help="Where channels stand in a shape.")
    ] = "hwc",
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 if the macs of a layer are uncounted.")
    ] = False,
    settings: _networks.SetListOption = None,
    size: _networks.SizeListOption = None,
    batch: _networks.BatchOption = 1,
    *,
    out: _reporting.Out,
) -> None:
    """What does this network cost: size, params and macs of every layer, exactly."""
    with _output.complaints():
        where = _output.targets(out)
        if _networks.lists(settings, size):
            from convcost.cli import _sweep_view, _sweeps
            from convcost.questions.sweep import Sweep

            _sweep_view.refuse_layers({"--depth": depth, "--work": work})
            asked = _sweep_view.view(columns, sort, top, _layout(layout))
            points = _sweeps.read(specs, _sweeps.axes(settings, size), batch)
            _output.write(Sweep(points, asked), where, specs)
            _strictly(strict, [one.costs for some in points for one in some])
            return
        view = View(_columns(columns, work), depth, _sort(sort), top, _layout(layout))
        networks = read(specs, _networks.settings(settings, size))
        report = Analysis(tuple(costs(network, batch) for network in networks), view)
        if report.lacks_options:
            raise UsageError("no row is a block that has options; add --depth 1")
        _output.write(report, where, specs)
        _strictly(strict, report.networks)


def _strictly(strict: bool, networks: Iterable[Costs]) -> None:
    """Ends the run with 1 if all must be counted and a layer is not."""
    if strict and any(layer.uncounted for costs in networks for layer in costs.layers):
        raise SystemExit(_exits.OVER)


def _columns(text: str | None, work: str | None) -> tuple[str, ...]:
    if work is not None:
        if work not in ("params", "macs"):
            raise UsageError(f"--work is params or macs, not `{printable(work)}`")
        # The product takes the place of the share, unless columns are chosen.
        chosen = SHOWN[:-1] if text is None else _columns(text, None)
        return tuple(dict.fromkeys((*chosen, f"{work}_work")))
    if text is None:
        return SHOWN
    if text == "all":
        return tuple(COLUMNS)
    chosen = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in chosen:
        if name not in COLUMNS:
            hint = did_you_mean(name, COLUMNS, len(COLUMNS))
            raise UsageError(f"there is no column `{printable(name)}`; {hint}")
    if not chosen:
        raise UsageError(f"--columns names none of {', '.join(COLUMNS)}")
    return tuple(dict.fromkeys(chosen))


def _sort(name: str | None) -> str | None:
    if name == "layer":
        return "path"
    if name is not None and name not in (*MEASURES, "path"):
        hint = did_you_mean(name, (*MEASURES, "path"))
        raise UsageError(f"cannot sort by `{printable(name)}`; {hint}")
    return name


def _layout(name: str) -> "_networks.LayoutName":
    if name == "hwc":
        return "hwc"
    if name == "chw":
        return "chw"
    raise UsageError(f"--layout is hwc or chw, not `{printable(name)}`")
