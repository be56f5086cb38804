"""JSON: one record a line, integers exact, ASCII only, so that no terminal obeys it."""

from collections.abc import Iterator
from json import JSONEncoder
from typing import Any

from convcost.report import Report, Style, format  # noqa: A004



@format("json", "for programs: versioned, every integer exact", ".json")
def render(report: Report, style: Style) -> Iterator[str]:
    encode = JSONEncoder(allow_nan=False, check_circular=False).encode
    yield from _lines(report.tree(), "", encode)
    yield "\n"


def _lines(value: Any, indent: str, encode: Any) -> Iterator[str]:
    """Mappings and lists that hold others are spread over lines, the innermost stay on one."""
    deeper = indent + "  "
    if isinstance(value, dict) and any(map(_holds_records, value.values())):
        yield "{"
        comma = "\n"
        for key, item in value.items():
            yield f"{comma}{deeper}{encode(key)}: "
            yield from _lines(item, deeper, encode)
            comma = ",\n"
        yield f"\n{indent}}}"
    elif _holds_records(value):
        yield "["
        comma = "\n"
        for item in value:
            yield f"{comma}{deeper}"
            yield from _lines(item, deeper, encode)
            comma = ",\n"
        yield f"\n{indent}]"
    else:
        yield encode(value)


def _holds_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)
