"""The types an option of a kind can have: what a value must be, in one place and in words.

An option's annotation in a kind is its type: mypy reads what it stands for, a spec is checked by
the entry of `TYPES` that it names. A type sees values, never YAML.
"""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple, TypeAlias

from convcost.errors import Refusal
from convcost.names import did_you_mean, nearest
from convcost.shapes import Shape

LARGEST = 10**9  # the largest number an option may hold; no layer ever had more of anything
MAX_AXES = 3  # of what a window slides over
MOST_AXES = 5  # of a tensor: heads and windows are axes of their own
INPUT_KEYS = ("channels", "size", "fixed", "multiple")
REST = 0  # in a form: what is left over
LONGEST_SHOWN = 60
LARGEST_STATED = 10**24

AXES_WORDS = ("channels", "size", "all")
FUNCTIONS = (
    *("abs", "negate", "sign", "reciprocal", "square", "sqrt", "rsqrt", "power"),
    *("exp", "log", "erf", "sin", "cos", "tan", "clip", "round", "floor", "ceil", "affine"),
)

Count: TypeAlias = Annotated[int, "Count"]
Natural: TypeAlias = Annotated[int, "Natural"]
Tally: TypeAlias = Annotated[int, "Tally"]
Stated: TypeAlias = Annotated[int | str, "Stated"]
Number: TypeAlias = Annotated[Any, "Number"]  # int or Fraction
Flag: TypeAlias = Annotated[bool, "Flag"]
Extent: TypeAlias = Annotated[int | tuple[int, ...], "Extent"]
Padding: TypeAlias = Annotated[int | str | tuple[int, ...], "Padding"]
Border: TypeAlias = Annotated[int | tuple[int, ...], "Border"]
Factor: TypeAlias = Annotated[Any, "Factor"]  # int or Fraction, one or one for each axis
Mode: TypeAlias = Annotated[str, "Mode"]
Span: TypeAlias = Annotated[str, "Span"]
Label: TypeAlias = Annotated[str, "Label"]
Along: TypeAlias = Annotated[int | str, "Along"]
Axes: TypeAlias = Annotated[int | str | tuple[int, ...], "Axes"]
Function: TypeAlias = Annotated[str, "Function"]
Input: TypeAlias = Annotated[Shape, "Input"]
Tensor: TypeAlias = Annotated[Shape, "Tensor"]
Form: TypeAlias = Annotated[Shape, "Form"]  # one entry may be REST
Layers: TypeAlias = Annotated[Any, "Layers"]  # read by the language itself, never a value


class OptionType(NamedTuple):
    """What an option takes.

    `check` turns a value into the option's own or raises Refusal; `words` are taken as they stand;
    with `literal` any text is, and nothing is an expression.
    """

    meaning: str
    check: Callable[[Any], Any]
    words: tuple[str, ...] = ()
    literal: bool = False


def show(value: Any) -> str:
    """A value as the user would write it."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return f"`{value}`" if len(value) <= LONGEST_SHOWN else f"`{value[:LONGEST_SHOWN]}…`"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, tuple):
        return "[" + ", ".join(show(item) for item in value) + "]"
    return (
        _decimal(value) if type(value) is not int and hasattr(value, "denominator") else str(value)
    )


def _decimal(value: Any) -> str:
    """A fraction as a decimal if it ends, else as it is: 5/2 is 2.5, 1/3 stays."""
    for places in range(1, 40):
        scaled = value * 10**places
        if scaled.denominator == 1:
            sign, digits = "-" * (scaled < 0), f"{abs(int(scaled)):0{places + 1}d}"
            return f"{sign}{digits[:-places]}.{digits[-places:]}"
    return str(value)


def _whole(least: int, most: int = LARGEST) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if type(value) is int and least <= value <= most:
            return value
        if type(value) is int and value > most:
            raise Refusal("CC104", f"must be at most {most:,}, not {value:,}")
        fraction = (
            type(value) not in (bool, int) and hasattr(value, "denominator") and value > least
        )
        hint = "round(…), // or divisible(…, 8) make it whole" if fraction else ""
        raise Refusal("CC104", f"must be a whole number from {least}, not {show(value)}", hint)

    return check


_count = _whole(1)
_natural = _whole(0)


def _stated(value: Any) -> Any:
    return value if value == "uncounted" else _whole(0, LARGEST_STATED)(value)


def _number(value: Any) -> Any:
    if type(value) is bool or not hasattr(value, "denominator"):
        raise Refusal("CC104", f"must be a number, not {show(value)}")
    if abs(value) > LARGEST:
        raise Refusal("CC104", f"must be at most {LARGEST:,}, not {value:,}")
    return value


def _flag(value: Any) -> bool:
    if type(value) is bool:
        return value
    hint = ""
    if isinstance(value, str) and value.lower() in ("yes", "on", "no", "off"):
        hint = "YAML 1.2 knows `true` and `false` only"
    raise Refusal("CC104", f"must be true or false, not {show(value)}", hint)


def _each(check: Callable[[Any], Any], longest: int = MAX_AXES) -> Callable[[Any], Any]:
    """One value, or a list with one for each axis."""

    def each(value: Any) -> Any:
        if not isinstance(value, tuple):
            return check(value)
        if not 1 <= len(value) <= longest:
            raise Refusal("CC104", f"takes 1 to {longest} numbers, not {len(value)}")
        return tuple(check(item) for item in value)

    return each


def _scale(value: Any) -> Any:
    number = _number(value)
    if number <= 0:
        raise Refusal("CC104", f"must be above 0, not {show(value)}")
    return number


def _variable(value: Any) -> Any:
    """What a block can be handed: a number, a truth value, a word of padding, numbers per axis."""
    if type(value) is bool or value in ("same", "valid"):
        return value
    return _each(_number, 2 * MAX_AXES)(value)


def _text(value: Any) -> str:
    if isinstance(value, str) and value:
        return value
    raise Refusal("CC104", f"must be text, not {show(value)}")


def _word(*words: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value in words and isinstance(value, str):
            return value
        meant = nearest(str(value), words)
        hint = f"did you mean `{meant}`?" if meant else ""
        listed = " or ".join(f"`{word}`" for word in words)
        raise Refusal("CC104", f"must be {listed}, not {show(value)}", hint)

    return check


def _padding(value: Any) -> Any:
    if value in ("same", "valid") and isinstance(value, str):
        return value
    return _each(_natural, 2 * MAX_AXES)(value)


def _axis(*words: str) -> Callable[[Any], Any]:
    """A word, or the number of an axis of the size."""

    def check(value: Any) -> Any:
        if isinstance(value, str):
            return _word(*words)(value)
        return _whole(1, MOST_AXES)(value)

    return check


def _axes(value: Any) -> Any:
    if not isinstance(value, tuple):
        return _axis(*AXES_WORDS)(value)
    numbers: tuple[int, ...] = _each(_whole(1, MOST_AXES), MOST_AXES)(value)
    if len(set(numbers)) < len(numbers):
        raise Refusal("CC104", f"must name every axis once, not {show(numbers)}")
    return numbers


def tensor(value: Any, longest: int = MAX_AXES) -> Shape:
    """`{channels: 64, size: [28, 28]}`: both required, `size: []` for a flat one."""
    return _tensor(value, longest, _count)


def _input(value: Any) -> Shape:
    return _tensor(value, MAX_AXES, _count, INPUT_KEYS)


def _form(value: Any) -> Shape:
    shape = _tensor(value, MOST_AXES, lambda n: REST if n == "rest" else _count(n))
    if (shape.channels, *shape.size).count(REST) > 1:
        raise Refusal("CC104", "takes `rest` once: what is left over goes to one place")
    return shape


def _tensor(
    value: Any,
    longest: int,
    count: Callable[[Any], int],
    known: tuple[str, ...] = ("channels", "size"),
) -> Shape:
    if not isinstance(value, dict):
        raise Refusal("CC104", f"must be {{channels: …, size: …}}, not {show(value)}")
    for key in value:
        if key not in ("channels", "size") and not key.startswith("x-"):
            hint = did_you_mean(key, known)
            raise Refusal("CC101", f"unknown key `{key}`", hint)
    for key in ("channels", "size"):
        if value.get(key) is None:
            raise Refusal("CC103", f"`{key}` is missing", "write {channels: …, size: …}")
    try:
        channels = count(value["channels"])
    except Refusal as refusal:
        raise Refusal(refusal.code, f"channels {refusal.message}") from None
    return Shape(channels, size_of(value["size"], longest, count))


def size_of(
    value: Any, longest: int = MAX_AXES, count: Callable[[Any], int] = _count
) -> tuple[int, ...]:
    """The size of an input: n is a square, [n] a row, [h, w] a map, [d, h, w] a volume, [] flat."""
    if isinstance(value, tuple) and len(value) > longest:
        raise Refusal("CC104", f"size takes at most {longest} numbers, not {len(value)}")
    try:
        counts = tuple(map(count, value if isinstance(value, tuple) else (value, value)))
    except Refusal as refusal:
        raise Refusal(refusal.code, f"size {refusal.message}") from None
    return counts


def _never(value: Any) -> Any:
    raise Refusal("CC104", f"takes layers, not {show(value)}")


TYPES = {
    "Count": OptionType("a whole number from 1", _count),
    "Natural": OptionType("a whole number from 0", _natural),
    "Tally": OptionType("a whole number from 0", _whole(0, LARGEST_STATED)),
    "Stated": OptionType("a whole number from 0, or `uncounted`", _stated, ("uncounted",)),
    "Number": OptionType("a number", _number),
    "Flag": OptionType("true or false", _flag),
    "Extent": OptionType("a whole number from 1, or one for each axis", _each(_count)),
    "Padding": OptionType(
        "n, one for each axis, begins then ends, `same` or `valid`", _padding, ("same", "valid")
    ),
    "Border": OptionType(
        "n, one for each axis, or begins then ends", _each(_natural, 2 * MAX_AXES)
    ),
    "Factor": OptionType("a number above 0, or one for each axis", _each(_scale)),
    "Mode": OptionType(
        "`nearest`, `linear` or `cubic`",
        _word("nearest", "linear", "cubic"),
        ("nearest", "linear", "cubic"),
    ),
    "Span": OptionType("`channels` or `all`", _word("channels", "all"), ("channels", "all")),
    "Variable": OptionType(
        "a number, true or false, a list of numbers, `same` or `valid`",
        _variable,
        ("same", "valid"),
    ),
    "Label": OptionType("text", _text, literal=True),
    "Along": OptionType(
        "`channels`, or the number of an axis, 1 the outermost", _axis("channels"), ("channels",)
    ),
    "Axes": OptionType(
        "`channels`, `size`, `all`, or numbers of axes, 1 the outermost", _axes, AXES_WORDS
    ),
    "Function": OptionType("the name of a function", _word(*FUNCTIONS), FUNCTIONS),
    "Input": OptionType("{channels: n, size: n or [h, w]}", _input),
    "Tensor": OptionType(
        "{channels: n, size: n or [h, w]}", lambda value: tensor(value, MOST_AXES)
    ),
    "Form": OptionType(
        "{channels: n, size: n or [h, w]}, one of the numbers `rest`", _form, ("rest",)
    ),
    "Layers": OptionType("layers", _never),
}
