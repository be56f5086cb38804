"""The comment of a check on a change: verdict, exceeded limits, changes; the rest is folded.

Counts are exact. A comment says so if nothing changed, because it replaces an older comment.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum

from convcost import __version__
from convcost.model.number_format import counted, format_count
from convcost.reports.check.changes import layer_rows, layer_table, network_change, network_table
from convcost.reports.check.evaluate import CheckedNetwork, counting_notes
from convcost.reports.check.finding import CheckResult, Finding, Level
from convcost.reports.check.finding_text import (
    LIMITS,
    change_text,
    count_text,
    excess_text,
    finding_label,
    largest_layers,
    limit_sources,
    limit_text,
)
from convcost.reports.comment_model import Comment, CommentBlock
from convcost.reports.table import Cell, Column, Table

KEY = "check"
MAX_INPUTS = 5  # different sizes of inputs
NUMBERS = ("limit", "found", "over", "base", "change")
HEADS = ("network", "what", *NUMBERS, "reason", "largest layers", "where", "help")

# If there is no room for all blocks, the last ones of these are cut first.
Rank = IntEnum(
    "Rank",
    "EXCEEDED FOOTER NEAR NETWORKS STATEMENTS LAYERS WITHOUT_BASE NOT_CHECKED KEPT UNCHANGED",
)


def check_comment(
    title: str, result: CheckResult, networks: Sequence[CheckedNetwork], against: str
) -> Comment:
    """The comment of a check, with the largest changes first. `against` names the base, or is
    empty."""
    with_base = [network_change(checked) for checked in networks if checked.base is not None]
    new = [network_change(checked) for checked in networks if checked.base is None]
    changed = [change for change in with_base if change.changed]
    same = [change for change in with_base if not change.changed]
    layers = layer_rows(changed)
    larger = [row for row in layers if row.costs_changed]
    unchanged = [row for row in layers if row.layer.state == "unchanged"]
    others = [row for row in layers if not row.costs_changed and row.layer.state != "unchanged"]
    verdict = f"{title} ({result.summary.text})"
    if against and networks:
        # A network can be compared with two of the base.
        counts = (
            len({change.label for change in changes}) for changes in (new, with_base, changed)
        )
        verdict += f"; {_changes_text(*counts)}"

    def folded(title: str, body: Table) -> Iterator[CommentBlock]:
        return _block(title, body, Rank.UNCHANGED, folded=True)

    many_others = counted(len(others), "layer")
    blocks = (
        *_limits("Exceeded", result.found, "error", Rank.EXCEEDED),
        *_limits("Near the limit", result.found, "warning", Rank.NEAR),
        *_block("Changed networks", network_table(changed), Rank.NETWORKS),
        *_block("Changed layers", layer_table(larger), Rank.LAYERS),
        *folded(f"{many_others} changed, with the same macs and params", layer_table(others)),
        *_block(
            "Networks without a base" if against else counted(len(new), "network"),
            network_table(new),
            Rank.WITHOUT_BASE,
            folded=not against,
        ),
        *_block("Notes", result.statements, Rank.STATEMENTS),
        *folded(counted(len(unchanged), "unchanged layer"), layer_table(unchanged)),
        *folded(counted(len(same), "unchanged network"), network_table(same)),
        *_limits("not checked", result.found, "skipped", Rank.NOT_CHECKED, folded=True),
        *_limits("kept", result.found, "passed", Rank.KEPT, folded=True),
        *_block("What is counted", tuple(_footer(networks, against)), Rank.FOOTER),
    )
    return Comment(KEY, f"{verdict}.", blocks)


def _changes_text(new: int, with_base: int, changed: int) -> str:
    """How many networks changed: `2 of 3 networks changed, 1 without a base`."""
    if not with_base:
        return "there is no base to compare with"
    of_networks = f"{format_count(changed)} of {counted(with_base, 'network')}"
    rest = f", {format_count(new)} without a base" if new else ""
    return f"{of_networks if changed else 'nothing'} changed{rest}"


def _block(
    title: str, body: Table | tuple[str, ...], rank: Rank, *, folded: bool = False
) -> Iterator[CommentBlock]:
    """The block, unless it is empty."""
    if body.rows if isinstance(body, Table) else body:
        yield CommentBlock(title, body, rank, folded, shortens=True)


def _limits(
    title: str, findings: Iterable[Finding], level: Level, rank: Rank, *, folded: bool = False
) -> Iterator[CommentBlock]:
    """The findings of one level; the title of a folded block has their number."""
    level_findings = [finding for finding in findings if finding.level == level]
    rows = tuple(map(_limit_cells, level_findings, limit_sources(level_findings)))
    columns = (Column(h, h, "right" if h in NUMBERS else "left", folds=True) for h in HEADS)
    table = Table(level, "", tuple(columns), rows).without_empty_columns()
    title = f"{counted(len(rows), 'limit')} {title}" if folded else title
    return _block(title, table, rank, folded=folded)


def _limit_cells(finding: Finding, source: str) -> tuple[Cell, ...]:
    exceeded = finding.level in ("error", "warning")
    base = finding.base_count
    return (
        finding_label(finding),
        f"{finding.what}, {LIMITS[finding.test]}",
        limit_text(finding),
        count_text(finding.found_count),
        excess_text(finding),
        "" if base is None else count_text(base),
        "" if base is None else change_text(base, finding.found_count),
        finding.reason,
        # With a base, another table has the layers that grew.
        largest_layers(finding) if exceeded and base is None else "",
        source,
        finding.message if exceeded else "",
    )


def _footer(networks: Sequence[CheckedNetwork], against: str) -> Iterator[str]:
    inputs = list(dict.fromkeys(checked.network.inputs_text for checked in networks))
    if inputs:
        more = "; …" if len(inputs) > MAX_INPUTS else ""
        yield f"input {'; '.join(inputs[:MAX_INPUTS])}{more}; 1 sample"
    yield from counting_notes(networks)
    yield f"convcost {__version__}" + (f", compared with {against}" if against else "")
