"""`convcost schema`: the JSON Schema of specs, for editors, and of the reports, for programs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from convcost.cli import _output
from convcost.errors import UsageError
from convcost.names import did_you_mean
from convcost.report import printable

FOLDER = Path(__file__).parent.parent / "schemas"
EPILOG = """Examples:

  convcost schema spec -o convcost.schema.json

  convcost schema report

  convcost schema convcost.analyze/1"""


def command(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="spec; report, for all reports; or one, like convcost.analyze/1."
        ),
    ] = None,
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="FILE", help="Write a file; - is standard output."),
    ] = "-",
) -> None:
    """The JSON Schema of a spec or of a JSON report."""
    with _output.complaints():
        if not output:
            raise UsageError("--output names no file")
        import json

        text = json.dumps(_schema(name), indent=1, allow_nan=False)
        _output.write_text(f"{text}\n", output, [])


def _schema(name: str | None) -> dict[str, Any]:
    from convcost.questions.schema.bundle import bundle
    from convcost.questions.schema.spec import spec_schema

    if name == "spec":
        return spec_schema()
    reports = {file.stem.replace("-", "/"): file for file in sorted(FOLDER.glob("*.json"))}
    reports = {f"convcost.{short}": file for short, file in reports.items()}
    if name == "report":
        return bundle({known: _read(file) for known, file in reports.items()})
    if name is None:
        listed = ", ".join(("spec", "report", *reports))
        raise UsageError(f"schema needs the name of one: {listed}")
    if name not in reports:
        hint = did_you_mean(name, ("spec", "report", *reports))
        raise UsageError(f"there is no schema `{printable(name)}`; {hint}")
    return _read(reports[name])


def _read(file: Path) -> dict[str, Any]:
    import json

    schema: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return schema
