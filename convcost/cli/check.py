"""`convcost check`: may this change land?"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convcost.cli import _exits, _output, _reporting
from convcost.cli._files import place, same, write_file
from convcost.errors import UsageError
from convcost.files.check import checked
from convcost.files.gather import Asked
from convcost.files.sources import CONFIG
from convcost.files.was import exists
from convcost.questions.check.limits import limits
from convcost.report import printable

if TYPE_CHECKING:
    from convcost.cli._output import Target
    from convcost.cli._plot import Plot

EPILOG = """Examples:

  convcost check specs/

  convcost check net.yaml --base git:origin/main --max-growth 2%

  convcost check net.yaml --base git:origin/main... --max-growth 2% --require-base

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
            help="What it was: a commit, a baseline .json, a spec. Growth is measured against it; "
            "git:main... is the commit where HEAD parted from main.",
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
    require_base: Annotated[
        bool,
        typer.Option("--require-base", help="Exit 2 if the base cannot be had; all is told first."),
    ] = False,
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
        _refuse_overwriting(where, asked)
        if require_base and base is None:
            raise UsageError("--require-base is for --base")
        baseline: str | None = None
        if update_baseline:
            if allow_growth and max_growth is not None:
                raise UsageError("--allow-growth accepts any growth, and --max-growth limits it")
            from convcost.files.update import updated

            report, files, baseline = updated(asked, allow_growth=allow_growth)
        elif allow_growth:
            raise UsageError("--allow-growth is for --update-baseline")
        else:
            report, files = checked(asked, if_any=if_any)
        try:
            _output.write(report._replace(report_passed=report_passed), where, files)
        except SystemExit:  # whoever read standard output has seen enough
            _write(baseline, base)
            raise
        _write(baseline, base)
        if require_base and report.unmet:
            raise UsageError(f"the base `{printable(base or '')}` cannot be had, see the report")
        if not report.ok and not exit_zero:
            raise SystemExit(_exits.OVER)


def _write(baseline: str | None, file: str | None) -> None:
    """Last of all, so that it is as it was where anything else fails."""
    if baseline is not None and file is not None:
        write_file(Path(file), iter((baseline,)))
        sys.stderr.write(f"wrote {printable(file)}\n")


def _refuse_overwriting(where: "Iterable[Target | Plot]", asked: Asked) -> None:
    """The base and configurations are as little to be written over as specs are."""
    for target in where:
        if target.path is None:
            continue
        shown = printable(str(target.path))
        at = place(target.path)
        if asked.base is not None and not asked.base.startswith("git:"):
            file = asked.base
            # One that is not there yet is about to be written.
            if same(target.path, file) or at == place(Path(file)):
                raise UsageError(f"{target.option} would overwrite the base `{printable(file)}`")
        named = asked.config is not None and at == place(Path(asked.config))
        if named or (Path(at).name == CONFIG and exists(target.path)):
            raise UsageError(f"{target.option} would overwrite the configuration `{shown}`")
