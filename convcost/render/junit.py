"""JUnit's XML, as CI servers read it: a suite for each spec, a case for each limit.

ASCII only, with character references, so that it reads the same in every encoding.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from convcost.model.errors import printable
from convcost.render import Style, format  # noqa: A004
from convcost.reports.check.finding import CheckResult, Finding
from convcost.reports.check.finding_location import locate_findings
from convcost.reports.check.finding_text import details, finding_label, one_line


@format("junit", "a test report in XML: a case for each limit", ".xml", needs="findings")
def render(result: CheckResult, style: Style) -> Iterator[str]:
    findings = [located.finding for located in locate_findings(result.found, style.root)]
    root = Element("testsuites", _suite("convcost", findings))
    if result.statements:
        # A statement belongs to no limit, so to no case; schemas have no other place for it.
        suite = SubElement(root, "testsuite", _suite("convcost", []))
        SubElement(suite, "system-out").text = _lines(*result.statements)
    for spec, group in groupby(findings, key=lambda finding: finding.spec):
        of_spec = list(group)
        suite = SubElement(root, "testsuite", _suite(spec, of_spec))
        count_by_case: Counter[tuple[str, str]] = Counter()
        for finding in of_spec:
            label, name = printable(finding_label(finding)), printable(_case_name(finding))
            count_by_case[label, name] += 1
            # Servers identify a case by class and name, so the name has no counts, and an ordinal
            # if an earlier case is the same.
            number = f" ({count_by_case[label, name]})" if count_by_case[label, name] > 1 else ""
            _add_result(SubElement(suite, "testcase", classname=label, name=name + number), finding)
    indent(root)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f"{tostring(root, 'us-ascii').decode()}\n"


def _suite(name: str, findings: list[Finding]) -> dict[str, str]:
    levels = [finding.level for finding in findings]
    return {
        "name": printable(name),
        "tests": str(len(findings)),
        "failures": str(levels.count("error")),
        "errors": "0",
        "skipped": str(levels.count("skipped")),
    }


def _case_name(finding: Finding) -> str:
    budget = f" of budget `{finding.budget}`" if finding.budget else ""
    where = f" ({finding.file})" if finding.file != finding.spec else ""
    return f"{finding.what}: {finding.test}{budget}{where}"


def _add_result(case: Element, finding: Finding) -> None:
    """Adds the content of a case. JUnit has no warnings: they are the output of a case that
    passes."""
    message = printable(one_line(finding))
    numbers = _lines(*(f"{name} {text}" for name, text in details(finding)))
    if finding.level == "skipped":
        SubElement(case, "skipped", message=message)
    elif finding.level == "warning":
        SubElement(case, "system-out").text = f"warning: {message}\n{numbers}"
    elif finding.level == "error":
        SubElement(case, "failure", message=message, type=finding.code).text = numbers


def _lines(*lines: str) -> str:
    return "\n".join(map(printable, lines))
