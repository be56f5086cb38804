"""SARIF 2.1.0, for code scanning: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html

What passed, if it is told, is of the kind `pass` (3.27.9); statements are notifications (3.58).
"""

from collections.abc import Iterator
from typing import Any

from convcost import __version__
from convcost.errors import CODES, Place
from convcost.finding_places import Placed, told
from convcost.finding_text import headed
from convcost.findings import Findings
from convcost.report import Style, format, printable  # noqa: A004

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
LEVELS = {"error": "error", "warning": "warning", "skipped": "note", "passed": "none"}
RULES = [code for code in CODES if code.startswith("CC2")]
LITERAL = str.maketrans({"{": "{{", "}": "}}", "[": r"\[", "]": r"\]"})
HELP = "A limit stands in the budget of a spec, in convcost.yaml or on the command line."


@format("sarif", "SARIF 2.1.0, for code scanning", ".sarif", needs="findings")
def render(report: Findings, style: Style) -> Iterator[str]:
    from json import dumps

    run = {
        "tool": {"driver": _driver()},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    {"level": "note", "message": _message(text)} for text in report.statements
                ],
            }
        ],
        "results": [_result(one) for one in told(report, style.root)],
    }
    yield f"{dumps({'$schema': SCHEMA, 'version': '2.1.0', 'runs': [run]}, indent=2)}\n"


def _driver() -> dict[str, Any]:
    rules = [
        {
            "id": code,
            "shortDescription": _message(CODES[code]),
            "fullDescription": _message(CODES[code]),
            "help": _message(HELP),
        }
        for code in RULES
    ]
    return {"name": "convcost", "semanticVersion": __version__, "rules": rules}


def _result(one: Placed) -> dict[str, Any]:
    finding, path, place, fingerprint = one
    location: dict[str, Any] = {"artifactLocation": {"uri": _uri(path)}}
    if place:
        location["region"] = _region(place)
    return {
        "ruleId": finding.code,
        "ruleIndex": RULES.index(finding.code),
        "kind": "pass" if finding.level == "passed" else "fail",
        "level": LEVELS[finding.level],
        "message": _message(headed(finding, path)),
        "locations": [{"physicalLocation": location}],
        # The second is the one by which GitHub knows a finding again.
        "partialFingerprints": {
            "convcost/v1": fingerprint,
            "primaryLocationLineHash": fingerprint,
        },
    }


def _message(text: str) -> dict[str, str]:
    """Text in which nothing is a placeholder (3.11.5) or a link (3.11.6)."""
    return {"text": printable(text).translate(LITERAL)}


def _region(place: Place) -> dict[str, int]:
    """Both are 1-based, with an end that is exclusive (3.30)."""
    return {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    }


def _uri(path: str) -> str:
    """Relative and percent-encoded; of a file outside of the root, absolute."""
    from os import fsencode
    from pathlib import PurePath
    from urllib.parse import quote

    file = PurePath(path)
    return file.as_uri() if file.is_absolute() else quote(fsencode(path))
