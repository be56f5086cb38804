"""The answer of a check: what was found, in which order it is told, whether the change may land."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from convcost import __version__
from convcost.findings import Finding, Growth
from convcost.questions.check.evaluate import Held
from convcost.report import Cell, Column, Table
from convcost.units import CONVENTION, grouped, percent, signed

SCHEMA = "convcost.check/1"
ORDER = {"error": 0, "warning": 1, "skipped": 2, "passed": 3}
PASSED = (
    Column("spec", "spec", "left", 2, folds=True),
    Column("measure", "measure", "left", folds=True),
    Column("test", "test", "left", 1),
    Column("limit", "limit"),
    Column("found", "found"),
)


class FindingRecord(NamedTuple):
    """A limit of `convcost.check/1`: names and order are a promise.

    `limit` is a count, or a growth as it is written, like `2 %`; `over` is how far it is exceeded,
    0 if it is not, null for a growth. `change` is found − base.
    """

    level: str
    code: str
    spec: str
    network: str
    budget: str
    file: str
    line: int | None
    column: int | None
    scope: str
    path: str
    measure: str
    test: str
    limit: int | str
    found: int
    over: int | None
    base: int | None
    change: int | None
    message: str


class Summary(NamedTuple):
    """How many limits came out how."""

    checked: int
    passed: int
    exceeded: int
    warned: int
    skipped: int

    @property
    def text(self) -> str:
        limits = "1 limit" if self.checked == 1 else f"{grouped(self.checked)} limits"
        text = f"{limits} checked: {grouped(self.passed)} within, {grouped(self.exceeded)} exceeded"
        if self.warned:
            text += f", {grouped(self.warned)} near"
        return f"{text}, {grouped(self.skipped)} skipped" if self.skipped else text


class Check(NamedTuple):
    """All findings of all networks. `statements` are what else a reader has to know: a spec that
    is new, a base that could not be read. `against` names the base; `passed` are told if asked.
    `held` are the networks themselves, and what each was."""

    found: tuple[Finding, ...]
    statements: tuple[str, ...] = ()
    against: str = ""
    report_passed: bool = False
    held: tuple[Held, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no limit is exceeded."""
        return all(finding.level != "error" for finding in self.found)

    @property
    def summary(self) -> Summary:
        counts = Counter(finding.level for finding in self.found)
        return Summary(
            counts.total(), counts["passed"], counts["error"], counts["warning"], counts["skipped"]
        )

    def findings(self) -> tuple[Finding, ...]:
        """Errors first, then warnings, then what was skipped; what passed only if asked for."""
        told = (f for f in self.found if self.report_passed or f.level != "passed")
        return tuple(sorted(told, key=lambda finding: ORDER[finding.level]))

    def tables(self) -> Iterator[Table]:
        for finding in self.findings():
            if finding.level != "passed":
                yield _block(finding)
        notes = [*self.statements, self.summary.text]
        if self.against:
            notes.append(f"against {self.against}")
        passed = tuple(_row(f) for f in self.findings() if f.level == "passed")
        if passed:
            yield Table("within", "Limits that are kept", PASSED, passed)
        counts = self.summary
        yield Table(
            name="summary",
            title="Within all budgets" if self.ok else "Over budget",
            columns=tuple(Column(name, name) for name in counts._fields),
            rows=(tuple(counts),),
            notes=(*notes, CONVENTION),
        )

    def tree(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "version": __version__,
            "ok": self.ok,
            "against": self.against,
            "findings": [record(finding) for finding in self.findings()],
            "statements": list(self.statements),
            "summary": self.summary,
        }


def record(finding: Finding) -> FindingRecord:
    place, limit = finding.place, finding.limit
    return FindingRecord(
        finding.level,
        finding.code,
        finding.spec,
        finding.network,
        finding.budget,
        finding.file,
        place.line if place else None,
        place.column if place else None,
        finding.scope,
        finding.path,
        finding.measure,
        finding.test,
        limit.text if isinstance(limit, Growth) else limit,
        finding.found,
        over(finding),
        finding.base,
        None if finding.base is None else finding.found - finding.base,
        finding.message,
    )


def over(finding: Finding) -> int | None:
    """How far a limit is exceeded, or a least not reached."""
    if isinstance(finding.limit, Growth):
        return None
    by = finding.found - finding.limit
    return max(0, -by if finding.test == "min" else by)


def _row(finding: Finding) -> tuple[Cell, ...]:
    limit = finding.limit.text if isinstance(finding.limit, Growth) else finding.limit
    return (named(finding), finding.what, finding.test, limit, finding.found)


def _block(finding: Finding) -> Table:
    """One finding: what is wrong, and every number of it in full."""
    return Table(
        name=named(finding),
        title=f"{named(finding)}: {finding.level}",
        columns=(
            Column("what", finding.code, "left"),
            Column("value", sentence(finding), "left", folds=True),
        ),
        rows=tuple(details(finding)),
    )


def named(finding: Finding) -> str:
    """The spec, and the network where that is not plain from it."""
    stem = finding.spec.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    return finding.spec if finding.network == stem else f"{finding.spec}#{finding.network}"


def change(before: int, after: int) -> str:
    """`+1,885,697 (+0.6 %)`; without a percentage where there was nothing."""
    grown = after - before
    if not grown or not before:
        return signed(grown)
    return f"{signed(grown)} ({'+' * (grown > 0)}{percent(grown, before)})"


def sentence(finding: Finding) -> str:
    """`macs over budget `mobile``: what is wrong, on one line, with no numbers."""
    budget = f" of budget `{finding.budget}`" if finding.budget else ""
    ends = {
        "max": f"{finding.what} over the max{budget}",
        "min": f"{finding.what} below the min{budget}",
        "warn": f"{finding.what} over the warning{budget}",
        "grow": f"{finding.what} grew more than{budget or ' the budget'} lets it",
    }
    if finding.level == "skipped":
        return f"growth of {finding.what} is not checked: there is no base"
    if finding.level == "passed":
        return f"{finding.what} within the {finding.test}{budget}"
    return ends[finding.test]


def details(finding: Finding) -> Iterable[tuple[str, str]]:
    """Name and text of what is to be known of a finding: exact numbers, never rounded."""
    place = finding.place
    where = f"{finding.file}:{place.line}" if place else finding.file
    if isinstance(finding.limit, Growth):
        floor = f", beyond {grouped(finding.limit.floor)}" if finding.limit.floor else ""
        yield "limit", f"+{finding.limit.text}{floor}  ({where})"
        yield "found", grouped(finding.found)
    else:
        by = over(finding) or 0
        sign = "-" if finding.test == "min" else "+"
        yield "limit", f"{grouped(finding.limit)}  ({where})"
        yield "found", f"{grouped(finding.found)}{f'  ({sign}{grouped(by)})' if by else ''}"
    if finding.base is not None:
        yield "base", f"{grouped(finding.base)}  {change(finding.base, finding.found)}"
    if finding.top and finding.level != "passed":
        grew = "grew" if finding.base is not None else "most"
        yield grew, ", ".join(f"{path} {signed(by)}" for path, by in finding.top)
    if finding.message and finding.level in ("error", "warning"):
        yield "help", finding.message
