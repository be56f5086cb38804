"""The answer of a check: what was found, in which order it is told, whether the change may land."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost import __version__
from convcost.finding_text import line, named, over
from convcost.findings import Finding, Growth, Summary
from convcost.questions.check import tables
from convcost.questions.check.evaluate import Held
from convcost.questions.check.measures import Measured, total
from convcost.report import FORMATS, Column, Style, Table, printable
from convcost.units import CONVENTION

if TYPE_CHECKING:
    from convcost.comments import Comment

SCHEMA = "convcost.check/1"
ORDER = {"error": 0, "warning": 1, "skipped": 2, "passed": 3}


class FindingRecord(NamedTuple):
    """A limit of `convcost.check/1`: names and order are a promise.

    `limit` is a count, or a growth as it is written, like `2 %`; `over` is how far it is exceeded,
    0 if it is not, null for a growth. `change` is found − base. `reason` is why it was skipped.
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
    reason: str


class Totals(NamedTuple):
    """What a network costs."""

    params: int
    macs: int


class NetworkRecord(NamedTuple):
    """A network of `convcost.check/1`; `base` is what it was, null if that is not known."""

    spec: str
    network: str
    params: int
    macs: int
    base: Totals | None


class Check(NamedTuple):
    """All findings of all networks. `statements` are what else a reader has to know: a spec that
    is new, a base that could not be read. `against` names the base; `passed` are told if asked.
    `held` are the networks themselves, and what each was. `unmet`: a base was asked for and cannot
    be had, so that growth is not checked. `headline` is what an update comes to."""

    found: tuple[Finding, ...]
    statements: tuple[str, ...] = ()
    against: str = ""
    report_passed: bool = False
    held: tuple[Held, ...] = ()
    unmet: bool = False
    headline: str = ""

    @property
    def title(self) -> str:
        """The verdict, without numbers."""
        if self.headline:
            return self.headline
        if not self.ok:
            return "Over budget"
        if self.unmet:
            return "Within all that was checked; growth was not checked"
        return "Within all budgets"

    @property
    def ok(self) -> bool:
        """Whether no limit is exceeded."""
        return all(finding.level != "error" for finding in self.found)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        """The report in plain text."""
        plain = FORMATS.get("plain")
        assert plain is not None
        return "".join(plain.render(self, Style())).rstrip("\n")

    def __repr__(self) -> str:
        """Short, as an assertion that fails shows it: the verdict, and what is exceeded first."""
        first = [f"{named(f)}: {line(f)}" for f in self.findings() if f.level == "error"][:1]
        return printable(f"<Check ok={self.ok}: {'; '.join((*first, self.summary.text))}>")

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
        asked = bool(self.against)
        yield from tables.told(self.findings(), asked=asked)
        summary = self.summary.text + ("" if asked else tables.unasked(self.found))
        notes = [*self.statements, summary]
        if asked:
            notes.append(f"against {self.against}")
        counts = self.summary
        yield Table(
            name="summary",
            title=self.title,
            columns=tuple(Column(name, name) for name in counts._fields),
            rows=(tuple(counts),),
            notes=(*notes, CONVENTION),
        )

    def records(self) -> Table:
        return tables.records(self.findings())

    def comment(self) -> "Comment":
        from convcost.questions.check.comment import comment

        return comment(self)

    def tree(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "version": __version__,
            "ok": self.ok,
            "against": self.against,
            "networks": [_network(held) for held in self.held],
            "findings": [record(finding) for finding in self.findings()],
            "statements": list(self.statements),
            "summary": self.summary,
        }


def _network(held: Held) -> NetworkRecord:
    base = None if held.base is None else _totals(held.base)
    return NetworkRecord(held.spec, held.network.name, *_totals(held.network), base)


def _totals(network: Measured) -> Totals:
    return Totals(total(network, "params"), total(network, "macs"))


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
        finding.reason,
    )
