"""The findings of a check as tables, for people, and as records, for programs."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from convcost.model.measures import HEADLINE
from convcost.reports.check.evaluate import CheckedNetwork
from convcost.reports.check.finding import Finding, Growth
from convcost.reports.check.finding_text import (
    LIMITS,
    count_text,
    details,
    excess,
    finding_label,
    format_sentence,
    limit_sources,
    limit_text,
)
from convcost.reports.check.measures import MeasuredNetwork
from convcost.reports.table import Cell, Column, Table

LIMIT_COLUMNS = (
    Column("spec", "spec", "left", 2, folds=True),
    Column("measure", "measure", "left", folds=True),
    Column("test", "test", "left", 1),
    Column("limit", "limit", folds=True),
    Column("found", "found"),
    Column("where", "where", "left", folds=True),
)
REASON = Column("reason", "reason", "left", folds=True)
# Field names and order of `convcost.check/1` are stable.
FINDING_KEYS = (
    "level", "code", "spec", "network", "budget", "file", "line", "column", "scope", "path",
    "measure", "test", "limit", "found", "over", "base", "change", "message", "reason",
)  # fmt: skip
CSV_KEYS = (
    "level", "code", "spec", "network", "budget", "scope", "path", "measure", "test", "limit",
    "found", "base", "change", "file", "line", "message", "reason",
)  # fmt: skip


def finding_tables(findings: Sequence[Finding], *, has_base: bool) -> Iterator[Table]:
    """Tables of the findings, errors first. Without a base, limits of growth are not listed."""
    yield from (_finding_table(f) for f in findings if f.level in ("error", "warning"))
    skipped = [f for f in findings if f.level == "skipped" and (has_base or f.test != "grow")]
    if skipped:
        rows = tuple(
            (*row, finding.reason) for row, finding in zip(_rows(skipped), skipped, strict=True)
        )
        yield Table("not checked", "Not checked", (*LIMIT_COLUMNS, REASON), rows)
    passed = [finding for finding in findings if finding.level == "passed"]
    if passed:
        yield Table("within", "Passed limits", LIMIT_COLUMNS, tuple(_rows(passed)))


def _finding_table(finding: Finding) -> Table:
    """One finding with every count."""
    columns = (
        Column("what", finding.code, "left"),
        Column("value", format_sentence(finding), "left", folds=True),
    )
    label = finding_label(finding)
    return Table(label, f"{label}: {finding.level}", columns, tuple(details(finding)))


def _rows(findings: Sequence[Finding]) -> Iterator[tuple[Cell, ...]]:
    for finding, where in zip(findings, limit_sources(findings), strict=True):
        limit = finding.limit if isinstance(finding.limit, int) else limit_text(finding)
        label, test = finding_label(finding), LIMITS[finding.test]
        count = finding.found_count
        count_value = count_text(count) if count.exact is None else count.exact
        yield (label, finding.what, test, limit, count_value, where)


# Records


def finding_record(finding: Finding) -> dict[str, Any]:
    """`limit` is a count, or a growth as it was written, such as `2 %`. `over` is how far the limit
    is exceeded, 0 if it is not, null for a growth. `change` is found − base. They are null if a
    count is not known; `found` and `base` also have known parts. `reason` is why the limit was
    skipped."""
    limit, base, span = finding.limit, finding.base_count, finding.span
    fields = finding._asdict() | {
        "line": span.line if span else None,
        "column": span.column if span else None,
        "limit": limit.text if isinstance(limit, Growth) else limit,
        "over": excess(finding),
        "found": finding.found_count.shown,
        "base": None if base is None else base.shown,
        "change": None if base is None else finding.found_count - base,
    }
    return {key: fields[key] for key in FINDING_KEYS}


def network_record(checked: CheckedNetwork) -> dict[str, Any]:
    """A network as JSON; `base` is null if the network has none."""
    base = None if checked.base is None else _totals(checked.base)
    names = {"spec": checked.spec, "network": checked.network.name}
    return names | _totals(checked.network) | {"base": base}


def _totals(network: MeasuredNetwork) -> dict[str, Any]:
    totals: dict[str, Any] = {measure: network.total(measure) for measure in HEADLINE}
    return {**totals, "uncounted": network.uncounted > 0}


def records(findings: Iterable[Finding]) -> Table:
    """One row for each finding, for programs."""
    finding_records = [finding_record(finding) for finding in findings]
    return Table(
        name="findings",
        title="Findings",
        columns=tuple(Column(name, name) for name in CSV_KEYS),
        rows=tuple(tuple(record[name] for name in CSV_KEYS) for record in finding_records),
    )
