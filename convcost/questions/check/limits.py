"""Limits that stand in no file: those of a command line, or of a call."""

from collections.abc import Callable
from typing import Any

from convcost.errors import Refusal, UsageError, brief
from convcost.network import Budget, Limit
from convcost.questions.check.measures import NOWHERE
from convcost.report import printable
from convcost.spec.limits import growth
from convcost.units import MOST_DIGITS, whole_figure


def limits(
    max_params: int | str | None, max_macs: int | str | None, max_growth: int | str | None
) -> Budget | None:
    """A budget of counts, as numbers or like `4.3M`, and of growth like `2%`. Raises UsageError."""
    if max_params is None and max_macs is None and max_growth is None:
        return None
    grow = _read("max_growth", max_growth, growth)
    total = (
        Limit(measure, NOWHERE, max=_read(f"max_{measure}", most, whole_figure), grow=grow)
        for measure, most in (("params", max_params), ("macs", max_macs))
        if most is not None or grow is not None
    )
    return Budget(total=tuple(total))


def _read(name: str, value: Any, parse: Callable[[str], Any]) -> Any:
    if value is None:
        return None
    if type(value) is int and abs(value) >= 10**MOST_DIGITS:
        raise UsageError(f"{name} has more than {MOST_DIGITS} digits: nothing counts so much")
    if type(value) is not int and not isinstance(value, str):
        shown = brief(value)
        hint = _hint(str(value), parse) if type(value) is float else ""
        raise UsageError(f"{name} is a whole number, or text like 4.3M or 2%, not {shown}{hint}")
    try:
        return parse(str(value))
    except Refusal as refusal:
        raise UsageError(printable(f"{refusal.message}{_helped(refusal)}")) from None


def _hint(text: str, parse: Callable[[str], Any]) -> str:
    try:
        parse(text)
    except Refusal as refusal:
        return _helped(refusal)
    return ""


def _helped(refusal: Refusal) -> str:
    return f"; {refusal.help}" if refusal.help else ""
