"""What a check says in a comment on a change: its verdict, what is over, what changed; the rest is
folded. Every count is exact. Where nothing changed it says so: an older comment is replaced."""

from collections.abc import Iterator
from enum import IntEnum, auto

from convcost import __version__
from convcost.comments import Block, Comment
from convcost.finding_text import (
    TESTS,
    beyond,
    change,
    largest,
    limited,
    named,
    stands,
)
from convcost.findings import Finding, Level
from convcost.questions.check.changes import (
    Compared,
    as_it_is,
    compared,
    inputs,
    layers,
    name,
    networks,
    other_layers,
    unchanged_layers,
)
from convcost.questions.check.report import Check
from convcost.report import Cell, Column, Table
from convcost.units import CONVENTION, grouped

KEY = "check"
MOST_INPUTS = 5
MOST_NAMED = 3
NUMBERS = ("limit", "found", "over", "base", "change")
HEADS = ("network", "what", *NUMBERS, "reason", "largest layers", "where", "help")


class Rank(IntEnum):
    """Where there is no room for all: what stays longest, first."""

    EXCEEDED = auto()
    FOOTER = auto()
    NEAR = auto()
    NETWORKS = auto()
    STATEMENTS = auto()
    LAYERS = auto()
    WITHOUT_BASE = auto()
    NOT_CHECKED = auto()
    KEPT = auto()
    UNCHANGED = auto()


def comment(check: Check) -> Comment:
    beside = [compared(held, held.base) for held in check.held if held.base is not None]
    changed = [one for one in beside if one.changed]
    blocks = (
        *_limits(check, "error", Rank.EXCEEDED),
        *_limits(check, "warning", Rank.NEAR),
        *_changed(changed),
        *_without_base(check),
        *_lines("To know", check.statements, Rank.STATEMENTS),
        *_unchanged(beside, changed),
        *_limits(check, "skipped", Rank.NOT_CHECKED),
        *_limits(check, "passed", Rank.KEPT),
        *_lines("What is counted", tuple(_footer(check)), Rank.FOOTER),
    )
    return Comment(KEY, _verdict(check, len(beside), len(changed)), blocks)


def _verdict(check: Check, beside: int, changed: int) -> str:
    counts = check.summary
    of = f"of {_many(counts.checked, 'limit')}"
    if not counts.checked:
        told = f"{check.title}: there is no limit to keep"
    elif check.ok:
        told = f"{check.title}: {grouped(counts.passed)} {of} kept"
    else:
        told = f"{check.title}: {grouped(counts.exceeded)} {of} exceeded"
    if counts.warned:
        told += f", {grouped(counts.warned)} near"
    if counts.skipped:
        told += f", {grouped(counts.skipped)} not checked"
    if not check.against or not check.held:
        return f"{told}."
    if not beside:
        return f"{told}; there is no base to compare with."
    of_networks = f"{grouped(changed)} of {_many(beside, 'network')}" if changed else "nothing"
    without = len(check.held) - beside
    rest = f", {grouped(without)} without a base" if without else ""
    return f"{told}; {of_networks} changed{rest}."


def _limits(check: Check, level: Level, rank: Rank) -> Iterator[Block]:
    """The limits that came out in one way; those that need no look are folded."""
    found = [finding for finding in check.found if finding.level == level]
    if not found:
        return
    reasons = {finding.reason for finding in found}
    reason = f": {found[0].reason}" if len(reasons) == 1 else ""
    columns, rows = _cells(found, reasoned=len(reasons) > 1)
    count = _many(len(found), "limit")
    titles = {
        "error": "Exceeded",
        "warning": "Near the limit",
        "skipped": f"{count} not checked{reason}",
        "passed": f"{count} kept",
    }
    folded = level in ("skipped", "passed")
    yield Block(titles[level], Table(level, "", columns, rows), rank, folded, shortens=True)


def _cells(
    found: list[Finding], *, reasoned: bool
) -> tuple[tuple[Column, ...], tuple[tuple[Cell, ...], ...]]:
    """A row for each finding, and the columns in which something is said. Numbers stand right."""
    rows = [dict(_told(finding, reasoned=reasoned)) for finding in found]
    heads = [head for head in HEADS if any(row.get(head) for row in rows)]
    columns = (Column(h, h, "right" if h in NUMBERS else "left", folds=True) for h in heads)
    return tuple(columns), tuple(tuple(row.get(head) for head in heads) for row in rows)


def _told(finding: Finding, *, reasoned: bool) -> Iterator[tuple[str, str]]:
    """What is known of a finding, each in a column of its own."""
    yield "network", named(finding)
    yield "what", f"{finding.what}, {TESTS[finding.test]}"
    yield "limit", limited(finding)
    yield "found", grouped(finding.found)
    yield "over", beyond(finding)
    if finding.base is not None:
        yield "base", grouped(finding.base)
        yield "change", change(finding.base, finding.found)
    # The layers that grew stand in a table of their own.
    elif finding.level in ("error", "warning"):
        yield "largest layers", largest(finding)
    yield "reason", finding.reason if reasoned else ""
    budget = f"budget {finding.budget}, " if finding.budget else ""
    yield "where", f"{budget}{stands(finding)}"
    if finding.level in ("error", "warning"):
        yield "help", finding.message


def _changed(changed: list[Compared]) -> Iterator[Block]:
    if changed:
        yield Block("Changed networks", networks(changed), Rank.NETWORKS, shortens=True)
    table = layers(changed)
    if table.rows:
        yield Block("Changed layers", table, Rank.LAYERS, shortens=True)
    rest = other_layers(changed)
    if rest.rows:
        title = f"{_many(len(rest.rows), 'layer')} changed, with the same macs and params"
        yield Block(title, rest, Rank.UNCHANGED, folded=True, shortens=True)


def _without_base(check: Check) -> Iterator[Block]:
    """What is new in a change is part of it; where no base was asked for, it is only there."""
    table = as_it_is(held for held in check.held if held.base is None)
    if table.rows:
        count = _many(len(table.rows), "network")
        title = "Networks without a base" if check.against else count
        yield Block(title, table, Rank.WITHOUT_BASE, folded=not check.against, shortens=True)


def _unchanged(beside: list[Compared], changed: list[Compared]) -> Iterator[Block]:
    """Layers of networks that changed, and networks that did not."""
    rest = unchanged_layers(changed)
    if rest.rows:
        title = _many(len(rest.rows), "unchanged layer")
        yield Block(title, rest, Rank.UNCHANGED, folded=True, shortens=True)
    same = as_it_is(one.held for one in beside if not one.changed)
    if same.rows:
        title = _many(len(same.rows), "unchanged network")
        yield Block(title, same, Rank.UNCHANGED, folded=True, shortens=True)


def _lines(title: str, lines: tuple[str, ...], rank: Rank) -> Iterator[Block]:
    if lines:
        yield Block(title, lines, rank, shortens=True)


def _footer(check: Check) -> Iterator[str]:
    """What the counts are of, and who counted."""
    sizes: dict[str, list[str]] = {}
    for held in check.held:
        sizes.setdefault(inputs(held.network), []).append(name(held))
    if sizes:
        yield f"input {_sizes(sizes)}; 1 sample"
    yield CONVENTION
    yield f"convcost {__version__}" + (f" against {check.against}" if check.against else "")


def _sizes(sizes: dict[str, list[str]]) -> str:
    """`32×32×3`; if they differ with the networks that have each, those of most networks first."""
    if len(sizes) == 1:
        return next(iter(sizes))
    most = sorted(sizes.items(), key=lambda item: -len(item[1]))
    told = [f"{size} ({_some(names)})" for size, names in most[:MOST_INPUTS]]
    rest = len(sizes) - MOST_INPUTS
    return "; ".join((*told, f"{rest} more") if rest > 0 else told)


def _some(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {grouped(more)} more" if more > 0 else "")


def _many(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{grouped(count)} {what}s"
