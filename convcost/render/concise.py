"""One line for each finding, for editors and logs: place, level, code and exact numbers."""

from collections.abc import Iterator

from convcost.model.errors import printable
from convcost.render import Style, format  # noqa: A004
from convcost.reports.check.finding import CheckResult
from convcost.reports.check.finding_location import locate_reported
from convcost.reports.check.finding_text import labeled_line


@format("concise", "one line for each finding of a check", needs="findings")
def render(result: CheckResult, style: Style) -> Iterator[str]:
    # Files are relative to the current folder, where an editor looks for them.
    here = style.root._replace(top=style.root.here)
    for finding, path, span, _ in locate_reported(result, here):
        where = f"{path}:{span.line}:{span.column}" if span else path
        text = f"{where}: {finding.level}[{finding.code}] {labeled_line(finding, path)}"
        yield f"{printable(text)}\n"
    for statement in result.statements:
        yield f"note: {printable(statement)}\n"
    yield f"{result.summary.text}\n"
