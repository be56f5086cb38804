"""The arguments of a call from Python, with their types checked."""

import os
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

from convcost.language.network_inputs import Settings
from convcost.language.scalars import MAX_DIGITS, parse_variable
from convcost.model.errors import UsageError, brief, usage_errors
from convcost.model.network import Network
from convcost.model.options import MAX_WINDOW_AXES

Value: TypeAlias = bool | int | float | Fraction | Decimal | str
PerAxisInt: TypeAlias = int | Sequence[int]
Size: TypeAlias = PerAxisInt | Mapping[str, PerAxisInt]  # one size for all inputs, or one by input
MAX_NUMBER = 10**9  # of a size or batch, as in a spec


def spec_name(spec: Any) -> str:
    """The path or name of a spec as text. Raises UsageError for another type."""
    return text_of("a spec", spec)


def specs_of_call(specs: Any) -> tuple[tuple[str, ...], tuple[Network, ...]]:
    """The names of specs and the loaded networks, of one argument or of an iterable.

    Raises UsageError if there is none, or one is of another type.
    """
    is_single = isinstance(specs, str | bytes | os.PathLike | Network) or not isinstance(
        specs, Iterable
    )
    several = [specs] if is_single else list(specs)
    if not several:
        raise UsageError("there is no spec to check")
    networks = tuple(item for item in several if isinstance(item, Network))
    return tuple(spec_name(item) for item in several if not isinstance(item, Network)), networks


def text_of(argument: str, value: Any) -> str:
    """A text or path as a text that can be a file name. Raises UsageError that names the argument,
    `argument`."""
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(text, str):
        raise UsageError(f"{argument} must be a str or pathlib.Path, not {brief(value)}")
    if "\0" in text:
        raise UsageError(f"{argument} has a zero byte: `{text}`")
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        raise UsageError(f"{argument} has an invalid character: `{text}`") from None
    return text


def parse_settings(variables: Any, size: Any) -> Settings:
    """The settings of a call. Raises UsageError for a value that no spec accepts."""
    value_by_variable = {} if variables is None else variables
    if not isinstance(value_by_variable, Mapping):
        requirement = 'a mapping of variables, like {"classes": 10}'
        raise UsageError(f"set must be {requirement}, not {brief(value_by_variable)}")
    for name in value_by_variable:
        if not isinstance(name, str):
            raise UsageError(f"set: the name of a variable must be a str, not {brief(name)}")
    values = tuple((name, _value(name, value)) for name, value in value_by_variable.items())
    if isinstance(size, Mapping):
        sizes = tuple((text_of("an input", key), parse_size(value)) for key, value in size.items())
        return Settings(values, sizes=sizes)
    return Settings(values, None if size is None else parse_size(size))


def _value(name: str, value: Any) -> Any:
    """The exact value. A float has the value of its decimal text: 0.1 is 1/10."""
    if type(value) is int and abs(value) >= 10**MAX_DIGITS:
        raise UsageError(f"set: {name} has more than {MAX_DIGITS} digits")
    if type(value) in (bool, int):
        return value
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else value
    if isinstance(value, float | Decimal | str):
        with usage_errors(f"set: {name}: "):
            return parse_variable(str(value))
    raise UsageError(f"set: {name} needs a number, true or false, not a {type(value).__name__}")


def parse_size(size: Any) -> tuple[int, ...]:
    """An input size, one number for each axis or one for all. Raises UsageError."""
    numbers = (size,) if type(size) is int else size
    if not _are_counts(numbers) or not 0 < len(numbers) <= MAX_WINDOW_AXES:
        raise UsageError(f"size must be like 256 or (256, 320), not {brief(size)}")
    return tuple(numbers)


def parse_batch(batch: Any) -> int:
    """The number of samples. Raises UsageError."""
    if type(batch) is not int or not 0 < batch <= MAX_NUMBER:
        raise UsageError(f"batch must be an integer from 1 to {MAX_NUMBER:,}, not {brief(batch)}")
    return batch


def parse_shapes(shapes: Any) -> tuple[tuple[int, ...], ...]:
    """Shapes of inputs, channels first and without the batch. Raises UsageError."""
    listed = list(shapes) if isinstance(shapes, Sequence) else [shapes]
    if not all(map(_are_counts, listed)):
        raise UsageError(f"inputs must be shapes, like [(3, 224, 224)], not {brief(shapes)}")
    return tuple(map(tuple, listed))


def _are_counts(numbers: Any) -> bool:
    """Whether it is a sequence of integers from 1."""
    return (
        isinstance(numbers, Sequence)
        and not isinstance(numbers, bytes | bytearray)
        and all(type(number) is int and 0 < number < MAX_NUMBER for number in numbers)
    )
