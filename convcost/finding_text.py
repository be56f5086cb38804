"""How a finding is said: in a sentence without numbers, or with all of them, exact."""

from collections.abc import Iterable

from convcost import units
from convcost.findings import Finding, Growth, Test
from convcost.units import grouped, signed

TESTS: dict[Test, str] = {"max": "max", "warn": "warning", "min": "min", "grow": "growth"}
WITHIN: dict[Test, str] = {
    "max": "within the max",
    "warn": "within the warning",
    "min": "not below the min",
    "grow": "within the growth",
}


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
    return f"{signed(grown)} ({units.change(grown, before)})"


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
        return f"{tested(finding)} is not checked: {finding.reason}"
    if finding.level == "passed":
        return f"{finding.what} {WITHIN[finding.test]}{budget}"
    return ends[finding.test]


def tested(finding: Finding) -> str:
    """`growth of macs`: what is held against a limit, and against which."""
    return f"{TESTS[finding.test]} of {finding.what}"


def limited(finding: Finding) -> str:
    """The limit: a count, or `+2 %, growth up to 100,000 is let pass`."""
    if not isinstance(finding.limit, Growth):
        return grouped(finding.limit)
    floor = finding.limit.floor
    let_pass = f", growth up to {grouped(floor)} is let pass" if floor else ""
    return f"+{finding.limit.text}{let_pass}"


def stands(finding: Finding) -> str:
    """`models/net.yaml:7`: where the limit stands."""
    return f"{finding.file}:{finding.place.line}" if finding.place else finding.file


def beyond(finding: Finding) -> str:
    """`+1`: how far a limit is exceeded, or a least not reached; empty if it is not."""
    by = over(finding) or 0
    return f"{'-' if finding.test == 'min' else '+'}{grouped(by)}" if by else ""


def largest(finding: Finding) -> str:
    """The layers that grew most, each with a sign; without a base the largest."""
    say = grouped if finding.base is None else signed
    return ", ".join(f"{path} {say(by)}" for path, by in finding.top)


def details(finding: Finding) -> Iterable[tuple[str, str]]:
    """Name and text of what is to be known of a finding: exact numbers, never rounded."""
    by = beyond(finding)
    yield "limit", f"{limited(finding)}  ({stands(finding)})"
    yield "found", f"{grouped(finding.found)}{f'  ({by})' if by else ''}"
    if finding.base is not None:
        yield "base", f"{grouped(finding.base)}  {change(finding.base, finding.found)}"
    if finding.top and finding.level != "passed":
        yield "grew" if finding.base is not None else "most", largest(finding)
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
        return f"{what} {found} {WITHIN[finding.test]} {limit}"
    return f"{what} {found} {ends[finding.test]} {limit} ({beyond(finding)})"


def headed(finding: Finding, path: str) -> str:
    """The line, after what the file that it stands beside does not tell of spec and network."""
    name = named(finding).removeprefix(f"{path}#")
    return line(finding) if name == path else f"{name}: {line(finding)}"
