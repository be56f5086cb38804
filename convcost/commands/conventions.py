"""`conventions`: the counting conventions."""

from convcost.conventions import CONVENTIONS, find_convention
from convcost.reports.conventions import Conventions


def conventions(name: str | None = None) -> Conventions:
    """All conventions, or the one of that name with its rules.

    Raises UsageError if there is none of that name.
    """
    if name is not None:
        return Conventions((find_convention(name),), explained=True)
    return Conventions(tuple(convention for _, convention in CONVENTIONS.items()))
