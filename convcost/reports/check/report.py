"""The report of a check: the findings in order, and the verdict."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from convcost.model.errors import printable
from convcost.model.number_format import counted
from convcost.reports.check import tables
from convcost.reports.check.evaluate import NEW_NETWORK, CheckedNetwork, counting_notes
from convcost.reports.check.finding import CheckCounts, CheckResult, Finding
from convcost.reports.check.finding_text import finding_label, one_line
from convcost.reports.report import Report, versioned
from convcost.reports.table import Column, Table

if TYPE_CHECKING:
    from convcost.reports.comment_model import Comment
    from convcost.reports.page_model import Page

SCHEMA = "convcost.check/1"
TITLES = {"checked": "limits", "passed": "within", "skipped": "not checked"}
ORDER = {"error": 0, "warning": 1, "skipped": 2, "passed": 3}


class Check(Report):
    """All findings of all networks.

    `statements` are sentences that a reader needs, such as that a spec is new. `against` is the
    name of the base. `base_missing`: a limit of growth was not checked, because the base is not
    available; with `allow_missing_base` that is not a failure. `report_passed` also shows the
    limits that passed. `headline` replaces the verdict.
    """

    name = "check"
    found: tuple[Finding, ...]
    statements: tuple[str, ...] = ()
    against: str = ""
    report_passed: bool = False
    networks: tuple[CheckedNetwork, ...] = ()
    base_missing: bool = False
    allow_missing_base: bool = False
    headline: str = ""

    @property
    def title(self) -> str:
        """The verdict, without counts."""
        if self.headline:
            return self.headline
        if self.exceeded:
            return "Over budget"
        if not self.ok:
            return "Growth was not checked: the base is not available"
        if self.base_missing:
            return "All checked limits passed; growth was not checked"
        passed = any(finding.level in ("passed", "warning") for finding in self.found)
        if self._undecided and not passed:
            verdict = "No limit was checked"
        elif gaps := tuple(self._gaps()):
            verdict = f"All checked limits passed; {' and '.join(gaps)}"
        elif self.no_base:
            verdict = "Within all other budgets" if passed else ""
        else:
            verdict = "Within all budgets"
        return ". ".join(filter(None, (verdict, self.no_base)))

    @property
    def _undecided(self) -> int:
        """The number of limits that were not checked, without those that only lack a base."""
        return sum(
            finding.level == "skipped"
            and finding.reason != NEW_NETWORK
            and (finding.test != "grow" or bool(self.against))
            for finding in self.found
        )

    def _gaps(self) -> Iterator[str]:
        """What was not checked, without the growth of a check without a base."""
        new = len(
            {
                (finding.spec, finding.network)
                for finding in self.found
                if finding.reason == NEW_NETWORK
            }
        )
        if new:
            yield f"the growth of {counted(new, 'new network')} was not checked"
        if self._undecided:
            was = "was" if self._undecided == 1 else "were"
            yield f"{counted(self._undecided, 'limit')} {was} not checked"

    @property
    def no_base(self) -> str:
        """Says that limits of growth were not checked, if the check has no base; else empty."""
        reasons = (finding.reason for finding in self.found if finding.test == "grow")
        reason = "" if self.against else next(reasons, "")
        return f"Growth was not checked: {reason}" if reason else ""

    @property
    def ok(self) -> bool:
        """Whether no limit is exceeded, and every limit of growth has a base."""
        return not self.exceeded and (self.allow_missing_base or not self.base_missing)

    @property
    def exceeded(self) -> bool:
        """The findings of exceeded limits."""
        return any(finding.level == "error" for finding in self.found)

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        """Short, for a failed assertion: the verdict and the first exceeded limit."""
        errors = (finding for finding in self.findings() if finding.level == "error")
        exceeded = [f"{finding_label(finding)}: {one_line(finding)}" for finding in errors][:1]
        if not exceeded and (self.base_missing or self.no_base):
            exceeded = [self.title]
        return printable(f"<Check ok={self.ok}: {'; '.join((*exceeded, self.summary.text))}>")

    @property
    def summary(self) -> CheckCounts:
        """The number of limits by level."""
        counts = Counter(finding.level for finding in self.found)
        return CheckCounts(
            counts.total(), counts["passed"], counts["error"], counts["warning"], counts["skipped"]
        )

    def findings(self) -> tuple[Finding, ...]:
        """The findings to show: errors, warnings, skipped limits, and passed limits on request."""
        reported = (f for f in self.found if self.report_passed or f.level != "passed")
        return tuple(sorted(reported, key=lambda finding: ORDER[finding.level]))

    def check_result(self) -> CheckResult:
        return CheckResult(self.found, self.findings(), self.statements, self.summary)

    def tables(self) -> Iterator[Table]:
        has_base = bool(self.against)
        yield from tables.finding_tables(self.findings(), has_base=has_base)
        counts = self.summary
        base = f"against {self.against}" if has_base else self.no_base * self.exceeded
        counting = counting_notes(self.networks)
        notes = filter(None, (*self.statements, counts.text, base, *counting))
        yield Table(
            name="summary",
            title=self.title,
            columns=tuple(Column(name, TITLES.get(name, name)) for name in counts._fields),
            rows=(tuple(counts),),
            notes=tuple(notes),
        )

    def records(self) -> Table:
        return tables.records(self.findings())

    def comment(self) -> "Comment":
        from convcost.reports.check.comment import check_comment

        return check_comment(self.title, self.check_result(), self.networks, self.against)

    def page(self) -> "Page":
        """The verdict first, then the number of limits, and a section for each finding."""
        from convcost.reports.page_model import Chapter, Page, Section

        *findings, summary = self.tables()
        sections = tuple(Section(table.heading, (table,)) for table in findings)
        chapter = Chapter(self.title, notes=summary.notes, sections=sections)
        return Page(self.name, self.title, (chapter,))

    def tree(self) -> dict[str, Any]:
        return versioned(
            SCHEMA,
            ok=self.ok,
            against=self.against,
            networks=list(map(tables.network_record, self.networks)),
            findings=list(map(tables.finding_record, self.findings())),
            statements=list(self.statements),
            summary=self.summary,
        )
