"""Annotations of a change on GitHub, as workflow commands in the log of a job.

Escapes: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands and the
runner's source. GitHub shows ten annotations of each level for a step, so errors are first.
"""

from collections.abc import Iterator

from convcost.model.errors import printable
from convcost.render import Style, format  # noqa: A004
from convcost.reports.check.finding import CheckResult
from convcost.reports.check.finding_location import LocatedFinding, locate_reported
from convcost.reports.check.finding_text import details, finding_label, format_sentence

LEVELS = {"error": "error", "warning": "warning", "skipped": "notice"}
DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
PROPERTY = DATA | str.maketrans({":": "%3A", ",": "%2C"})


@format("github", "annotations of a change, for a step of GitHub Actions", needs="findings")
def render(result: CheckResult, style: Style) -> Iterator[str]:
    for located in locate_reported(result, style.root):
        if located.finding.level in LEVELS:
            yield _annotation(located)
    for statement in result.statements:
        yield _command("notice", {"title": "convcost"}, [statement])
    yield f"{result.summary.text}\n"


def _annotation(located: LocatedFinding) -> str:
    finding, path, span, _ = located
    properties = {"title": f"convcost ({finding.code})", "file": path}
    if span:
        properties |= {"line": str(span.line), "col": str(span.column)}
    lines = [f"{finding_label(finding)}: {format_sentence(finding)}"]
    if finding.level != "skipped":
        lines += [f"{name} {text}" for name, text in details(finding)]
    return _command(LEVELS[finding.level], properties, lines)


def _command(level: str, properties: dict[str, str], lines: list[str]) -> str:
    property_text = ",".join(f"{key}={_escape(text, PROPERTY)}" for key, text in properties.items())
    return f"::{level} {property_text}::{'%0A'.join(_escape(text, DATA) for text in lines)}\n"


def _escape(text: str, escapes: dict[int, str]) -> str:
    return printable(text).translate(escapes)
