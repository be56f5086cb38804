"""Writes a chart of a report to an SVG, PNG or PDF file."""

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from convcost.model.errors import UsageError
from convcost.model.record import NamedTuple
from convcost.model.suggestions import did_you_mean
from convcost.reports.chart_model import Chart, GraphChart
from convcost.reports.notes import first_texts
from convcost.reports.report import Report

SUFFIXES = (".svg", ".png", ".pdf")
WIDTH, GRAPH_WIDTH = 720, 1200  # pixels
SCALE = 2  # pixels of a PNG for a pixel of the SVG
MAX_NAMES = 12  # charts that an error lists


class ChartOutput(NamedTuple):
    """A chart and its file; `name` is empty for the first chart of the report."""

    name: str
    path: Path

    @property
    def option(self) -> str:
        return "--plot"

    def prepare(self, report: Report) -> Iterator[bytes]:
        """The whole file as one piece. Raises UsageError."""
        from convcost.render.svg import svg

        chart = _find_chart(self.name, {chart.name: chart for chart in report.charts()})
        width = GRAPH_WIDTH if isinstance(chart, GraphChart) else WIDTH
        text = svg(chart, width=width, standalone=True)
        suffix = self.path.suffix.lower()
        return iter((text.encode() if suffix == ".svg" else _convert(text, suffix),))


def chart_output(text: str) -> ChartOutput:
    """Parses `net.svg` or `graph:net.pdf` to a chart and its file. Raises UsageError."""
    name, file = _split_name(text)
    if not file:
        raise UsageError("--plot has no file name")
    path = Path(file)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"`{path.name}` is not a file name of a chart; use {', '.join(SUFFIXES)}")
    if suffix != ".svg" and find_spec("cairosvg") is None:
        raise UsageError(
            f"{suffix[1:].upper()} output needs cairosvg; install it with "
            "pip install 'convcost[plot]'"
        )
    return ChartOutput(name, path)


def _split_name(text: str) -> tuple[str, str]:
    """Splits `graph:net.pdf` into the name of a chart and a file.

    A text before a colon that is a part of a path is not the name of a chart. The name of a network
    after `#` can have any characters.
    """
    if "#" in text.partition(":")[0]:
        name, colon, file = text.rpartition(":")
    else:
        name, colon, file = text.partition(":")
    kind = name.partition("#")[0]
    is_drive = len(name) == 1 and file[:1] in ("/", "\\")
    if not colon or is_drive or "/" in kind or "." in kind:
        return "", text
    return name, file


def _find_chart(name: str, charts: dict[str, Chart]) -> Chart:
    if not charts:
        raise UsageError("this report has no charts")
    if not name:
        return next(iter(charts.values()))
    if name in charts:
        return charts[name]
    several = [key for key in charts if key.startswith(f"{name}#")]
    if several:
        listed = first_texts([f"`{key}`" for key in several], MAX_NAMES)
        raise UsageError(f"several networks have a chart `{name}`: {listed}")
    hint = did_you_mean(name, charts)
    raise UsageError(f"there is no chart `{name}`" + (f"; {hint}" if hint else ""))


def _convert(text: str, suffix: str) -> bytes:
    try:
        cairosvg = import_module("cairosvg")
    except (ImportError, OSError) as error:  # OSError: the system has no cairo library
        raise UsageError(
            f"{suffix[1:]} needs the cairo library of the system: {str(error).strip()}"
        ) from None
    data = text.encode()
    if suffix == ".png":
        return bytes(cairosvg.svg2png(bytestring=data, scale=SCALE))
    return bytes(cairosvg.svg2pdf(bytestring=data))
