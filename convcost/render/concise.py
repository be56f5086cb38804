"""One line a finding, for editors and logs: place, level, code, what is wrong in exact numbers."""

from collections.abc import Iterator

from convcost.finding_places import told
from convcost.finding_text import headed
from convcost.findings import Findings
from convcost.report import Style, format, printable  # noqa: A004


@format("concise", "one line for each finding of a check", needs="findings")
def render(report: Findings, style: Style) -> Iterator[str]:
    # From the current folder: that is where an editor looks for them.
    here = style.root._replace(top=style.root.here)
    for finding, path, place, _ in told(report, here):
        where = f"{path}:{place.line}:{place.column}" if place else path
        text = f"{where}: {finding.level}[{finding.code}] {headed(finding, path)}"
        yield f"{printable(text)}\n"
    for statement in report.statements:
        yield f"note: {printable(statement)}\n"
    yield f"{report.summary.text}\n"
