"""Which points and columns of a sweep are asked for; what only layers have is refused."""

from typing import Any

from convcost.costs import MEASURES
from convcost.errors import UsageError
from convcost.names import did_you_mean
from convcost.questions.columns import COLUMNS as OF_LAYERS
from convcost.questions.columns import Layout
from convcost.questions.sweep import COLUMNS, View
from convcost.report import printable


def refuse_layers(options: dict[str, Any]) -> None:
    """Raises UsageError if an option is given that speaks of layers."""
    for option, given in options.items():
        if given is not None:
            raise UsageError(f"{option} is about layers; a sweep has one row for each point")


def view(columns: str | None, sort: str | None, top: int | None, layout: Layout) -> View:
    """The options of analyze, as a sweep has them. Raises UsageError."""
    if sort is not None and sort not in MEASURES:
        if sort in ("path", "layer"):
            raise UsageError(f"a sweep is sorted by {', '.join(MEASURES)}, not by {sort}")
        hint = did_you_mean(sort, MEASURES)
        raise UsageError(f"cannot sort by `{printable(sort)}`; {hint}")
    return View(None if columns is None else _columns(columns), sort, top, layout)


def _columns(text: str) -> tuple[str, ...]:
    if text == "all":
        return COLUMNS
    chosen = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in chosen:
        if name in OF_LAYERS and name not in COLUMNS:
            raise UsageError(f"a sweep has no column `{name}`, only {', '.join(COLUMNS)}")
        if name not in COLUMNS:
            hint = did_you_mean(name, COLUMNS)
            raise UsageError(f"there is no column `{printable(name)}`; {hint}")
    if not chosen:
        raise UsageError(f"--columns names none of {', '.join(COLUMNS)}")
    return chosen
