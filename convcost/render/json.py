"""JSON: one record a line, integers exact, ASCII only, so that no terminal obeys it."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from convcost.report import ROWS, Report, Style, format  # noqa: A004

PLAIN = frozenset((int, str, bool))


@format("json", "for programs: versioned, every integer exact", ".json")
def render(report: Report, style: Style) -> Iterator[str]:
    yield from _lines(report.tree(), "")
    yield "\n"


def _lines(value: Any, indent: str) -> Iterator[str]:
    """What holds records is spread over lines, a record that holds none stays on one."""
    deeper = indent + "  "
    if isinstance(value, list) and value and _is_record(value[0]):
        if type(value[0]) is not dict and not any(map(_spreads, value[0])):
            yield f"[\n{deeper}"
            yield from _rows(value, f",\n{deeper}")
            yield f"\n{indent}]"
            return
        yield "["
        for number, item in enumerate(value):
            yield f"{',' if number else ''}\n{deeper}"
            yield from _lines(item, deeper)
        yield f"\n{indent}]"
    elif _is_record(value) and any(map(_spreads, _fields(value).values())):
        yield "{"
        for number, (key, item) in enumerate(_fields(value).items()):
            yield f"{',' if number else ''}\n{deeper}{_encode(key)}: "
            yield from _lines(item, deeper)
        yield f"\n{indent}}}"
    else:
        yield _encode(_bare(value))


def _rows(records: list[Any], between: str) -> Iterator[str]:
    """Records of one class, by far the most of a report: a template, and no value encoded twice."""
    from json.encoder import encode_basestring_ascii

    keys = ", ".join(f"{_encode(key)}: %s" for key in records[0]._fields)
    template = f"{{{keys}}}"
    # By identity: shapes are shared by many records, and all of them outlive this function.
    known: dict[int, str] = {}

    def text(value: Any) -> str:
        if type(value) is str:
            return encode_basestring_ascii(value)
        found = known.get(id(value))
        if found is None:
            found = known[id(value)] = _encode(_bare(value))
        return found

    lines: list[str] = []
    for record in records:
        cells = tuple([value if type(value) is int else text(value) for value in record])
        lines.append(template % cells)
        if len(lines) == ROWS:
            yield between.join(lines)
            lines = [""]
    if lines != [""]:
        yield between.join(lines)


@cache
def _encoder() -> Callable[[Any], str]:
    """One for all: `json.dumps` makes a new one for every value that is not written by default."""
    from json import JSONEncoder

    return JSONEncoder(allow_nan=False, check_circular=False).encode


def _encode(value: Any) -> str:
    return _encoder()(value)


def _is_record(value: Any) -> bool:
    return isinstance(value, dict) or hasattr(value, "_fields")


def _spreads(value: Any) -> bool:
    """Whether a value is a list of records, somewhere."""
    if isinstance(value, list):
        return bool(value) and _is_record(value[0])
    return _is_record(value) and any(map(_spreads, _fields(value).values()))


def _fields(record: Any) -> dict[str, Any]:
    return record if isinstance(record, dict) else record._asdict()


def _bare(value: Any) -> Any:
    """Records as mappings, all the way in; what holds only numbers and text is as it is."""
    if _is_record(value):
        return {key: _bare(item) for key, item in _fields(value).items()}
    if isinstance(value, list | tuple) and not all(type(item) in PLAIN for item in value):
        return [_bare(item) for item in value]
    return value
