"""Collects the problems of a source while the source is read."""

from collections.abc import Iterable

from convcost.model.errors import ConstraintError, Note, Problem
from convcost.model.network import HasSpan

MAX_CALL_NOTES = 3


class Problems(list[Problem]):
    """Problems, in the order found. `calls` are the calls of blocks that are being expanded: a
    problem inside them has a note for each of the innermost three.

    A problem of a block is kept for its first call only. `found` counts those of further calls too.
    """

    def __init__(self, problems: Iterable[Problem] = ()) -> None:
        super().__init__(problems)
        self.calls: list[HasSpan] = []
        self.found = len(self)
        self._in_calls: set[tuple[object, ...]] = set()

    def append(self, problem: Problem) -> None:
        """Adds a problem, unless an earlier call of the same block has added it."""
        self.found += 1
        if self.calls:
            key = (problem.code, problem.message, problem.place)
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
        """Adds a problem at a place, with a note for each of the innermost calls of blocks."""
        inner = self.calls[: -MAX_CALL_NOTES - 1 : -1]
        called = [Note("in this call", call.place) for call in inner]
        place = None if at is None else at.place
        self.append(Problem(code, message, place, (*notes, *called), help))

    def refuse(self, at: HasSpan, error: ConstraintError, subject: str = "") -> None:
        """Adds the problem of a ConstraintError; its message begins with `subject`."""
        self.add(error.code, f"{subject} {error.message}".lstrip(), at, error.help)
