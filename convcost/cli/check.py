"""`convcost check`: may this change land?"""

from typing import Annotated

import typer

from convcost.cli import _exits, _output, _reporting
from convcost.cli._files import same
from convcost.errors import UsageError
from convcost.files.check import checked
from convcost.files.gather import Asked
from convcost.questions.check.limits import limits
from convcost.report import printable

EPILOG = """Examples:

  convcost check specs/

  convcost check net.yaml --base git:origin/main --max-growth 2%

  convcost check net.yaml --max-params 4.3M --max-macs 320M --format json

  convcost check specs/ --base baseline.json --update-baseline

Exit codes: 0 within all limits, 1 over one, 2 usage or spec error."""


def command(
    specs: Annotated[
        list[str], typer.Argument(metavar="SPEC...", help="Files, folders, or names of specs.")
    ],
    base: Annotated[
        str | None,
        typer.Option(
            metavar="git:REF|FILE",
            help="What it was: a commit, a baseline .json, a spec. Growth is measured against it.",
        ),
    ] = None,
    config_file: Annotated[
        str | None,
        typer.Option("--config", metavar="FILE", help="Budgets; found upward from a spec."),
    ] = None,
    max_params: Annotated[
        str | None, typer.Option(metavar="N", help="At most so many params, like 4.3M.")
    ] = None,
    max_macs: Annotated[
        str | None, typer.Option(metavar="N", help="At most so many macs, like 320M.")
    ] = None,
    max_growth: Annotated[
        str | None,
        typer.Option(metavar="N%|N", help="At most so much growth of params and of macs."),
    ] = None,
    report_passed: Annotated[
        bool, typer.Option("--report-passed", help="Tell of limits that are kept, too.")
    ] = False,
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="Exit 0 even if a limit is exceeded.")
    ] = False,
    if_any: Annotated[
        bool, typer.Option("--if-any", help="Exit 0 where nothing has a limit, as in a hook.")
    ] = False,
    update_baseline: Annotated[
        bool,
        typer.Option("--update-baseline", help="Write the file of --base; nothing may grow."),
    ] = False,
    allow_growth: Annotated[
        bool, typer.Option("--allow-growth", help="Let the updated baseline grow.")
    ] = False,
    *,
    out: _reporting.Out,
) -> None:
    """May this change land? Budgets, in total, by layer and by group, and growth over a base."""
    with _output.complaints():
        where = _output.targets(out)
        asked = Asked(tuple(specs), base, config_file, limits(max_params, max_macs, max_growth))
        for target in where:
            if target.path is not None and base is not None and same(target.path, base):
                raise UsageError(f"{target.option} would overwrite the base `{printable(base)}`")
        baseline: tuple[str, str] | None = None
        if update_baseline:
            from convcost.files.update import updated

            report, files, text = updated(asked, allow_growth=allow_growth)
            baseline = None if text is None or base is None else (text, base)
        elif allow_growth:
            raise UsageError("--allow-growth is for --update-baseline")
        else:
            report, files = checked(asked, if_any=if_any)
        _output.write(report._replace(report_passed=report_passed), where, files, baseline)
        if not report.ok and not exit_zero:
            raise SystemExit(_exits.OVER)
