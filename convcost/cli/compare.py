"""`convcost compare`: the costs of networks and their ratios."""

from typing import Annotated

import typer

from convcost.cli import _networks, _output, _reporting
from convcost.commands.compare import compare
from convcost.model.measures import MEASURES
from convcost.reports.totals import COLUMNS, DEFAULT_COLUMNS, TotalsView

COLUMN_NAMES = "network, input, output, layers, a measure, or one with _ratio, _change or _share"
EPILOG = """\b
Examples:
  convcost compare inception_3a
  convcost compare vgg16 googlenet resnet50 --baseline ResNet-50
  convcost compare before.yaml after.yaml --layers
  convcost compare vgg16 googlenet --units params=M,macs=G --format latex
  convcost compare mobilenet_v1 --set width=1,0.5"""


def command(
    specs: Annotated[
        list[str],
        typer.Argument(metavar="SPEC...", help="Two or more networks, from one file or several."),
    ],
    baseline: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Network to compare with; by default the first."),
    ] = None,
    layers: Annotated[
        bool, typer.Option("--layers", help="Add the layers that differ, by path.")
    ] = False,
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="A,B", help=f"Columns to print, in the order given: {COLUMN_NAMES}; or `all`."
        ),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            metavar="[-]KEY[,...]",
            help=f"Sort by {', '.join(MEASURES)}, largest first, or by network. `-KEY` "
            "reverses the order. Rows that are equal by the first key are sorted by the second.",
        ),
    ] = None,
    top: _networks.TopOption = None,
    transpose: Annotated[
        bool, typer.Option("--transpose", help="Print a column for each network.")
    ] = False,
    work: Annotated[
        bool, typer.Option("--work", help="Add the weights of each network as a sum of products.")
    ] = False,
    published: Annotated[
        bool,
        typer.Option("--published", help="Add all published figures, not only those that are off."),
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
    """Compare the costs of networks with those of the first one."""
    outputs = _output.parse_outputs(out)
    conventions = _networks.conventions(count)
    chosen = DEFAULT_COLUMNS
    if columns is not None:
        chosen = _networks.columns(columns, COLUMNS, conventions)
    key = _networks.sort_key(sort, "network", conventions=conventions)
    view = TotalsView(chosen, key, top, transpose=transpose)
    if _networks.is_sweep(settings, size):
        from convcost.cli._sweep_options import axes
        from convcost.commands.sweep import compare_sweep

        report = compare_sweep(
            specs, axes(settings, size, deploy=deploy), batch, baseline, conventions
        )
    else:
        network_settings = _networks.settings(settings, size, input_, dim)
        report = compare(specs, network_settings, batch, baseline, conventions, deployed=deploy)
    report = report._replace(view=view, layers=layers, work=work, published=published)
    _output.write(report, outputs, specs)
