"""What a check says in a comment on a change: its verdict, what is over, what changed; the rest is
folded. Every count is exact. Where nothing changed it says so: an older comment is replaced."""

from collections import Counter
from collections.abc import Iterator
from enum import IntEnum, auto

from convcost import __version__
from convcost.comments import Block, Comment
from convcost.finding_text import change, details, named, sentence
from convcost.findings import Finding, Level
from convcost.questions.check.changes import (
    Compared,
    as_it_is,
    compared,
    inputs,
    layers,
    networks,
    unchanged_layers,
)
from convcost.questions.check.report import Check
from convcost.report import Column, Table
from convcost.units import CONVENTION, grouped

KEY = "check"
MOST_INPUTS = 5
# What `details` has besides. The layers that grew stand in a table of their own.
TITLES = {"most": "largest layers", "help": "help"}


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
        told = "Within all budgets: there is no limit to keep"
    elif check.ok:
        told = f"Within all budgets: {grouped(counts.passed)} {of} kept"
    else:
        told = f"Over budget: {grouped(counts.exceeded)} {of} exceeded"
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
    told = [dict(_told(finding)) for finding in found]
    heads = list(dict.fromkeys(head for one in told for head in one))
    columns = tuple(Column(head, head, "left", folds=True) for head in heads)
    rows = tuple(tuple(one.get(head) for head in heads) for one in told)
    count = _many(len(found), "limit")
    titles = {
        "error": "Exceeded",
        "warning": "Near the limit",
        "skipped": f"{count} not checked: there is no base",
        "passed": f"{count} kept",
    }
    folded = level in ("skipped", "passed")
    yield Block(titles[level], Table(level, "", columns, rows), rank, folded)


def _told(finding: Finding) -> Iterator[tuple[str, str]]:
    """The columns of a finding: what is known of it, before and after apart."""
    told = dict(details(finding))
    yield "network", named(finding)
    yield "what", sentence(finding)
    yield "limit", told["limit"]
    yield "found", told["found"]
    if finding.base is not None:
        yield "base", grouped(finding.base)
        yield "change", change(finding.base, finding.found)
    yield from ((TITLES[head], told[head]) for head in TITLES if head in told)


def _changed(changed: list[Compared]) -> Iterator[Block]:
    if changed:
        yield Block("Changed networks", networks(changed), Rank.NETWORKS)
    table = layers(changed)
    if table.rows:
        yield Block("Changed layers", table, Rank.LAYERS)


def _without_base(check: Check) -> Iterator[Block]:
    """What is new in a change is part of it; where no base was asked for, it is only there."""
    table = as_it_is(held for held in check.held if held.base is None)
    if table.rows:
        count = _many(len(table.rows), "network")
        title = "Networks without a base" if check.against else count
        yield Block(title, table, Rank.WITHOUT_BASE, folded=not check.against)


def _unchanged(beside: list[Compared], changed: list[Compared]) -> Iterator[Block]:
    """Layers of networks that changed, and networks that did not."""
    rest = unchanged_layers(changed)
    if rest.rows:
        title = _many(len(rest.rows), "unchanged layer")
        yield Block(title, rest, Rank.UNCHANGED, folded=True)
    same = as_it_is(one.held for one in beside if not one.changed)
    if same.rows:
        title = _many(len(same.rows), "unchanged network")
        yield Block(title, same, Rank.UNCHANGED, folded=True)


def _lines(title: str, lines: tuple[str, ...], rank: Rank) -> Iterator[Block]:
    if lines:
        yield Block(title, lines, rank)


def _footer(check: Check) -> Iterator[str]:
    """What the counts are of, and who counted."""
    sizes = Counter(inputs(held.network) for held in check.held)
    if sizes:
        more = len(sizes) - MOST_INPUTS
        told = "; ".join(size for size, _ in sizes.most_common(MOST_INPUTS))
        yield f"input {told}{f'; {more} more' if more > 0 else ''}; 1 sample"
    yield CONVENTION
    yield f"convcost {__version__}" + (f" against {check.against}" if check.against else "")


def _many(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{grouped(count)} {what}s"
