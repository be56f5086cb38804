"""Spans, problems and exceptions.

A kind, an expression or a number raises `ConstraintError`, which has no position. The language adds
the span and makes it a `Problem`. One `SpecError` has all problems of a spec.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from convcost.model.record import NamedTuple

# Codes are stable: never reused, never given another meaning.
CODES = {
    "CC001": "the file cannot be read as UTF-8 text",
    "CC002": "the text is not YAML",
    "CC003": "a key is written twice",
    "CC004": "too much nesting, too many aliases, or a tag",
    "CC005": "the file contains no spec",
    "CC101": "a key is unknown here",
    "CC102": "a kind or block is unknown",
    "CC103": "something required is missing",
    "CC104": "a value has the wrong type or range",
    "CC105": "an expression cannot be read",
    "CC106": "an expression has no exact value",
    "CC107": "a name is not allowed, or already used",
    "CC108": "a reference names no layer that can be used here",
    "CC109": "a block calls itself",
    "CC110": "the network has too many layers",
    "CC111": "a layer has no kind, or more than one",
    "CC112": "a published figure or a budget has the wrong form",
    "CC113": "a requested variable or document does not exist",
    "CC201": "a budget's max is exceeded",
    "CC202": "a budget's min is not reached",
    "CC203": "a measure grew more than a budget allows",
    "CC204": "a budget's warning is reached",
    "CC301": "a window does not fit its input",
    "CC302": "channels or sizes are not divisible",
    "CC303": "the inputs of a join do not fit together",
    "CC304": "the input has the wrong form for this kind",
    "CC305": "a number is too large to be counted",
    "CC306": "shared weights do not fit",
    "CC401": "a model cannot be read with these options",
    "CC402": "a layer has another shape than in the model",
    "CC403": "a layer has other params than in the model",
    "CC404": "a model's file is damaged, or has another format",
    "CC405": "a dimension of the model must be given",
}

ASCII = str.maketrans({
    "×": "x", "→": "->", "…": "...", "−": "-", "·": "*", "Φ": "Phi",
    "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")",
})  # fmt: skip
MAX_VALUE = 60  # characters of a value in a message
# Characters that Python calls printable, and of which nothing is seen: those that Unicode lets a
# program ignore (Default_Ignorable_Code_Point), the empty braille pattern, note head and
# hieroglyphs, and the Khitan filler.
INVISIBLE = frozenset(
    chr(code)
    for codes in (
        (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
        (0x1D159, 0x13441, 0x13442, 0x16FE4),
        range(0x180B, 0x1810),
        range(0xFE00, 0xFE10),
        range(0xE0100, 0xE01F0),
    )
    for code in codes
)


class Span(NamedTuple):
    """A span of a source: lines and columns from 1, in code points; the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class Note(NamedTuple):
    """A second span that explains a problem, such as the first use of a name."""

    message: str
    span: Span


class Problem(NamedTuple):
    """One error in a spec: what was found and expected, and in `help` a fix.

    `span` is None if no line is the cause.
    """

    code: str
    message: str
    span: Span | None = None
    notes: tuple[Note, ...] = ()
    help: str = ""


class Source(NamedTuple):
    """A text and its name in messages. `notes` are those of the model that the text is made of."""

    name: str
    text: str
    notes: tuple[str, ...] = ()


class ConstraintError(Exception):
    """A value that is not allowed here: `kernel 7 is larger than the padded input 5`."""

    def __init__(self, code: str, message: str, help: str = "") -> None:  # noqa: A002
        super().__init__(printable(message))
        self.code = code
        self.message = message
        self.help = help


class SpecError(Exception):
    """All problems of one source, sorted by line, in `problems`.

    As text, each problem is one line with its help below: `net.yaml:3:5: error[CC101]: conv has no
    option `kernal``.
    """

    def __init__(self, source: Source, problems: list[Problem]) -> None:
        super().__init__(source, problems)
        self.source = source
        self.problems = sorted(
            dict.fromkeys(problems), key=lambda problem: problem.span or (0, 0, 0, 0)
        )

    def __str__(self) -> str:
        return "\n".join(_problem_text(self.source.name, problem) for problem in self.problems)


class UsageError(Exception):
    """An error in the call, not in a spec: a missing file, an unknown name.

    A message has one or more lines, each its own argument; `help` becomes the last line. A line
    break inside an argument is text from outside, so it is escaped like every control character.
    """

    def __init__(self, *lines: str, help: str = "") -> None:  # noqa: A002
        lines = (*lines, f"help: {help}") if help else lines
        super().__init__(*map(printable, lines))

    def __str__(self) -> str:
        return "\n".join(self.args)


@contextmanager
def usage_errors(subject: str = "", help: str = "") -> Iterator[None]:  # noqa: A002
    """Raises a ConstraintError as a UsageError, whose message begins with `subject`. `help` is for
    an error that has none."""
    try:
        yield
    except ConstraintError as error:
        raise UsageError(f"{subject}{error.message}", help=error.help or help) from None


def required_package(message: str, extra: str, *modules: str) -> Any:
    """The first of the modules of a package that an extra of convcost installs. Raises UsageError
    with the message, which says what needs it, if the package is not installed."""
    from importlib import import_module

    try:
        package, *_ = map(import_module, modules)
    except ImportError:
        hint = f"install it: pip install 'convcost[{extra}]'"
        raise UsageError(message, help=hint) from None
    return package


class DefinitionError(ValueError):
    """A definition of a kind, a format or a convention that is not valid, in words for its author.

    If it is in a plug-in, the registry adds the file and raises a UsageError.
    """


def _problem_text(file: str, problem: Problem) -> str:
    span = problem.span
    where = f"{file}:{span.line}:{span.column}" if span else file
    help_ = f"\n  help: {printable(problem.help)}" if problem.help else ""
    return f"{printable(where)}: error[{problem.code}]: {printable(problem.message)}{help_}"


def printable(text: str) -> str:
    """Text with everything that a terminal or a CI log does not show as text replaced by escapes.

    Those are control, format (bidi marks, zero widths), surrogate, private and invisible
    characters, line and paragraph separators, and the beginnings of log commands: `::` at the
    start, `##[` and `##vso[` anywhere.
    """
    if not (text.isascii() and text.isprintable()):
        hidden = {ord(c): _escape_character(c) for c in set(text) if not is_visible(c)}
        text = text.translate(hidden) if hidden else text
    return _without_commands(text) if "::" in text or "##" in text else text


def encodable(text: str, encoding: str) -> str:
    """Text in words and escapes that an encoding without Unicode has."""
    return text.translate(ASCII).encode(encoding, "backslashreplace").decode(encoding)


def is_visible(character: str) -> bool:
    """Whether a terminal shows a character; no space except ` ` is visible."""
    return character.isprintable() and character not in INVISIBLE


def _without_commands(text: str) -> str:
    """A line that no CI server reads as a command: a sign of each command is escaped. GitHub also
    accepts spaces before `::`; GitHub and Azure Pipelines find `##name[` anywhere in a line."""
    from re import sub

    return sub(r"#(?=#\w*\[)", r"\\x23", sub(r"^( *):(?=:)", r"\1\\x3a", text))


def _escape_character(character: str) -> str:
    code = ord(character)
    if code < 0x100:  # noqa: PLR2004  two hex digits
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004


def brief(value: object) -> str:
    """A Python value in a message, truncated to MAX_VALUE characters."""
    try:
        text = repr(value)
    except ValueError:  # an int of more digits than Python writes
        text = f"a very long {type(value).__name__}"
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"
