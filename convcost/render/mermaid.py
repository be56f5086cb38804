"""Mermaid: the graph of a network as a diagram that GitHub and GitLab draw inside Markdown.

https://mermaid.js.org/syntax/flowchart.html
"""

import re
from collections.abc import Iterator

from convcost.model.errors import UsageError, printable
from convcost.model.number_format import format_count
from convcost.render import FormatOption, Style, format  # noqa: A004
from convcost.reports.chart_model import Box, GraphChart
from convcost.reports.report import Report

FENCE = FormatOption(
    "fence", "Write the diagram as a code block of Markdown.", default=False, type=bool
)
# What has a meaning within a quoted text: entities, tags, Markdown, formulas, icons and escapes.
ESCAPES = str.maketrans({char: f"#{ord(char)};" for char in '#&<>"`\\*~$:'})
UNICODE = re.compile(r"[^\x00-\x7f]")


@format("mermaid", "a graph for Markdown", ".mmd", options=(FENCE,), needs="charts")
def render(report: Report, style: Style) -> Iterator[str]:
    graphs = [chart for chart in report.charts() if isinstance(chart, GraphChart)]
    fence = style.option(FENCE)
    if not graphs:
        raise UsageError("the format `mermaid` writes a graph, and this report has none")
    if len(graphs) > 1 and not fence:
        raise UsageError(
            f"a file of Mermaid has one diagram, not {len(graphs)}; choose one network, or write "
            "code blocks with --fence"
        )
    pieces = _pieces(graphs, fence=fence)
    # Words for an output without Unicode would be markup: `·` is written as `*`.
    return (UNICODE.sub(_entity, piece) for piece in pieces) if style.ascii else pieces


def _pieces(graphs: list[GraphChart], *, fence: bool) -> Iterator[str]:
    for number, chart in enumerate(graphs):
        lines = ["flowchart TB", *_lines(chart)]
        if fence:
            lines = ["```mermaid", *lines, "```"]
        yield ("\n" if number else "") + "".join(f"{line}\n" for line in lines)


def _lines(chart: GraphChart) -> Iterator[str]:
    for number, box in enumerate(chart.boxes):
        begin, end = ('(["', '"])') if not box.layers else ('["', '"]')
        yield f"  n{number}{begin}{_label(box)}{end}"
    for number, box in enumerate(chart.boxes):
        for source in box.inputs:
            yield f"  n{source} --> n{number}"


def _label(box: Box) -> str:
    texts = [box.label or box.path, *([box.kind] if box.layers else []), box.shape]
    macs = [format_count(box.macs)] * bool(box.macs) + ["?"] * bool(box.uncounted)
    texts += [f"{' + '.join(macs)} macs"] * bool(macs)
    texts += [f"{format_count(box.params)} params"] * bool(box.params)
    return "<br/>".join(map(_escaped, texts))


def _entity(match: re.Match[str]) -> str:
    return f"#{ord(match[0])};"


def _escaped(text: str) -> str:
    return printable(text).translate(ESCAPES)
