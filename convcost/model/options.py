"""The types of options of kinds.

The annotation of an option names its type: mypy checks the Python type, and the entry of `TYPES`
checks the value in a spec. Types check values, not YAML.
"""

from collections.abc import Callable
from typing import Annotated, Any, TypeAlias

from convcost.model.errors import ConstraintError
from convcost.model.record import NamedTuple
from convcost.model.shape import Shape
from convcost.model.suggestions import did_you_mean
from convcost.model.symbolic import is_integer

MAX_NUMBER = 10**9  # in an option; no known layer needs more
MAX_WINDOW_AXES = 3  # axes of the input of a window
MAX_TENSOR_AXES = 7  # axes of a tensor: heads, and windows of three axes and their positions
TENSOR_KEYS = ("channels", "size")
INPUT_KEYS = (*TENSOR_KEYS, "fixed", "multiple")
TENSOR = "{channels: n, size: n or [h, w]}"
REST = 0  # in a ShapePattern: the elements that remain
MAX_SHOWN = 60  # characters of a value in a message
MAX_STATED = 10**24  # a count that a spec states

AXES_WORDS = ("channels", "size", "all")
# The elements of each axis that an interpolation uses for an output element, by mode.
INTERPOLATION_TAPS = {"nearest": 1, "linear": 2, "cubic": 4}
FUNCTIONS = (
    *("abs", "negate", "sign", "reciprocal", "square", "sqrt", "rsqrt", "power"),
    *("exp", "log", "erf", "sin", "cos", "tan", "clip", "round", "floor", "ceil", "affine"),
)

PositiveInt: TypeAlias = Annotated[int, "PositiveInt"]
Natural: TypeAlias = Annotated[int, "Natural"]
NonNegativeInt: TypeAlias = Annotated[int, "NonNegativeInt"]
StatedInt: TypeAlias = Annotated[int | str, "StatedInt"]
Number: TypeAlias = Annotated[Any, "Number"]  # int or Fraction
Flag: TypeAlias = Annotated[bool, "Flag"]
Frozen: TypeAlias = Annotated[bool | str, "Frozen"]
PerAxisInt: TypeAlias = Annotated[int | tuple[int, ...], "PerAxisInt"]
Padding: TypeAlias = Annotated[int | str | tuple[int, ...], "Padding"]
Border: TypeAlias = Annotated[int | tuple[int, ...], "Border"]
Factor: TypeAlias = Annotated[Any, "Factor"]  # int or Fraction, one or one for each axis
Mode: TypeAlias = Annotated[str, "Mode"]
ChannelsOrAll: TypeAlias = Annotated[str, "ChannelsOrAll"]
Label: TypeAlias = Annotated[str, "Label"]
Along: TypeAlias = Annotated[int | str, "Along"]
Axes: TypeAlias = Annotated[int | str | tuple[int, ...], "Axes"]
Function: TypeAlias = Annotated[str, "Function"]
Input: TypeAlias = Annotated[Shape, "Input"]
Tensor: TypeAlias = Annotated[Shape, "Tensor"]
ShapePattern: TypeAlias = Annotated[Shape, "ShapePattern"]  # one entry may be REST
# For each filter the channels that it is connected to, from 1.
Connections: TypeAlias = Annotated[tuple[tuple[int, ...], ...], "Connections"]
Density: TypeAlias = Annotated[Any, "Density"]  # int or Fraction
Layers: TypeAlias = Annotated[Any, "Layers"]  # parsed by the language, never a value


class OptionType(NamedTuple):
    """What an option accepts.

    `check` returns the value of the option or raises ConstraintError. `words` are texts that are
    not expressions; with `literal` no text is one. With `nested`, the items of a list may be lists.
    """

    meaning: str
    check: Callable[[Any], Any]
    words: tuple[str, ...] = ()
    literal: bool = False
    nested: bool = False


def show(value: Any) -> str:
    """The text of a value, as a user writes it in a spec."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return f"`{value}`" if len(value) <= MAX_SHOWN else f"`{value[:MAX_SHOWN]}…`"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, tuple):
        return "[" + ", ".join(show(item) for item in value) + "]"
    return str(value) if isinstance(value, int) else _decimal(value)


def value_text(value: Any) -> str:
    """A value of a variable as on the command line: `0.25`, `true` or `128x160`."""
    return "x".join(map(str, value)) if isinstance(value, tuple) else show(value)


def json_number(value: Any) -> Any:
    """A value in JSON: a number if all of its digits are exact, like 0.25; else text."""
    if isinstance(value, int):
        return value
    from fractions import Fraction

    number = float(value)
    return number if Fraction(repr(number)) == value else show(value)


def _decimal(value: Any) -> str:
    """A fraction as a finite decimal if there is one: 5/2 is 2.5, 1/3 stays."""
    for places in range(1, 40):
        scaled = value * 10**places
        if scaled.denominator == 1:
            sign, digits = "-" if scaled < 0 else "", f"{abs(int(scaled)):0{places + 1}d}"
            return f"{sign}{digits[:-places]}.{digits[-places:]}"
    return str(value)


def _integer(least: int, most: int = MAX_NUMBER) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if is_integer(value) and least <= value <= most:
            return value
        if is_integer(value) and value > most:
            raise ConstraintError("CC104", f"must be at most {most:,}, not {show(value)}")
        fraction = not isinstance(value, int) and hasattr(value, "denominator")
        hint = "round(…), // or divisible(…, 8) make it whole" if fraction else ""
        message = f"must be a whole number of at least {least}, not {show(value)}"
        raise ConstraintError("CC104", message, hint)

    return check


_count = _integer(1)
_natural = _integer(0)
_axis = _integer(1, MAX_TENSOR_AXES)


def _number(value: Any) -> Any:
    if type(value) is bool or not hasattr(type(value), "denominator"):
        raise ConstraintError("CC104", f"must be a number, not {show(value)}")
    if abs(value.numerator) > MAX_NUMBER * value.denominator:  # a Ratio is not computed with
        raise ConstraintError("CC104", f"must be at most {MAX_NUMBER:,}, not {show(value)}")
    return value


def _per_axis(check: Callable[[Any], Any], longest: int = MAX_WINDOW_AXES) -> Callable[[Any], Any]:
    """A check of one value, or of a list with one for each axis."""

    def check_axes(value: Any) -> Any:
        if not isinstance(value, tuple):
            return check(value)
        if not 1 <= len(value) <= longest:
            raise ConstraintError("CC104", f"needs 1 to {longest} numbers, not {len(value)}")
        return tuple(check(item) for item in value)

    return check_axes


_borders = _per_axis(_natural, 2 * MAX_WINDOW_AXES)


def _scale(value: Any) -> Any:
    number = _number(value)
    if number.numerator <= 0:
        raise ConstraintError("CC104", f"must be above 0, not {show(value)}")
    return number


def _density(value: Any) -> Any:
    number = _scale(value)
    if number.numerator > number.denominator:
        raise ConstraintError("CC104", f"must be at most 1, not {show(value)}")
    return number


def _variable(value: Any) -> Any:
    return value if type(value) is bool else _per_axis(_number, 2 * MAX_WINDOW_AXES)(value)


def _axes(value: Any) -> Any:
    numbers = _per_axis(_axis, MAX_TENSOR_AXES)(value)
    if isinstance(numbers, tuple) and len(set(numbers)) < len(numbers):
        raise ConstraintError("CC104", f"must not repeat an axis: {show(numbers)}")
    return numbers


def _tensor(
    longest: int, count: Callable[[Any], int] = _count, keys: tuple[str, ...] = TENSOR_KEYS
) -> Callable[[Any], Shape]:
    """Checks a shape: `{channels: 64, size: [28, 28]}`; both are required, `size: []` is flat."""

    def check(value: Any) -> Shape:
        if not isinstance(value, dict):
            raise ConstraintError("CC104", f"must be {TENSOR}, not {show(value)}")
        for key in value:
            if key not in TENSOR_KEYS and not key.startswith("x-"):
                raise ConstraintError("CC101", f"unknown key `{key}`", did_you_mean(key, keys))
        for key in TENSOR_KEYS:
            if value.get(key) is None:
                raise ConstraintError("CC103", f"`{key}` is missing", f"write {TENSOR}")
        try:
            channels = count(value["channels"])
        except ConstraintError as error:
            raise ConstraintError(error.code, f"channels {error.message}") from None
        return Shape(channels, size_of(value["size"], longest, count))

    return check


_pattern = _tensor(MAX_TENSOR_AXES, lambda n: REST if n == "rest" else _count(n))


def _shape_pattern(value: Any) -> Shape:
    shape = _pattern(value)
    if (shape.channels, *shape.size).count(REST) > 1:
        raise ConstraintError("CC104", "must have `rest` at most once")
    return shape


def size_of(
    value: Any, longest: int = MAX_WINDOW_AXES, count: Callable[[Any], int] = _count
) -> tuple[int, ...]:
    """The size of an input: n is a square, [n] a row, [h, w] a map, [d, h, w] a volume, [] flat."""
    if isinstance(value, tuple) and len(value) > longest:
        raise ConstraintError("CC104", f"size has at most {longest} numbers, not {len(value)}")
    try:
        return tuple(map(count, value if isinstance(value, tuple) else (value, value)))
    except ConstraintError as error:
        raise ConstraintError(error.code, f"size {error.message}") from None


def _connections(value: Any) -> tuple[tuple[int, ...], ...]:
    rows = value if isinstance(value, tuple) else ()
    if not rows or not all(isinstance(row, tuple) and row for row in rows):
        hint = "write [[1, 2, 3], [2, 3, 4], …]"
        message = f"must be a list of lists of channels, one for each filter, not {show(value)}"
        raise ConstraintError("CC104", message, hint)
    for row in rows:
        for channel in map(_count, row):
            if row.count(channel) > 1:
                raise ConstraintError("CC104", f"must not repeat channel {channel}: {show(row)}")
    return rows


def _values(meaning: str, accepts: Callable[[Any], bool], *, literal: bool = False) -> OptionType:
    """A type of the values that a function accepts."""

    def check(value: Any) -> Any:
        if accepts(value):
            return value
        raise ConstraintError("CC104", f"must be {meaning}, not {show(value)}")

    return OptionType(meaning, check, (), literal)


def _one_of(meaning: str, *words: str) -> OptionType:
    return _values(meaning, words.__contains__)._replace(words=words)


def _or_words(meaning: str, check: Callable[[Any], Any], *words: str) -> OptionType:
    return OptionType(meaning, lambda value: value if value in words else check(value), words)


TYPES = {
    "PositiveInt": OptionType("a whole number of at least 1", _count),
    "Natural": OptionType("a whole number of at least 0", _natural),
    "NonNegativeInt": OptionType("a whole number of at least 0", _integer(0, MAX_STATED)),
    "StatedInt": _or_words(
        "a whole number of at least 0, or `uncounted`", _integer(0, MAX_STATED), "uncounted"
    ),
    "Number": OptionType("a number", _number),
    "Flag": _values("true or false", lambda value: type(value) is bool),
    "Frozen": _values(
        "true, false, `weights` or `biases`",
        lambda value: type(value) is bool or value in ("weights", "biases"),
    )._replace(words=("weights", "biases")),
    "PerAxisInt": OptionType(
        "a whole number of at least 1, or one for each axis", _per_axis(_count)
    ),
    "Padding": _or_words(
        "n, one for each axis, all starts then all ends, `same` or `valid`",
        _borders,
        "same",
        "valid",
    ),
    "Border": OptionType("n, one for each axis, or all starts then all ends", _borders),
    "Factor": OptionType("a number above 0, or one for each axis", _per_axis(_scale)),
    "Density": OptionType("a number above 0, at most 1", _density),
    "Mode": _one_of("`nearest`, `linear` or `cubic`", *INTERPOLATION_TAPS),
    "ChannelsOrAll": _one_of("`channels` or `all`", "channels", "all"),
    "Variable": _or_words(
        "a number, true or false, a list of numbers, `same` or `valid`", _variable, "same", "valid"
    ),
    "Label": _values("text", lambda value: isinstance(value, str) and value != "", literal=True),
    "Along": _or_words(
        "`channels`, or the number of an axis; 1 is the outermost", _axis, "channels"
    ),
    "Axes": _or_words(
        "`channels`, `size`, `all`, or numbers of axes; 1 is the outermost", _axes, *AXES_WORDS
    ),
    "Function": _one_of("the name of a function", *FUNCTIONS),
    "Input": OptionType(TENSOR, _tensor(MAX_WINDOW_AXES, keys=INPUT_KEYS)),
    "Tensor": OptionType(TENSOR, _tensor(MAX_TENSOR_AXES)),
    "ShapePattern": OptionType(
        f"{TENSOR}, where one number may be `rest`", _shape_pattern, ("rest",)
    ),
    "Connections": OptionType(
        "a list of lists: for each filter the channels that it is connected to, from 1",
        _connections,
        nested=True,
    ),
    "Layers": _values("a list of layers", lambda _: False),
}
