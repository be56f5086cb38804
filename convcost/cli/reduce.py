"""`convcost reduce`: what 1x1 reductions would save, and networks without their reductions."""

from typing import Annotated

import typer

from convcost.cli import _networks, _output, _reporting
from convcost.commands.reduce import ReduceRequest, reduce, undo_reductions
from convcost.model.errors import UsageError
from convcost.reports.reduce.savings import SORT_KEYS

EPILOG = """\b
Examples:
  convcost reduce vgg16 --top 10
  convcost reduce net.yaml 3x3/conv_1=96 5x5/conv_1=16 --write reduced.yaml
  convcost reduce resnet18 --channels 1/4 --expand --write reduced.yaml
  convcost reduce googlenet --undo --write - | convcost compare - googlenet"""


def command(
    spec: _networks.SpecArgument,
    layers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[LAYER[=R]]...",
            help="Layers or groups; R sets the channels of the 1x1. By default all.",
        ),
    ] = None,
    channels: Annotated[
        str | None,
        typer.Option(
            metavar="R,R", help="Output channels of the 1x1: counts, or fractions like 1/4."
        ),
    ] = None,
    expand: Annotated[
        bool,
        typer.Option("--expand", help="Add a second 1x1 that restores the filters: a bottleneck."),
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Find the 1x1 reductions and remove them.")
    ] = False,
    projections: Annotated[
        bool | None,
        typer.Option(
            "--projections/--no-projections",
            help="With --undo, also remove each 1x1 after a pool; by default yes.",
        ),
    ] = None,
    write: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write the changed spec; - prints only the spec."),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            metavar="[-]KEY[,...]",
            help=f"Sort by {', '.join(SORT_KEYS)}, largest first, or by path. `-KEY` "
            "reverses the order. The 1x1 of a layer that saves most counts. By default "
            f"{SORT_KEYS[0]}.",
        ),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(
            "--top",
            min=1,
            metavar="N",
            help="Print only the first N layers, each with all widths of its 1x1.",
        ),
    ] = None,
    settings: _networks.SetOption = None,
    size: _networks.SizeOption = None,
    input_: _networks.InputOption = None,
    dim: _networks.DimOption = None,
    batch: _networks.BatchOption = 1,
    *,
    out: Annotated[_reporting.OutputOptions, "counts"],
) -> None:
    """Show what a 1x1 before each larger convolution would save.

    The largest saving of macs is first.
    """
    outputs = _output.parse_outputs(out, write)
    inputs = _networks.settings(settings, size, input_, dim)
    request = ReduceRequest(spec, tuple(layers or ()), inputs, batch, write)
    if undo:
        refused = {"--channels": channels, "--expand": expand, "--sort": sort, "--top": top}
        for option, value in refused.items():
            if value:
                raise UsageError(f"--undo cannot be combined with {option}")
        report = undo_reductions(request, projections=projections is not False)
    elif projections is not None:
        raise UsageError("--projections works only with --undo; add --undo")
    else:
        key = _networks.sort_key(sort, "path", measures=SORT_KEYS)
        report = reduce(request, channels, expand=expand, sort=key, top=top)
    outcome = report.outcome
    text = None if write is None or outcome is None else (outcome.text, write)
    if write == "-":
        outputs = tuple(output for output in outputs if output.path is not None)
    _output.write(report, outputs, [spec], text)
