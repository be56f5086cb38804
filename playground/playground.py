"""What the page of the playground asks of convcost: JSON text in, JSON text out.

The page runs this module in a worker, in WebAssembly. Everything is computed here and in convcost;
the JavaScript of the page only shows it. Counts leave as text, because a number of JavaScript is
not exact above 2^53.
"""

import json
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any, NamedTuple

from convcost.commands.analyze import analyze
from convcost.commands.compare import compare
from convcost.commands.conventions import conventions
from convcost.conventions import find_conventions
from convcost.language.load import load
from convcost.language.network_inputs import Settings
from convcost.model.errors import (
    ConstraintError,
    Problem,
    Source,
    SpecError,
    UsageError,
    printable,
)
from convcost.model.measures import Measure
from convcost.model.network import Network
from convcost.model.number_format import format_count
from convcost.render import Format, Style, all_formats, find_format
from convcost.render.svg import svg
from convcost.reports.chart_model import GraphChart
from convcost.reports.schema.named import named_schema
from convcost.reports.table import cell_text, count_cell
from convcost.sources.api_arguments import parse_batch, parse_settings, parse_size
from convcost.sources.spec_files import shipped_specs

FILES = ("left.yaml", "right.yaml")
OPENS_FIRST = "inception_3a"
MAX_SLIDER = 4  # times the value of the spec
GRAPH_WIDTH, CHART_WIDTH = 1200, 720
MAX_LAYERS = 3000  # of a report in the page; a browser lays out more too slowly
MAX_PROBLEMS = 50  # of a spec, in the page
MAX_BODY = 2_000_000  # characters of a report in the page; for long names
MAX_NAME = 80  # characters of a name in the menus


class Request(NamedTuple):
    """The specs and settings of the page. `view` is the network to show alone, by its printable
    name; empty for all."""

    specs: tuple[str, ...]
    settings: Settings
    batch: int
    conventions: str
    view: str


class Loaded(NamedTuple):
    """The networks of all specs, and the problems of each spec."""

    networks: tuple[Network, ...]
    problems: tuple[tuple[Problem, ...], ...]


def start() -> str:
    """The names of the shipped specs, and the one that opens first."""
    return json.dumps({"specs": list(shipped_specs()), "first": OPENS_FIRST})


def menus() -> str:
    """The formats and conventions; the page asks after its first report, since all are imported."""
    return json.dumps(
        {
            "formats": [{"name": form.name, "meaning": form.meaning} for form in _formats()],
            "conventions": [
                {"name": one.name, "meaning": one.meaning} for one in conventions().conventions
            ],
        }
    )


def shipped(name: str) -> str:
    """The texts of the documents of a shipped spec. Two documents open side by side."""
    text = shipped_specs()[name].read_text("utf-8")
    documents = re.split(r"^---[ \t]*\n", text, flags=re.MULTILINE)
    return json.dumps(documents if len(documents) == len(FILES) else [text])


def check(text: str) -> str:
    """The problems of each spec, and the totals and variables of the networks if there are none."""
    try:
        request = _parse(text)
        loaded = _load(request)
        report = None if any(loaded.problems) else _report(request)
    except (UsageError, SpecError, ConstraintError) as error:
        return json.dumps({"problems": [], "error": str(error), "networks": []})
    costs = [] if report is None else report.networks
    shown = [
        {
            "name": printable(found.network.name)[:MAX_NAME],
            "params": format_count(found.totals.params),
            "macs": cell_text(count_cell(found.totals.count_of(Measure.MACS))),
        }
        for found in costs
    ]
    count = sum(map(len, loaded.problems))
    return json.dumps(
        {
            "problems": [list(map(_problem, some[:MAX_PROBLEMS])) for some in loaded.problems],
            "error": f"{count:,} problem{'s' * (count != 1)}" if count else "",
            "networks": shown,
            "views": [printable(network.name) for network in loaded.networks],
            "variables": list(_variables(loaded.networks)),
        }
    )


def page(text: str) -> str:
    """The body of the report as a web page; its style sheet is that of the playground."""
    report = _report(_parse(text))
    # A comparison of more networks has a row for each network, and none for each layer.
    listed = report.networks if len(report.networks) <= len(FILES) else ()
    layers = sum(len(one.network.steps) for one in listed)
    if layers > MAX_LAYERS:
        return _too_long(f"{MAX_LAYERS:,} layers", f"{layers:,}")
    body = "".join(find_format("html").write(report, Style())).partition("<body>")[2]
    if len(body) > MAX_BODY:
        return _too_long(f"{MAX_BODY:,} characters", f"{len(body):,}")
    return json.dumps(body)


def _too_long(limit: str, found: str) -> str:
    note = f"The page shows reports of up to {limit}, and this one has {found}."
    return json.dumps(f"<header></header><main><p>{note} Download it instead.</p></main>")


def export(text: str, name: str) -> str:
    """The report as a file: its name and its text. The format `svg` is the first chart."""
    report = _report(_parse(text))
    stem = re.sub(r"[^\w.-]+", "-", "-".join(one.network.name for one in report.networks))[:80]
    if name == "svg":
        chart = next(report.charts(), None)
        if chart is None:
            raise UsageError("this report has no charts")
        width = GRAPH_WIDTH if isinstance(chart, GraphChart) else CHART_WIDTH
        return json.dumps({"name": f"{stem}.svg", "text": svg(chart, width=width, standalone=True)})
    form = find_format(name)
    suffix = form.suffixes[0] if form.suffixes else ".txt"
    return json.dumps({"name": f"{stem}{suffix}", "text": "".join(form.write(report, Style()))})


def keys(path: str) -> str:
    """The keys that a mapping can have, each with its meaning.

    `path` is the JSON of the keys above the mapping, 0 for an item of a list, and of the keys that
    the mapping has already: `[["layers", 0], ["conv"]]`.
    """
    above, own = json.loads(path)
    return json.dumps([{"label": key, "info": info} for key, info in _keys(above, own)])


def _parse(text: str) -> Request:
    """The request of the page. Raises UsageError for settings that no spec accepts."""
    given = json.loads(text)
    size = given.get("size")
    settings = parse_settings(given.get("set"), None)._replace(
        size=None if size is None else parse_size(size)
    )
    return Request(
        tuple(given["specs"]),
        settings._replace(if_present=settings != Settings()),
        parse_batch(given.get("batch", 1)),
        ",".join(given.get("count", ())),
        given.get("view", ""),
    )


@lru_cache(maxsize=2)
def _load(request: Request) -> Loaded:
    networks: list[Network] = []
    problems: list[tuple[Problem, ...]] = []
    for file, text in zip(FILES, request.specs, strict=False):
        try:
            networks += load(Source(file, text), request.settings)
            problems.append(())
        except SpecError as error:
            problems.append(tuple(error.problems))
    return Loaded(tuple(networks), tuple(problems))


@lru_cache(maxsize=2)
def _report(request: Request) -> Any:
    """An analysis of one network, or a comparison of several. Raises UsageError if a spec has
    problems."""
    networks, problems = _load(request)
    if any(problems):
        raise UsageError("correct the problems of the spec first")
    chosen = [one for one in networks if printable(one.name) == request.view] or networks
    counted = find_conventions(request.conventions) if request.conventions else ()
    if len(chosen) == 1:
        return analyze(chosen, Settings(), request.batch, conventions=counted)
    report = compare(chosen, Settings(), request.batch, conventions=counted)
    return report._replace(layers=len(chosen) == len(FILES))


def _formats() -> Iterator[Format]:
    return (form for form in all_formats() if form.needs != "findings")


def _problem(problem: Problem) -> dict[str, Any]:
    notes = [f"line {note.span.line}: {note.message}" for note in problem.notes]
    return {
        "code": problem.code,
        "message": printable(problem.message),
        "span": problem.span or (1, 1, 1, 1),
        "help": printable("; ".join(filter(None, (problem.help, *notes)))),
    }


# Sliders


def _variables(networks: Sequence[Network]) -> Iterator[dict[str, Any]]:
    """The variables of all networks and their input size, each with the range of its slider."""
    found = {name: value for network in networks for name, value in network.variables}
    for name, value in found.items():
        if isinstance(value, bool):
            yield {"name": name, "value": value}
        elif isinstance(value, int | Fraction):
            yield {"name": name, **_slider(value)}
    sizes = {shape.size for network in networks for _, shape in network.inputs if shape.size}
    if sizes and all(len(set(size)) == 1 for size in sizes):
        yield {"name": "input size", **_slider(max(size[0] for size in sizes)), "of": "input"}


def _slider(value: int | Fraction) -> dict[str, str]:
    """A slider from near 0 to some times the value. A decimal has steps of a twentieth."""
    if isinstance(value, int):
        least, most, step = min(1, value), max(MAX_SLIDER * value, 8), 1
        return {"value": str(value), "min": str(least), "max": str(most), "step": str(step)}
    most = MAX_SLIDER * max(1, round(value))
    return {"value": str(float(value)), "min": "0.05", "max": str(most), "step": "0.05"}


# Completion


@cache
def _schema() -> dict[str, Any]:
    return named_schema("spec")


def _keys(above: Sequence[str | int], own: Sequence[str]) -> Iterator[tuple[str, str]]:
    definitions = _schema()["$defs"]
    if above and above[-1] == 0 and above[0] in ("layers", "blocks"):
        kind = next((definitions[f"kind_{key}"] for key in own if f"kind_{key}" in definitions), {})
        if kind:
            yield from _properties([kind])
            return
        yield from _properties([definitions["kinds"]])
        yield from _properties([{"properties": _common_keys(definitions)}])
        return
    schemas = [_schema()]
    for step in above:
        schemas = [below for schema in schemas for below in _below(schema, step)]
    yield from _properties(schemas)


def _common_keys(definitions: dict[str, Any]) -> dict[str, Any]:
    named = {key: value for key, value in definitions.items() if key.startswith("key_")}
    return {key.removeprefix("key_"): value for key, value in named.items()}


def _below(schema: Any, step: str | int) -> Iterator[Any]:
    """The schemas of a value inside a mapping or a list."""
    for one in _alternatives(schema):
        if step == 0:
            yield one.get("items", {})
        elif step in one.get("properties", {}):
            yield one["properties"][step]
        else:
            yield one.get("additionalProperties", {})


def _properties(schemas: Sequence[Any]) -> Iterator[tuple[str, str]]:
    found: dict[str, str] = {}
    for schema in schemas:
        for one in _alternatives(schema):
            for key, value in one.get("properties", {}).items():
                texts = [
                    each["description"] for each in _alternatives(value) if "description" in each
                ]
                found.setdefault(key, next(iter(texts), ""))
    yield from found.items()


def _alternatives(schema: Any) -> Iterator[dict[str, Any]]:
    """A schema and those that it refers to."""
    if not isinstance(schema, dict):
        return
    yield schema
    if "$ref" in schema:
        yield from _alternatives(_schema()["$defs"][schema["$ref"].rpartition("/")[2]])
    for other in schema.get("anyOf", ()):
        yield from _alternatives(other)
