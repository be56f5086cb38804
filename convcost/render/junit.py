"""JUnit's XML, as CI servers read it: a suite for each spec, a case for each limit, kept or not.

ASCII only, with character references, so that it reads the same in every encoding.
"""

from collections.abc import Iterator
from itertools import groupby

from convcost.finding_places import placed
from convcost.finding_text import details, line, named
from convcost.findings import Finding, Findings
from convcost.report import Style, format, printable  # noqa: A004


@format("junit", "a test report in XML: a case for each limit", ".xml", needs="findings")
def render(report: Findings, style: Style) -> Iterator[str]:
    found = [one.finding for one in placed(report.found, style.root)]
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f"<testsuites{_attributes(name='convcost', **_counts(found))}>\n"
    if report.statements:
        # What is of no limit is of no case, and schemas have no other place for it.
        yield f"  <testsuite{_attributes(name='convcost', **_counts([]))}>\n"
        yield f"    <system-out>{_escaped(*report.statements)}</system-out>\n  </testsuite>\n"
    for spec, group in groupby(found, key=lambda finding: finding.spec):
        of_spec = list(group)
        yield f"  <testsuite{_attributes(name=spec, **_counts(of_spec))}>\n"
        for finding in of_spec:
            yield _case(finding)
        yield "  </testsuite>\n"
    yield "</testsuites>\n"


def _counts(found: list[Finding]) -> dict[str, str]:
    levels = [finding.level for finding in found]
    return {
        "tests": str(len(found)),
        "failures": str(levels.count("error")),
        "errors": "0",
        "skipped": str(levels.count("skipped")),
    }


def _case(finding: Finding) -> str:
    budget = f" of budget `{finding.budget}`" if finding.budget else ""
    where = f" ({finding.file})" if finding.file != finding.spec else ""
    # No counts: servers follow a case by its name.
    name = f"{finding.what}: {finding.test}{budget}{where}"
    told = _attributes(classname=named(finding), name=name)
    result = _result(finding)
    if not result:
        return f"    <testcase{told}/>\n"
    return f"    <testcase{told}>\n      {result}\n    </testcase>\n"


def _result(finding: Finding) -> str:
    """What a case holds: JUnit knows no warnings, so they are what a case that passes prints."""
    if finding.level == "passed":
        return ""
    if finding.level == "skipped":
        return f"<skipped{_attributes(message=line(finding))}/>"
    numbers = _escaped(*(f"{name} {text}" for name, text in details(finding)))
    if finding.level == "warning":
        return f"<system-out>{_escaped(f'warning: {line(finding)}')}\n{numbers}</system-out>"
    told = _attributes(message=line(finding), type=finding.code)
    return f"<failure{told}>{numbers}</failure>"


def _attributes(**texts: str) -> str:
    return "".join(f' {name}="{_escaped(text)}"' for name, text in texts.items())


def _escaped(*lines: str) -> str:
    from html import escape

    text = "\n".join(escape(printable(line)) for line in lines)
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")
