"""Collects the problems of a source while the source is read."""

from collections.abc import Iterable

from convcost.language.yaml_nodes import Node, nodes_in, repeated_entries
from convcost.model.errors import ConstraintError, Note, Problem
from convcost.model.network import HasSpan

MAX_CALL_NOTES = 3  # calls of blocks around a problem
MAX_REPEATED = 100_000  # entries of a document


class AliasLimitError(Exception):
    """Stops the reading of a document, which then has a problem: see `report_repeated`."""


class Problems(list[Problem]):
    """Problems, in the order found. `calls` are the calls of blocks that are being expanded: a
    problem inside them has a note for each of the innermost three.

    A problem of a block is kept for its first call only. `total` counts those of further calls too.
    """

    def __init__(self, problems: Iterable[Problem] = ()) -> None:
        super().__init__(problems)
        self.calls: list[HasSpan] = []
        self.total = len(self)
        self._in_calls: set[tuple[object, ...]] = set()
        self.start_document()

    def start_document(self) -> None:
        """Starts the count of the entries that aliases repeat."""
        self._lists_read = set[int]()
        self._repeated = 0

    def count_read(self, node: Node) -> None:
        """Limits the entries of lists and mappings that aliases repeat. Raises AliasLimitError."""
        if id(node) not in self._lists_read:
            self._lists_read.add(id(node))
            return
        self._repeated += len(nodes_in(node))
        if self._repeated > MAX_REPEATED:
            raise AliasLimitError

    def report_repeated(self, node: Node) -> None:
        """Adds the problem of a document in which aliases repeat too many entries."""
        message = f"aliases repeat more than {MAX_REPEATED:,} entries in this document"
        self.add("CC004", message, node)

    def refuse_repeated(self, node: Node, read: Iterable[Node]) -> bool:
        """Whether aliases repeat too many entries in the parts of a document that are read; adds a
        problem if so."""
        if repeated_entries(read, MAX_REPEATED) <= MAX_REPEATED:
            return False
        self.report_repeated(node)
        return True

    def append(self, problem: Problem) -> None:
        """Adds a problem, unless an earlier call of the same block has added it."""
        self.total += 1
        if self.calls:
            key = (problem.code, problem.message, problem.span)
            if key in self._in_calls:
                return
            self._in_calls.add(key)
        super().append(problem)

    def add(
        self,
        code: str,
        message: str,
        at: HasSpan | None = None,
        help: str = "",  # noqa: A002
        *notes: Note,
    ) -> None:
        """Adds a problem at a span, with a note for each of the innermost calls of blocks."""
        inner = self.calls[: -MAX_CALL_NOTES - 1 : -1]
        called = [Note("in this call", call.span) for call in inner]
        span = None if at is None else at.span
        self.append(Problem(code, message, span, (*notes, *called), help))

    def refuse(self, at: HasSpan, error: ConstraintError, subject: str = "") -> None:
        """Adds the problem of a ConstraintError; its message begins with `subject`."""
        self.add(error.code, f"{subject} {error.message}".lstrip(), at, error.help)
