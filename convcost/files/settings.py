"""What a call changes in a spec, as values of Python, checked."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

from convcost.errors import Refusal, UsageError, brief
from convcost.options import MAX_AXES
from convcost.report import printable
from convcost.spec.entry import Settings
from convcost.spec.figures import variable
from convcost.spec.scalars import LONGEST_NUMBER

Value: TypeAlias = bool | int | float | Fraction | Decimal | str
Extent: TypeAlias = int | Sequence[int]
LARGEST = 10**9


def settings(variables: Mapping[str, Value] | None, size: Extent | None) -> Settings:
    """Raises UsageError for what no spec can take."""
    given = tuple((name, _value(name, value)) for name, value in (variables or {}).items())
    return Settings(given, None if size is None else _extent(size))


def _value(name: str, value: Any) -> Any:
    """A float is the number that it is written as: 0.1 is a tenth."""
    if type(value) is int and abs(value) >= 10**LONGEST_NUMBER:
        shown = printable(str(name))
        raise UsageError(
            f"set: {shown} has more than {LONGEST_NUMBER} digits: nothing counts so much"
        )
    if type(value) in (bool, int):
        return value
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else value
    try:
        if isinstance(value, float | Decimal | str):
            return variable(str(value))
    except Refusal as refusal:
        shown = f"set: {printable(str(name))}: {printable(refusal.message)}"
        raise UsageError(shown) from None
    kind = type(value).__name__
    raise UsageError(f"set: {printable(str(name))} takes a number, true or false, not a {kind}")


def _extent(size: Any) -> tuple[int, ...]:
    numbers = (size,) if type(size) is int else size
    if (
        not isinstance(numbers, Sequence)
        or isinstance(numbers, bytes | bytearray)
        or not 0 < len(numbers) <= MAX_AXES
        or any(type(number) is not int or not 0 < number < LARGEST for number in numbers)
    ):
        raise UsageError(f"size is like 256 or (256, 320), not {brief(size)}")
    return tuple(numbers)


def batch_of(batch: Any) -> int:
    """Raises UsageError."""
    if type(batch) is not int or not 0 < batch <= LARGEST:
        raise UsageError(f"batch is a whole number from 1, not {brief(batch)}")
    return batch
