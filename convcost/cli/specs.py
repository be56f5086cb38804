"""`convcost specs`: the specs that ship with convcost."""

from collections.abc import Iterable
from typing import Annotated

import typer

from convcost.cli import _output, _reporting
from convcost.commands.specs import specs
from convcost.reports.specs import NUMBERS, ShippedNetwork

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
    report = specs(where or ())

    def compute() -> Iterable[ShippedNetwork]:
        with _output.show_progress("counting the networks that ship with convcost"):
            return report.compute()

    _output.write(report._replace(compute=compute), outputs)
