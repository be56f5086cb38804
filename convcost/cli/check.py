"""`convcost check`: budgets, and growth over a base."""

from pathlib import Path
from typing import Annotated

import typer

from convcost.cli import _networks, _output, _process, _reporting
from convcost.cli._files import write_file
from convcost.commands.check import check, device_limits
from convcost.model.errors import UsageError
from convcost.reports.check.limits import budget_of_limits
from convcost.sources.check_inputs import CheckRequest
from convcost.sources.spec_files import CONFIG

EPILOG = """\b
Examples:
  convcost check specs/
  convcost check net.yaml --base git:origin/main... --max-growth 2%
  convcost check net.yaml --base git:HEAD --max-growth 2% --allow-missing-base
  convcost check net.yaml --max-params 4.3M --max-macs 320M --format json
  convcost check net.yaml --device stm32h743 --dtype int8 --deploy
  convcost check specs/ --base baseline.json --update-baseline

Exit codes: 0: all checks passed, 1: a check failed, 2: usage or spec error."""


def command(
    specs: Annotated[
        list[str], typer.Argument(metavar="SPEC...", help="Files, folders, or names of specs.")
    ],
    base: Annotated[
        str | None,
        typer.Option(
            metavar="git:REF|FILE",
            help="Measure growth against a commit, a baseline .json or a spec; git:main... is the "
            "merge base of main and HEAD.",
        ),
    ] = None,
    config_file: Annotated[
        str | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help=f"Budget file; by default the nearest {CONFIG} in or above the spec's folder.",
        ),
    ] = None,
    max_params: Annotated[
        str | None, typer.Option(metavar="N", help="Maximum of params, like 4.3M.")
    ] = None,
    max_macs: Annotated[
        str | None, typer.Option(metavar="N", help="Maximum of macs, like 320M.")
    ] = None,
    max_growth: Annotated[
        str | None,
        typer.Option(metavar="N%|N", help="Maximum growth of params and of macs over the base."),
    ] = None,
    device: _networks.DeviceOption = None,
    dtype: Annotated[
        str | None,
        typer.Option(
            metavar="DTYPE",
            help="With --device: the type of all numbers, like int8, or int8,biases=int32.",
        ),
    ] = None,
    deploy: Annotated[
        bool,
        typer.Option(
            "--deploy",
            help="Check the networks as deployed, against the limits of the command line only.",
        ),
    ] = False,
    input_: _networks.InputOption = None,
    dim: _networks.DimOption = None,
    allow_missing_base: Annotated[
        bool,
        typer.Option(
            "--allow-missing-base",
            help="If the base is not available, as in a first commit, do not check growth. "
            "Without this option, exit 2.",
        ),
    ] = False,
    report_passed: Annotated[
        bool, typer.Option("--report-passed", help="Also report the checks that passed.")
    ] = False,
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="Exit 0 even if a check failed.")
    ] = False,
    if_any: Annotated[
        bool, typer.Option("--if-any", help="Exit 0 if no spec has a limit, as in a hook.")
    ] = False,
    update_baseline: Annotated[
        bool,
        typer.Option("--update-baseline", help="Write the file of --base, unless a count grew."),
    ] = False,
    allow_growth: Annotated[
        bool, typer.Option("--allow-growth", help="Accept growth in --update-baseline.")
    ] = False,
    *,
    out: Annotated[_reporting.OutputOptions, "findings"],
) -> None:
    """Check budgets, and growth over a base.

    A budget limits the costs of a network, of its layers and of groups of layers.
    """
    outputs = _output.parse_outputs(out, base if update_baseline else None)
    request = CheckRequest(
        tuple(specs),
        base,
        config_file,
        budget_of_limits(max_params, max_macs, max_growth),
        allow_missing_base=allow_missing_base,
        device_limits=device_limits(device, dtype),
        settings=_networks.settings(None, None, input_, dim),
        deployed=deploy,
    )
    baseline: str | None = None
    if update_baseline:
        if allow_growth and max_growth is not None:
            raise UsageError("--allow-growth accepts any growth, but --max-growth limits it")
        from convcost.commands.update_baseline import update_baseline as update

        report, files, baseline = update(request, allow_growth=allow_growth)
    elif allow_growth:
        raise UsageError("--allow-growth needs --update-baseline")
    else:
        report, files = check(request, if_any=if_any)
    _output.write(report._replace(report_passed=report_passed), outputs, [*files, device])
    if baseline is not None and base is not None:
        # Last, so that it is unchanged if another output fails.
        write_file(Path(base), iter((baseline,)))
        _process.write_messages(f"wrote {base}")
    if report.base_missing and not allow_missing_base:
        raise UsageError(
            f"the base `{base}` is not available; the report says why",
            help="if there is no base yet, as in a first commit, add --allow-missing-base",
        )
    if not report.ok and not exit_zero:
        raise SystemExit(_process.FAILED)
