"""The problem for each syntax error of PyYAML: its message, with a fix.

PyYAML has two loaders, libyaml's and one in Python. Each pattern of the table matches
the messages of both.
"""

import re
from typing import Any

import yaml

from convcost.model.errors import Note, Problem, Span

FORBIDDEN = re.compile(
    "[^\\x09\\x0A\\x0D\\x20-\\x7E\\x85\\xA0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)

MAX_LINE = 100  # characters of a line that a help text quotes

# A pattern of PyYAML's message, and the fix.
HELPS = {
    r"',' or '": "a `{` or `[` is not closed, or a comma is missing",
    r"mapping values|sequence entries|expected key|block end|'-' indicator": (
        "align the line with the lines above it; quote a text that contains `: `"
    ),
    r"character.* (cannot start|violate)": "indent with spaces, not tabs; put text in quotes",
    r"(expected|unexpected) ':'": "write `key: value`, on one line, with a space after the `:`",
    r"escape|hexdec|surrogate|chr\(": (
        "write the character itself, or an escape of YAML, such as `\\x41`, `\\u00e9` or "
        "`\\U0001f600`; write `\\\\` for a backslash, or use single quotes"
    ),
    r"quoted scalar": "add the closing quote; write `\\\\` for a backslash, or use single quotes",
    r"document start": "a document must be one mapping; separate documents by a line `---`",
}


def forbidden_character(text: str) -> Problem | None:
    """The first character that YAML does not allow: both loaders would stop at it."""
    match = FORBIDDEN.search(text)
    if match is None:
        return None
    return Problem(
        "CC002",
        f"the character U+{ord(match[0]):04X} is not allowed in YAML",
        _span(text, match.start()),
        help='write it as an escape in double quotes, such as "\\e"',
    )


def library_problem(text: str, error: Exception, loader: Any) -> Problem:
    """The problem that an exception of PyYAML means."""
    reason = str(getattr(error, "problem", None) or error)
    context = getattr(error, "context", None) or ""
    start = getattr(error, "context_mark", None)
    mark = getattr(error, "problem_mark", None) or start or loader.get_mark()
    if reason.startswith("could not find"):  # the mark is at the next token, after the key
        mark, start = start, None
    words = f"{reason} {context}"
    help_ = next((text for pattern, text in HELPS.items() if re.search(pattern, words)), "")
    message = reason.removeprefix("did not find ").partition(", but")[0].replace("'", "`")
    span = _span(text, mark.index)
    if text[mark.index : mark.index + 1] == "\t":
        message, help_ = "a tab cannot indent", "indent with spaces"
    elif "mapping values" in reason:
        help_ = _braces(text, mark.index) or help_
    notes: tuple[Note, ...] = ()
    if start is not None and start.line + 1 != span.line:
        notes = (Note("it begins here", _span(text, start.index)),)
    return Problem("CC002", f"not YAML: {message}", span, notes, help_)


def _braces(text: str, index: int) -> str:
    """Help for `- conv: 64, kernel: 3`: several keys on one line need braces."""
    line = text[text.rfind("\n", 0, index) + 1 :].split("\n", 1)[0]
    if len(line) > MAX_LINE:
        return ""
    match = re.fullmatch(r"\s*(- )?\s*([\w.-]+): +([^{}#]*?)\s*(#.*)?", line.rstrip("\r"))
    if match is None:
        return ""
    dash, key, rest, _ = match.groups()
    has_mapping_value = "," not in rest.partition(": ")[0]  # `input: channels: 3, size: 32`
    inside = f"{key}: {{{rest}}}" if has_mapping_value else f"{{{key}: {rest}}}"
    return f"write `{dash or ''}{inside}`, or quote a text that contains `: `"


def _span(text: str, index: int) -> Span:
    """The line and column of a character of a text."""
    lines = f"{text[:index]}.".splitlines()
    return Span(len(lines), len(lines[-1]), len(lines), len(lines[-1]) + 1)


class PythonLoader(yaml.SafeLoader):
    r"""The loader in Python, which also refuses `"\ud800"`, half of a surrogate pair."""

    def get_event(self) -> Any:
        event: Any = super().get_event()  # type: ignore[no-untyped-call]
        mark: Any = event and event.start_mark
        if type(event) is yaml.ScalarEvent and FORBIDDEN.search(event.value):
            raise yaml.scanner.ScannerError(
                "while parsing a quoted scalar", mark, "found half of a surrogate pair", mark
            )  # fmt: skip
        return event
