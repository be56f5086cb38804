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
}


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
    """Everything that is wrong with one source, in the order of its lines."""

    def __init__(self, source: Source, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.source = source
        self.problems = sorted(
            dict.fromkeys(problems), key=lambda problem: problem.place or (0, 0, 0, 0)
        )


class UsageError(Exception):
    """A request that no spec is to blame for: a missing file, an unknown name."""
