"""Annotations of a change on GitHub, as workflow commands of a job's log.

Escapes: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands and the
runner's own reading of them. Ten of each level are shown of a step, so errors go first.
"""

from collections.abc import Iterator

from convcost.finding_places import Placed, told
from convcost.finding_text import details, named, sentence
from convcost.findings import Findings
from convcost.report import Style, format, printable  # noqa: A004

LEVELS = {"error": "error", "warning": "warning", "skipped": "notice"}
DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
PROPERTY = DATA | str.maketrans({":": "%3A", ",": "%2C"})


@format("github", "annotations of a change, for a step of GitHub Actions", needs="findings")
def render(report: Findings, style: Style) -> Iterator[str]:
    for one in told(report, style.root):
        if one.finding.level in LEVELS:
            yield _annotation(one)
    for statement in report.statements:
        yield _command("notice", {"title": "convcost"}, [statement])
    yield f"{report.summary.text}\n"


def _annotation(one: Placed) -> str:
    finding, path, place, _ = one
    properties = {"title": f"convcost ({finding.code})", "file": path}
    if place:
        properties |= {"line": str(place.line), "col": str(place.column)}
    lines = [f"{named(finding)}: {sentence(finding)}"]
    if finding.level != "skipped":
        lines += [f"{name} {text}" for name, text in details(finding)]
    return _command(LEVELS[finding.level], properties, lines)


def _command(level: str, properties: dict[str, str], lines: list[str]) -> str:
    known = ",".join(f"{key}={_printed(text, PROPERTY)}" for key, text in properties.items())
    return f"::{level} {known}::{'%0A'.join(_printed(text, DATA) for text in lines)}\n"


def _printed(text: str, escapes: dict[int, str]) -> str:
    return printable(text).translate(escapes)
