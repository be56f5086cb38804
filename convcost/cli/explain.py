"""`convcost explain`: how the numbers of one layer are computed."""

from typing import Annotated

import typer

from convcost.cli import _networks, _output, _reporting
from convcost.commands.analyze import analyze
from convcost.commands.explain import explain, explain_counts
from convcost.model.errors import UsageError
from convcost.reports.analyze.columns import AnalysisView
from convcost.reports.report import Report

EPILOG = """\b
Examples:
  convcost explain googlenet conv1/conv_1
  convcost explain googlenet inception_3a
  convcost explain net.yaml#small stem/conv_1 --size 256x320 --format json
  convcost explain resnet50 --count thop,fvcore"""


def command(
    spec: _networks.SpecArgument,
    layer: Annotated[
        str | None, typer.Argument(metavar="[LAYER]", help="Path of a layer, a block or a branch.")
    ] = None,
    settings: _networks.SetOption = None,
    size: _networks.SizeOption = None,
    input_: _networks.InputOption = None,
    dim: _networks.DimOption = None,
    deploy: _networks.DeployOption = False,
    batch: _networks.BatchOption = 1,
    count: _networks.CountOption = None,
    *,
    out: Annotated[_reporting.OutputOptions, "counts"],
) -> None:
    """Show how each number of a layer is computed.

    Without LAYER, list the layers. With --count, show where counts differ.
    """
    outputs = _output.parse_outputs(out)
    chosen = _networks.settings(settings, size, input_, dim)
    report: Report
    if count is not None:
        if layer is not None:
            raise UsageError("--count compares the kinds of a whole network; leave out LAYER")
        conventions = _networks.conventions(count)
        report = explain_counts(spec, chosen, conventions, batch, deployed=deploy)
    elif layer is not None:
        report = explain(spec, layer, chosen, batch, deployed=deploy)
    else:
        report = analyze([spec], chosen, batch, AnalysisView(folds=False), deployed=deploy)
    _output.write(report, outputs, [spec])
