"""A Code Quality report of GitLab: what is exceeded, near, or could not be checked.

Fields: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from collections.abc import Iterator

from convcost.finding_places import Placed, told
from convcost.finding_text import headed
from convcost.findings import Findings
from convcost.report import Style, format, printable  # noqa: A004

SEVERITIES = {"error": "major", "warning": "minor", "skipped": "info"}


@format("gitlab", "a Code Quality report for GitLab", needs="findings")
def render(report: Findings, style: Style) -> Iterator[str]:
    from json import dumps

    found = told(report, style.root)
    issues = [_issue(one) for one in found if one.finding.level in SEVERITIES]
    yield f"{dumps(issues, indent=2)}\n"


def _issue(one: Placed) -> dict[str, object]:
    finding, path, place, fingerprint = one
    return {
        "check_name": finding.code,
        "description": printable(headed(finding, path)),
        "severity": SEVERITIES[finding.level],
        "fingerprint": fingerprint,
        # Required, so that a limit of the command line stands at the top of the spec.
        "location": {"path": printable(path), "lines": {"begin": place.line if place else 1}},
    }
