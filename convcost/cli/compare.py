"""`convcost compare`: what does a design choice buy?"""

from typing import Annotated

import typer

from convcost.cli import _networks, _output, _reporting
from convcost.costs import costs
from convcost.files.networks import read
from convcost.questions.compared import compared, position

EPILOG = """Examples:

  convcost compare inception_3a

  convcost compare vgg16 googlenet resnet50 --baseline ResNet-50

  convcost compare before.yaml after.yaml --layers

  convcost compare mobilenet_v1 --set width=1,0.5"""


def command(
    specs: Annotated[
        list[str],
        typer.Argument(metavar="SPEC...", help="Two networks or more, of one file or several."),
    ],
    baseline: Annotated[
        str | None, typer.Option(metavar="NAME", help="The network to compare with; the first.")
    ] = None,
    layers: Annotated[
        bool, typer.Option("--layers", help="The layers in which they differ, by path.")
    ] = False,
    bars: Annotated[
        bool, typer.Option("--bars/--no-bars", help="Bars for params and macs.")
    ] = True,
    settings: _networks.SetListOption = None,
    size: _networks.SizeListOption = None,
    batch: _networks.BatchOption = 1,
    *,
    out: _reporting.Out,
) -> None:
    """Networks side by side: what each costs, and what it saves against the first."""
    with _output.complaints():
        where = _output.targets(out)
        if _networks.lists(settings, size):
            from convcost.cli import _sweeps
            from convcost.questions.sweep_compare import SweepComparison

            swept = SweepComparison(_sweeps.read(specs, _sweeps.axes(settings, size), batch))
            first = position(swept.heads, baseline, swept.names)
            _output.write(swept._replace(baseline=first, layers=layers, bars=bars), where, specs)
            return
        networks = read(specs, _networks.settings(settings, size))
        report = compared([costs(network, batch) for network in networks], baseline)
        _output.write(report._replace(layers=layers, bars=bars), where, specs)
