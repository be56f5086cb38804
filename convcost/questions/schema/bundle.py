"""The schemas of reports, one or all in one."""

from typing import Any

from convcost.questions.schema.spec import DIALECT
from convcost.questions.schema.values import Schema


def bundle(schemas: dict[str, Schema]) -> Schema:
    """One schema for all reports: exactly the one that a report's own `schema` names."""
    return {
        "$schema": DIALECT,
        "title": "convcost report",
        "description": "Any JSON report of convcost; `schema` says which.",
        "oneOf": [{"$ref": f"#/$defs/{_pointer(name)}"} for name in schemas],
        "$defs": {name: _within(name, schema) for name, schema in schemas.items()},
    }


def _pointer(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _within(name: str, schema: Any) -> Any:
    """A schema as a part of another: what it refers to in itself stands deeper there."""
    if isinstance(schema, list):
        return [_within(name, item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: value.replace("#/", f"#/$defs/{_pointer(name)}/")
        if key == "$ref"
        else _within(name, value)
        for key, value in schema.items()
        if key != "$schema"
    }
