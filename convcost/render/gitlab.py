"""A Code Quality report of GitLab: what is exceeded, near, or could not be checked.

Fields: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from collections.abc import Iterator
from json import dumps

from convcost.model.errors import printable
from convcost.render import Style, format  # noqa: A004
from convcost.reports.check.finding import CheckResult
from convcost.reports.check.finding_location import LocatedFinding, locate_reported
from convcost.reports.check.finding_text import labeled_line

SEVERITIES = {"error": "major", "warning": "minor", "skipped": "info"}


@format("gitlab", "a Code Quality report for GitLab", needs="findings")
def render(result: CheckResult, style: Style) -> Iterator[str]:
    findings = locate_reported(result, style.root)
    issues = [_issue(located) for located in findings if located.finding.level in SEVERITIES]
    yield f"{dumps(issues, indent=2)}\n"


def _issue(located: LocatedFinding) -> dict[str, object]:
    finding, path, span, fingerprint = located
    return {
        "check_name": finding.code,
        "description": printable(labeled_line(finding, path)),
        "severity": SEVERITIES[finding.level],
        "fingerprint": fingerprint,
        # Required, so a limit of the command line is at the top of the spec.
        "location": {"path": printable(path), "lines": {"begin": span.line if span else 1}},
    }
