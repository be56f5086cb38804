"""The counting conventions: all of them, or the rules of one."""

from collections.abc import Iterator
from typing import Any

from convcost.conventions import Convention, CountingRule
from convcost.model.record import NamedTuple
from convcost.reports.report import Report, versioned
from convcost.reports.table import Cell, Column, Table

SCHEMA = "convcost.conventions/1"


class RuleRecord(NamedTuple):
    """A rule of `convcost.conventions/1`: field names and order are stable.

    `fault` says why the number of the tool is wrong. `depends` is an assumption that a spec does
    not confirm. Both may be empty.
    """

    kinds: tuple[str, ...]
    formula: str
    fault: str
    depends: str


class Conventions(Report):
    """Conventions in one table, or (`explained`) each with its rules."""

    name = "conventions"
    conventions: tuple[Convention, ...]
    explained: bool = False

    def tables(self) -> Iterator[Table]:
        if self.explained:
            yield from map(_rules_table, self.conventions)
        else:
            yield _list(self.conventions)

    def tree(self) -> dict[str, Any]:
        return versioned(SCHEMA, conventions=[_tree(convention) for convention in self.conventions])


def rule_records(convention: Convention) -> list[RuleRecord]:
    """The rules in the order of the file, with all kinds of each; last the rule of other kinds."""
    kinds: dict[int, list[str]] = {}
    rules: dict[int, CountingRule] = {}
    for kind, rule in convention.rules.items():
        rules[id(rule)] = rule
        kinds.setdefault(id(rule), []).append(kind)
    records = [_record(tuple(kinds[key]), rule) for key, rule in rules.items()]
    if convention.rest is not None:
        records.append(_record(("every other kind",), convention.rest))
    return records


def _record(kinds: tuple[str, ...], rule: CountingRule) -> RuleRecord:
    return RuleRecord(kinds, rule.formula.text, rule.fault, rule.depends)


def _tree(convention: Convention) -> dict[str, Any]:
    return {
        "name": convention.name,
        "word": convention.word,
        "tool_version": convention.version,
        "meaning": convention.meaning,
        "source": convention.source,
        "per_sample": convention.per_sample,
        "factor": convention.factor,
        "variants": convention.variants,
        "rules": rule_records(convention),
    }


def _list(conventions: tuple[Convention, ...]) -> Table:
    return Table(
        name="conventions",
        title="The counting conventions",
        columns=(
            Column("convention", "convention", "left"),
            Column("word", "unit", "left"),
            Column("tool_version", "version", "left", 2),
            Column("meaning", "meaning", "left", 1, folds=True),
        ),
        rows=tuple(
            (convention.name, convention.word, convention.version, convention.meaning)
            for convention in conventions
        ),
        notes=("`convcost conventions NAME` shows the rules of one",),
    )


def _rules_table(convention: Convention) -> Table:
    rows: list[tuple[Cell, ...]] = []
    quantities: dict[str, str] = {}
    for rule in (*convention.rules.values(), convention.rest):
        quantities |= rule.formula.quantities if rule else {}
    for record in rule_records(convention):
        remarks = [f"fault: {record.fault}" if record.fault else "", record.depends]
        rows.append((", ".join(record.kinds), record.formula, "; ".join(filter(None, remarks))))
    return Table(
        name=convention.name,
        title=convention.title,
        source=convention.source,
        columns=(
            Column("kinds", "layers", "left", folds=True),
            Column("formula", "counts", "left", folds=True),
            Column("remark", "fault or assumption", "left", 1, folds=True),
        ),
        rows=tuple(rows),
        notes=tuple(_notes(convention, quantities)),
    )


def _notes(convention: Convention, quantities: dict[str, str]) -> Iterator[str]:
    yield convention.meaning
    if convention.version:
        yield f"version {convention.version}"
    if convention.factor > 1:
        yield f"each number is multiplied by {convention.factor}"
    if convention.rest is None:
        yield "any other kind is not counted, and convcost names it"
    if quantities:
        listed = "; ".join(f"{name}: {meaning}" for name, meaning in quantities.items())
        yield listed if convention.per_sample else f"{listed} (of the whole batch)"
    if convention.variants:
        yield f"variants: {', '.join(convention.variants)}"
