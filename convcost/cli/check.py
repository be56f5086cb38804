"""`convcost check`: may this change land?"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from convcost.cli import _exits, _output, _reporting
from convcost.cli._base import Base
from convcost.cli._sources import SUFFIXES, open_source
from convcost.costs import costs
from convcost.errors import Place, Refusal, Source, SpecError, UsageError
from convcost.network import Budget, Limit, Network
from convcost.questions.check.evaluate import Held, findings
from convcost.questions.check.measures import measured
from convcost.questions.check.report import Check
from convcost.report import printable
from convcost.spec.config import Rules, config
from convcost.spec.figures import growth
from convcost.spec.load import load
from convcost.units import whole_figure

CONFIG = "convcost.yaml"
EPILOG = """Examples:

  convcost check specs/

  convcost check net.yaml --base git:origin/main --max-growth 2%

  convcost check net.yaml --max-params 4.3M --max-macs 320M --format json

Exit codes: 0 within all limits, 1 over one, 2 usage or spec error."""


def command(
    specs: Annotated[
        list[str], typer.Argument(metavar="SPEC...", help="Files, folders, or names of specs.")
    ],
    base: Annotated[
        str | None,
        typer.Option(metavar="git:REF|SPEC", help="What it was: growth is measured against it."),
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
    *,
    out: _reporting.Out,
) -> None:
    """May this change land? Budgets, in total, by layer and by group, and growth over a base."""
    with _output.complaints():
        where = _output.targets(out)
        files = [file for spec in specs for file in _files(spec)]
        asked = _asked(max_params, max_macs, max_growth)
        report = _Checker(base, config_file, asked).check(files, report_passed=report_passed)
        _output.write(report, where, files)
        if not report.ok and not exit_zero:
            raise SystemExit(_exits.OVER)


class _Checker:
    def __init__(self, base: str | None, config_file: str | None, asked: Budget | None) -> None:
        self.base = None if base is None else Base(base)
        self.config_file = config_file
        self.asked = asked
        self.without: list[str] = []
        self._configs: dict[Path, tuple[Rules, ...]] = {}

    def check(self, files: list[str], *, report_passed: bool) -> Check:
        held: list[Held] = []
        statements: list[str] = []
        errors: list[SpecError | UsageError] = []
        for file in files:
            try:
                held += self._held(file, statements)
            except (SpecError, UsageError) as error:
                errors.append(error)
        if errors:
            raise ExceptionGroup("specs", errors)
        found = tuple(finding for one in held for finding in findings(one))
        if not found:
            listed = ", ".join(map(printable, files[:3])) + ("…" if len(files) > 3 else "")  # noqa: PLR2004
            raise UsageError(
                f"there is no limit to check for {listed}\n"
                "help: add `budget: {params: {max: 5M}}` to the spec, or --max-params 5M"
            )
        if self.without:
            some = ", ".join(map(printable, self.without[:3])) + "…" * (len(self.without) > 3)  # noqa: PLR2004
            have = "has" if len(self.without) == 1 else "have"
            statements.append(f"{len(self.without)} of the networks {have} no budget: {some}")
        against = self.base.asked if self.base else ""
        return Check(found, tuple(statements), against, report_passed, tuple(held))

    def _held(self, file: str, statements: list[str]) -> Iterator[Held]:
        source, pick = open_source(file)
        networks = load(source, pick=pick)
        rules = self._rules(file)
        was = self.base.of(source.name) if self.base is not None else None
        for statement in was.statements if was else ():
            if statement not in statements:
                statements.append(statement)
        for network in networks:
            before = was.networks.get(network.name) if was else None
            if was and before is None and was.networks:
                statements.append(
                    f"{printable(source.name)}: `{printable(network.name)}` is new: growth is not "
                    "checked"
                )
            budgets = self._budgets(network, rules, source.name)
            if not budgets:
                self.without.append(f"{source.name}#{network.name}")
            yield Held(source.name, measured(costs(network)), budgets, before)

    def _budgets(
        self, network: Network, rules: tuple[tuple[str, Budget], ...], file: str
    ) -> tuple[tuple[str, Budget], ...]:
        own = ((file, network.budget),) if network.budget is not None else ()
        flags = (("the command line", self.asked),) if self.asked is not None else ()
        return (*own, *rules, *flags)

    def _rules(self, file: str) -> tuple[tuple[str, Budget], ...]:
        """The budgets of the configuration that is for a spec."""
        path = Path(file.partition("#")[0])
        if self.config_file is not None:
            found: Path | None = Path(self.config_file)
        else:
            found = _above(path)
        if found is None:
            return ()
        if found not in self._configs:
            self._configs[found] = config(_text(found))
        try:
            inside = path.resolve().relative_to(found.resolve().parent).as_posix()
        except ValueError:
            inside = path.as_posix()
        return tuple((str(found), r.budget) for r in self._configs[found] if r.covers(inside))


def _files(spec: str) -> list[str]:
    """A spec, or all of a folder. Raises UsageError for a folder without any."""
    path = Path(spec)
    if not path.is_dir():
        return [spec]
    found = sorted(
        str(file)
        for file in path.rglob("*")
        if file.suffix in SUFFIXES and file.name != CONFIG and file.is_file()
    )
    if not found:
        raise UsageError(f"there is no spec in `{printable(spec)}`")
    return found


def _above(path: Path) -> Path | None:
    """The configuration nearest above a spec, within its repository."""
    if not path.is_file():
        return None
    for folder in path.resolve().parents:
        found = folder / CONFIG
        if found.is_file():
            return found
        if (folder / ".git").exists():
            return None
    return None


def _text(path: Path) -> Source:
    try:
        return Source(str(path), path.read_text("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"cannot read `{printable(str(path))}`: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"`{printable(str(path))}` is not UTF-8 text") from None


def _asked(params: str | None, macs: str | None, grown: str | None) -> Budget | None:
    """The limits of the command line. Raises UsageError."""
    limits = []
    try:
        for measure, most in (("params", params), ("macs", macs)):
            if most is not None or grown is not None:
                limits.append(
                    Limit(
                        measure,
                        Place(0, 0, 0, 0),
                        max=None if most is None else whole_figure(most),
                        grow=None if grown is None else growth(grown),
                    )
                )
    except Refusal as refusal:
        hint = f"; {refusal.help}" if refusal.help else ""
        raise UsageError(printable(f"{refusal.message}{hint}")) from None
    return Budget(total=tuple(limits)) if limits else None
