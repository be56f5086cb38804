"""`convcost formula`: costs as formulas of the variables of a spec."""

from typing import Annotated, Literal

import typer

from convcost.cli import _networks, _output, _reporting
from convcost.commands.formula import formula

EPILOG = """\b
Examples:
  convcost formula mobilenet_v1
  convcost formula mobilenet_v1 conv2/pointwise --vary width,size
  convcost formula net.yaml --vary width --set depth=3 --notation latex"""


def command(
    spec: _networks.SpecArgument,
    layer: Annotated[
        str, typer.Argument(metavar="[LAYER]", help="Path of a layer, a block or a branch.")
    ] = "",
    vary: Annotated[
        str,
        typer.Option(
            metavar="NAME[,NAME...]",
            help="Variables of the formulas: those of the spec, `size`, `batch`. Default: all.",
        ),
    ] = "",
    measures: Annotated[
        str, typer.Option(metavar="A,B", help="Measures, such as peak_memory.")
    ] = "params,macs,activations",
    settings: _networks.SetOption = None,
    size: _networks.SizeOption = None,
    notation: Annotated[
        Literal["text", "latex", "python"],
        typer.Option(metavar="NAME", help="How formulas are written: text, latex or python."),
    ] = "text",
    *,
    out: _reporting.OutputOptions,
) -> None:
    """Print costs and output size as formulas of variables.

    The notes have the conditions under which the formulas are exact.
    """
    outputs = _output.parse_outputs(out)
    network_settings = _networks.settings(settings, size)
    names, counted = _networks.names(vary), _networks.names(measures)
    _output.write(formula(spec, layer, names, network_settings, notation, counted), outputs, [spec])
