"""`convcost kinds`: the kinds of layers, and how each is counted."""

from typing import Annotated

import typer

from convcost.cli import _output, _reporting
from convcost.commands.kinds import kinds

EPILOG = """\b
Examples:
  convcost kinds
  convcost kinds conv"""


def command(
    kind: Annotated[
        str | None, typer.Argument(metavar="[KIND]", help="One kind, with formulas and examples.")
    ] = None,
    *,
    out: _reporting.OutputOptions,
) -> None:
    """List the kinds of layers, or the options and formulas of one."""
    outputs = _output.parse_outputs(out)
    _output.write(kinds(kind), outputs)
