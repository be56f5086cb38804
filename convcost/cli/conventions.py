"""`convcost conventions`: the counting conventions of other tools."""

from typing import Annotated

import typer

from convcost.cli import _output, _reporting
from convcost.commands.conventions import conventions

EPILOG = """\b
Examples:
  convcost conventions
  convcost conventions thop"""


def command(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One convention, with its rules.")
    ] = None,
    *,
    out: _reporting.OutputOptions,
) -> None:
    """List counting conventions, or show the rules of one."""
    outputs = _output.parse_outputs(out)
    _output.write(conventions(name), outputs)
