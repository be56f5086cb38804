"""Places, problems and the two exceptions: what a leaf refuses, and what a user is shown.

A leaf (a kind, an expression, a number) raises `Refusal` with the bare fact. Whoever holds the
place turns it into a `Problem`. All problems of a spec travel together in one `SpecError`.
"""

from typing import NamedTuple

# Codes are stable: never reused, never given another meaning.
CODES = {
    "CC001": "the file cannot be read as UTF-8 text",
    "CC002": "the text is not YAML",
    "CC003": "a key is written twice",
    "CC004": "nesting, aliases or tags go beyond what a spec needs",
    "CC005": "the file holds no spec",
    "CC101": "a key is unknown here",
    "CC102": "a kind or block is unknown",
    "CC103": "something required is missing",
    "CC104": "a value has the wrong type or range",
    "CC105": "an expression cannot be read",
    "CC106": "an expression has no exact value",
    "CC107": "a name is not allowed, or taken",
    "CC108": "a reference names nothing that can be taken here",
    "CC109": "a block calls itself",
    "CC110": "the network has too many layers",
    "CC111": "a layer names no kind, or more than one",
    "CC112": "a published figure or a budget has the wrong form",
    "CC113": "a variable or document asked for does not exist",
    "CC201": "a budget's max is exceeded",
    "CC202": "a budget's min is not reached",
    "CC203": "a measure grew more than a budget lets it",
    "CC204": "a budget's warning is reached",
    "CC301": "a window does not fit its input",
    "CC302": "channels do not divide",
    "CC303": "inputs of a join do not agree",
    "CC304": "the input has the wrong form for this kind",
    "CC305": "a size is beyond what is counted",
    "CC306": "shared weights do not fit",
    "CC401": "a model cannot be read as asked",
    "CC402": "a layer does not come to the model's own shape",
    "CC403": "a layer does not come to the params that the model holds for it",
    "CC404": "a model's file is damaged, or not what it says",
    "CC405": "a dimension of the model must be given",
}


LONGEST_VALUE = 60  # characters of a value in a message


class Place(NamedTuple):
    """A stretch of a source, 1-based, in code points; the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class Note(NamedTuple):
    """A second place that explains a problem: who made the shape, who took the name."""

    message: str
    place: Place


class Problem(NamedTuple):
    """One thing a user has to mend.

    `message` stands alone; `help` may propose a fix; `place` is None where no line is to blame.
    """

    code: str
    message: str
    place: Place | None = None
    notes: tuple[Note, ...] = ()
    help: str = ""


class Source(NamedTuple):
    """A text and the name it goes by in messages."""

    name: str
    text: str


class Refusal(Exception):  # noqa: N818  it is a fact, not yet an error: it has no place
    """A leaf's bare fact: `kernel 7 is larger than the padded input 5`."""

    def __init__(self, code: str, message: str, help: str = "") -> None:  # noqa: A002
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help


class SpecError(Exception):
    """Everything that is wrong with one source, in the order of its lines: `problems`.

    As text, one problem a line: `net.yaml:3:5: error[CC101]: conv has no option `kernal``, and
    below it what may help.
    """

    def __init__(self, source: Source, problems: list[Problem]) -> None:
        super().__init__(source, problems)
        self.source = source
        self.problems = sorted(
            dict.fromkeys(problems), key=lambda problem: problem.place or (0, 0, 0, 0)
        )

    def __str__(self) -> str:
        return "\n".join(_told(self.source.name, problem) for problem in self.problems)


class UsageError(Exception):
    """A request that no spec is to blame for: a missing file, an unknown name."""


def _told(file: str, problem: Problem) -> str:
    place = problem.place
    where = f"{file}:{place.line}:{place.column}" if place else file
    help_ = f"\n  help: {printable(problem.help)}" if problem.help else ""
    return f"{printable(where)}: error[{problem.code}]: {printable(problem.message)}{help_}"


def printable(text: str) -> str:
    """Text without a character that a terminal obeys or hides: each becomes its escape.

    Control, format (bidi marks, zero widths), surrogate and private characters and line and
    paragraph separators go; a letter with accents stays.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    code = ord(character)
    if code < 0x100:  # noqa: PLR2004  two hex digits
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004


def brief(value: object) -> str:
    """A value of Python as a message shows it: in a few words, whatever it is."""
    try:
        text = repr(value)
    except ValueError:  # an int of more digits than Python writes
        text = f"a very long {type(value).__name__}"
    return printable(text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…")
