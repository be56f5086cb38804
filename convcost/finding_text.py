"""How a finding is said: in a sentence without numbers, or with all of them, exact."""

from collections.abc import Iterable

from convcost.findings import Finding, Growth
from convcost.units import grouped, percent, signed


def over(finding: Finding) -> int | None:
    """How far a limit is exceeded, or a least not reached."""
    if isinstance(finding.limit, Growth):
        return None
    by = finding.found - finding.limit
    return max(0, -by if finding.test == "min" else by)


def named(finding: Finding) -> str:
    """The spec, and the network where that is not plain from it."""
    return spec_named(finding.spec, finding.network)


def spec_named(spec: str, network: str) -> str:
    stem = spec.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    return spec if network == stem else f"{spec}#{network}"


def change(before: int, after: int) -> str:
    """`+1,885,697 (+0.6 %)`; without a percentage where there was nothing."""
    grown = after - before
    if not grown or not before:
        return signed(grown)
    return f"{signed(grown)} ({'+' * (grown > 0)}{percent(grown, before)})"


def sentence(finding: Finding) -> str:
    """`macs over budget `mobile``: what is wrong, on one line, with no numbers."""
    budget = f" of budget `{finding.budget}`" if finding.budget else ""
    allowing = f"budget `{finding.budget}`" if finding.budget else "the budget"
    ends = {
        "max": f"{finding.what} over the max{budget}",
        "min": f"{finding.what} below the min{budget}",
        "warn": f"{finding.what} over the warning{budget}",
        "grow": f"{finding.what} grew more than {allowing} lets it",
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


def line(finding: Finding) -> str:
    """`macs 320,000,001 over the max 320,000,000 (+1)`: all that matters on one line, exact."""
    what, found = finding.what, grouped(finding.found)
    budget = f" of budget `{finding.budget}`" if finding.budget else ""
    if finding.level == "skipped":
        return sentence(finding)
    if isinstance(finding.limit, Growth):
        base = finding.base or 0
        grown = f"{change(base, finding.found)} from {grouped(base)}"
        word = "within" if finding.level == "passed" else "over"
        return f"{what} {found}, {grown}, {word} the growth +{finding.limit.text}{budget}"
    ends = {"max": "over the max", "min": "below the min", "warn": "over the warning"}
    limit = f"{grouped(finding.limit)}{budget}"
    if finding.level == "passed":
        return f"{what} {found} within the {finding.test} {limit}"
    sign = "-" if finding.test == "min" else "+"
    return f"{what} {found} {ends[finding.test]} {limit} ({sign}{grouped(over(finding) or 0)})"


def headed(finding: Finding, path: str) -> str:
    """The line, after what the file that it stands beside does not tell of spec and network."""
    name = named(finding).removeprefix(f"{path}#")
    return line(finding) if name == path else f"{name}: {line(finding)}"
