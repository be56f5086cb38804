"""`convcost specs`: the specs that ship with convcost."""

from typing import Annotated

from convcost.cli import _output, _reporting
from convcost.commands.specs import specs

EPILOG = """\b
Examples:
  convcost specs
  convcost specs --units params=M,macs=G
  convcost specs --format csv"""


def command(*, out: Annotated[_reporting.OutputOptions, "counts"]) -> None:
    """List the specs that ship with convcost, with their params and macs."""
    outputs = _output.parse_outputs(out)
    _output.write(specs(), outputs)
