"""`convcost specs`: the specs that ship with convcost."""

from typing import Annotated

import typer

from convcost.cli import _output, _reporting
from convcost.commands.specs import specs
from convcost.reports.specs import NUMBERS

EPILOG = """\b
Examples:
  convcost specs
  convcost specs --units params=M,macs=G
  convcost specs --where "macs <= 300M and params <= 5M"
  convcost specs --format csv"""


def command(
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONDITION",
            help="Print the networks that meet this: 'macs <= 300M and params <= 5M'; also with "
            f"{', '.join(NUMBERS[2:])}. Repeatable.",
        ),
    ] = None,
    *,
    out: Annotated[_reporting.OutputOptions, "counts"],
) -> None:
    """List the specs that ship with convcost, and their costs."""
    outputs = _output.parse_outputs(out)
    _output.write(specs(where or ()), outputs)
