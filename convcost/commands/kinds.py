"""`kinds`: the kinds of layers that the language knows."""

from convcost.model.errors import UsageError
from convcost.model.kind import KINDS
from convcost.model.suggestions import did_you_mean
from convcost.reports.kinds import Kinds


def kinds(name: str | None = None) -> Kinds:
    """All kinds, or the one of that name. Raises UsageError if there is none."""
    if name is not None and KINDS.get(name) is None:
        hint = did_you_mean(name, KINDS.names())
        raise UsageError(f"there is no kind `{name}`; {hint or '`convcost kinds` lists them'}")
    return Kinds(name)
