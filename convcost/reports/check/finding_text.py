"""The text of a finding: a sentence without counts, one line with all counts, or name and value."""

from collections import Counter
from collections.abc import Iterable, Sequence

from convcost.model.measures import Count
from convcost.model.number_format import format_count, format_difference
from convcost.reports.check.finding import Finding, Growth, Test
from convcost.reports.table import Difference, cell_text, count_cell

LIMITS: dict[Test, str] = {
    "max": "max",
    "warn": "warning limit",
    "min": "min",
    "grow": "growth limit",
}


def excess(finding: Finding) -> int | None:
    """How far a limit is exceeded; 0 if it is not, None for a limit of growth, and if only a bound
    of the count is known."""
    count = finding.found_count.exact
    if isinstance(finding.limit, Growth) or count is None or finding.level == "skipped":
        return None
    difference = count - finding.limit
    return max(0, -difference if finding.test == "min" else difference)


def excess_text(finding: Finding) -> str:
    """By how much a limit is exceeded: `+1`, or `-1` for a min; empty if it is not exceeded."""
    amount, sign = excess(finding), "-" if finding.test == "min" else "+"
    return f"{sign}{format_count(amount)}" if amount else ""


def finding_label(finding: Finding) -> str:
    """The spec and the network of a finding; see `network_label`."""
    return network_label(finding.spec, finding.network)


def network_label(spec: str, network: str) -> str:
    """The spec, with the name of the network if that is not the name of the file."""
    stem = spec.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    return spec if network == stem else f"{spec}#{network}"


def count_text(count: Count) -> str:
    """The count; `at least 7` if layers are not in it, and `?` if no others count."""
    at_least = "at least " if count.shown is not None and count.exact is None else ""
    return f"{at_least}{cell_text(count_cell(count))}"


def change_text(before: Count, after: Count) -> str:
    """A change with its sign and percentage: `+1,885,697 (+0.6 %)`. There is no percentage if
    `before` is 0."""
    return cell_text(Difference.of(before, after, with_percentage=before != after))


def format_sentence(finding: Finding) -> str:
    """The result without counts, such as `macs over the max of budget `mobile``."""
    if finding.level == "skipped":
        return f"{LIMITS[finding.test]} of {finding.what} is not checked: {finding.reason}"
    return f"{finding.what} {_comparison(finding)}{_of_budget(finding)}"


def one_line(finding: Finding) -> str:
    """The result with exact counts, such as `macs 320,000,001 over the max 320,000,000 (+1)`."""
    if finding.level == "skipped":
        return format_sentence(finding)
    subject, comparison = f"{finding.what} {count_text(finding.found_count)}", _comparison(finding)
    if isinstance(finding.limit, Growth):
        base, count = finding.base_count or Count(0), finding.found_count
        change = "" if count - base is None else f"{change_text(base, count)} "
        most = f"{comparison} +{finding.limit.text}{_of_budget(finding)}"
        return f"{subject}, {change}from {count_text(base)}, {most}"
    by = excess_text(finding)
    limit = f"{format_count(finding.limit)}{_of_budget(finding)}{f' ({by})' if by else ''}"
    return f"{subject} {comparison} {limit}"


def _comparison(finding: Finding) -> str:
    """How the count compares with its limit: `over the max`, `not below the min`."""
    passed = finding.level == "passed"
    words = ("not below", "below") if finding.test == "min" else ("within", "over")
    return f"{words[0] if passed else words[1]} the {LIMITS[finding.test]}"


def _of_budget(finding: Finding) -> str:
    return f" of budget `{finding.budget}`" if finding.budget else ""


def limit_text(finding: Finding) -> str:
    """The limit as text: a count, or a growth such as `+2 %, growth up to 100,000 is allowed`."""
    if not isinstance(finding.limit, Growth):
        return format_count(finding.limit)
    floor = finding.limit.floor
    allowed = f", growth up to {format_count(floor)} is allowed" if floor else ""
    return f"+{finding.limit.text}{allowed}"


def limit_location(finding: Finding) -> str:
    """The file and line that set the limit: `models/net.yaml:7`."""
    return f"{finding.file}:{finding.span.line}" if finding.span else finding.file


def limit_sources(findings: Sequence[Finding]) -> list[str]:
    """Where each limit is, with the name of its budget: `budget mobile, convcost.yaml:2`. Equal
    limits on one line also have their column, so that no two rows are identical."""
    sources = [
        f"{f'budget {finding.budget}, ' if finding.budget else ''}{limit_location(finding)}"
        for finding in findings
    ]
    rows = [
        (finding_label(finding), finding.what, finding.test, finding.limit, source)
        for finding, source in zip(findings, sources, strict=True)
    ]
    times = Counter(rows)
    return [
        f"{source}, column {finding.span.column}" if finding.span and times[row] > 1 else source
        for finding, row, source in zip(findings, rows, sources, strict=True)
    ]


def largest_layers(finding: Finding) -> str:
    """The layers that grew most, with signs; without a base, the largest. Then how many more there
    are: `a 9, b 4, c 4, and 5 more, 2 of them with 4`."""
    text = format_count if finding.base is None else format_difference
    listed = [f"{path} {text(count)}" for path, count in finding.top]
    more, tied, *_ = finding.left_out
    if more:
        number = "" if tied == more else f", {format_count(tied)} of them"
        equal = f"{number} with {text(finding.top[-1][1])}" if tied else ""
        listed.append(f"and {format_count(more)} more{equal}")
    return ", ".join(listed)


def details(finding: Finding) -> Iterable[tuple[str, str]]:
    """Name and text of every fact of a finding; counts are exact."""
    by = excess_text(finding)
    yield "limit", f"{limit_text(finding)}  ({limit_location(finding)})"
    yield "found", f"{count_text(finding.found_count)}{f'  ({by})' if by else ''}"
    if (base := finding.base_count) is not None:
        yield "base", f"{count_text(base)}  {change_text(base, finding.found_count)}"
    if finding.top and finding.level != "passed":
        yield "grew" if finding.base is not None else "most", largest_layers(finding)
    if finding.message and finding.level in ("error", "warning"):
        yield "help", finding.message


def labeled_line(finding: Finding, path: str) -> str:
    """The finding in one line, to print beside the file `path`. The spec and the network come
    first if they do not follow from the file."""
    label = finding_label(finding).removeprefix(f"{path}#")
    return one_line(finding) if label == path else f"{label}: {one_line(finding)}"
