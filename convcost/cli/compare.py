"""`convcost compare`: what does a design choice buy?"""

from collections.abc import Sequence
from typing import Annotated

import typer

from convcost.cli import _networks, _output, _reporting
from convcost.costs import costs
from convcost.errors import UsageError
from convcost.names import did_you_mean
from convcost.questions.compare import Comparison
from convcost.report import printable

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
            first = _baseline(swept.heads, baseline, swept.names)
            _output.write(swept._replace(baseline=first, layers=layers, bars=bars), where, specs)
            return
        networks = _networks.read(specs, _networks.settings(settings, size))
        if len(networks) < 2:  # noqa: PLR2004  a comparison
            raise UsageError("compare takes two networks or more, this is one")
        counted = tuple(costs(network, batch) for network in networks)
        report = Comparison(
            counted, _baseline([network.name for network in networks], baseline), layers, bars
        )
        _output.write(report, where, specs)


def _baseline(names: list[str], name: str | None, full: Sequence[str] = ()) -> int:
    if name is None:
        return 0
    if name in full:
        return full.index(name)
    if name not in names:
        hint = did_you_mean(name, names)
        raise UsageError(f"there is no network `{printable(name)}` among these; {hint}")
    return names.index(name)
