"""SARIF 2.1.0, for code scanning: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html

A finding that passed has the kind `pass` (3.27.9); statements are notifications (3.58).
"""

from collections.abc import Iterator
from json import dumps
from os import fsencode
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from convcost import __version__
from convcost.model.errors import CODES, printable
from convcost.render import Style, format  # noqa: A004
from convcost.reports.check.finding import CheckResult
from convcost.reports.check.finding_location import LocatedFinding, locate_reported
from convcost.reports.check.finding_text import labeled_line

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
LEVELS = {"error": "error", "warning": "warning", "skipped": "note", "passed": "none"}
RULES = [code for code in CODES if code.startswith("CC2")]
LITERAL = str.maketrans({"{": "{{", "}": "}}", "[": r"\[", "]": r"\]"})
HELP = "A limit is in the budget of a spec, in convcost.yaml or on the command line."


@format("sarif", "SARIF 2.1.0, for code scanning", ".sarif", needs="findings")
def render(result: CheckResult, style: Style) -> Iterator[str]:
    rules = [
        {
            "id": code,
            "shortDescription": _message(CODES[code]),
            "fullDescription": _message(CODES[code]),
            "help": _message(HELP),
        }
        for code in RULES
    ]
    driver = {"name": "convcost", "semanticVersion": __version__, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    {"level": "note", "message": _message(text)} for text in result.statements
                ],
            }
        ],
        "results": [_result(located) for located in locate_reported(result, style.root)],
    }
    yield f"{dumps({'$schema': SCHEMA, 'version': '2.1.0', 'runs': [run]}, indent=2)}\n"


def _result(located: LocatedFinding) -> dict[str, Any]:
    finding, path, span, fingerprint = located
    location: dict[str, Any] = {"artifactLocation": {"uri": _uri(path)}}
    if span:
        location["region"] = {  # lines and columns from 1, with an exclusive end (3.30)
            "startLine": span.line,
            "startColumn": span.column,
            "endLine": span.end_line,
            "endColumn": span.end_column,
        }
    return {
        "ruleId": finding.code,
        "ruleIndex": RULES.index(finding.code),
        "kind": "pass" if finding.level == "passed" else "fail",
        "level": LEVELS[finding.level],
        "message": _message(labeled_line(finding, path)),
        "locations": [{"physicalLocation": location}],
        # GitHub identifies a finding by the second one.
        "partialFingerprints": {"convcost/v1": fingerprint, "primaryLocationLineHash": fingerprint},
    }


def _message(text: str) -> dict[str, str]:
    """Text without placeholders (3.11.5) and links (3.11.6)."""
    return {"text": printable(text).translate(LITERAL)}


def _uri(path: str) -> str:
    """Relative and percent-encoded; absolute for a file outside of the root."""
    file = PurePath(path)
    return file.as_uri() if file.is_absolute() else quote(fsencode(path))
