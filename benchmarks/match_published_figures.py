"""Finds the readings of published figures of networks that ship with convcost.

    python benchmarks/match_published_figures.py [--quoted] [-o table.md]

Reads `published_figures.csv`, where each figure has its source, and runs `convcost match` for each.
Prints how many figures are the plain count, how many have another reading, and a table of the
figures that are not the plain count; `--quoted` counts only the figures in docs/conventions.md.
"""

import argparse
import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import convcost
from convcost.model.number_format import format_count
from convcost.reports.match import FIT_WORDS, MatchRecord

FILE = Path(__file__).with_name("published_figures.csv")
KILO = 1000
# Figures that are quoted often and are not the plain count: the table of docs/conventions.md.
QUOTED = (
    ("VGG-16", "15.3G"),
    ("VGG-16 (Darknet)", "30.94G"),
    ("ResNet-50", "3.8G"),
    ("SqueezeNet v1.1", "0.72G"),
    ("MobileNetV1", "575M"),
    ("MobileNet v1 (Keras docstring)", "529M"),
    ("MobileNetV2 (1.4)", "6.9M"),
    ("ShuffleNetV2 1.0x", "146M"),
    ("EfficientNet-B1", "0.70B"),
    ("EfficientNet-B2", "9.2M"),
)
HEAD = "| network | printed | by | plain count | reading |\n|---|--:|---|--:|---|\n"


class PublishedFigure(NamedTuple):
    """A figure as printed: of the network of `spec`, with the variables `set` and the `size`."""

    network: str
    measure: str
    figure: str
    spec: str
    set: str
    size: str
    source: str


class Result(NamedTuple):
    """A figure, the plain count, and its simplest reading, None if it has none."""

    published: PublishedFigure
    plain: int
    reading: MatchRecord | None
    nearest: MatchRecord | None

    @property
    def verdict(self) -> str:
        if self.reading is None:
            return "no reading"
        first = self.reading
        plain = first.names[0] == self.published.measure and not first.settings
        return "the plain count" if plain and first.kilo == KILO else "another reading"

    @property
    def row(self) -> str:
        """A row of the table in Markdown."""
        figure, reading, nearest = self.published, self.reading, self.nearest
        if reading is not None:
            settings = f" with {reading.settings}" if reading.settings else ""
            kilo = "" if reading.kilo == KILO else f", K = {reading.kilo}"
            how = "" if reading.how == "rounded" else f", {FIT_WORDS[reading.how]}"
            text = f"{reading.names[0]}{settings}: {format_count(reading.exact)}{how}{kilo}"
        else:
            assert nearest is not None
            text = f"none; nearest: {nearest.names[0]}, {format_count(nearest.exact)}"
        printed = f"{figure.figure} {figure.measure}"
        cells = figure.network, printed, figure.source, format_count(self.plain), text
        return f"| {' | '.join(cells)} |\n"


def published_figures() -> list[PublishedFigure]:
    with FILE.open(encoding="utf-8", newline="") as file:
        return [PublishedFigure(**row) for row in csv.DictReader(file)]


def result(figure: PublishedFigure) -> Result:
    """The simplest reading of a figure."""
    pairs = (text.split("=") for text in figure.set.split())
    variables = {name: float(value) if "." in value else int(value) for name, value in pairs}
    size = int(figure.size) if figure.size else None
    totals = convcost.analyze(figure.spec, set=variables, size=size).totals
    words = figure.measure, figure.figure
    found = convcost.match(figure.spec, *words, set=variables, size=size)
    plain = totals.params if figure.measure == "params" else totals.macs
    first, nearest = next(iter(found.readings), None), next(iter(found.nearest), None)
    return Result(figure, plain, first, nearest)


def table(results: list[Result]) -> Iterator[str]:
    verdicts = Counter(one.verdict for one in results)
    numbers = ", ".join(f"{number} {verdict}" for verdict, number in sorted(verdicts.items()))
    yield f"{len(results)} figures: {numbers}\n\n{HEAD}"
    yield from (one.row for one in results if one.verdict != "the plain count")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--quoted", action="store_true")
    asked = parser.parse_args()
    figures = published_figures()
    if asked.quoted:
        figures = [figure for figure in figures if (figure.network, figure.figure) in QUOTED]
    text = "".join(table([result(figure) for figure in figures]))
    print(text, end="")
    if asked.output:
        asked.output.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
