"""The JSON Schemas by name: `spec`, each JSON report, and `report` for all of them in one.

In a file, the key or item `*measures` stands for every measure, `*counts` for every count of a
layer in a baseline; the value of the key is the schema of each.
"""

import json
from pathlib import Path
from typing import Any

from convcost.model.errors import UsageError
from convcost.model.measures import MEASURES, Measure
from convcost.model.suggestions import did_you_mean
from convcost.reports.check.baseline import WRITTEN
from convcost.reports.schema.spec import DIALECT, spec_schema
from convcost.reports.schema.values import Schema

NAMES = {"*measures": [*map(str, Measure)], "*counts": [*WRITTEN]}
COUNT = {"$ref": "#/$defs/count"}
FOLDER = Path(__file__).parent.parent.parent / "schemas"


def named_schema(name: str | None) -> Schema:
    """The schema of that name. Raises UsageError, with the known names, if there is none."""
    files = {f"convcost.{f.stem.replace('-', '/')}": f for f in sorted(FOLDER.glob("*.json"))}
    names = ("spec", "report", *files)
    if name == "spec":
        return spec_schema()
    if name == "report":
        return report_schema({each: _read(file) for each, file in files.items()})
    if name in files:
        return _read(files[name])
    if name is None:
        raise UsageError(f"schema needs the name of one: {', '.join(names)}")
    raise UsageError(f"there is no schema `{name}`; {did_you_mean(name, names, len(names))}")


def _read(file: Path) -> Schema:
    schema: Schema = _fill_measures(json.loads(file.read_text("utf-8")))
    return schema


def _fill_measures(part: Any) -> Any:
    """A schema with each measure in the place of `*measures`, and each count of `*counts`."""
    if isinstance(part, list):
        return [item for word in part for item in (NAMES.get(str(word)) or [_fill_measures(word)])]
    if not isinstance(part, dict):
        return part
    full_schema: Schema = {}
    for key, value in part.items():
        schema = _fill_measures(value)
        for name in NAMES.get(key, ()):
            full_schema[name] = {"description": _description(name), **(schema or COUNT)}
        if key not in NAMES:
            full_schema[key] = schema
    return full_schema


def _description(name: str) -> str:
    measure = Measure(name) if name in MEASURES else None
    if measure is None:
        return ""
    return f"{measure.meaning}, for the whole batch" if measure.per_sample else measure.meaning


def report_schema(schemas: dict[str, Schema]) -> Schema:
    """One schema for all reports; a report must follow the one that its own `schema` names."""
    return {
        "$schema": DIALECT,
        "title": "convcost report",
        "description": "Any JSON report of convcost; `schema` names which.",
        "oneOf": [{"$ref": name} for name in schemas],
        # Each has an identifier, so that its own references stay inside it.
        "$defs": {name: {"$id": name, **schema} for name, schema in schemas.items()},
    }
