"""`convcost match`: finds the counts that print as a given figure."""

from typing import Annotated

import typer

from convcost.cli import _networks, _output, _process, _reporting
from convcost.commands.match import match

EPILOG = """\b
Examples:
  convcost match resnet50 4.12G
  convcost match resnet50 4.12G params 25.6M
  convcost match googlenet 13.4M params
  convcost match yolo_v3_tiny 5.56 BFLOPs
  convcost match mobilenet_v1 --set width=0.5 --size 160 77M

Exit codes: 0: every figure has a reading, 1: a figure has none, 2: usage or spec error."""


def command(
    spec: _networks.SpecArgument,
    figures: Annotated[
        list[str],
        typer.Argument(
            metavar="FIGURE...",
            help="A figure as printed, with a measure if known: 0.3 GFLOPs, or macs 4.1G params "
            "25.6M. FLOPs and macs are the same here.",
        ),
    ],
    settings: _networks.SetOption = None,
    size: _networks.SizeOption = None,
    input_: _networks.InputOption = None,
    dim: _networks.DimOption = None,
    all_readings: Annotated[
        bool, typer.Option("--all", help="Print every reading, not only the simplest.")
    ] = False,
    *,
    out: _reporting.OutputOptions,
) -> None:
    """Find the counts that print as a published figure.

    Each count has its convention, factor, rounding and settings.
    """
    outputs = _output.parse_outputs(out)
    network_settings = _networks.settings(settings, size, input_, dim)
    report = match(spec, figures, network_settings, all_readings=all_readings)
    _output.write(report, outputs, [spec])
    if not report.found:
        raise SystemExit(_process.FAILED)
