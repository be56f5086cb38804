"""A check as tables: a block for each limit that is exceeded or near, one row for each that could
not be checked; and all of it as rows for programs."""

from collections.abc import Iterable, Iterator

from convcost.finding_text import (
    TESTS,
    details,
    limited,
    named,
    sentence,
    stands,
)
from convcost.findings import Finding, Growth
from convcost.questions.check.evaluate import NO_BASE
from convcost.report import Cell, Column, Table
from convcost.units import grouped

SPEC = Column("spec", "spec", "left", 2, folds=True)
MEASURE = Column("measure", "measure", "left", folds=True)
TEST = Column("test", "test", "left", 1)
LIMIT = Column("limit", "limit", folds=True)
REASON = Column("reason", "reason", "left", folds=True)
FOUND = Column("found", "found")
RECORDS = (
    "level", "code", "spec", "network", "budget", "scope", "path", "measure", "test", "limit",
    "found", "base", "change", "file", "line", "message", "reason",
)  # fmt: skip


def told(findings: Iterable[Finding], *, asked: bool) -> Iterator[Table]:
    """What is to be told, errors first; whether a base was `asked` for."""
    known = list(findings)
    alarming = [finding for finding in known if finding.level in ("error", "warning")]
    blocks: dict[tuple[object, ...], list[Finding]] = {}
    for number, finding in enumerate(alarming):
        blocks.setdefault(_same_growth(finding) or (number,), []).append(finding)
    yield from map(_block, blocks.values())
    skipped = [f for f in known if f.level == "skipped" and (asked or f.reason != NO_BASE)]
    if skipped:
        yield _skipped(skipped)
    passed = tuple(_row(finding) for finding in known if finding.level == "passed")
    if passed:
        columns = (SPEC, MEASURE, TEST, LIMIT, FOUND)
        yield Table("within", "Limits that are kept", columns, passed)


def unasked(findings: Iterable[Finding]) -> str:
    """What the summary says where a base is all that limits are skipped for, and none was given."""
    reasons = {finding.reason for finding in findings if finding.level == "skipped"}
    return f": {NO_BASE}" if reasons == {NO_BASE} else ""


def _same_growth(finding: Finding) -> tuple[object, ...]:
    """What growth is of: that of one count is told once, however many limits speak of it."""
    if not isinstance(finding.limit, Growth):
        return ()
    at = (finding.spec, finding.network, finding.scope, finding.path)
    return (finding.level, *at, finding.measure, finding.found)


def _block(same: list[Finding]) -> Table:
    """What is wrong, and every number of it in full; of several limits the strictest is first."""
    first = same[0]
    rows = list(details(first))
    title = sentence(first)
    if len(same) > 1:
        title = f"{first.what} grew more than {grouped(len(same))} limits let it"
        limits = [("limit", _limit(finding)) for finding in sorted(same, key=_allowed)]
        helps = [("help", text) for text in dict.fromkeys(f.message for f in same) if text]
        shared = [row for row in rows if row[0] not in ("limit", "help")]
        rows = [*limits, *shared, *helps]
    return Table(
        name=named(first),
        title=f"{named(first)}: {first.level}",
        columns=(Column("what", first.code, "left"), Column("value", title, "left", folds=True)),
        rows=tuple(rows),
    )


def _allowed(finding: Finding) -> int:
    assert isinstance(finding.limit, Growth)
    return finding.limit.most(finding.base or 0)


def _limit(finding: Finding) -> str:
    budget = f"budget `{finding.budget}`, " if finding.budget else ""
    return f"{limited(finding)}  ({budget}{stands(finding)})"


def _skipped(skipped: list[Finding]) -> Table:
    """The reason stands in the title if there is only one."""
    reasons = list(dict.fromkeys(finding.reason for finding in skipped))
    if len(reasons) == 1:
        columns, rows = (SPEC, MEASURE, TEST, LIMIT, FOUND), tuple(map(_row, skipped))
        return Table("not checked", f"Not checked: {reasons[0]}", columns, rows)
    return Table(
        "not checked",
        "Not checked",
        (SPEC, MEASURE, TEST, LIMIT, FOUND, REASON),
        tuple((*_row(finding), finding.reason) for finding in skipped),
    )


def _row(finding: Finding) -> tuple[Cell, ...]:
    limit = finding.limit if isinstance(finding.limit, int) else limited(finding)
    return (named(finding), finding.what, TESTS[finding.test], limit, finding.found)


def records(findings: Iterable[Finding]) -> Table:
    """A row for each finding, with what it is known by and every count."""
    return Table(
        name="findings",
        title="Findings",
        columns=tuple(Column(name, name) for name in RECORDS),
        rows=tuple(map(_record, findings)),
    )


def _record(finding: Finding) -> tuple[Cell, ...]:
    base = finding.base
    limit = finding.limit.text if isinstance(finding.limit, Growth) else finding.limit
    return (
        finding.level,
        finding.code,
        finding.spec,
        finding.network,
        finding.budget,
        finding.scope,
        finding.path,
        finding.measure,
        finding.test,
        limit,
        finding.found,
        base,
        None if base is None else finding.found - base,
        finding.file,
        finding.place.line if finding.place else None,
        finding.message,
        finding.reason,
    )
