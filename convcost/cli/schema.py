"""`convcost schema`: the JSON Schema of specs, for editors, and of the reports, for programs."""

from typing import Annotated

import typer

from convcost.cli import _networks, _output
from convcost.model.errors import UsageError

EPILOG = """\b
Examples:
  convcost schema spec -o convcost.schema.json
  convcost schema report
  convcost schema convcost.analyze/1"""


def command(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="spec, report (all reports), or the name of a report, like convcost.analyze/1.",
        ),
    ] = None,
    output: _networks.OutputFileOption = "-",
) -> None:
    """Print the JSON Schema of specs or of a JSON report."""
    if not output:
        raise UsageError("--output has no file name")
    import json

    from convcost.reports.schema.named import named_schema

    text = json.dumps(named_schema(name), indent=1, allow_nan=False)
    _output.write_text(f"{text}\n", output, [])
