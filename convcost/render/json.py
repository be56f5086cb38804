"""JSON: one record on each line, exact integers, ASCII only, so that it controls no terminal.

`##[` is a command anywhere in a line of a CI log, so the second of two `#` is an escape. Half of a
surrogate pair, which stands for a byte of a file name that is not UTF-8, is printed as text: strict
parsers refuse its escape.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from json import JSONEncoder
from json.encoder import encode_basestring_ascii
from typing import Any

from convcost.render import Style, format  # noqa: A004
from convcost.reports.report import Report
from convcost.reports.table import ROWS

PLAIN = frozenset((int, str, bool))
_encode = JSONEncoder(allow_nan=False, check_circular=False).encode


@format("json", "for programs: versioned, every integer exact", ".json")
def render(report: Report, style: Style) -> Iterator[str]:
    for piece in _lines(report.tree(), ""):
        escaped = piece.replace("##", "#\\u0023")
        yield _without_halves(escaped) if "\\ud" in escaped else escaped
    yield "\n"


def _without_halves(encoded: str) -> str:
    """JSON with each escape of half of a surrogate pair as text: `n\\udcff.yaml`."""
    from re import sub

    half_or_other = r"\\(?:\\|ud[89ab]..\\ud[c-f]..|(ud[89a-f]..))"
    return sub(half_or_other, lambda m: f"\\\\{m[1]}" if m[1] else m[0], encoded)


def _lines(value: Any, indent: str) -> Iterator[str]:
    """A value that has records is on several lines; a record without records is on one line. An
    iterator is written as a list of records, and is never in memory as a whole."""
    if isinstance(value, Iterator):
        lines: Iterator[Iterable[str]] = (_lines(item, indent + "  ") for item in value)
        start, end = "[]"
    elif isinstance(value, list) and value and _is_record(value[0]):
        if type(value[0]) is not dict and not any(map(_has_records, value[0])):
            lines = ((piece,) for piece in _rows(value, f",\n{indent}  "))
        else:
            lines = (_lines(item, indent + "  ") for item in value)
        start, end = "[]"
    elif _is_record(value) and any(map(_has_records, _fields(value).values())):
        lines = (
            chain((f"{_encode(key)}: ",), _lines(item, indent + "  "))
            for key, item in _fields(value).items()
        )
        start, end = "{}"
    else:
        yield _encode(_as_json(value))
        return
    for line in lines:
        yield f"{start}\n{indent}  "
        yield from line
        start = ","
    yield f"\n{indent}{end}" if start == "," else f"{start}{end}"


def _rows(records: list[Any], separator: str) -> Iterator[str]:
    """Records of one class, which are most of a report, in pieces of `ROWS` lines.

    One template formats all of them, and equal values are encoded once.
    """
    keys = ", ".join(f"{_encode(key)}: %s" for key in records[0]._fields)
    template = f"{{{keys}}}"
    # By identity: many records share a shape, and the records outlive this function.
    text_by_id: dict[int, str] = {}

    def text(value: Any) -> str:
        if type(value) is str:
            return encode_basestring_ascii(value)
        json_text = text_by_id.get(id(value))
        if json_text is None:
            json_text = text_by_id[id(value)] = _encode(_as_json(value))
        return json_text

    rows = (template % tuple([v if type(v) is int else text(v) for v in r]) for r in records)
    while piece := separator.join(islice(rows, ROWS)):
        yield piece


def _is_record(value: Any) -> bool:
    return isinstance(value, dict) or hasattr(value, "_fields")


def _has_records(value: Any) -> bool:
    """Whether a value has a list of records at any depth."""
    if isinstance(value, Iterator):
        return True
    if isinstance(value, list):
        return bool(value) and _is_record(value[0])
    return _is_record(value) and any(map(_has_records, _fields(value).values()))


def _fields(record: Any) -> dict[str, Any]:
    return record if isinstance(record, dict) else record._asdict()


def _as_json(value: Any) -> Any:
    """Records as mappings at any depth; lists of numbers and texts are not copied."""
    if _is_record(value):
        return {key: _as_json(item) for key, item in _fields(value).items()}
    if isinstance(value, list | tuple) and not all(type(item) in PLAIN for item in value):
        return [_as_json(item) for item in value]
    return value
