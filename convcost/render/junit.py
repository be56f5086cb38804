"""JUnit's XML, as CI servers read it: a suite for each spec, a case for each limit.

ASCII only, with character references, so that it reads the same in every encoding.
"""

from collections import Counter
from collections.abc import Iterator
from html import escape
from itertools import groupby

from convcost.model.errors import printable
from convcost.render import Style, format  # noqa: A004
from convcost.reports.check.finding import CheckResult, Finding
from convcost.reports.check.finding_location import locate_findings
from convcost.reports.check.finding_text import details, finding_label, one_line


@format("junit", "a test report in XML: a case for each limit", ".xml", needs="findings")
def render(result: CheckResult, style: Style) -> Iterator[str]:
    found = [located.finding for located in locate_findings(result.found, style.root)]
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f"<testsuites{_attributes(name='convcost', **_counts(found))}>\n"
    if result.statements:
        # A statement belongs to no limit, so to no case; schemas have no other place for it.
        yield f"  <testsuite{_attributes(name='convcost', **_counts([]))}>\n"
        yield f"    <system-out>{_escape_lines(*result.statements)}</system-out>\n  </testsuite>\n"
    for spec, group in groupby(found, key=lambda finding: finding.spec):
        of_spec = list(group)
        yield f"  <testsuite{_attributes(name=spec, **_counts(of_spec))}>\n"
        known: Counter[tuple[str, str]] = Counter()
        for finding in of_spec:
            case = finding_label(finding), _case_name(finding)
            known[case] += 1
            yield _case(finding, *case, known[case])
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


def _case_name(finding: Finding) -> str:
    budget = f" of budget `{finding.budget}`" if finding.budget else ""
    where = f" ({finding.file})" if finding.file != finding.spec else ""
    return f"{finding.what}: {finding.test}{budget}{where}"


def _case(finding: Finding, label: str, name: str, ordinal: int) -> str:
    """A case. Servers identify it by class and name, so the name has no counts, and an ordinal if
    an earlier case is the same."""
    number = f" ({ordinal})" if ordinal > 1 else ""
    attributes = _attributes(classname=label, name=f"{name}{number}")
    result = _result(finding)
    if not result:
        return f"    <testcase{attributes}/>\n"
    return f"    <testcase{attributes}>\n      {result}\n    </testcase>\n"


def _result(finding: Finding) -> str:
    """The content of a case. JUnit has no warnings: they are the output of a case that passes."""
    if finding.level == "passed":
        return ""
    if finding.level == "skipped":
        return f"<skipped{_attributes(message=one_line(finding))}/>"
    numbers = _escape_lines(*(f"{name} {text}" for name, text in details(finding)))
    if finding.level == "warning":
        return (
            f"<system-out>{_escape_lines(f'warning: {one_line(finding)}')}\n{numbers}</system-out>"
        )
    attributes = _attributes(message=one_line(finding), type=finding.code)
    return f"<failure{attributes}>{numbers}</failure>"


def _attributes(**texts: str) -> str:
    return "".join(f' {name}="{_escape_lines(text)}"' for name, text in texts.items())


def _escape_lines(*lines: str) -> str:
    text = "\n".join(escape(printable(line)) for line in lines)
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")
