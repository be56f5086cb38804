"""What the options of a block's layers can be: numbers, or what is worked out at the call."""

import re
from fractions import Fraction
from functools import cache
from typing import Any

from convcost.kind import KINDS
from convcost.options import REST
from convcost.shapes import Shape

INWARD = ("in_channels", "in_width", "in_height", "in_depth")


class Expression(str):
    """An expression of the language, as text."""

    __slots__ = ()

    @property
    def inward(self) -> bool:
        """Whether all it asks for is what enters its layer."""
        return any(name in self for name in INWARD)


class Share(Expression):
    """A number as a part, or a multiple, of the channels that enter its layer."""

    __slots__ = ("factor",)
    factor: Fraction

    @classmethod
    def of(cls, factor: Fraction) -> "Share":
        share = cls(times("in_channels", factor))
        share.factor = factor
        return share


LARGEST_FACTOR = 64
PARTS = (2, 3, 4, 8)  # of a number, that a reader thinks in


def times(name: str, factor: Fraction) -> str:
    """A name times a number, as an expression."""
    up, down = factor.numerator, factor.denominator
    product = name if up == 1 else f"{up} * {name}"
    return product if down == 1 else f"{product} // {down}"


def handy(factor: Fraction) -> bool:
    """Whether a reader sees more in a factor than in the numbers it stands for."""
    up, down = factor.numerator, factor.denominator
    if up == 1 or down == 1:
        return 0 < up <= LARGEST_FACTOR >= down
    return down in PARTS and 0 < up < 2 * down


_NUMBERED = re.compile(r"_\d+$")
CHANNELS = (
    "filters",
    "features",
    "channels",
    "groups",
    "start",
    "length",
    "multiplier",
    "heads",
)


def slots(kind: str, options: tuple[tuple[str, Any], ...]) -> dict[tuple[str, int], Any]:
    """The values of a layer that may differ from one use of a block to the next, by option and
    entry; entry 0 of what is no shape."""
    found: dict[tuple[str, int], Any] = {}
    given = dict(options)
    for name, default in _defaults(kind):
        value = given.get(name, default)
        if isinstance(value, Shape):
            for entry, n in enumerate((value.channels, *value.size)):
                found[name, entry] = "rest" if n == REST else n
        else:
            found[name, 0] = value
    return found


@cache
def _defaults(kind: str) -> tuple[tuple[str, Any], ...]:
    """The options of a kind with their defaults, None for those that are required."""
    known = KINDS.get(kind)
    assert known is not None
    return tuple(
        (name, None if option.required else option.default)
        for name, option in known.options.items()
        if option.type_name != "Layers"
    )


def labelled(kind: str, option: str, entry: int) -> str:
    """What a place is called: an option by its name, of a block's without the number by which it is
    told apart; an entry of a shape by what it is."""
    known = KINDS.get(kind)
    if known is None:
        return _NUMBERED.sub("", option)
    if known.options[option].type_name not in ("Tensor", "Form"):
        return option
    return "size" if entry else "channels"


def fixed(value: Any) -> Any:
    """What uses must have in common: all of a value that no option of a block can hold."""
    if isinstance(value, Expression | int | Fraction | tuple) or value in ("same", "valid"):
        return ""
    return value


def filled(
    kind: str, options: tuple[tuple[str, Any], ...], values: dict[tuple[str, int], Any]
) -> tuple[tuple[str, Any], ...]:
    """Options with other values, those at their default left out."""
    known = KINDS.get(kind)
    assert known is not None
    given = dict(options)
    found: list[tuple[str, Any]] = []
    for name, option in known.options.items():
        if (name, 0) not in values:
            continue
        if isinstance(given.get(name), Shape):
            size = given[name].size
            entries = [values[name, n] for n in range(1 + len(size))]
            found.append((name, Shape(entries[0], tuple(entries[1:]))))
        elif (
            option.required
            or values[name, 0] != option.default
            or isinstance(values[name, 0], Expression)
        ):
            found.append((name, values[name, 0]))
    return tuple(found)
